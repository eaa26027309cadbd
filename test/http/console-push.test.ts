import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { configOf, type Home } from '../../src/config.ts'
import { consoleOf } from '../../src/http/console.ts'
import { addChannel, channelFrom, pushDesk } from '../../src/main/channels.ts'
import { ENTRY, newHome, owner } from '../cli/fixture.ts'
import { browser } from '../notify/push-browser.ts'
import { Authenticator } from '../support/authenticator.ts'
import { temporaryFolder } from '../support/purse.ts'
import { startServe } from '../support/served.ts'
import { consoleSite, enrolled, instanceEvents, Page } from './console-page.ts'

const GOOD = browser({ url: 'https://push.example' }, 'one').subscription
const at = (path: string) => ({ ...GOOD, endpoint: `https://push.example/${path}` })

/** A console whose owner set up one channel of web push, and is signed in. */
async function pushSite() {
  const { home } = configOf({ BURSAR_HOME: temporaryFolder() })
  addChannel(home, await channelFrom({ kind: 'webpush', name: 'browsers', subject: 'mailto:owner@example.com' }))
  const site = await consoleSite({
    app: (deps) => ({ console: consoleOf({ ...deps, push: pushDesk(home) }, '/nowhere') }),
  })
  return { site, home, ...(await enrolled(site)) }
}

function kept({ channels }: Home): readonly string[] {
  const { browsers } = JSON.parse(readFileSync(channels, 'utf8'))
  return browsers.subscriptions.map(({ endpoint }: { endpoint: string }) => endpoint)
}

