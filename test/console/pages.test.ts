import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openBrowser, openWindow, type Window } from '../support/browser.ts'
import { enrol, nothingWrong } from './scene.ts'
import { type Seeded, seeded } from './seed.ts'

/** Where pictures go, when `scripts/screenshots.mjs` asks for them. */
const { BURSAR_SCREENSHOTS: folder } = process.env
const PHONE = { width: 360, height: 780 }
const DESK = { width: 1100, height: 820 }

const browser = await openBrowser()

interface Visit {
  readonly name: string
  readonly path: (seeded: Seeded) => string
  /** What is there once all of it is. */
  readonly ready: string | RegExp
  readonly heading: string | RegExp
  /** What is opened before it is looked at. */
  open?(page: Page): Promise<void>
}

const VISITS: readonly Visit[] = [
  { name: 'inbox', path: () => '', heading: 'Inbox', ready: '129.00 USD to "Papertrail Stationers"' },
  {
    name: 'approve',
    path: ({ requestId }) => `/inbox/${requestId}`,
    heading: 'Inbox',
    ready: 'Your passkey signs exactly these terms',
    open: (page) => page.getByRole('button', { name: 'Approve…' }).click(),
  },
  { name: 'wallets', path: () => '/wallets', heading: 'Wallets', ready: 'sandbox: not real money' },
  {
    name: 'wallet',
    path: ({ site }) => `/wallets/${site.purse.walletId}`,
    heading: 'Wallet sandbox',
    ready: 'By protocol',
  },
  { name: 'instruments', path: () => '/instruments', heading: 'Instruments', ready: 'left' },
  {
    name: 'instrument',
    path: ({ card }) => `/instruments/${card.instrument_id}`,
    heading: /Virtual card/,
    ready: 'spent or held',
  },
  { name: 'payments', path: () => '/payments', heading: 'Payments', ready: 'Weather Data' },
  {
    name: 'payment',
    path: ({ paid }) => `/payments/${paid.payment_id}`,
    heading: /Payment to/,
    ready: 'Payment: captured',
  },
  { name: 'agents', path: () => '/agents', heading: 'Agents', ready: 'research' },
  {
    name: 'agent',
    path: ({ site }) => `/agents/${site.agentId}`,
    heading: 'Agent shopper',
    ready: 'bursar:read, bursar:request, bursar:pay',
  },
  {
    name: 'journal',
    path: () => '/journal',
    heading: 'Journal',
    ready: 'checked here for the first time',
    open: (page) => page.getByRole('button', { name: 'Verify' }).click(),
  },
  { name: 'settings', path: () => '/settings', heading: 'Settings', ready: 'laptop' },
]

describe('the pages of the console', () => {
  it('hold on a phone and at a desk, in the light and in the dark, for eyes and for screen readers', {
    timeout: 180_000,
  }, async () => {
    const all = await seeded()
    const window = await enrol(await openWindow(browser, all.site.origin, { viewport: DESK }), all.site)
    for (const visit of VISITS) await look(window, all, visit)
    await window.page.getByRole('button', { name: 'Sign out' }).click()
    await window.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await checked(window.page, 'sign-in')
    await nothingWrong(window)
  })
})

async function look({ page }: Window, all: Seeded, { name, path, heading, ready, open }: Visit): Promise<void> {
  await page.goto(`/console${path(all)}`)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  await open?.(page)
  await page.getByText(ready).first().waitFor()
  await page.waitForFunction(`document.querySelector('[aria-busy="true"]') === null`)
  await checked(page, name)
}

/** No serious fault of accessibility in either light, and nothing that has to be scrolled sideways on a small phone. */
async function checked(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await picture(page, `${name}-${colorScheme}`)
    const axe = new AxeBuilder({ page })
    // The other light changes colours alone.
    const { violations } = await (colorScheme === 'dark' ? axe.withRules(['color-contrast']) : axe).analyze()
    const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    expect(bad.map(({ id, nodes }) => ({ page: name, colorScheme, id, at: nodes.map(({ html }) => html) }))).toEqual([])
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(PHONE)
  const width = await page.evaluate('document.documentElement.scrollWidth')
  expect({ page: name, width }).toEqual({ page: name, width: PHONE.width })
  await picture(page, `${name}-phone`)
  await page.setViewportSize(DESK)
}

async function picture(page: Page, name: string): Promise<void> {
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
