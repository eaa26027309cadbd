import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect as connectTo } from 'node:net'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { listLimits } from '../../src/actions/owner/inspect.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { addOwner } from '../../src/actions/owner/owners.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { type AppOptions, REST } from '../../src/http/app.ts'
import { restRoutes } from '../../src/http/rest.ts'
import { Authenticator } from '../support/authenticator.ts'
import { makeSite } from '../support/http.ts'
import { CARD, makeCard } from '../support/purse.ts'
import { connect } from './clients.ts'
import { confirm, consoleSite, enrolled, Page, signIn } from './console-page.ts'

describe('security: a stranger on the same machine', () => {
  it('cannot be the other address of localhost, where browsers would take it for the console', async () => {
    const site = await makeSite()
    for (const host of ['127.0.0.1', '::1']) {
      const squatter = createServer()
      const taken = new Promise((resolve) => {
        squatter.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
        squatter.listen({ host, port: site.server.port }, () => resolve('listening'))
      })
      expect([host, await taken]).toEqual([host, 'EADDRINUSE'])
      squatter.close()
    }
    const answer = await fetch(`http://[::1]:${site.server.port}/healthz`)
    expect(await answer.json()).toEqual({ status: 'ok' })
  })

  it('cannot keep an owner who is signed in out by asking too often', async () => {
    const site = await consoleSite({ app: () => ({ limits: { addressPerMinute: 40 } }) })
    const { page } = await enrolled(site)
    for (let asked = 0; asked < 60; asked++) await fetch(`${site.origin}/healthz`)
    expect((await fetch(`${site.origin}/healthz`)).status).toBe(429)
    expect((await page.get('/inbox')).status).toBe(200)
    expect((await page.post('/reduce', { act: 'freeze_all', args: {} })).status).toBe(200)
  })

  it('cannot keep an owner out with a cookie that it plants', async () => {
    const site = await consoleSite()
    const { page, key } = await enrolled(site)
    const planted = new Page(site.origin)
    await planted.open()
    page.cookie = `${planted.cookie}; ${page.cookie}`
    expect((await page.get('/session')).body.signed_in).toBe(true)
    expect((await page.get('/inbox')).status).toBe(200)
    // A made-up one of the same name, too.
    const again = await signIn(site, key)
    again.cookie = `${planted.cookie.split('=')[0]}=${'A'.repeat(43)}; ${again.cookie}`
    expect((await again.get('/inbox')).status).toBe(200)
  })
})

describe('security: a cookie of the console that another program of this machine was sent, by its port', () => {
  it('reads nothing, and gets no token', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const thief = (path: string) => fetch(`${site.origin}${path}`, { headers: { cookie: page.cookie } })
    const session = await thief('/console/api/session')
    expect(await session.json()).toMatchObject({ signed_in: false, csrf: expect.not.stringContaining(page.csrf) })
    for (const path of ['inbox', 'passkeys', 'owners'])
      expect([path, (await thief(`/console/api/${path}`)).status]).toEqual([path, 403])
    for (const path of ['wallets', 'payments', 'journal/export'])
      expect([path, (await thief(`/api/v1/agent-payments/${path}`)).status]).toEqual([path, 403])
    expect((await page.get('/session')).body.signed_in).toBe(true)
  })
})

describe('security: a stream that is asked for without its body', () => {
  it('is none', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    for (const [path, headers] of [
      ['/sse', { authorization: `Bearer ${site.key}` }],
      ['/console/api/events', { cookie: page.cookie }],
    ] as const)
      expect([path, (await fetch(`${site.origin}${path}`, { method: 'HEAD', headers })).status]).toEqual([path, 405])
  })
})

describe('security: a request to no address at all', () => {
  it.each(['GET * HTTP/1.1', 'GET http:// HTTP/1.1', 'GET /healthz HTTP/1.0', 'OPTIONS * HTTP/1.1'])(
    'is answered, and holds no connection: %s',
    async (line) => {
      const site = await makeSite({ patience: { idleMs: 100 } })
      const host = line.endsWith('1.0') ? '' : `Host: localhost:${site.server.port}\r\n`
      const socket = connectTo(site.server.port, '127.0.0.1', () => socket.write(`${line}\r\n${host}\r\n`))
      const answer = await new Promise<string>((resolve) => {
        let said = ''
        socket.on('data', (data) => {
          said += data
        })
        socket.on('close', () => resolve(said))
      })
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    },
  )
})

describe('security: a client that sends and does not read', () => {
  const LARGE = 'x'.repeat(40_000_000)

  it('is cut off, whatever it was to be told', async () => {
    const answers: ServerResponse[] = []
    let asked = (): void => undefined
    const arrived = new Promise<void>((resolve) => {
      asked = resolve
    })
    const rest: AppOptions['rest'] = () =>
      new Hono().get('/large', (c) => {
        answers.push((c.env as { outgoing: ServerResponse }).outgoing)
        asked()
        return c.text(LARGE)
      })
    const site = await makeSite({ patience: { silentMs: 100 }, app: () => ({ rest }) })
    const line = `GET ${REST}/large HTTP/1.1\r\nHost: localhost:${site.server.port}\r\n\r\n`
    const socket = connectTo(site.server.port, '127.0.0.1', () => socket.write(line))
    socket.pause().on('error', () => undefined)
    await arrived
    await once(answers[0] as ServerResponse, 'close')
    socket.destroy()
  })

  it('has few requests of one connection worked on at a time', async () => {
    let asked = 0
    const rest: AppOptions['rest'] = () =>
      new Hono().get('/slow', async (c) => {
        asked += 1
        await new Promise(setImmediate)
        return c.text('x')
      })
    const site = await makeSite({ app: () => ({ rest }) })
    const one = `GET ${REST}/slow HTTP/1.1\r\nHost: localhost:${site.server.port}\r\n\r\n`
    const socket = connectTo(site.server.port, '127.0.0.1', () => socket.write(one.repeat(200)))
    socket.resume().on('error', () => undefined)
    await once(socket, 'close')
    expect(asked).toBeLessThan(20)
  })
})

