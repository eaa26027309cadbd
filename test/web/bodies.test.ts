import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { WebResponse } from '../../src/ports/web.ts'
import { codingOf, decoded, keeperOf } from '../../src/web/body.ts'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, closed, get, type Handler, LOCAL, outcome, type Site, siteOf } from './site.ts'

const KIB = 1024
const MIB = 1024 * KIB
const KEPT = 256 * KIB
const TEN_MIB = gzipSync(Buffer.alloc(10 * MIB))
/** What travels beyond what is taken before the other side hears of it: buffers on both sides of the wire. */
const IN_FLIGHT = 16 * MIB

async function answerOf(answer: Handler): Promise<{ response: WebResponse; site: Site }> {
  const site = await siteOf(answer)
  const web = webOf()
  onTestFinished(() => web.close())
  return { response: await web.visit(LOCAL).ask(get(site.url), BOUNDS), site }
}

function says(coding: string | readonly string[], body: Buffer): Handler {
  return (_request, response) => {
    response.setHeader('content-encoding', coding)
    response.end(body)
  }
}

/** Writes for ever, until nobody reads any more. @returns how many bytes were written */
function flood(response: ServerResponse, chunk: Buffer): Promise<number> {
  return new Promise((resolve) => {
    let written = 0
    const write = () => {
      do written += chunk.length
      while (response.write(chunk))
    }
    response.on('drain', write)
    response.on('close', () => resolve(written))
    write()
  })
}

describe('a body', () => {
  it('is whole up to 256 KiB', async () => {
    const body = randomBytes(KEPT)
    const { response } = await answerOf((_request, response) => response.end(body))
    expect(response.body.equals(body)).toBe(true)
    expect(response.truncated).toBe(false)
  })

  it('is cut after 256 KiB, and the connection is ended', async () => {
    const body = randomBytes(KEPT + 1)
    const { response, site } = await answerOf((_request, response) => response.end(body))
    expect(response.body.equals(body.subarray(0, KEPT))).toBe(true)
    expect(response.truncated).toBe(true)
    await closed(site.sockets[0])
  })

  it('without an end is cut, and the server is told', async () => {
    const ends: Promise<number>[] = []
    const { response } = await answerOf((_request, response) => ends.push(flood(response, Buffer.alloc(64 * KIB, 'x'))))
    expect(response).toMatchObject({ status: 200, truncated: true })
    expect(response.body.equals(Buffer.alloc(KEPT, 'x'))).toBe(true)
    expect(await ends[0]).toBeLessThan(IN_FLIGHT)
  })

  it('that is said to be huge is cut without waiting for it', async () => {
    const { response } = await answerOf((_request, response) => {
      response.setHeader('content-length', 10 ** 12)
      response.write(Buffer.alloc(KEPT + 1))
    })
    expect(response.truncated).toBe(true)
    expect(response.body).toHaveLength(KEPT)
  })

  it('of many small pieces takes no more memory than its bytes, and no more time', () => {
    const max = 4 * MIB
    const keeper = keeperOf(max)
    const piece = Buffer.from('x')
    let kept = 0
    while (keeper.add(piece)) kept += 1
    expect(kept).toBe(max)
    expect(keeper.bytes().equals(Buffer.alloc(max, 'x'))).toBe(true)
    expect(keeper.bytes().buffer.byteLength).toBe(max)
  })

  it('is kept byte for byte, however it is cut in pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9_000 })), fc.nat(20_000), (pieces, max) => {
        const keeper = keeperOf(max)
        const whole = Buffer.concat(pieces)
        const all = pieces.map((piece) => keeper.add(Buffer.from(piece))).every(Boolean)
        expect(all).toBe(whole.length <= max)
        expect(keeper.bytes().equals(whole.subarray(0, max))).toBe(true)
      }),
    )
  })
})

