import { describe, expect, it } from 'vitest'
import { listLimits } from '../../src/actions/owner/inspect.ts'
import type { LimitInput } from '../../src/actions/owner/limit.ts'
import { removeLimit } from '../../src/actions/owner/limit.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { SCOPES } from '../../src/core/types.ts'
import { buy, makeCard, makePurse, type Purse, SHOP } from '../support/purse.ts'
import { codeOf, inSession, limit, OPEN_CARD, openPurse, ruleOf } from './desk.ts'

async function opened() {
  const purse = await openPurse()
  return { purse, card: await makeCard(purse, OPEN_CARD) }
}

function remove(purse: Purse, limitId: string) {
  return removeLimit(purse.bursar, purse.authority, limitId)
}

async function inForce(purse: Purse) {
  return (await listLimits(purse.bursar, purse.walletId)).map(({ scope, window, max_amount, over }) =>
    [scope, window, max_amount, over].join(' '),
  )
}

describe('security: a limit set while its window runs', () => {
  it.each(SCOPES)('per %s counts what was spent already', async (scope) => {
    const { purse, card } = await opened()
    await buy(purse, card, '70.00')
    const { limit_id } = await limit(purse, { scope, window: 'month', max_amount: '100.00', over: 'deny' })
    expect(ruleOf(await buy(purse, card, '30.01'))).toEqual(['refused', 'limit_exceeded', limit_id])
    expect((await buy(purse, card, '30.00')).status).toBe('captured')
    expect(ruleOf(await buy(purse, card, '0.01'))).toEqual(['refused', 'limit_exceeded', limit_id])
  })

  it('per session counts each session by itself', async () => {
    const { purse, card } = await opened()
    await buy(purse, card, '70.00')
    await buy(inSession(purse, 'ses_2'), card, '10.00')
    await limit(purse, { scope: 'wallet', window: 'session', max_amount: '100.00', over: 'deny' })
    expect((await buy(purse, card, '30.01')).status).toBe('refused')
    expect((await buy(inSession(purse, 'ses_2'), card, '90.00')).status).toBe('captured')
    expect((await buy(inSession(purse, 'ses_2'), card, '0.01')).status).toBe('refused')
    expect((await buy(inSession(purse, 'ses_3'), card, '100.00')).status).toBe('captured')
  })

  it('counts payments too, and lets none through where more were made already', async () => {
    const { purse, card } = await opened()
    for (let n = 0; n < 3; n++) await buy(purse, card, '1.00')
    const { limit_id } = await limit(purse, { scope: 'wallet', window: 'month', max_count: 2, over: 'deny' })
    expect(ruleOf(await buy(purse, card, '1.00'))).toEqual(['refused', 'limit_exceeded', limit_id])
  })

  it('below what was spent already refuses everything, and says that nothing is left', async () => {
    const { purse, card } = await opened()
    await buy(purse, card, '70.00')
    await limit(purse, { scope: 'wallet', window: 'month', max_amount: '50.00', over: 'deny' })
    expect((await buy(purse, card, '0.01')).refusal).toMatchInlineSnapshot(
      {
        rule: expect.stringMatching(/^lim_/) as string,
      },
      `
      {
        "code": "limit_exceeded",
        "hint": "Do not retry or split the payment. Tell your user which limit stopped it.",
        "message": "Limit per wallet and month: 0.00 USD of 50.00 USD is left.",
        "rule": StringMatching /\\^lim_/,
      }
    `,
    )
  })

  it('on one payee counts that payee only', async () => {
    const { purse, card } = await opened()
    await buy(purse, card, '70.00')
    await buy(purse, card, '70.00', { payee: { name: 'Other' } })
    const rule = { scope: 'payee', scopeValue: SHOP.name, window: 'month', max_amount: '100.00', over: 'deny' }
    await limit(purse, rule)
    expect((await buy(purse, card, '30.01')).status).toBe('refused')
    expect((await buy(purse, card, '30.00')).status).toBe('captured')
    expect((await buy(purse, card, '200.00', { payee: { name: 'Other' } })).status).toBe('captured')
  })

  it('does not count what was declined', async () => {
    const { purse, card } = await opened()
    await buy(purse, card, '70.00', { payee: { name: 'Bursar Test: Decline do_not_honor' } })
    await limit(purse, { scope: 'wallet', window: 'month', max_amount: '100.00', max_count: 1, over: 'deny' })
    expect((await buy(purse, card, '100.00')).status).toBe('captured')
    expect((await buy(purse, card, '0.01')).refusal?.message).toBe(
      'Limit per wallet and month: 0.00 USD of 100.00 USD is left.',
    )
  })

  it('does not look at windows that are over', async () => {
    const { purse, card } = await opened()
    await buy(purse, card, '70.00')
    purse.time.now += 31 * 24 * 60 * 60 * 1000
    await limit(purse, { scope: 'wallet', window: 'month', max_amount: '100.00', over: 'deny' })
    expect((await buy(purse, card, '100.00')).status).toBe('captured')
  })
})

