import { readFileSync } from 'node:fs'
import type { Page, Worker } from 'playwright-core'
import { describe, expect, it, vi } from 'vitest'
import { configOf } from '../../src/config.ts'
import { pageOf, shownOf } from '../../src/console/notice.ts'
import { consoleOf } from '../../src/http/console.ts'
import { restRoutes } from '../../src/http/rest.ts'
import { channelsOf } from '../../src/main/channel-desk.ts'
import { addChannel, channelFrom, pushDesk } from '../../src/main/channels.ts'
import { browser as pushBrowser } from '../notify/push-browser.ts'
import { NOTICE, type Received, receiver } from '../notify/receiver.ts'
import { openBrowser } from '../support/browser.ts'
import { makeSite } from '../support/http.ts'
import { temporaryFolder } from '../support/purse.ts'
import { BUILT, enrolledWindow, nothingWrong } from './scene.ts'

const browser = await openBrowser()

/** A site with two channels of web push; the push service is on this machine. */
async function pushSite() {
  const config = configOf({ BURSAR_HOME: temporaryFolder() })
  for (const name of ['browsers', 'others'])
    addChannel(config.home, await channelFrom({ kind: 'webpush', name, subject: 'mailto:owner@example.com' }))
  const push = pushDesk(config.home, (endpoint) => endpoint.startsWith('http://127.0.0.1:'))
  const site = await makeSite({
    app: (deps) => ({ console: consoleOf({ ...deps, push }, BUILT), rest: restRoutes }),
  })
  return { site, push, notify: channelsOf(config) }
}

/**
 * What a headless browser does not have, and the page is told that it has: a push service, here with real keys, and a place for
 * notifications. What is asked of it is in `asked`.
 */
const PUSH_SERVICE = (subscription: object) => `
  const encoded = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  let current = null
  window.asked = []
  Object.defineProperty(Notification, 'permission', { get: () => 'granted' })
  PushManager.prototype.getSubscription = async () => current
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey: key }) => {
    if (current && encoded(current.options.applicationServerKey) !== encoded(key)) throw new Error('Two keys.')
    window.asked.push({ userVisibleOnly, key: encoded(key) })
    const data = ${JSON.stringify(subscription)}
    return current = {
      endpoint: data.endpoint,
      options: { userVisibleOnly, applicationServerKey: key.buffer },
      toJSON: () => ({ expirationTime: null, ...data }),
      unsubscribe: async () => { current = null; return true },
    }
  }`

/** In the worker: what it shows and opens is in `did`. */
const WRITE_DOWN = `
  globalThis.did = []
  registration.showNotification = async (title, options) => void did.push({ title, ...options })
  clients.openWindow = async (url) => void did.push(url)
  globalThis.click = async (data) => {
    const work = []
    const notification = { data, close: () => did.push('closed') }
    dispatchEvent(Object.assign(new Event('notificationclick'), { notification, waitUntil: (one) => work.push(one) }))
    await Promise.all(work)
  }`

/** Hands the worker messages, as the browser does once the push service has sent them and its keys have opened them. */
async function delivering(page: Page, origin: string): Promise<(data: object) => Promise<void>> {
  const cdp = await page.context().newCDPSession(page)
  const registered = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL === `${origin}/console`)
      if (found) resolve(found.registrationId)
    })
  })
  await cdp.send('ServiceWorker.enable')
  const registrationId = await registered
  return async (data) => {
    await cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: JSON.stringify(data) })
  }
}

/** What the worker did, once it did so much. */
async function did(worker: Worker, count: number): Promise<unknown> {
  return vi.waitFor(async () => {
    const all = await worker.evaluate('did')
    expect(all).toHaveLength(count)
    return all
  }, 20_000)
}

