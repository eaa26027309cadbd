import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { gateOf, gatesOf, until, within } from '../../src/web/time.ts'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, closed, get, LOCAL, outcome, rawSiteOf, SOON, siteOf, tellingSiteOf } from './site.ts'

const OK = 'HTTP/1.1 200 OK\r\n'

/** A piece every few milliseconds for as long as anybody listens. */
async function drip(socket: Socket, start: string, piece: string): Promise<void> {
  socket.write(start)
  while (!socket.destroyed) {
    socket.write(piece)
    await sleep(5)
  }
}

describe('a server that takes its time', () => {
  it.each<[string, (socket: Socket) => unknown]>([
    ['says nothing', () => {}],
    ['says half a line', (socket) => socket.write('HTTP/1.1 2')],
    ['says half a head', (socket) => socket.write(`${OK}x-a: b\r\n`)],
    ['says half a body', (socket) => socket.write(`${OK}content-length: 10\r\n\r\nbody`)],
    ['gives no end', (socket) => socket.write(`${OK}\r\nbody`)],
    ['drips its line', (socket) => drip(socket, 'HTTP/1.1 200 ', 'O')],
    ['drips headers', (socket) => drip(socket, OK, 'a: b\r\n')],
    ['drips a body', (socket) => drip(socket, `${OK}content-length: 100000\r\n\r\n`, 'x')],
    ['drips chunks', (socket) => drip(socket, `${OK}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n')],
    ['drips the size of a chunk', (socket) => drip(socket, `${OK}transfer-encoding: chunked\r\n\r\n`, '0')],
    ['drips the words of a chunk', (socket) => drip(socket, `${OK}transfer-encoding: chunked\r\n\r\n1;`, 'x')],
    ['drips what comes after', (socket) => drip(socket, `${OK}transfer-encoding: chunked\r\n\r\n0\r\n`, 'a: b\r\n')],
  ])('and %s is left when the time is over, and its connection ended', async (_what, answer) => {
    const site = await tellingSiteOf((socket) => void answer(socket))
    const web = webOf()
    expect(await outcome(web.visit(LOCAL).ask(get(site.url), SOON))).toBe('seller_unavailable')
    site.sockets[0]?.on('end', () => site.sockets[0]?.destroy())
    await closed(site.sockets[0])
    await web.close()
  })

  it('and never ends the handshake is left when the time is over', async () => {
    const site = await rawSiteOf((socket) => {
      socket.resume()
      socket.on('end', () => socket.destroy())
    })
    const web = webOf()
    const url = `https://127.0.0.1:${site.port}/`
    expect(await outcome(web.visit(LOCAL).ask(get(url), SOON))).toBe('seller_unavailable')
    await closed(site.sockets[0])
    await web.close()
  })

  it('and leads on for ever is left when the time for all of it is over', async () => {
    const site = await siteOf((request, response) => {
      setTimeout(() => response.writeHead(302, { location: `/${Number(request.url?.slice(1)) + 1}` }).end(), 20)
    })
    const web = webOf()
    const asked = web.visit(LOCAL).ask(get(`${site.url}/0`), { ...SOON, redirects: 1_000_000 })
    expect(await outcome(asked)).toBe('seller_unavailable')
    await web.close()
  })

  it('holds up nobody else, also of those who ask the same server', async () => {
    const site = await siteOf((request, response) => {
      if (request.url !== '/slow') response.end()
    })
    const web = webOf()
    const visit = web.visit(LOCAL)
    const slow = Array.from({ length: 20 }, () =>
      outcome(visit.ask(get(`${site.url}/slow`), { ...BOUNDS, withinMs: 2_000 })),
    )
    expect(await outcome(visit.ask(get(`${site.url}/fast`), BOUNDS))).toBe(200)
    expect(new Set(await Promise.all(slow))).toEqual(new Set(['seller_unavailable']))
    await web.close()
  })

  it('is one of 64 at most, and whoever waits for a place does so in their time', async () => {
    const site = await siteOf((request, response) => {
      if (request.url !== '/slow') response.end()
    })
    const web = webOf()
    const ask = (path: string, withinMs: number) =>
      outcome(web.visit(LOCAL).ask(get(site.url + path), { ...BOUNDS, withinMs }))
    const slow = Array.from({ length: 100 }, () => ask('/slow', 1_000))
    const patient = ask('/fast', 20_000)
    const impatient = ask('/fast', 100)
    expect(await impatient).toBe('seller_unavailable')
    expect(site.sockets.length).toBeLessThanOrEqual(64)
    expect(await patient).toBe(200)
    await Promise.all(slow)
    expect(site.seen.filter(({ url }) => url === '/fast')).toHaveLength(1)
    await web.close()
  })
})

describe('time', () => {
  const soon = () => AbortSignal.timeout(20)
  const never = () => new AbortController().signal

  it('within gives the work its reason to end, and no more once it has', async () => {
    const reason = new Error('late')
    const waits = within(
      10,
      () => reason,
      (signal) => until(signal, new Promise(() => {})),
    )
    await expect(waits).rejects.toBe(reason)
    expect(
      await within(
        10,
        () => reason,
        async () => 'done',
      ),
    ).toBe('done')
  })

  it('until takes what comes first', async () => {
    await expect(until(AbortSignal.abort(new Error('before')), Promise.resolve('after'))).rejects.toThrow('before')
    await expect(until(soon(), new Promise(() => {}))).rejects.toThrow('timeout')
    expect(await until(soon(), Promise.resolve('first'))).toBe('first')
    await expect(until(soon(), Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  })

  it('leaves no clock behind', async () => {
    const clocks = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = clocks()
    await Promise.all(Array.from({ length: 5 }, () => within(600_000, Error, async () => 'done')))
    expect(clocks()).toBe(before)
  })

  it('a gate lets so many through at a time, in their order, also after failures', async () => {
    const gate = gateOf(2)
    const order: number[] = []
    let running = 0
    let most = 0
    const work = (at: number) => async () => {
      order.push(at)
      running += 1
      most = Math.max(most, running)
      await sleep(1)
      running -= 1
      if (at % 3 === 0) throw new Error('failed')
    }
    const arriving: Promise<unknown>[] = []
    for (let at = 0; at < 60; at += 1) {
      arriving.push(gate(never(), work(at)).catch((error) => error.message))
      if (at > 20) await sleep(1)
    }
    await Promise.all(arriving)
    expect([most, order]).toEqual([2, Array.from({ length: 60 }, (_, at) => at)])
    expect(await gate(never(), async () => 'after')).toBe('after')
  })

  it('a gate keeps nobody who left', async () => {
    const gate = gateOf(1)
    let finish = () => {}
    const first = gate(never(), () => new Promise<void>((resolve) => (finish = resolve)))
    const work = async () => expect.unreachable()
    await expect(gate(AbortSignal.abort(new Error('before')), work)).rejects.toThrow('before')
    await expect(gate(soon(), work)).rejects.toThrow('timeout')
    finish()
    await first
    await expect(gate(AbortSignal.abort(new Error('before')), work)).rejects.toThrow('before')
  })

  it('a gate never loses a place to one who leaves, at whatever moment, nor starts their work', async () => {
    for (let after = 0; after < 8; after += 1) {
      const gate = gateOf(1)
      const leaving = new AbortController()
      let finish = () => {}
      const first = gate(never(), () => new Promise<void>((resolve) => (finish = resolve)))
      const work = async () => expect(leaving.signal.aborted).toBe(false)
      const second = gate(leaving.signal, work).catch((error) => expect(error.message).toBe('left'))
      finish()
      for (let turn = 0; turn < after; turn += 1) await Promise.resolve()
      leaving.abort(new Error('left'))
      await Promise.all([first, second])
      expect(await gate(never(), async () => 'third')).toBe('third')
    }
  })

  it('security: one name that fills its gate makes no other wait, and is forgotten when it left', async () => {
    const gates = gatesOf(2)
    const { promise: held, resolve: finish } = deferred()
    let begun = 0
    const greedy = Array.from({ length: 5 }, () =>
      gates('greedy', never(), async () => {
        begun += 1
        await held
      }),
    )
    expect(await gates('other', never(), async () => 'at once')).toBe('at once')
    expect(begun).toBe(2)
    finish()
    await Promise.all(greedy)
    expect(begun).toBe(5)
  })
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