describe('web push, by the console', () => {
  it('is begun and ended by whoever is signed in, and says to a browser whether it is told', async () => {
    const { page, home } = await pushSite()
    const { body } = await page.get('/push')
    const [{ publicKey }] = pushDesk(home).channels() as unknown as [{ publicKey: string }]
    expect(body).toEqual({ channels: [{ name: 'browsers', public_key: publicKey, subscribed: [] }] })
    const subscription = { ...GOOD, expirationTime: null }
    const answer = await page.post('/push/subscribe', { channel: 'browsers', subscription })
    expect([answer.status, answer.body]).toEqual([200, { channel: 'browsers', subscribed: true }])
    const digest = createHash('sha256').update(GOOD.endpoint).digest('base64url')
    const told = await page.get('/push')
    expect(told.body.channels).toMatchObject([{ subscribed: [digest] }])
    expect(JSON.stringify(told.body)).not.toContain('push.example')
    expect(kept(home)).toEqual([GOOD.endpoint])
    const gone = await page.post('/push/unsubscribe', { channel: 'browsers', endpoint: GOOD.endpoint })
    expect([gone.status, gone.body]).toEqual([200, { channel: 'browsers', subscribed: false }])
    expect((await page.post('/push/unsubscribe', { channel: 'browsers', endpoint: GOOD.endpoint })).status).toBe(200)
    expect(kept(home)).toEqual([])
  })

  it('is part of `bursar serve`', async () => {
    const folder = await newHome()
    await owner(folder, 'notify', 'add', 'webpush', 'browsers', '--subject', 'mailto:owner@example.com')
    const { code } = await owner(folder, 'passkey', 'invite')
    const { origin, process, ended } = await startServe(ENTRY, folder)
    onTestFinished(async () => {
      process.kill()
      await ended
    })
    const page = new Page(origin)
    await page.open()
    const { body } = await page.post('/enrol/options', { code, name: 'laptop' })
    page.entered(await page.post('/enrol', { response: new Authenticator().create(body.options, { origin }) }))
    const subscribe = (subscription: object) => page.post('/push/subscribe', { channel: 'browsers', subscription })
    expect((await subscribe(GOOD)).status).toBe(200)
    // What is on this machine is no push service.
    expect((await subscribe({ ...GOOD, endpoint: 'http://127.0.0.1:1/x' })).status).toBe(400)
    expect(kept(configOf({ BURSAR_HOME: folder }).home)).toEqual([GOOD.endpoint])
  })

  it('is not there where the address of the console does not last', async () => {
    const { page } = await enrolled(await consoleSite())
    expect((await page.get('/push')).body).toEqual({ channels: [] })
    expect((await page.post('/push/subscribe', { channel: 'browsers', subscription: GOOD })).status).toBe(404)
    expect((await page.post('/push/unsubscribe', { channel: 'browsers', endpoint: GOOD.endpoint })).status).toBe(404)
  })

  it('security: takes an owner’s session, its token and its page', async () => {
    const { site, home, page } = await pushSite()
    await page.post('/push/subscribe', { channel: 'browsers', subscription: GOOD })
    const stranger = new Page(site.origin)
    await stranger.open()
    const more = { channel: 'browsers', subscription: at('more') }
    const less = { channel: 'browsers', endpoint: GOOD.endpoint }
    const refusals: [Page, Record<string, string>, number][] = [
      [stranger, {}, 401],
      [page, { 'x-csrf-token': '' }, 403],
      [page, { 'x-csrf-token': stranger.csrf }, 403],
      [page, { origin: 'http://evil.test' }, 403],
      [page, { 'sec-fetch-site': 'same-site' }, 403],
      [page, { authorization: `Bearer ${site.key}` }, 403],
      [page, { 'content-type': 'text/plain' }, 400],
    ]
    for (const [who, headers, status] of refusals) {
      const subscribed = await who.post('/push/subscribe', more, headers)
      const unsubscribed = await who.post('/push/unsubscribe', less, headers)
      expect([headers, subscribed.status, unsubscribed.status]).toEqual([headers, status, status])
    }
    const agent = { authorization: `Bearer ${site.key}` }
    for (const path of ['push', 'push/subscribe'])
      expect((await fetch(`${site.origin}/console/api/${path}`, { headers: agent })).status).toBe(403)
    expect((await stranger.get('/push')).status).toBe(401)
    expect(kept(home)).toEqual([GOOD.endpoint])
  })

  it('security: takes what browsers send, and shows nothing of what it does not take', async () => {
    const { page, home } = await pushSite()
    const bad: [unknown, number][] = [
      [{}, 400],
      [{ channel: 'browsers' }, 400],
      [{ channel: 'browsers', subscription: null }, 400],
      [{ channel: 'browsers', subscription: { ...GOOD, more: 'secret-path' } }, 400],
      [{ channel: 'browsers', subscription: GOOD, more: 'secret-path' }, 400],
      [{ channel: 'browsers', subscription: { ...GOOD, keys: { ...GOOD.keys, more: '' } } }, 400],
      [{ channel: 'browsers', subscription: { ...GOOD, keys: { ...GOOD.keys, auth: 'AAAA' } } }, 400],
      [{ channel: 'browsers', subscription: { ...GOOD, keys: { ...GOOD.keys, p256dh: 'A'.repeat(87) } } }, 400],
      [{ channel: 'browsers', subscription: at('secret-path'.padEnd(1_000, 'x')) }, 400],
      ...[
        'http://push.example/secret-path',
        'https://127.0.0.1/secret-path',
        'http://127.0.0.1:1/x',
        'secret-path',
      ].map((endpoint): [unknown, number] => [{ channel: 'browsers', subscription: { ...GOOD, endpoint } }, 400]),
      [{ channel: 'secret-path', subscription: GOOD }, 404],
      [{ channel: '__proto__', subscription: GOOD }, 404],
    ]
    for (const [body, status] of bad) {
      const answer = await page.post('/push/subscribe', body)
      expect([body, answer.status]).toEqual([body, status])
      expect(JSON.stringify(answer.body)).not.toContain('secret-path')
    }
    expect((await page.post('/push/unsubscribe', { channel: 'other', endpoint: GOOD.endpoint })).status).toBe(404)
    expect((await page.post('/push/unsubscribe', { channel: 'browsers' })).status).toBe(400)
    expect(kept(home)).toEqual([])
  })

  it('security: takes twenty browsers, of which none is pushed out, and decides nothing', async () => {
    const { site, page, home } = await pushSite()
    const before = await instanceEvents(site.purse)
    const all = Array.from({ length: 20 }, (_, i) => at(String(i)))
    for (const subscription of all)
      expect((await page.post('/push/subscribe', { channel: 'browsers', subscription })).status).toBe(200)
    const { status, body } = await page.post('/push/subscribe', { channel: 'browsers', subscription: at('more') })
    expect([status, body.code]).toEqual([400, 'argument_invalid'])
    expect(kept(home)).toEqual(all.map(({ endpoint }) => endpoint))
    expect(await instanceEvents(site.purse)).toEqual(before)
  })
})
