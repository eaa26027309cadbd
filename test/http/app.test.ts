import { once } from 'node:events'
import { request } from 'node:http'
import { connect, Socket } from 'node:net'
import { Hono } from 'hono'
import { describe, expect, it, vi } from 'vitest'
import { type Access, type Arrival, admitted } from '../../src/http/access.ts'
import { netOf } from '../../src/http/limits.ts'
import { oneOfMany } from '../../src/http/listen.ts'
import { basic, makeSite, type Site, type SiteOptions } from '../support/http.ts'

const ME = '/api/v1/agent-payments/me'

/** A server with one route, which says who asks; and one that fails, one that never ends, one that takes a body. */
function site(options: SiteOptions & { readonly held?: () => Promise<void> } = {}): Promise<Site> {
  return makeSite({
    ...options,
    app: (deps) => ({
      rest: (_deps, authenticate) => {
        const app = new Hono()
        app.get('/me', async (c) => {
          const { role, id } = await authenticate(c.req.raw)
          return c.json({ role, id })
        })
        app.get('/bug', () => {
          throw new Error('the password is hunter2')
        })
        app.get('/held', async (c) => {
          await authenticate(c.req.raw)
          await options.held?.()
          return c.json({})
        })
        app.post('/length', async (c) => c.json({ length: (await c.req.text()).length }))
        return app
      },
      ...options.app?.(deps),
    }),
  })
}

interface Raw {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** What `fetch` does not let anyone send. */
function raw({ server }: Site, path: string, headers: Record<string, string>): Promise<Raw> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: server.port, path, headers }, (response) => {
      let body = ''
      response.on('data', (data) => {
        body += data
      })
      response.on('end', () => resolve({ status: response.statusCode as number, headers: response.headers, body }))
    })
      .on('error', reject)
      .end()
  })
}

describe('every answer', () => {
  it('is well when it can read its books, says nothing of itself to other sites, and is kept by nobody', async () => {
    const { ask } = await site()
    expect(await (await ask('/healthz', { headers: {} })).json()).toEqual({ status: 'ok' })
    const ready = await ask('/readyz', { headers: {} })
    expect(await ready.json()).toEqual({ status: 'ready', version: '0.0.0' })
    expect(Object.fromEntries(ready.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    })
  })

  it('is a problem where there is one, and shows nothing of a bug', async () => {
    const { ask, logs } = await site()
    const lost = await ask('/nowhere')
    expect(lost.headers.get('content-type')).toBe('application/problem+json')
    expect(await lost.json()).toMatchObject({ type: 'urn:bursar:problem:not_found', status: 404, code: 'not_found' })
    const bug = await ask('/api/v1/agent-payments/bug')
    expect([bug.status, await bug.text()]).toEqual([500, expect.not.stringContaining('hunter2')])
    expect(JSON.stringify(logs)).toContain('hunter2')
  })

  it('security: takes no more than a million bytes, whether their number is said before or not', async () => {
    const { ask } = await site({ app: () => ({ limits: { bodyBytes: 1_000 } }) })
    const post = (body: string | ReadableStream): Promise<Response> =>
      ask('/api/v1/agent-payments/length', {
        method: 'POST',
        body,
        ...(typeof body !== 'string' && { duplex: 'half' }),
      })
    const streamed = (text: string): ReadableStream => new Blob([text]).stream()
    expect(await (await post('x'.repeat(1_000))).json()).toEqual({ length: 1_000 })
    expect(await (await post(streamed('x'.repeat(1_000)))).json()).toEqual({ length: 1_000 })
    expect((await post('x'.repeat(1_001))).status).toBe(413)
    expect((await post(streamed('x'.repeat(1_001)))).status).toBe(413)
  })
})

