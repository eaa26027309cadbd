import { describe, expect, it } from 'vitest'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, closed, get, LOCAL, outcome, rawSiteOf, tellingSiteOf, text } from './site.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const KIB = 1024

/** What becomes of it where these bytes are the answer, and then the connection is ended or stays. */
async function answered(bytes: string, then: 'ends' | 'stays' = 'ends') {
  const site = await tellingSiteOf((socket) => {
    socket.write(bytes, 'latin1')
    if (then === 'ends') socket.end()
  })
  const web = webOf()
  const asked = web.visit(LOCAL).ask(get(site.url), BOUNDS)
  const what = await outcome(asked)
  await web.close()
  return { what, response: typeof what === 'number' ? await asked : null, connections: site.sockets.length }
}

describe('an answer', { timeout: 10_000 }, () => {
  it('says what a header says, when it says it once', async () => {
    const headers = [
      'X-One: 1',
      'x-two: a',
      'X-Two: b',
      'x-same: a',
      'x-same: a',
      'x-empty:',
      'X-Bytes: \xe9',
      '__proto__: c',
      'x-list: a, b',
    ]
    const { response } = await answered(`${OK}${headers.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
    const said = [
      'x-one',
      'x-two',
      'x-same',
      'x-empty',
      'x-bytes',
      '__proto__',
      'x-list',
      'x-none',
      'constructor',
      '',
      'X-One',
    ]
    expect(said.map((name) => response?.header(name))).toEqual([
      '1',
      null,
      null,
      '',
      'é',
      'c',
      'a, b',
      null,
      null,
      null,
      null,
    ])
  })

  it.each([200, 402, 404, 418, 500, 599, 999])('may have any status: %i', async (status) => {
    expect((await answered(`HTTP/1.1 ${status} What\r\ncontent-length: 1\r\n\r\nx`)).what).toBe(status)
  })

  it.each([
    ['that ends with the connection', `${OK}\r\nbody`],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nbody'],
    ['in chunks', `${OK}transfer-encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\nx-trailer: 1\r\n\r\n`],
    ['without words', 'HTTP/1.1 200\r\ncontent-length: 4\r\n\r\nbody'],
    ['after early hints', `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}content-length: 4\r\n\r\nbody`],
    [
      'after sixteen informational ones',
      `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(16)}${OK}content-length: 4\r\n\r\nbody`,
    ],
  ])('%s is one', async (_what, bytes) => {
    const { response } = await answered(bytes)
    expect([response?.status, response?.body.toString(), response?.truncated]).toEqual([200, 'body', false])
    expect([response?.header('link'), response?.header('x-trailer')]).toEqual([null, null])
  })

  it.each([
    ['nothing', ''],
    ['garbage', 'garbage\r\n\r\n'],
    ['zeros', '\0'.repeat(1_000)],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', '\0\0\0\x04\0\0\0\0\0'],
    ['a request', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['HTTP/0.9', '<html>'],
    ['a status that is none', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['half a head', 'HTTP/1.1 200 OK\r\ncontent-'],
    ['less than it says', `${OK}content-length: 10\r\n\r\nbody`],
    ['two lengths', `${OK}content-length: 4\r\ncontent-length: 5\r\n\r\nbody!`],
    ['a length that is none', `${OK}content-length: -4\r\n\r\nbody`],
    ['a length in words', `${OK}content-length: four\r\n\r\nbody`],
    ['a length and chunks', `${OK}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['half of its chunks', `${OK}transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n`],
    ['a chunk of no size', `${OK}transfer-encoding: chunked\r\n\r\nx\r\nbody\r\n0\r\n\r\n`],
    ['a header without a name', `${OK}: x\r\n\r\n`],
    ['a header with a zero', `${OK}x: \0\r\ncontent-length: 0\r\n\r\n`],
    [
      'another protocol than was asked for',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ],
    // undici takes none that it did not ask for.
    ['100 Continue, unasked', `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 0\r\n\r\n`],
    ['only early hints', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['too many informational answers', `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(17)}${OK}content-length: 0\r\n\r\n`],
  ])('of %s is none', async (_what, bytes) => {
    const { what, connections } = await answered(bytes)
    expect([what, connections]).toEqual(['seller_unavailable', 1])
  })

  it('that is followed by more is that answer, and nobody else gets the rest', async () => {
    let requests = 0
    const site = await tellingSiteOf((socket) => {
      requests += 1
      const planted = `${OK}content-length: 7\r\n\r\nplanted`
      socket.write(`${OK}content-length: 4\r\n\r\nbody${requests === 1 ? planted : ''}`)
    })
    const web = webOf()
    expect(await text(web.visit(LOCAL), site.url)).toBe('body')
    expect(await text(web.visit(LOCAL), site.url)).toBe('body')
    expect(requests).toBe(2)
    await web.close()
  })
})

// None of these waits for the end of its time, which is longer than the test's.
describe('the head of an answer', { timeout: 10_000 }, () => {
  const filler = (bytes: number) => `x-a: ${'a'.repeat(bytes)}\r\n`

  it('may have close to 16 KiB', async () => {
    expect((await answered(`${OK}${filler(15 * KIB)}content-length: 0\r\n\r\n`)).what).toBe(200)
  })

  it.each([
    ['one header', `${OK}${filler(16 * KIB)}\r\n`],
    ['many headers', `${OK}${filler(100).repeat(200)}\r\n`],
    ['many empty headers', `${OK}${'a:\r\n'.repeat(20_000)}\r\n`],
    ['early hints', `HTTP/1.1 103 Early\r\n${filler(16 * KIB)}\r\n${OK}content-length: 0\r\n\r\n`],
  ])('is none above that: %s', async (_what, bytes) => {
    expect((await answered(bytes, 'stays')).what).toBe('seller_unavailable')
  })

  it('may not grow after the body either', async () => {
    const trailers = `${OK}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${filler(17 * KIB)}\r\n`
    expect((await answered(trailers, 'stays')).what).toBe('seller_unavailable')
  })

  it.each([
    ['a header', `${OK}x: `],
    ['headers', OK],
    ['the name of a header', `${OK}x`],
  ])('security: of 10 MB in %s is not taken in', async (what, start) => {
    const chunk = what === 'headers' ? 'x-header: value\r\n'.repeat(4_096) : 'a'.repeat(64 * KIB)
    let written = 0
    const site = await rawSiteOf((socket) => {
      socket.resume()
      socket.write(start)
      const write = () => {
        while (written < 10_000_000 && !socket.destroyed && socket.writable) {
          written += chunk.length
          if (!socket.write(chunk)) return
        }
      }
      socket.on('drain', write)
      write()
    })
    const before = process.memoryUsage().rss
    const web = webOf()
    expect(await outcome(web.visit(LOCAL).ask(get(site.url), BOUNDS))).toBe('seller_unavailable')
    await closed(site.sockets[0])
    expect(written).toBeLessThan(10_000_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * KIB)
    await web.close()
  })
})
