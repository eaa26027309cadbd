import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { serveOptions } from '../../src/cli/commands/serve.ts'
import { listen } from '../../src/http/listen.ts'
import type { Rail } from '../../src/ports.ts'
import { basic, makeSite, type Site } from '../support/http.ts'
import { CARD, SHOP } from '../support/purse.ts'
import { CERTIFICATE, KEY } from '../web/certificate.ts'
import { CLIENTS, connect } from './clients.ts'

const TIMING = { readMs: 0, pollMs: 10, followMs: 10, heartbeatMs: 10, formWithinMs: 2_000 }
const APPROVE = { action: 'accept', content: { decision: 'approve' } } as const

interface Held {
  readonly wrapRail: (rail: Rail) => Rail
  begun(): number
  release(): void
}

/** A rail that takes its time. */
function held(): Held {
  let release = (): void => undefined
  let begun = 0
  const free = new Promise<void>((resolve) => {
    release = resolve
  })
  const wrapRail = (rail: Rail): Rail => ({
    ...rail,
    async pay(terms) {
      begun += 1
      await free
      return rail.pay(terms)
    },
  })
  return { wrapRail, begun: () => begun, release: () => release() }
}

const slow = (rail: Held): Promise<Site> => makeSite({ app: () => ({ timing: TIMING }), wrapRail: rail.wrapRail })

describe('a server that is told to end', () => {
  it.each(CLIENTS)('security: finishes the payment that is under way, and its agent hears of it (%s)', async (kind) => {
    const rail = held()
    const one = await slow(rail)
    const host = await connect(one.origin, kind, one.key, { answer: () => APPROVE })
    const { structuredContent } = await host.call('request_instrument', CARD)
    const { instrument_id } = structuredContent!.instrument as { instrument_id: string }
    const paying = host.call('pay_with_instrument', { instrument_id, amount: '12.00', payee: SHOP, purpose: 'x' })
    await vi.waitFor(() => expect(rail.begun()).toBe(1))
    const closed = one.close()
    // Not before whoever does not wait has ended.
    setTimeout(() => rail.release(), 50)
    expect((await paying).structuredContent).toMatchObject({ status: 'captured' })
    await closed
    const [payment] = await one.purse.bursar.store.read.list('payments', {})
    expect(payment?.status).toBe('captured')
  })

  it('waits no longer than it was told to for a rail that does not answer', async () => {
    const rail = held()
    const one = await slow(rail)
    const host = await connect(one.origin, 'modern', one.key, { answer: () => APPROVE })
    const { structuredContent } = await host.call('request_instrument', CARD)
    const { instrument_id } = structuredContent!.instrument as { instrument_id: string }
    const paying = host.call('pay_with_instrument', { instrument_id, amount: '12.00', payee: SHOP, purpose: 'x' })
    paying.catch(() => undefined)
    await vi.waitFor(() => expect(rail.begun()).toBe(1))
    one.server.refuse()
    await one.server.close(0)
    await expect(paying).rejects.toThrow()
    // Held, as after a crash: it is settled by the next start.
    expect((await one.purse.bursar.store.read.list('payments', {}))[0]?.status).toBe('authorized')
    rail.release()
  })

  it('answers what is asked otherwise, too', async () => {
    const rail = held()
    const free = rail.wrapRail({ pay: async () => undefined } as never)
    const rest = () => new Hono().get('/held', async (c) => c.json({ done: await free.pay(null as never) }))
    const one = await makeSite({ app: () => ({ rest }) })
    const asking = one.ask('/api/v1/agent-payments/held')
    await vi.waitFor(() => expect(rail.begun()).toBe(1))
    const closed = one.close()
    rail.release()
    expect((await asking).status).toBe(200)
    await closed
  })

  it('cuts waits short, takes nothing new, and leaves no stream open', async () => {
    const one = await makeSite({ app: () => ({ timing: TIMING }) })
    const host = await connect(one.origin, 'modern', one.key)
    const subscription = await host.raw.listen({ resourceSubscriptions: ['bursar://wallets'] })
    const { structuredContent } = await host.call('request_instrument', CARD)
    const { request_id } = structuredContent as { request_id: string }
    const waiting = host.call('get_request', { request_id, wait_seconds: 25 })
    // It is being waited for once something that came later was answered.
    await host.call('check_budget', {})
    const closed = one.close()
    const late = await fetch(`${one.origin}/healthz`).then(
      ({ status }) => status,
      () => 'refused',
    )
    expect([503, 'refused']).toContain(late)
    expect((await waiting).structuredContent).toMatchObject({ status: 'pending' })
    await Promise.all([closed, subscription.closed])
  })
})

