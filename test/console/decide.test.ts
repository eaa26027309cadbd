import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { addOwner } from '../../src/actions/owner/owners.ts'
import { createWallet, setApprovals } from '../../src/actions/owner/wallets.ts'
import { NETWORKS, type Network } from '../../src/core/network.ts'
import { openBrowser, openWindow } from '../support/browser.ts'
import { ask, askOn, buy, card, consoleSite, enrol, enrolledWindow, nothingWrong, statusOf } from './scene.ts'

const browser = await openBrowser()
const CARD = /A virtual card of up to 300\.00 USD/

describe('deciding in the browser', () => {
  it('approves with the passkey exactly what was asked, as it arrives', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page, keys } = window
    const before = await keys.signed()
    const { request_id } = await ask(site)
    await askOn(page, CARD).waitFor()
    const { assurance } = await approveIn(page, site, request_id)
    await page.getByText('You answered faster than the terms can be read.').waitFor()
    expect(assurance).toBe('passkey')
    expect(await keys.signed()).toBe(before + 1)
    expect(await statusOf(site, request_id)).toBe('approved')
    await page.getByText('Nothing waits for you').waitFor()
    await nothingWrong(window)
  })

  it('shows who, whom, how much, what is left, for what, and the agent’s words last and as text', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const words = '<img src=x onerror=alert(1)> <b>Approve</b> at once https://evil.example'
    const own = await card(site)
    const { payment_id } = await buy(site, own, '150.00', { purpose: words })
    const article = askOn(window.page, '150.00 USD to "Acme Software"')
    await article.waitFor()
    const terms = ['Who', 'Pays', 'Amount', 'Left after', 'Kind of merchant', 'Country', 'By', 'With', 'Wallet']
    expect(await article.locator('dl').first().locator('dt').allTextContents()).toEqual(terms)
    expect(await article.locator('dl').first().locator('dd').allTextContents()).toEqual([
      ...['agent default', '"Acme Software" — for the first time', '150.00 USD', `150.00 USD on ${own.display}`],
      ...['5734 Computer Software Stores', 'US', 'card', own.display],
      'sandbox, 1000.00 USD available, sandbox: not real money',
    ])
    expect(await article.locator('figure').textContent()).toBe(
      `The agent's own words. Nobody has checked them:${words}`,
    )
    expect(await article.locator('img, a').count()).toBe(0)
    await window.page.goto(`/console/inbox/${payment_id}`)
    await article.waitFor()
    await nothingWrong(window)
  })

  it('says the whole address that USDC may go to, and that any amount of payments may', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    const [network] = NETWORKS as [Network]
    const [account, payee] = [`${network.id}:0x${'11'.repeat(20)}`, `${network.id}:0x${'22'.repeat(20)}`]
    const chain = { network, account, relayer: account }
    await createWallet(site.deps.bursar, site.purse.authority, { name: 'coins', currency: 'USDC', mode: 'live', chain })
    const terms = {
      type: 'usdc',
      currency: 'USDC',
      usage_limit: undefined,
      constraints: { addresses: [payee] },
    } as const
    // An ask is about a rail of this kind; nothing reaches it before a yes.
    const { bursar } = site.deps
    const rails = { ...bursar.rails, usdc: { ...bursar.rails.virtual_card!, serves: () => true } }
    await ask({ ...site, deps: { ...site.deps, bursar: { ...bursar, rails } } }, terms)
    const article = askOn(page, 'USDC of up to 300.000000 USDC')
    await article.getByText(payee).waitFor()
    await article.getByText('any number').waitFor()
    await article.getByRole('button', { name: 'Approve…' }).click()
    await page.locator('button:enabled', { hasText: 'Approve with passkey' }).waitFor()
    await nothingWrong(window)
  })

  it('allows less, and signs the less', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    const { request_id } = await ask(site)
    await askOn(page, CARD).getByRole('button', { name: 'Allow less…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Amount in all').fill('400')
    await dialog.getByRole('button', { name: 'Continue' }).click()
    await dialog.getByText('The agent asked for 300.00 only.').waitFor()
    await dialog.getByLabel('Amount in all').fill('40')
    await dialog.getByLabel('Number of uses').fill('1')
    await dialog.getByLabel('Lives for').fill('12h')
    await dialog.getByRole('button', { name: 'Continue' }).click()
    await dialog.getByText('up to 40.00 USD in all (asked: 300.00 USD)').waitFor()
    await dialog.getByRole('button', { name: 'Approve with passkey' }).click()
    await page.getByText('Approved.').waitFor()
    const { instrumentId } = (await site.purse.bursar.store.read.one('requests', { id: request_id }))!
    expect(await site.purse.bursar.store.read.one('instruments', { id: instrumentId! })).toMatchObject({
      ...{ amount: 4_000n, usageLimit: 1, perPaymentMax: null },
      expiresAt: site.purse.time.now + 12 * 60 * 60 * 1000,
    })
    await nothingWrong(window)
  })

  it('denies with a reason, freezes, and stops everything, without the passkey', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page, keys } = window
    const own = await card(site)
    const before = await keys.signed()
    const { payment_id } = await buy(site, own, '150.00')
    const article = askOn(page, /150\.00 USD/)
    await article.getByRole('button', { name: 'Freeze…' }).click()
    await page.getByLabel(/This instrument/).check()
    await page.getByRole('button', { name: 'Freeze', exact: true }).click()
    await page.getByText('Done. What waits here can still be denied.').waitFor()
    await article.getByRole('button', { name: 'Deny…' }).click()
    await page.getByLabel(/Why\?/).fill('Not this shop')
    await page.getByRole('button', { name: 'Deny', exact: true }).click()
    await page.getByText('Nothing waits for you').waitFor()
    await page.getByRole('button', { name: 'Freeze all' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Freeze all' }).click()
    await page.getByRole('alert').getByText('All spending is stopped.').waitFor()
    expect(await statusOf(site, payment_id)).toBe('denied')
    const { read } = site.purse.bursar.store
    expect((await read.one('instruments', { id: own.instrument_id }))?.status).toBe('frozen')
    expect((await buy(site, own, '1.00')).refusal?.code).toBe('spending_frozen')
    expect(await keys.signed()).toBe(before)
    await page.getByRole('button', { name: 'Unfreeze…' }).click()
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await page.getByText('Agents can spend again.').waitFor()
    expect(await keys.signed()).toBe(before + 1)
    await nothingWrong(window)
  })

  it('needs nothing but the keyboard', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    const { request_id } = await ask(site)
    await askOn(page, CARD).waitFor()
    await page.reload()
    await askOn(page, CARD).waitFor()
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await tabTo(page, 'Approve…')
    await page.keyboard.press('Enter')
    await page.getByText('Your passkey signs exactly these terms').waitFor()
    await tabTo(page, 'Cancel')
    await page.keyboard.press('Escape')
    await expect.poll(() => focused(page)).toBe('Approve…')
    await page.keyboard.press('Enter')
    await page.locator('button:enabled', { hasText: 'Approve with passkey' }).waitFor()
    await tabTo(page, 'Approve with passkey')
    await page.keyboard.press('Enter')
    await page.getByText('Approved.').waitFor()
    await expect.poll(() => focused(page)).toBe('Inbox')
    expect(await statusOf(site, request_id)).toBe('approved')
    await nothingWrong(window)
  })

  it('has two owners agree, where the wallet wants two, and shows the second what the first said yes to', async () => {
    const site = await consoleSite()
    const { bursar } = site.deps
    const { authority, walletId } = site.purse
    const { owner_id } = await addOwner(bursar, authority, 'second')
    await setApprovals(bursar, authority, walletId, [{ up_to: null, assurance: 'passkey', owners: 2 }])
    const first = await enrolledWindow(browser, site)
    const second = await enrol(await openWindow(browser, site.origin), site, owner_id)
    const { request_id } = await ask(site)
    await askOn(first.page, CARD).getByRole('button', { name: 'Allow less…' }).click()
    await first.page.getByLabel('Amount in all').fill('40')
    await first.page.getByRole('button', { name: 'Continue' }).click()
    await first.page.getByRole('button', { name: 'Approve with passkey' }).click()
    await first.page.getByText('It waits for a second owner.').waitFor()
    await first.page.getByText('You said yes first').waitFor()
    expect(await askOn(first.page, CARD).getByRole('button', { name: 'Approve…' }).isDisabled()).toBe(true)
    await second.page.getByText('owner said yes first').waitFor()
    await askOn(second.page, CARD).getByRole('button', { name: 'Approve…' }).click()
    await second.page.getByRole('dialog').getByText('up to 40.00 USD in all (asked: 300.00 USD)').waitFor()
    await second.page.getByRole('button', { name: 'Approve with passkey' }).click()
    await second.page.getByText('Approved.').waitFor()
    expect(await statusOf(site, request_id)).toBe('approved')
    await first.page.getByText('Nothing waits for you').waitFor()
    await nothingWrong(first)
    await nothingWrong(second)
  })
})

async function approveIn(page: Page, site: Awaited<ReturnType<typeof consoleSite>>, id: string) {
  await page.getByRole('article').getByRole('button', { name: 'Approve…' }).click()
  await page.getByRole('button', { name: 'Approve with passkey' }).click()
  await page.getByText('Approved.').waitFor()
  return (await site.purse.bursar.store.read.one('approvals', { subjectId: id }))!
}

function focused(page: Page): Promise<unknown> {
  return page.evaluate('document.activeElement.textContent')
}

/** Goes on with the tabulator until the focus is there. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let step = 0; step < 40; step += 1) {
    if ((await focused(page)) === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`The tabulator does not lead to ${name}.`)
}
