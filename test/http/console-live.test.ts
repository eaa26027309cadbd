import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deny } from '../../src/actions/owner/approve.ts'
import { revokePasskey } from '../../src/actions/owner/passkeys.ts'
import { consoleOf } from '../../src/http/console.ts'
import { openSqlite } from '../../src/store/sqlite/index.ts'
import { ask } from '../purse/desk.ts'
import { temporaryFolder } from '../support/purse.ts'
import { consoleSite, enrolled, type Page } from './console-page.ts'

/** The events of a page's stream, one after the other. */
async function follow(page: Page) {
  const response = await fetch(`${page.origin}/console/api/events`, { headers: { cookie: page.cookie } })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<{ event: string; data: Record<string, unknown> } | null> => {
    for (;;) {
      const [whole, event, data] = /^event: (\w+)\ndata: (.*)\n\n/.exec(text) ?? []
      if (whole !== undefined) {
        text = text.slice(whole.length)
        return { event: event as string, data: JSON.parse(data as string) as Record<string, unknown> }
      }
      const { done, value } = await reader.read()
      if (done) return null
      text += value
    }
  }
  /** The next one about this subject. */
  const about = async (id: string) => {
    for (;;) {
      const one = await next()
      if (one === null || one.data.subject_id === id) return one
    }
  }
  return { response, next, about, stop: () => reader.cancel() }
}

describe('the stream of a page', () => {
  it('tells of what is asked and decided, by this process or another', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const { response, next, about, stop } = await follow(page)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await next()).toEqual({ event: 'ping', data: {} })
    const { request_id } = await ask({ ...site.purse, bursar: site.deps.bursar })
    const changed = { event: 'changed', data: { subject_id: request_id, wallet_id: site.purse.walletId } }
    expect(await about(request_id)).toEqual(changed)
    const { path, journalKey, bursar } = site.purse
    const elsewhere = openSqlite({ path, clock: bursar.clock, journalKey })
    const by = { ownerId: site.purse.authority.ownerId, channel: 'test', reason: null }
    await deny({ ...bursar, store: elsewhere }, request_id, by)
    expect(await about(request_id)).toEqual(changed)
    await elsewhere.close()
    await stop()
  })

  it('security: ends with its session, and is nobody’s without one', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const { next } = await follow(page)
    await next()
    await page.post('/sign-out', {})
    expect(await next()).toBeNull()
    expect((await fetch(`${site.origin}/console/api/events`)).status).toBe(401)
  })

  it('security: there are so many at once', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const streams = []
    for (let i = 0; i < 21; i++) streams.push(await follow(page))
    expect(streams.map(({ response }) => response.status).filter((status) => status !== 200)).toEqual([429])
    for (const { stop } of streams) await stop()
  })
})

describe('REST by the console’s cookie', () => {
  it('security: reads all, takes power away with the token of the session, and gives none', async () => {
    const site = await consoleSite()
    const { page, key } = await enrolled(site)
    const wallet = `/api/v1/agent-payments/wallets/${site.purse.walletId}`
    const rest = async (path: string, more: RequestInit & { headers?: Record<string, string> } = {}) => {
      const headers = { cookie: page.cookie, origin: site.origin, 'content-type': 'application/json', ...more.headers }
      return (await fetch(site.origin + path, { ...more, headers })).status
    }
    const token = { 'x-csrf-token': page.csrf }
    expect(await rest(wallet)).toBe(403)
    expect(await rest(wallet, { headers: token })).toBe(200)
    expect(await rest(`${wallet}/freeze`, { method: 'POST', body: '{}' })).toBe(403)
    expect(await rest(`${wallet}/freeze`, { method: 'POST', body: '{}', headers: token })).toBe(200)
    expect(await rest(`${wallet}/unfreeze`, { method: 'POST', body: '{}', headers: token })).toBe(403)
    expect(await rest(`${wallet}/fund`, { method: 'POST', body: '{"amount":"5"}', headers: token })).toBe(403)
    await revokePasskey(site.deps.bursar, site.purse.authority, key.id)
    expect(await rest(wallet, { headers: token })).toBe(401)
  })
})

describe('the page of the console', () => {
  it('security: is served whole, with a policy that lets nothing else in', async () => {
    const folder = join(temporaryFolder(), 'console')
    mkdirSync(folder)
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>bursar</title>')
    writeFileSync(join(folder, 'app.js'), 'export {}')
    writeFileSync(join(folder, '..', 'secret.txt'), 'no')
    const site = await consoleSite({ app: (deps) => ({ console: consoleOf(deps, folder) }) })
    const get = (path: string, headers = {}) => fetch(`${site.origin}${path}`, { redirect: 'manual', headers })
    const page = await get('/console')
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    })
    expect((await get('/console/inbox/req_1')).headers.get('etag')).toBe(page.headers.get('etag'))
    expect((await get('/console/app.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect((await get('/console', { 'if-none-match': page.headers.get('etag') })).status).toBe(304)
    for (const path of [
      '/console/secret.txt',
      '/console/..%2fsecret.txt',
      '/console/%2e%2e/secret.txt',
      '/console/app.js.map',
    ])
      expect([path, (await get(path)).status]).toEqual([path, 404])
  })

  it('is at one name, where passkeys and cookies are', async () => {
    const site = await consoleSite()
    const other = site.origin.replace('localhost', '127.0.0.1')
    const { status, headers } = await fetch(`${other}/console/inbox?a=1`, { redirect: 'manual' })
    expect([status, headers.get('location')]).toEqual([302, `${site.origin}/console/inbox?a=1`])
  })
})
