import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { invite } from '../../src/actions/owner/passkeys.ts'
import type { InstrumentView, PaymentView, RequestView } from '../../src/actions/wire.ts'
import { consoleOf } from '../../src/http/console.ts'
import { restRoutes } from '../../src/http/rest.ts'
import { openWindow, type Window } from '../support/browser.ts'
import { makeSite, type Site, type SiteOptions } from '../support/http.ts'
import { CARD, makeCard, SHOP } from '../support/purse.ts'

export const BUILT = join(fileURLToPath(import.meta.url), '../../../dist/console')

/** A real server with the console as it was built, and the REST surface that it reads. */
export function consoleSite(options: SiteOptions = {}): Promise<Site> {
  return makeSite({ ...options, app: (deps) => ({ console: consoleOf(deps, BUILT), rest: restRoutes }) })
}

/** Enrols an owner's first passkey in a window of its own, with the code that the command line would show. */
export async function enrolledWindow(
  browser: Browser,
  site: Site,
  options: BrowserContextOptions = {},
): Promise<Window> {
  return enrol(await openWindow(browser, site.origin, options), site)
}

export async function enrol(window: Window, site: Site, ownerId = site.purse.authority.ownerId): Promise<Window> {
  const { page } = window
  const { code } = await invite(site.deps.bursar, site.purse.authority, ownerId)
  await page.goto('/console')
  await page.getByRole('heading', { level: 1 }).waitFor()
  const known = page.getByRole('button', { name: 'I have a one-time code' })
  if (await known.isVisible()) await known.click()
  await page.getByLabel('The one-time code').fill(code)
  await page.getByLabel('A name for this passkey').fill('laptop')
  await page.getByRole('button', { name: 'Make a passkey' }).click()
  await page.getByRole('heading', { level: 1, name: 'Inbox' }).waitFor()
  return window
}

/** A card of the agent `default`, which the host approved. */
export function card(site: Site, terms: Parameters<typeof makeCard>[1] = {}): Promise<InstrumentView> {
  return makeCard({ ...site.purse, bursar: site.deps.bursar }, terms)
}

/** An ask that waits for the owner. */
export function ask(site: Site, terms: Partial<typeof CARD> = {}): Promise<RequestView> {
  return requestInstrument(site.deps.bursar, site.purse.caller, { ...CARD, ...terms })
}

/** A payment with a card: over 100.00 it waits for the owner. */
export function buy(
  site: Site,
  { instrument_id }: InstrumentView,
  amount: string,
  more: object = {},
): Promise<PaymentView> {
  return pay(site.deps.bursar, site.purse.caller, {
    instrument_id,
    amount,
    payee: SHOP,
    purpose: `For ${amount}`,
    ...more,
  })
}

/** What the store says of a request or payment now. */
export async function statusOf(site: Site, id: string): Promise<string | undefined> {
  const { read } = site.deps.bursar.store
  return id.startsWith('pay_')
    ? (await read.one('payments', { id }))?.status
    : (await read.one('requests', { id }))?.status
}

/** The ask with this title. */
export function askOn(page: Page, title: string | RegExp) {
  return page.getByRole('article', { name: title })
}

export async function nothingWrong({ faults, close }: Window): Promise<void> {
  expect(faults).toEqual([])
  await close()
}