describe('security: a limit set again', () => {
  it('takes the place of the one before, and what was spent stays spent', async () => {
    const { purse, card } = await opened()
    const month = { scope: 'wallet', window: 'month', over: 'deny' }
    await limit(purse, { ...month, max_amount: '100.00' })
    await buy(purse, card, '100.00')
    await limit(purse, { ...month, max_amount: '150.00' })
    expect((await inForce(purse)).filter((one) => one.includes('month'))).toEqual(['wallet month 150.00 deny'])
    expect((await buy(purse, card, '50.01')).status).toBe('refused')
    expect((await buy(purse, card, '50.00')).status).toBe('captured')
    const lower = await limit(purse, { ...month, max_amount: '120.00' })
    expect(ruleOf(await buy(purse, card, '0.01'))).toEqual(['refused', 'limit_exceeded', lower.limit_id])
  })

  it('leaves the one that asks beside the one that denies', async () => {
    const { purse } = await opened()
    await limit(purse, { scope: 'wallet', window: 'month', max_amount: '100.00', over: 'deny' })
    await limit(purse, { scope: 'wallet', window: 'month', max_amount: '50.00', over: 'ask' })
    expect((await inForce(purse)).filter((one) => one.includes('month')).toSorted()).toEqual([
      'wallet month 100.00 deny',
      'wallet month 50.00 ask',
    ])
  })

  it('can be removed once', async () => {
    const { purse, card } = await opened()
    const { limit_id } = await limit(purse, { scope: 'wallet', window: 'week', max_amount: '10.00', over: 'deny' })
    expect((await buy(purse, card, '10.01')).status).toBe('refused')
    await remove(purse, limit_id)
    expect((await buy(purse, card, '10.01')).status).toBe('captured')
    expect(await codeOf(remove(purse, limit_id))).toBe('wrong_state')
  })
})

describe('security: a wallet without the limits that it must have', () => {
  it.each(['payment', 'session', 'day'])('pays nothing when the one per %s is removed', async (window) => {
    const { purse, card } = await opened()
    const found = (await listLimits(purse.bursar, purse.walletId)).find(
      (one) => one.window === window && one.over === 'deny',
    )
    await remove(purse, found?.limit_id as string)
    const { rule, code, message, hint } = (await buy(purse, card, '1.00')).refusal ?? {}
    expect([code, rule, message]).toEqual([
      'limits_missing',
      'wallet.limits',
      `The wallet has no limit that denies per ${window}.`,
    ])
    expect(hint).toMatchInlineSnapshot(
      `"The wallet lacks a payment, session or day limit, so it cannot pay. Tell your user to set them with \`bursar limit set\`."`,
    )
  })

  it.each<[string, Partial<LimitInput>]>([
    ['asks', { scope: 'wallet', max_amount: '9.00', over: 'ask' }],
    ['counts only', { scope: 'wallet', max_count: 9, over: 'deny' }],
    ['is about one payee', { scope: 'payee', scopeValue: 'X', max_amount: '9.00', over: 'deny' }],
    ['is for each payee by itself', { scope: 'payee', max_amount: '9.00', over: 'deny' }],
    ['is for each category by itself', { scope: 'category', max_amount: '9.00', over: 'deny' }],
    ['is for each instrument by itself', { scope: 'instrument', max_amount: '9.00', over: 'deny' }],
  ])('pays nothing when the one that is there instead %s', async (_, instead) => {
    const { purse, card } = await opened()
    const found = (await listLimits(purse.bursar, purse.walletId)).find(
      (one) => one.window === 'day' && one.over === 'deny',
    )
    await remove(purse, found?.limit_id as string)
    await limit(purse, { window: 'day', ...instead } as LimitInput)
    expect((await buy(purse, card, '1.00')).refusal?.code).toBe('limits_missing')
  })

  it.each(['agent', 'session'])('pays when the one that is there instead is for each %s', async (scope) => {
    const { purse, card } = await opened()
    const found = (await listLimits(purse.bursar, purse.walletId)).find(
      (one) => one.window === 'day' && one.over === 'deny',
    )
    await limit(purse, { scope, window: 'day', max_amount: '9.00', over: 'deny' })
    await remove(purse, found?.limit_id as string)
    expect((await buy(purse, card, '9.00')).status).toBe('captured')
    expect((await buy(purse, card, '0.01')).refusal?.code).toBe('limit_exceeded')
  })

  it('is not born: every new wallet has them, in its own currency', async () => {
    const purse = await makePurse()
    expect((await inForce(purse)).toSorted()).toMatchInlineSnapshot(`
      [
        "payee month 100.00 ask",
        "session session 500.00 deny",
        "wallet day 1000.00 deny",
        "wallet payment 100.00 ask",
        "wallet payment 500.00 deny",
      ]
    `)
    const input = { name: 'yen', currency: 'JPY', mode: 'live', agentId: purse.caller.agentId }
    const yen = await createWallet(purse.bursar, purse.authority, input)
    expect((await inForce({ ...purse, walletId: yen.wallet_id })).toSorted()).toMatchInlineSnapshot(`
      [
        "payee month 100 ask",
        "session session 500 deny",
        "wallet day 1000 deny",
        "wallet payment 100 ask",
        "wallet payment 500 deny",
      ]
    `)
  })
})

describe('a limit that is set again', () => {
  it('security: keeps what is not said: a new count lifts no amount', async () => {
    const { purse, card } = await opened()
    const rule = { scope: 'wallet', window: 'month', over: 'deny' }
    await limit(purse, { ...rule, max_amount: '10.00' })
    expect(await limit(purse, { ...rule, max_count: 99 })).toMatchObject({ max_amount: '10.00', max_count: 99 })
    expect((await buy(purse, card, '10.01')).refusal?.code).toBe('limit_exceeded')
  })

  it('security: by the name of several categories is refused, since it could look at one of them only', async () => {
    const { purse } = await opened()
    const rule = { scope: 'category', scopeValue: 'gambling', window: 'day', max_amount: '0', over: 'deny' }
    await expect(limit(purse, rule)).rejects.toMatchObject({ code: 'argument_invalid' })
  })
})
