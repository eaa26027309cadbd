import type { Page, Route } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { canonical, sha256 } from '../../src/core/canonical.ts'
import { openBrowser } from '../support/browser.ts'
import { ask, askOn, buy, card, consoleSite, enrolledWindow, nothingWrong, statusOf } from './scene.ts'

const browser = await openBrowser()
const OPTIONS = '**/console/api/approvals/*/options'
const CONFIRM = '**/console/api/confirm/options'
const INBOX = '**/console/api/inbox'

// biome-ignore lint/suspicious/noExplicitAny: it takes the answer of a server apart, as who sits between would.
type Json = any

/** Has every answer at these addresses go through other hands. */
async function between(page: Page, url: string, change: (answer: Json) => void): Promise<void> {
  await page.route(url, async (route: Route) => {
    const response = await route.fetch()
    const answer = await response.json()
    change(answer)
    await route.fulfill({ response, json: answer })
  })
}

/** Another statement, with the challenge that fits it: as a server would that lies. */
function restated(answer: Json, label: string, change: (said: Json) => void): void {
  const said = JSON.parse(answer.statement)
  change(said)
  answer.statement = canonical(said)
  answer.options.challenge = sha256(`${label}\0${answer.statement}`).toString('base64url')
}

const lying = (change: (said: Json) => void) => (answer: Json) => restated(answer, 'bursar-approval-v1', change)
const otherDigit = (hex: string): string => `${hex.startsWith('0') ? '1' : '0'}${hex.slice(1)}`

describe('what would be signed', () => {
  it('security: is not signed where it is not, to the digit, what is shown', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page, keys } = window
    const { request_id } = await ask(site)
    const before = await keys.signed()
    const cases: readonly [string, (answer: Json) => void][] = [
      ['another text', (answer) => (answer.statement = answer.statement.replace(/"digest":"./, '"digest":"x'))],
      ['another text', (answer) => (answer.options.challenge = 'A'.repeat(43))],
      ['the terms are not those that are shown', lying((said) => (said.digest = otherDigit(said.digest)))],
      ['it allows something else', lying((said) => (said.narrowed = { amount: '299.00' }))],
      ['it is about another request', lying((said) => (said.subject_id = 'req_0'))],
      ['it answers another question', lying((said) => (said.approval_id = 'apr_0'))],
      ['in the name of another owner', lying((said) => (said.owner_id = 'own_0'))],
      ['it is not an approval', lying((said) => (said.type = 'bursar.act'))],
      ['more or less than it may', lying((said) => (said.also = 'this'))],
      [
        'not canonical',
        (answer) => {
          answer.statement = answer.statement.replace('{', '{ ')
          answer.options.challenge = sha256(`bursar-approval-v1\0${answer.statement}`).toString('base64url')
        },
      ],
    ]
    for (const [why, change] of cases) {
      await between(page, OPTIONS, change)
      await askOn(page, /A virtual card/)
        .getByRole('button', { name: 'Approve…' })
        .click()
      await page.getByRole('alert').getByText('Not signed').getByText(why).waitFor()
      expect(await page.getByRole('button', { name: 'Approve with passkey' }).isDisabled()).toBe(true)
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.unroute(OPTIONS)
    }
    expect(await keys.signed()).toBe(before)
    expect(await statusOf(site, request_id)).toBe('pending')
    await nothingWrong(window)
  })

  it('security: is not signed where the page was shown other terms than the server keeps', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page, keys } = window
    const own = await card(site)
    const { payment_id } = await buy(site, own, '150.00')
    const before = await keys.signed()
    const shown: readonly ((view: Json) => void)[] = [
      (view) => (view.amount = '150.01'),
      (view) => (view.payee.name = 'Acme Softvare'),
      (view) => (view.payee.merchant_category = '5735'),
      (view) => delete view.payee.country,
      (view) => (view.currency = 'EUR'),
      (view) => (view.agent_id = 'agt_0'),
      (view) => (view.instrument.instrument_id = 'inst_0'),
    ]
    for (const change of shown) {
      await between(page, INBOX, ({ items }) => change(items[0].view))
      await page.reload()
      await page.getByRole('button', { name: 'Approve…' }).click()
      await page.getByRole('alert').getByText('the terms are not those that are shown').waitFor()
      await page.unroute(INBOX)
    }
    expect(await keys.signed()).toBe(before)
    expect(await statusOf(site, payment_id)).toBe('awaiting_approval')
    await nothingWrong(window)
  })

  it('security: does not become an act that was not chosen', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page, keys } = window
    const before = await keys.signed()
    const acts: readonly [string, (said: Json) => void][] = [
      ['it does something else', (said) => (said.args.amount = '9000.00')],
      ['it is another act', (said) => (said.act = 'agent.add')],
      ['in the name of another owner', (said) => (said.owner_id = 'own_0')],
    ]
    await page.goto(`/console/wallets/${site.purse.walletId}`)
    for (const [why, change] of acts) {
      await between(page, CONFIRM, (answer) => restated(answer, 'bursar-act-v1', change))
      await page.getByRole('button', { name: 'Fund…' }).click()
      await page.getByLabel('Amount, USD').fill('90')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('alert').getByText(why).waitFor()
      expect(await page.getByRole('button', { name: 'Confirm with passkey' }).isDisabled()).toBe(true)
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.unroute(CONFIRM)
    }
    expect(await keys.signed()).toBe(before)
    await nothingWrong(window)
  })

  it('security: is refused by the server where it was changed after it was signed, and without its owner’s verification', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page, keys } = window
    const { request_id } = await ask(site)
    const approve = '**/console/api/approvals/*/approve'
    await page.route(approve, (route) => {
      const sent = route.request().postDataJSON() as Json
      sent.statement = sent.statement.replace('"narrowed":{}', '"narrowed":{"amount":"1.00"}')
      return route.continue({ postData: JSON.stringify(sent) })
    })
    await page.getByRole('button', { name: 'Approve…' }).click()
    await page.getByRole('button', { name: 'Approve with passkey' }).click()
    await page.getByRole('alert').getByText('The signed statement is not the one that was made here.').waitFor()
    await page.unroute(approve)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await keys.verifies(false)
    await page.getByRole('button', { name: 'Approve…' }).click()
    await page.getByRole('button', { name: 'Approve with passkey' }).click()
    await page.getByRole('alert').getByText('The passkey was not used').waitFor()
    expect(await statusOf(site, request_id)).toBe('pending')
    await nothingWrong(window)
  })
})