describe('notifications in the browser', () => {
  it('are turned on, arrive sealed, are shown, and are turned off', async () => {
    const { site, push, notify } = await pushSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    await page.context().grantPermissions(['notifications'], { origin: site.origin })
    const service = await receiver()
    const own = pushBrowser(service, 'own')
    await page.addInitScript({ content: PUSH_SERVICE(own.subscription) })
    await page.goto('/console/settings')
    await page.locator('dd', { hasText: 'given' }).waitFor()
    const started = page.context().waitForEvent('serviceworker')
    await page.getByRole('button', { name: 'Turn on others' }).click()
    await page.getByRole('button', { name: 'Turn off others' }).waitFor()
    const worker = await started
    expect(worker.url()).toBe(`${site.origin}/console/sw.js`)
    // A browser takes one key at a time: the other channel lets go.
    await page.getByRole('button', { name: 'Turn on browsers' }).click()
    await page.getByRole('button', { name: 'Turn off browsers' }).waitFor()
    await page.getByRole('button', { name: 'Turn on others' }).waitFor()
    const [first, second] = push.channels()
    expect(await page.evaluate('asked')).toEqual([
      { userVisibleOnly: true, key: second!.publicKey },
      { userVisibleOnly: true, key: first!.publicKey },
    ])
    expect([first!.endpoints, second!.endpoints]).toEqual([[own.subscription.endpoint], []])
    await notify.test('browsers')
    const told = own.read(service.got[0] as Received) as { id: string; title: string }
    expect(told.title).toBe('A test: this channel works')
    await worker.evaluate(WRITE_DOWN)
    const deliver = await delivering(page, site.origin)
    await deliver(told)
    expect(await did(worker, 1)).toEqual([{ title: told.title, body: '', tag: told.id, data: { link: null } }])
    await page.getByRole('button', { name: 'Turn off browsers' }).click()
    await page.getByRole('button', { name: 'Turn on browsers' }).waitFor()
    expect(push.channels().map(({ endpoints }) => endpoints)).toEqual([[], []])
    await nothingWrong(window)
  })

  it('security: open this console’s pages and no other', async () => {
    const { site } = await pushSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    await page.context().grantPermissions(['notifications'], { origin: site.origin })
    // A tab that shows the page already would come to the front, which only a hand may have it do.
    await page.goto('/console/settings')
    const started = page.context().waitForEvent('serviceworker')
    await page.evaluate(`navigator.serviceWorker.register('/console/sw.js', { scope: '/console' })`)
    const worker = await started
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)')
    await worker.evaluate(WRITE_DOWN)
    const deliver = await delivering(page, site.origin)
    const own = `${site.origin}/console/inbox/pay_1`
    const other = 'https://evil.test/console/inbox/pay_1'
    await deliver({ ...NOTICE, link: own })
    await deliver({ ...NOTICE, link: other })
    const shown = { title: NOTICE.title, body: 'Agent: "default"\nPays: "Acme <!channel> & *Sons*"', tag: NOTICE.id }
    expect(await did(worker, 2)).toEqual([
      { ...shown, data: { link: own } },
      { ...shown, data: { link: other } },
    ])
    await worker.evaluate('Promise.all(did.splice(0).map(({ data }) => click(data))).then(() => null)')
    expect(await did(worker, 4)).toEqual(['closed', 'closed', own, `${site.origin}/console`])
    await nothingWrong(window)
  })

  it('says what this browser lacks', async () => {
    const { site } = await pushSite()
    const window = await enrolledWindow(browser, site, { permissions: [] })
    const { page } = window
    await page.goto('/console/settings')
    await page.getByText('not asked for yet').or(page.getByText('refused: the settings')).waitFor()
    await page.evaluate(`Notification.requestPermission = async () => 'denied'`)
    await page.getByRole('button', { name: 'Turn on browsers' }).click()
    await page.getByRole('alert').getByText('does not let the console show notifications').waitFor()
    expect(await page.evaluate('navigator.serviceWorker.getRegistrations().then(({ length }) => length)')).toBe(0)
    await page.addInitScript({ content: 'delete window.PushManager' })
    await page.goto('/console/settings')
    await page.getByText('no: not by this browser').waitFor()
    expect(await page.getByRole('button', { name: 'Turn on browsers' }).count()).toBe(0)
    await nothingWrong(window)
  })
})

describe('security: the worker of the console', () => {
  it.each([
    [null],
    [7],
    [''],
    ['javascript:alert(1)'],
    ['data:text/html,x'],
    ['blob:https://pay.example/console'],
    ['https://evil.test/console'],
    ['http://pay.example/console'],
    ['https://pay.example:444/console'],
    ['https://pay.example.evil.test/console'],
    ['//evil.test/console'],
    ['/console/inbox'],
    ['https://pay.example/'],
    ['https://pay.example/consoles'],
    ['https://pay.example/console/../mcp'],
    ['https://pay.example/console/%2e%2e/mcp'],
    ['https://pay.example/console\\..\\mcp'],
    ['https://pay.example/console/api/session'],
  ])('opens the first page for %j', (link) => {
    expect(pageOf(link, 'https://pay.example')).toBe('https://pay.example/console')
  })

  it('opens a page of its own as it is, without what is not its path', () => {
    const [own, origin] = ['https://pay.example/console/inbox/pay_1', 'https://pay.example']
    for (const link of [own, 'https://me:pw@pay.example/console/inbox/pay_1', `${own}?x=1#y`])
      expect(pageOf(link, origin)).toBe(own)
  })

  it.each([[null], [''], ['no JSON'], ['7'], ['null'], ['[]'], ['{"id":1}'], ['{"id":"a","title":"b","facts":7}']])(
    'says that there is news for %j',
    (sent) => {
      expect(shownOf(sent)).toMatchObject({ title: 'bursar has news', link: null })
    },
  )

  it('bounds what it shows, and answers no request', () => {
    const facts = Array.from({ length: 60 }, () => ['x'.repeat(60), 'y'])
    const { title, body } = shownOf(JSON.stringify({ id: 'a', title: 'z'.repeat(5_000), facts }))
    expect([title.length, body.length]).toEqual([200, 1_500])
    expect(readFileSync(`${BUILT}/sw.js`, 'utf8')).not.toMatch(/fetch|import|innerHTML|caches/)
  })
})

describe('security: the page of the console', () => {
  it('runs workers of its own alone, and gives them no more than the console', async () => {
    const { site } = await pushSite()
    const worker = await fetch(`${site.origin}/console/sw.js`)
    const page = await fetch(`${site.origin}/console`)
    for (const { headers } of [worker, page])
      expect(headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*worker-src 'self';.*connect-src 'self'/,
      )
    expect([worker, page].map(({ headers }) => headers.get('service-worker-allowed'))).toEqual(['/console', null])
    expect(worker.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  })
})