const CODINGS: readonly (readonly [coding: string, compress: (body: Buffer) => Buffer])[] = [
  ['gzip', gzipSync],
  ['GZIP', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['identity', (body) => body],
]

describe('a compressed body', () => {
  it.each(CODINGS)('in %s is unpacked', async (coding, compress) => {
    const body = Buffer.from('{"a": "€"} '.repeat(1_000))
    const { response } = await answerOf(says(coding, compress(body)))
    expect(response.body.equals(body)).toBe(true)
    expect(response.truncated).toBe(false)
  })

  it.each(CODINGS)('in %s is whole up to 256 KiB, and cut after', async (coding, compress) => {
    const body = Buffer.alloc(KEPT + 1, 'abc')
    const whole = (await answerOf(says(coding, compress(body.subarray(0, KEPT))))).response
    expect([whole.body.equals(body.subarray(0, KEPT)), whole.truncated]).toEqual([true, false])
    const cut = (await answerOf(says(coding, compress(body)))).response
    expect([cut.body.equals(body.subarray(0, KEPT)), cut.truncated]).toEqual([true, true])
  })

  it('may be gzip in several members', async () => {
    const { response } = await answerOf(says('gzip', Buffer.concat([gzipSync('one'), gzipSync('two')])))
    expect([response.body.toString(), response.truncated]).toEqual(['onetwo', false])
  })

  it.each([
    ['gzip', TEN_MIB],
    ['gzip of a thousand to one', gzipSync(Buffer.alloc(50 * MIB), { level: 9 })],
    ['gzip of many bombs', Buffer.concat(Array.from({ length: 90 }, () => TEN_MIB))],
    ['deflate', deflateSync(Buffer.alloc(50 * MIB))],
    [
      'br of a million to one',
      brotliCompressSync(Buffer.alloc(50 * MIB), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
    ],
  ])('security: that is a bomb of %s costs what is kept', async (what, bomb) => {
    const before = process.memoryUsage().rss
    const { response } = await answerOf(says(what.split(' ')[0] as string, bomb))
    expect(response.truncated).toBe(true)
    expect(response.body.equals(Buffer.alloc(KEPT))).toBe(true)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB)
  })

  it('security: that is a bomb in a bomb is unpacked once', async () => {
    const inner = gzipSync(Buffer.alloc(50 * MIB))
    const { response } = await answerOf(says('gzip', gzipSync(inner)))
    expect(response.body.equals(inner.subarray(0, KEPT))).toBe(true)
  })

  it('without an end is cut after 1 MiB came in, and the server is told', async () => {
    // An empty member is 20 bytes that are nothing when unpacked.
    const nothing = Buffer.concat(Array.from({ length: 4_000 }, () => gzipSync('')))
    const ends: Promise<number>[] = []
    const { response } = await answerOf((_request, response) => {
      response.setHeader('content-encoding', 'gzip')
      ends.push(flood(response, nothing))
    })
    expect([response.body.length, response.truncated]).toEqual([0, true])
    expect(await ends[0]).toBeLessThan(IN_FLIGHT)
  })

  it('of which only a part was received is that part', async () => {
    const body = randomBytes(2 * MIB)
    const { response } = await answerOf(says('gzip', gzipSync(body)))
    expect([response.body.equals(body.subarray(0, KEPT)), response.truncated]).toEqual([true, true])
  })

  it.each<[string, string | readonly string[], Buffer]>([
    ['in a coding that nobody asked for', 'zstd', Buffer.from('text')],
    ['in a coding that there is not', 'constructor', Buffer.from('text')],
    ['in one in another', 'gzip, gzip', gzipSync(gzipSync('text'))],
    ['in one and another', ['gzip', 'br'], gzipSync('text')],
    ['in one, twice', ['gzip', 'gzip'], gzipSync('text')],
    ['in nothing', '', Buffer.from('text')],
    ['that is not', 'gzip', Buffer.from('<script>text</script>')],
    ['that is not', 'deflate', Buffer.from('<script>text</script>')],
    ['that is not', 'br', Buffer.from('<script>text</script>')],
  ])('%s (%j) is left out, and the rest of the answer stays', async (_what, coding, body) => {
    const { response } = await answerOf((_request, response) => {
      response.statusCode = 402
      response.setHeader('payment-required', 'price').setHeader('content-encoding', coding)
      response.end(body)
    })
    expect(response).toMatchObject({ status: 402, truncated: true })
    expect(response.header('payment-required')).toBe('price')
    expect(response.body.toString()).not.toContain('text')
  })

  it.each<[string, (packed: Buffer) => Buffer]>([
    [
      'turns into something else',
      (packed) => Buffer.concat([packed.subarray(0, 80 * KIB), Buffer.alloc(20 * KIB, 0xff)]),
    ],
    ['breaks off', (packed) => packed.subarray(0, 80 * KIB)],
  ])('that %s is what could be read', async (_what, broken) => {
    const body = randomBytes(100 * KIB)
    const { response } = await answerOf(says('gzip', broken(gzipSync(body))))
    expect(response.truncated).toBe(true)
    expect(response.body.length).toBeGreaterThan(32 * KIB)
    expect(response.body.subarray(0, 32 * KIB).equals(body.subarray(0, 32 * KIB))).toBe(true)
  })

  it('of any bytes in any coding is never an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('gzip', 'deflate', 'br', 'identity'), fc.uint8Array(), async (coding, bytes) => {
        const body = { bytes: Buffer.from(bytes), truncated: false }
        expect((await decoded(body, codingOf([coding]))).bytes.length).toBeLessThanOrEqual(KEPT)
      }),
    )
  })
})

describe('an answer without a body', () => {
  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('to %s with %i says nothing of one', async (method, status) => {
    const site = await siteOf((_request, response) => {
      response.writeHead(status, {
        'content-encoding': 'gzip',
        'x-here': '1',
        ...(method === 'HEAD' && { 'content-length': 10 ** 9 }),
      })
      response.end()
    })
    const web = webOf()
    const response = await web.visit(LOCAL).ask(get(site.url, { method }), BOUNDS)
    expect(response).toMatchObject({ status, truncated: false })
    expect(response.body).toHaveLength(0)
    expect(response.header('x-here')).toBe('1')
    expect(await outcome(web.visit(LOCAL).ask(get(site.url, { method }), BOUNDS))).toBe(status)
    await web.close()
  })
})