describe('security: who may ask at all', () => {
  it('is who asks by a name of ours, from no page but ours', async () => {
    const one = await site()
    const { port } = one.server
    const tried = async (host: string, origin?: string) =>
      (await raw(one, '/healthz', { host, ...(origin !== undefined && { origin }) })).status
    expect(await tried(`localhost:${port}`)).toBe(200)
    expect(await tried(`127.0.0.1:${port}`)).toBe(200)
    expect(await tried(`LOCALHOST:${port}`, one.origin)).toBe(200)
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost',
      `localhost:${port + 1}`,
      `localhost.:${port}`,
    ])
      expect([host, await tried(host)]).toEqual([host, 403])
    for (const origin of ['http://evil.example', 'null', `https://localhost:${port}`, `http://localhost:${port + 1}`])
      expect([origin, await tried(`localhost:${port}`, origin)]).toEqual([origin, 403])
  })

  const PUBLIC = 'https://pay.example.com'
  const behind: Access = { origins: [PUBLIC, 'http://localhost:8787'], behindProxy: true }
  const arrival = (peer: string, headers: Record<string, string>): Arrival => ({
    ...{ peer, encrypted: false },
    header: (name) => headers[name] ?? null,
  })
  const said = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'pay.example.com', 'x-forwarded-for': '192.0.2.7' }

  it('behind a proxy is who the proxy says, and nobody who says so', () => {
    for (const peer of ['127.0.0.1', '::1', '10.1.2.3', '::ffff:172.17.0.1', 'fd00::1'])
      expect(admitted(behind, arrival(peer, said))).toEqual({ address: '192.0.2.7', secure: true, origin: PUBLIC })
    // What came in with the request is before what the proxy added.
    const forged = { ...said, 'x-forwarded-for': '203.0.113.9, 192.0.2.7', 'x-forwarded-host': 'evil, pay.example.com' }
    expect(admitted(behind, arrival('10.1.2.3', forged)).address).toBe('192.0.2.7')
    expect(() => admitted(behind, arrival('198.51.100.1', said))).toThrow('Only the proxy')
    expect(() => admitted(behind, arrival('10.1.2.3', { host: 'pay.example.com' }))).toThrow('Only the proxy')
    expect(() => admitted(behind, arrival('10.1.2.3', { ...said, 'x-forwarded-proto': 'http' }))).toThrow('that name')
    expect(() => admitted(behind, arrival('127.0.0.1', { ...said, 'x-forwarded-host': 'evil.example' }))).toThrow()
    expect(() => admitted(behind, arrival('', said))).toThrow('Only the proxy')
  })

  it('from this machine past the proxy is let in, but not with a passphrase', () => {
    const own = admitted(behind, arrival('127.0.0.1', { host: 'localhost:8787' }))
    expect(own).toEqual({ address: '127.0.0.1', secure: false, origin: 'http://localhost:8787' })
  })

  it('is not taken for this machine where a proxy is in front that nobody told of', () => {
    const open: Access = { origins: ['http://localhost:8787'], behindProxy: false }
    expect(admitted(open, arrival('127.0.0.1', { host: 'localhost:8787' })).secure).toBe(true)
    for (const name of [...Object.keys(said), 'forwarded'])
      expect(() => admitted(open, arrival('127.0.0.1', { host: 'localhost:8787', [name]: 'x' }))).toThrow(
        '--behind-proxy',
      )
  })

  it('counts a whole net of IPv6 as one', () => {
    expect(netOf('2001:db8:1:2:3:4:5:6')).toBe(netOf('2001:db8:1:2::9'))
    expect(netOf('2001:db8:1:2::9')).not.toBe(netOf('2001:db8:1:3::9'))
    expect(netOf('::1')).toBe(netOf('::2'))
    expect(netOf('::ffff:192.0.2.1')).toBe('192.0.2.1')
  })
})

describe('security: too much', () => {
  it('of one agent is refused with when to come back, and holds up no other', async () => {
    const { ask, purse } = await site({ app: () => ({ limits: { agentPerMinute: 3, agentAtOnce: 100 } }) })
    const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await ask(ME)).status))
    expect(statuses.sort()).toEqual([200, 200, 200, 429])
    const late = await ask(ME)
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await late.json()).toMatchObject({ code: 'rate_limited', retry: 'later' })
    expect((await ask(ME, { headers: basic() })).status).toBe(200)
    expect(purse.walletId).toBeDefined()
  })

  it('at once of one agent is refused, until it is less', async () => {
    let finish = (): void => undefined
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let inside = 0
    const { ask } = await site({
      app: () => ({ limits: { agentAtOnce: 2 } }),
      held() {
        inside += 1
        return finished
      },
    })
    const held = [1, 2].map(() => ask('/api/v1/agent-payments/held'))
    await vi.waitFor(() => expect(inside).toBe(2))
    expect((await ask(ME)).status).toBe(429)
    finish()
    for (const response of await Promise.all(held)) expect(response.status).toBe(200)
    expect((await ask(ME)).status).toBe(200)
  })

  it('without a credential is refused by address', async () => {
    const { ask } = await site({ app: () => ({ limits: { addressPerMinute: 2 } }) })
    const statuses = [1, 2, 3].map(async () => (await ask('/healthz', { headers: {} })).status)
    expect((await Promise.all(statuses)).sort()).toEqual([200, 200, 429])
    expect((await ask(ME)).status).toBe(200)
  })

  it('of one address is hung up on, but for this machine', () => {
    const hangUp = oneOfMany(2)
    const socket = (remoteAddress: string) => {
      const one = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress })
      hangUp(one)
      return one
    }
    const [first, second, third] = [1, 2, 3].map(() => socket('192.0.2.1'))
    expect([first, second, third].map((one) => one?.destroyed)).toEqual([false, false, true])
    expect(socket('192.0.2.2').destroyed).toBe(false)
    for (const _ of [1, 2, 3, 4]) expect(socket('127.0.0.1').destroyed).toBe(false)
  })

  it('of a connection that says nothing is cut off', async () => {
    const one = await site({ patience: { silentMs: 200, headersMs: 600_000, requestMs: 600_000 } })
    const silent = connect(one.server.port, '127.0.0.1')
    await once(silent.resume(), 'close')
    expect((await one.ask('/healthz')).status).toBe(200)
  })

  it('of slow clients is cut off, and others are answered meanwhile', async () => {
    const one = await site({ patience: { headersMs: 300, requestMs: 600 } })
    const slow = Array.from({ length: 50 }, (_, at) => {
      const socket = connect(one.server.port, '127.0.0.1')
      // Half of them never end their headers, the others never their body.
      socket.write(
        at % 2 === 0
          ? 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n'
          : `POST ${ME} HTTP/1.1\r\nhost: localhost:${one.server.port}\r\ncontent-length: 10\r\n\r\nx`,
      )
      socket.on('error', () => undefined).resume()
      return new Promise<void>((resolve) => socket.on('close', () => resolve()))
    })
    expect((await one.ask('/healthz')).status).toBe(200)
    await Promise.all(slow)
    expect((await one.ask('/healthz')).status).toBe(200)
  })
})