describe('security: one owner of two', () => {
  it('does not lift what has two of them asked', async () => {
    const site = await consoleSite()
    const me = await enrolled(site)
    const { bursar, authority, walletId } = site.purse
    await addOwner(bursar, authority, 'Ada')
    await setApprovals(bursar, authority, walletId, [
      { up_to: '50.00', assurance: 'passkey' },
      { up_to: null, assurance: 'passkey', owners: 2 },
    ])
    const asking = (await listLimits(bursar)).find(({ over, scope }) => over === 'ask' && scope === 'wallet')!
    expect((await confirm(me, 'limit.remove', { limit_id: asking.limit_id })).status).toBe(403)
    const rule = { wallet_id: walletId, scope: 'wallet', window: 'payment', over: 'ask' }
    expect((await confirm(me, 'limit.set', { ...rule, max_amount: '900.00' })).status).toBe(403)
    expect((await confirm(me, 'limit.set', { ...rule, max_amount: '20.00' })).status).toBe(200)
    // What denies is theirs to set: over it nobody can say yes.
    expect((await confirm(me, 'limit.set', { ...rule, over: 'deny', max_amount: '900.00' })).status).toBe(200)
  })
})

describe('security: an owner of another wallet', () => {
  it('does not become an agent that holds what was approved, by giving it a new key', async () => {
    const site = await consoleSite()
    const me = await enrolled(site)
    const { bursar, authority, caller } = site.purse
    const ada = await addOwner(bursar, authority, 'Ada')
    const other = await enrolled(site, ada.owner_id)
    expect((await confirm(other, 'agent.rotate', { agent_id: site.agentId })).status).toBe(200)
    await makeCard(site.purse)
    expect((await confirm(other, 'agent.rotate', { agent_id: caller.agentId })).status).toBe(403)
    expect((await confirm(me, 'agent.rotate', { agent_id: caller.agentId })).status).toBe(200)
  })
})

describe('security: an owner in two browsers', () => {
  it('lets in two passkeys at once, and the journal says that both were', async () => {
    const site = await consoleSite()
    const { page, key } = await enrolled(site)
    const pages = [page, await signIn(site, key)]
    const options = []
    for (const one of pages)
      options.push((await confirm({ page: one, key }, 'passkey.add', { name: 'phone' })).body.result)
    for (const [i, one] of pages.entries()) {
      const response = new Authenticator().create(options[i], { origin: site.origin })
      expect((await one.post('/passkeys', { response })).status).toBe(200)
    }
    expect((await verifyStore(site.purse.bursar, site.deps.noteKey)).problems).toEqual([])
  })
})

describe('security: a credential that was minted for a task', () => {
  it.each(['legacy', 'modern'] as const)('answers no question of a human (%s)', async (kind) => {
    const site = await makeSite({ app: () => ({ timing: { readMs: 0 }, rest: restRoutes }) })
    const { bursar } = site.deps
    const credentialId = (await bursar.store.read.list('credentials', { agentId: site.agentId }))[0]!.id
    const caller = { agentId: site.agentId, sessionId: 's', credentialId }
    const { request_id } = await requestInstrument(bursar, caller, CARD)
    const { key } = await mintCredential(bursar, caller, { scopes: ['bursar:read'] })
    const child = await connect(site.origin, kind, key, {
      answer: () => ({ action: 'accept', content: { decision: 'approve' } }),
    })
    await child.raw.getPrompt({ name: 'approve_request', arguments: { request_id } }).catch(() => null)
    expect((await bursar.store.read.one('requests', { id: request_id }))?.status).toBe('pending')
    const all = await mintCredential(bursar, caller, {})
    const whole = await connect(site.origin, kind, all.key, {
      answer: () => ({ action: 'accept', content: { decision: 'approve' } }),
    })
    await whole.raw.getPrompt({ name: 'approve_request', arguments: { request_id } }).catch(() => null)
    expect((await bursar.store.read.one('requests', { id: request_id }))?.status).toBe('pending')
    const mine = await connect(site.origin, kind, site.key, {
      answer: () => ({ action: 'accept', content: { decision: 'approve' } }),
    })
    await mine.raw.getPrompt({ name: 'approve_request', arguments: { request_id } })
    const instrument_id = (await bursar.store.read.one('requests', { id: request_id }))?.instrumentId as string
    await expect(whole.raw.getPrompt({ name: 'revoke_instrument', arguments: { instrument_id } })).rejects.toThrow(
      'speaks for no human',
    )
    await expect(child.raw.getPrompt({ name: 'revoke_instrument', arguments: { instrument_id } })).rejects.toThrow(
      'scope_missing',
    )
    expect((await bursar.store.read.one('instruments', { id: instrument_id }))?.status).toBe('active')
  })
})
