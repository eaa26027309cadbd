import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { BursarError } from '../../src/core/errors.ts'
import type { Lookup } from '../../src/web/names.ts'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, get, internet, LOCAL, outcome, PUBLIC, siteOf } from './site.ts'

const A = '93.184.216.34'
const HOPS = { ...BOUNDS, redirects: 3 }

const lookup: Lookup = async (name) =>
  name === 'two.example' ? [{ address: A }, { address: '10.0.0.1' }] : [{ address: A }]

/** Goes on to where the query says; the answer names the server and the path. */
async function shop(status = 302) {
  const site = await siteOf((request, response) => {
    const [path = '', ...to] = (request.url ?? '').split('?')
    if (to.length === 0) return response.end(`${request.headers.host}${path}`)
    response.writeHead(status, { location: to.join('?') })
    return response.end('elsewhere')
  }, true)
  return { site, calls: internet(site.port), web: webOf({ lookup }) }
}

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('of status %i is followed', async (status) => {
    const { site, web } = await shop(status)
    const response = await web.visit(PUBLIC).ask(get('https://shop.example/a?/b?https://other.example:8443/c#d'), HOPS)
    expect(response).toMatchObject({ status: 200, url: 'https://other.example:8443/c' })
    expect(response.origin).toBe('https://other.example:8443')
    expect(response.body.toString()).toBe('other.example:8443/c')
    expect(site.seen.map(({ url, method }) => [url, method])).toEqual([
      ['/a?/b?https://other.example:8443/c', 'GET'],
      ['/b?https://other.example:8443/c', 'GET'],
      ['/c', 'GET'],
    ])
    await web.close()
  })

  it.each([
    [0, 1],
    [1, 2],
    [2, 3],
  ])('is the answer itself after %i', async (redirects, requests) => {
    const { site, web } = await shop()
    const response = await web.visit(PUBLIC).ask(get('https://shop.example/1?/2?/3?/4'), { ...BOUNDS, redirects })
    expect(response.status).toBe(302)
    expect(response.body.toString()).toBe('elsewhere')
    expect(response.header('location')).toMatch(/^\/./)
    expect(site.seen).toHaveLength(requests)
    await web.close()
  })

  it('that goes round in circles ends', async () => {
    const site = await siteOf((request, response) => {
      response.writeHead(302, { location: request.url === '/a' ? '/b' : '/a' }).end()
    })
    const web = webOf()
    const response = await web.visit(LOCAL).ask(get(`${site.url}/a`), { ...BOUNDS, redirects: 20 })
    expect([response.status, site.seen.length]).toEqual([302, 21])
    await web.close()
  })

  it.each([
    ['POST', null],
    ['POST', 'x'],
    ['PUT', 'x'],
    ['PATCH', 'x'],
    ['DELETE', null],
    ['OPTIONS', null],
    ['GET', 'x'],
    ['GET', ''],
  ])('security: of %s with the body %j is the answer itself', async (method, body) => {
    const { site, web } = await shop(307)
    expect(await outcome(web.visit(PUBLIC).ask(get('https://shop.example/1?/2', { method, body }), HOPS))).toBe(307)
    expect(site.seen).toHaveLength(1)
    await web.close()
  })

  it('of HEAD is followed by HEAD', async () => {
    const { site, web } = await shop(303)
    expect(await outcome(web.visit(PUBLIC).ask(get('https://shop.example/1?/2', { method: 'HEAD' }), HOPS))).toBe(200)
    expect(site.seen.map(({ method }) => method)).toEqual(['HEAD', 'HEAD'])
    await web.close()
  })

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['without a place', (response) => response.writeHead(302)],
    ['to two places', (response) => response.writeHead(302, ['location', '/a', 'location', '/b'])],
    ['to no URL', (response) => response.writeHead(302, { location: 'https://[' })],
    ['of a status that is none', (response) => response.writeHead(300, { location: '/a' })],
    ['that only says where it is', (response) => response.writeHead(200, { location: '/a' })],
    ['of what was not changed', (response) => response.writeHead(304, { location: '/a' })],
  ])('%s is the answer itself', async (_what, answer) => {
    const site = await siteOf((_request, response) => {
      answer(response)
      response.end()
    })
    const web = webOf()
    const response = await web.visit(LOCAL).ask(get(site.url), HOPS)
    expect(response.url).toBe(`${site.url}/`)
    expect(site.seen).toHaveLength(1)
    await web.close()
  })

  it.each([
    ['this machine by http', 'http://127.0.0.1:3000/'],
    ['this machine by https', 'https://127.0.0.1/'],
    ['this machine by name', 'https://localhost/'],
    ['this machine in numbers', '//2130706433/'],
    ['the network here', 'https://10.0.0.1/'],
    ['the metadata of a cloud', 'http://169.254.169.254/latest/meta-data/'],
    ['a name with a private address', 'https://two.example/'],
    ['http', 'http://shop.example/'],
    ['http at the port of https', 'http://shop.example:443/'],
    ['a file', 'file:///etc/passwd'],
    ['a script', 'javascript:alert(1)'],
    ['another port', 'https://shop.example:22/'],
    ['a user', 'https://me:secret@shop.example/'],
    ['a host with a dot at its end', 'https://shop.example./'],
    ['a long URL', `/${'a'.repeat(2_000)}`],
  ])('security: to %s ends the visit', async (_what, location) => {
    const site = await siteOf((_request, response) => response.writeHead(302, { location }).end(), true)
    const calls = internet(site.port)
    const web = webOf({ lookup })
    expect(await outcome(web.visit(PUBLIC).ask(get('https://shop.example/'), HOPS))).toBe('url_not_allowed')
    expect([calls.length, site.seen.length]).toEqual([1, 1])
    await web.close()
  })

  it('security: never leads from https to http, also where this machine may be asked by http', async () => {
    const plain = await siteOf((_request, response) => response.end('plain'))
    const secure = await siteOf((_request, response) => response.writeHead(302, { location: plain.url }).end(), true)
    internet(secure.port)
    const web = webOf({ lookup })
    for (const host of ['localhost', 'shop.example'])
      expect(await outcome(web.visit(LOCAL).ask(get(`https://${host}/`), HOPS))).toBe('url_not_allowed')
    expect(plain.seen).toEqual([])
    await web.close()
  })

  it('may lead from http on this machine to http on this machine', async () => {
    const last = await siteOf((_request, response) => response.end('last'))
    const first = await siteOf((_request, response) => response.writeHead(302, { location: last.url }).end())
    const web = webOf()
    expect((await web.visit(LOCAL).ask(get(first.url), HOPS)).body.toString()).toBe('last')
    await web.close()
  })
})

