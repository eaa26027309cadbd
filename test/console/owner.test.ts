import { describe, expect, it } from 'vitest'
import { openBrowser, openWindow } from '../support/browser.ts'
import { basic } from '../support/http.ts'
import { ask, buy, card, consoleSite, enrol, enrolledWindow, nothingWrong } from './scene.ts'

const browser = await openBrowser()
const EXPORT = '**/api/v1/agent-payments/journal/export'
const PROOF = '**/payments/*/proof'

describe('the owner in the browser', () => {
  it('adds a second passkey with the first, signs out and in, and revokes the first', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('button', { name: 'Add a passkey…' }).click()
    await page.getByLabel('A name for it').fill('phone')
    // The laptop confirms; then the owner takes the phone.
    await page.route(
      '**/console/api/confirm',
      async (route) => {
        const response = await route.fetch()
        await window.keys.replaced()
        await route.fulfill({ response })
      },
      { times: 1 },
    )
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await page.getByText('The passkey is added.').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
    await page.getByRole('button', { name: 'Revoke… laptop' }).click()
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await page.getByText('The passkey is revoked.').waitFor()
    const live = await site.purse.bursar.store.read.list('passkeys', { revokedAt: null })
    expect(live.map(({ name }) => name)).toEqual(['phone'])
    await nothingWrong(window)
  })

  it('sets limits, funds and unfreezes with the passkey, and every argument is shown', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    const { walletId } = site.purse
    await page.goto(`/console/wallets/${walletId}`)
    await page.getByRole('button', { name: 'Add a limit…' }).click()
    await page.getByLabel('Counts by').selectOption('payee')
    await page.getByLabel('At most, USD').fill('75')
    await page.getByRole('button', { name: 'Continue' }).click()
    const facts = page.getByRole('dialog').locator('dl')
    await facts.waitFor()
    expect(await facts.locator('dd').allTextContents()).toEqual([
      ...['Limit: set', `sandbox (${walletId})`, 'payee', 'day', '75.00', 'deny'],
    ])
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await page.getByText('The limit is set.').waitFor()
    await page.locator('strong', { hasText: 'Each payee, in a day' }).waitFor()
    await page.getByRole('button', { name: 'Fund…' }).click()
    await page.getByLabel('Amount, USD').fill('5')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await page.getByText('1005.00 USD').waitFor()
    await page.getByRole('button', { name: 'Freeze', exact: true }).click()
    await page.getByRole('button', { name: 'Unfreeze…' }).click()
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await page.getByRole('button', { name: 'Freeze', exact: true }).waitFor()
    await page.getByRole('button', { name: /^Remove… Each payee, in a day/ }).click()
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await page.getByText('The limit is gone.').waitFor()
    await nothingWrong(window)
  })

  it('adds an agent, whose key is shown once and works, and revokes it', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    await page.getByRole('link', { name: 'Agents' }).click()
    await page.getByRole('button', { name: 'Add an agent…' }).click()
    await page.getByLabel(/^Name/).fill('helper')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Confirm with passkey' }).click()
    const key = await page.locator('code.key').textContent()
    const budget = () =>
      fetch(`${site.origin}/api/v1/agent-payments/budget`, { headers: { authorization: `Bearer ${key}` } })
    expect((await budget()).status).toBe(200)
    await page.getByRole('button', { name: 'I have kept it' }).click()
    expect(await page.content()).not.toContain(key)
    await page.getByRole('link', { name: /helper/ }).click()
    await page.getByRole('button', { name: 'Revoke…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('helper is revoked.').waitFor()
    expect((await budget()).status).toBe(401)
    await nothingWrong(window)
  })

  it('security: verifies the journals in the browser, and finds what was changed, cut or signed anew', async () => {
    const site = await consoleSite()
    const window = await enrolledWindow(browser, site)
    const { page } = window
    const own = await card(site)
    const { payment_id } = await buy(site, own, '12.00')
    const response = await fetch(`${site.origin}/api/v1/agent-payments/journal/export`, { headers: basic() })
    const lines = (await response.text()).trim().split('\n')
    const verify = async (): Promise<string> => {
      await page.getByRole('button', { name: 'Verify' }).click()
      return (await page.locator('.verify [role="status"] p').last().locator('..').textContent()) ?? ''
    }
    const served = async (changed: readonly string[]): Promise<string> => {
      await page.route(EXPORT, (route) => route.fulfill({ body: changed.join('\n') }))
      const said = await verify()
      await page.unroute(EXPORT)
      return said
    }
    await page.goto('/console/journal')
    expect(await verify()).toMatch(/^holds \d+ events, checked here for the first time/)
    await buy(site, own, '13.00')
    expect(await verify()).toMatch(/^holds \d+ events, and 2 checkpoints that this browser kept/)
    expect(await served(lines.map((line) => line.replace('"amount":"12.00"', '"amount":"12.01"')))).toMatch(
      /^does not hold/,
    )
    // Cut back to what the server signed before: good by itself, and shorter than what this browser has seen.
    expect(await served(lines)).toMatch(/^does not hold[\s\S]*the journal is shorter now/)
    const other = await consoleSite()
    const foreign = await fetch(`${other.origin}/api/v1/agent-payments/journal/export`, { headers: basic() })
    expect(await served([await foreign.text()])).toMatch(/^The journals are signed by another key/)
    await page.goto(`/console/payments/${payment_id}`)
    await page.getByRole('button', { name: 'Verify in this browser' }).click()
    await page.getByText('its hashes lead to the signed root').waitFor()
    await page.route(PROOF, async (route) => {
      const answer = await route.fetch()
      const proof = (await answer.json()) as { event: string }
      await route.fulfill({ response: answer, json: { ...proof, event: proof.event.replace('12.00', '12.01') } })
    })
    await page.getByRole('button', { name: 'Verify in this browser' }).click()
    await page.getByRole('alert').getByText('not for this entry').waitFor()
    await nothingWrong(window)
  })

  it('says when the session is over, and has no other page in a frame', async () => {
    const site = await consoleSite()
    const window = await enrol(await openWindow(browser, site.origin), site)
    site.purse.time.now += 13 * 60 * 60 * 1000
    await ask(site)
    await window.page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    const { headers } = await fetch(`${site.origin}/console`)
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    await nothingWrong(window)
  })
})
