import { describe, expect, it } from 'vitest'
import { exchange, Unsent } from '../../src/web/exchange.ts'
import { linesOf } from '../../src/web/lines.ts'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, cut, get, LOCAL, outcome, rawSiteOf, siteOf, tellingSiteOf, text } from './site.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('a line', () => {
  const message = { path: '/', method: 'GET', headers: {}, body: null }

  it('security: ends with its connection: nothing is written on another', async () => {
    for (const how of ['destroy', 'resetAndDestroy'] as const) {
      const site = await siteOf((_request, response) => response.end('ok'))
      const lines = linesOf()
      const line = lines.open(site.url, '127.0.0.1')
      expect((await exchange(line.client, message)).status).toBe(200)
      await cut(site, how)
      await expect(exchange(line.client, message)).rejects.toThrow(Unsent)
      expect([site.sockets.length, site.seen.length]).toEqual([1, 1])
      await lines.close()
    }
  })

  it('that could not be made has written nothing', async () => {
    const lines = linesOf()
    await expect(exchange(lines.open('http://127.0.0.1:1', '127.0.0.1').client, message)).rejects.toThrow(Unsent)
    await lines.close()
    expect(() => lines.open('http://127.0.0.1:1', '127.0.0.1')).toThrow('closed')
  })
})

describe('a request', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])(
    'security: is written once where nothing comes back, by %s',
    async (method) => {
      for (const how of ['destroy', 'resetAndDestroy', 'end'] as const) {
        let requests = 0
        const site = await tellingSiteOf((socket) => {
          requests += 1
          socket[how]()
        })
        const web = webOf()
        const body = method === 'POST' || method === 'PUT' ? 'paid' : null
        const asked = web
          .visit(LOCAL)
          .ask(get(site.url, { method, body, headers: { 'payment-signature': 'x' } }), BOUNDS)
        expect(await outcome(asked)).toBe('seller_unavailable')
        expect([requests, site.sockets.length]).toEqual([1, 1])
        await web.close()
      }
    },
  )

  it.each(['GET', 'POST'])(
    'security: is written once also on a connection that answered before, by %s',
    async (method) => {
      for (const how of ['destroy', 'resetAndDestroy', 'end'] as const) {
        const heads: string[] = []
        const site = await tellingSiteOf((socket, head) => {
          heads.push(head.slice(0, head.indexOf(' HTTP')))
          if (heads.length === 1) socket.write(OK)
          else socket[how]()
        })
        const web = webOf()
        const visit = web.visit(LOCAL)
        expect(await text(visit, `${site.url}/quote`)).toBe('ok')
        expect(await outcome(visit.ask(get(`${site.url}/pay`, { method }), BOUNDS))).toBe('seller_unavailable')
        expect([heads, site.sockets.length]).toEqual([['GET /quote', `${method} /pay`], 1])
        await web.close()
      }
    },
  )

  it('security: is written once where the answer begins and breaks off', async () => {
    for (const start of ['H', 'HTTP/1.1 103 Early\r\n\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx']) {
      let requests = 0
      const site = await tellingSiteOf((socket) => {
        requests += 1
        socket.end(start)
      })
      const web = webOf()
      expect(await outcome(web.visit(LOCAL).ask(get(site.url), BOUNDS))).toBe('seller_unavailable')
      expect(requests).toBe(1)
      await web.close()
    }
  })

  it.each(['destroy', 'resetAndDestroy'] as const)(
    'does not fail where the server hung up since the last one: %s',
    async (how) => {
      const site = await siteOf((_request, response) => response.end('ok'))
      const web = webOf()
      const visit = web.visit(LOCAL)
      for (let at = 1; at <= 20; at += 1) {
        expect(await text(visit, site.url, { method: 'POST', body: 'x' })).toBe('ok')
        expect([site.seen.length, site.sockets.length]).toEqual([at, at])
        await cut(site, how)
      }
      await web.close()
    },
  )

  it.each(['destroy', 'resetAndDestroy'] as const)(
    'does not fail where many servers hung up at once: %s',
    async (how) => {
      const site = await siteOf((_request, response) => response.end('ok'))
      const web = webOf()
      const all = () => Promise.all(Array.from({ length: 12 }, () => text(web.visit(LOCAL), site.url)))
      await all()
      await cut(site, how)
      expect(new Set(await all())).toEqual(new Set(['ok']))
      expect(site.seen).toHaveLength(24)
      await web.close()
    },
  )

  it('has no answer where nobody listens, and is tried again by nobody', async () => {
    const site = await rawSiteOf((socket) => socket.destroy())
    const web = webOf()
    expect(await outcome(web.visit(LOCAL).ask(get(site.url), BOUNDS))).toBe('seller_unavailable')
    expect(await outcome(web.visit(LOCAL).ask(get('http://127.0.0.1:1/'), BOUNDS))).toBe('seller_unavailable')
    await web.close()
  })
})