describe('what the caller says', () => {
  const headers = { 'payment-signature': 'signed', authorization: 'mine', 'x-other': '1', 'user-agent': 'somebody' }

  it('security: is told to no other origin, and not to the first on the way back', async () => {
    const { site, web } = await shop()
    const first = 'https://shop.example/1?/2?https://other.example/3?https://shop.example/4?/5'
    expect((await web.visit(PUBLIC).ask(get(first, { headers }), { ...BOUNDS, redirects: 4 })).status).toBe(200)
    expect(
      site.seen.map(({ headers: seen }) => [
        seen['payment-signature'],
        seen.authorization,
        seen['x-other'],
        seen['user-agent'],
      ]),
    ).toEqual([
      ['signed', 'mine', '1', 'somebody'],
      ['signed', 'mine', '1', 'somebody'],
      [undefined, undefined, undefined, 'bursar'],
      [undefined, undefined, undefined, 'bursar'],
      [undefined, undefined, undefined, 'bursar'],
    ])
    await web.close()
  })

  it('security: is not told to another port of the same host', async () => {
    const { site, web } = await shop()
    await web.visit(PUBLIC).ask(get('https://shop.example/1?https://shop.example:8443/2', { headers }), HOPS)
    expect(site.seen.map((seen) => seen.headers['payment-signature'])).toEqual(['signed', undefined])
    await web.close()
  })
})

describe('mayContact', () => {
  it('is asked before every origin, before its name is looked up and again before it is asked', async () => {
    const { site } = await shop()
    const order: string[] = []
    const web = webOf({
      lookup: async (name) => {
        order.push(`look up ${name}`)
        return [{ address: A }]
      },
    })
    const mayContact = async (origin: string) => void order.push(`${origin} after ${site.seen.length}`)
    const visit = web.visit({ loopback: false, mayContact })
    await visit.ask(get('https://shop.example/1?/2?https://other.example:8443/3'), HOPS)
    await visit.ask(get('https://shop.example/4'), HOPS)
    const [shopAfter, otherAfter] = ['https://shop.example after', 'https://other.example:8443 after']
    expect(order).toEqual([
      ...[`${shopAfter} 0`, 'look up shop.example', `${shopAfter} 0`, `${shopAfter} 1`, `${shopAfter} 1`],
      ...[`${otherAfter} 2`, 'look up other.example', `${otherAfter} 2`, `${shopAfter} 3`, `${shopAfter} 3`],
    ])
    await web.close()
  })

  it.each([
    ['the first', 'https://other.example/', 0],
    ['a later one', 'https://shop.example/?https://other.example/', 1],
  ])('security: ends the visit with its error before %s is asked', async (_what, url, requests) => {
    const { site, calls, web } = await shop()
    const error = new BursarError('payee_not_allowed', 'No.')
    const mayContact = async (origin: string) => {
      if (origin === 'https://other.example') throw error
    }
    await expect(web.visit({ loopback: false, mayContact }).ask(get(url), HOPS)).rejects.toBe(error)
    expect([site.seen.length, calls.length]).toEqual([requests, requests])
    await web.close()
  })
})
