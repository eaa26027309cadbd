import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { webOf } from '../../src/web/web.ts'
import {
  BOUNDS,
  closed,
  get,
  internet,
  LOCAL,
  outcome,
  PUBLIC,
  rawSiteOf,
  siteOf,
  tellingSiteOf,
  text,
} from './site.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('a connection', () => {
  it('is kept for the next request to the same server, also of another visit', async () => {
    const site = await siteOf((_request, response) => response.end('ok'))
    const web = webOf()
    for (let at = 0; at < 5; at += 1) expect(await text(web.visit(LOCAL), `${site.url}/${at}`)).toBe('ok')
    expect([site.seen.length, site.sockets.length]).toEqual([5, 1])
    await web.close()
  })

  it('is kept where bodies are posted and refused', async () => {
    const site = await siteOf((request, response) => {
      request.resume()
      response.writeHead(402).end('pay')
    })
    const web = webOf()
    const visit = web.visit(LOCAL)
    for (let at = 0; at < 3; at += 1) expect(await text(visit, site.url, { method: 'POST', body: 'x' })).toBe('pay')
    expect(site.sockets).toHaveLength(1)
    await web.close()
  })

  it('carries one request at a time', async () => {
    let busy = 0
    const site = await siteOf(async (_request, response) => {
      busy += 1
      await sleep(5)
      response.end(String(busy))
      busy -= 1
    })
    const web = webOf()
    await Promise.all(Array.from({ length: 10 }, () => text(web.visit(LOCAL), site.url)))
    expect(site.sockets).toHaveLength(10)
    await Promise.all(Array.from({ length: 10 }, () => text(web.visit(LOCAL), site.url)))
    expect(site.sockets).toHaveLength(10)
    await web.close()
  })

  it('security: is not shared by two addresses or two origins', async () => {
    const site = await siteOf((request, response) => response.end(request.headers.host), true)
    const calls = internet(site.port)
    const addresses = ['93.184.216.34', '8.8.8.8', '93.184.216.34', '8.8.8.8']
    const web = webOf({ lookup: async () => [{ address: addresses.shift() as string }] })
    for (const url of ['https://shop.example/', 'https://shop.example/', 'https://shop.example/'])
      expect(await text(web.visit(PUBLIC), url)).toBe('shop.example')
    expect(await text(web.visit(PUBLIC), 'https://other.example/')).toBe('other.example')
    expect(calls.map(({ host, servername }) => [host, servername])).toEqual([
      ['93.184.216.34', 'shop.example'],
      ['8.8.8.8', 'shop.example'],
      ['8.8.8.8', 'other.example'],
    ])
    await web.close()
  })

  it.each([
    ['says nothing of it', ''],
    ['would wait for long', 'keep-alive: timeout=600\r\n'],
  ])('is ended by us when nobody needs it, also where the server %s', async (_what, header) => {
    const site = await tellingSiteOf((socket) => {
      socket.on('end', () => socket.destroy())
      socket.write(`HTTP/1.1 200 OK\r\n${header}content-length: 2\r\n\r\nok`)
    })
    const web = webOf()
    expect(await text(web.visit(LOCAL), site.url)).toBe('ok')
    await closed(site.sockets[0])
    expect(await text(web.visit(LOCAL), site.url)).toBe('ok')
    expect(site.sockets).toHaveLength(2)
    await web.close()
  })

  it('is one of 16 at most that wait for more', async () => {
    const sites = await Promise.all(
      Array.from({ length: 20 }, () => siteOf((_request, response) => response.end('ok'))),
    )
    const web = webOf()
    for (const site of sites) await text(web.visit(LOCAL), site.url)
    await Promise.all(sites.slice(0, 4).map((site) => closed(site.sockets[0])))
    for (const site of sites.slice(4)) await text(web.visit(LOCAL), site.url)
    expect(sites.slice(4).map((site) => site.sockets.length)).toEqual(Array.from({ length: 16 }, () => 1))
    await web.close()
  })

  it.each([
    ['the server says so', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok', {}],
    ['it says more than was asked for', `${OK}more`, {}],
    ['it is HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', {}],
    ['it was asked for the head alone', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n', { method: 'HEAD' }],
  ])('is not kept where %s', async (_what, answer, more) => {
    const site = await tellingSiteOf((socket) => void socket.write(answer))
    const web = webOf()
    for (let at = 0; at < 2; at += 1) expect(await outcome(web.visit(LOCAL).ask(get(site.url, more), BOUNDS))).toBe(200)
    expect(site.sockets).toHaveLength(2)
    await web.close()
  })
})

describe('close', () => {
  it('ends what is idle, what waits for an answer, and what only gets its connection', async () => {
    const site = await siteOf((request, response) => {
      if (request.url === '/idle') response.end('ok')
    })
    const silent = await rawSiteOf((socket) => {
      socket.resume()
      socket.on('end', () => socket.destroy())
    })
    const web = webOf()
    const visit = web.visit(LOCAL)
    await text(visit, `${site.url}/idle`)
    const waiting = [`${site.url}/wait`, `${site.url}/wait`, `https://127.0.0.1:${silent.port}/`].map((url) =>
      outcome(visit.ask(get(url), { ...BOUNDS, withinMs: 600_000 })),
    )
    while (site.seen.length < 3 || silent.sockets.length < 1) await sleep(1)
    await web.close()
    expect(await Promise.all(waiting)).toEqual(['seller_unavailable', 'seller_unavailable', 'seller_unavailable'])
    await Promise.all([...site.sockets, ...silent.sockets].map(closed))
  })

  it('is the end: nothing is opened afterwards', async () => {
    const site = await siteOf((_request, response) => response.end())
    const web = webOf()
    await web.close()
    await web.close()
    expect(await outcome(web.visit(LOCAL).ask(get(site.url), BOUNDS))).toBe('seller_unavailable')
    expect(site.sockets).toEqual([])
  })
})