describe('security: bursar serve', () => {
  const options = { listen: '127.0.0.1:8787' }
  const tls = { tlsCert: 'c', tlsKey: 'k' }
  const url = 'https://pay.example.com'

  it('listens on this machine alone, unless it is told who keeps others from reading along', () => {
    expect(serveOptions(options)).toEqual({ host: '127.0.0.1', port: 8787, tls: null, behindProxy: false, url: null })
    expect(serveOptions({ listen: '[::1]:1' })).toMatchObject({ host: '::1', port: 1 })
    expect(serveOptions({ listen: 'localhost:1' })).toMatchObject({ host: '127.0.0.1' })
    expect(serveOptions({ listen: '9000' })).toMatchObject({ host: '127.0.0.1', port: 9000 })
    expect(serveOptions({ listen: '10.0.0.1:443', ...tls })).toMatchObject({ tls: { cert: 'c', key: 'k' } })
    expect(serveOptions({ listen: '0.0.0.0:80', behindProxy: true, url })).toMatchObject({ behindProxy: true, url })
    expect(serveOptions({ ...options, url: 'http://localhost:8787/' }).url).toBe('http://localhost:8787')
  })

  it.each([
    [{ listen: '0.0.0.0:8787' }, /not of this machine alone/],
    [{ listen: '192.168.1.2:8787' }, /not of this machine alone/],
    [{ listen: '[::]:8787' }, /not of this machine alone/],
    [{ listen: '0.0.0.0:8787', ...tls }, /--url/],
    [{ ...options, behindProxy: true }, /--url/],
    [{ ...options, behindProxy: true, url: 'http://pay.example.com' }, /https/],
    [{ ...options, behindProxy: true, url, ...tls }, /here or at the proxy/],
    [{ ...options, tlsCert: 'c' }, /go together/],
    [{ ...options, url }, /this machine/],
    [{ ...options, url: 'http://pay.example.com' }, /this machine/],
    [{ ...options, ...tls, url: `${url}/path` }, /without a path/],
    [{ ...options, ...tls, url: 'https://me@pay.example.com' }, /without a path/],
    [{ ...options, ...tls, url: 'pay.example.com' }, /without a path/],
    [{ listen: 'pay.example.com:80' }, /IP address/],
    [{ listen: '127.0.0.1' }, /IP address/],
    [{ listen: '127.0.0.1:99999' }, /IP address/],
    [{ listen: '' }, /IP address/],
  ])('refuses %j', (given, message) => {
    expect(() => serveOptions(given)).toThrow(message)
  })

  it('serves TLS, and takes a passphrase over it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bursar-tls-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
    await expect(listen({ host: '127.0.0.1', port: 0, tls: files })).rejects.toMatchObject({ code: 'config_invalid' })
    writeFileSync(files.cert, CERTIFICATE)
    writeFileSync(files.key, KEY)
    const one = await makeSite({ tls: files })
    expect(one.origin).toMatch(/^https:\/\/localhost:\d+$/)
    const answer = await new Promise<{ status: number; hsts: unknown }>((resolve, reject) => {
      const { port } = one.server
      const headers = basic()
      request({ host: 'localhost', port, path: '/readyz', ca: CERTIFICATE, headers, family: 4 }, (response) => {
        const { statusCode = 0, headers: said } = response.resume()
        resolve({ status: statusCode, hsts: said['strict-transport-security'] })
      })
        .on('error', reject)
        .end()
    })
    expect(answer).toEqual({ status: 200, hsts: 'max-age=31536000' })
  })

  it('says so where the port is taken', async () => {
    const one = await makeSite()
    await expect(listen({ host: '127.0.0.1', port: one.server.port, tls: null })).rejects.toThrow('EADDRINUSE')
  })
})
