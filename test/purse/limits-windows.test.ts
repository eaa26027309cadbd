import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { checkBudget } from '../../src/actions/agent/read.ts'
import { recover } from '../../src/actions/recover.ts'
import { buy, makeCard, type Purse } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import {
  approvePayment,
  DAY,
  limit,
  MINUTE,
  OPEN_CARD,
  openPurse,
  quickPurse,
  ruleOf,
  SECOND,
  withWallet,
} from './desk.ts'

const at = (name: string) => ({ payee: { name: `Bursar Test: ${name}` } })

async function left(purse: Purse, limitId: string) {
  const limits = (await checkBudget(purse.bursar, purse.caller)).wallets.flatMap((wallet) => wallet.limits)
  const { remaining_amount, remaining_count } = limits.find(({ limit_id }) => limit_id === limitId) ?? {}
  return [remaining_amount, remaining_count]
}

describe('security: a limit per calendar window', () => {
  it.each([
    ['Asia/Kolkata', 'day', '2026-03-10T18:30:00Z'],
    ['America/St_Johns', 'day', '2026-03-09T02:30:00Z'],
    ['Pacific/Apia', 'day', '2026-03-10T11:00:00Z'],
    ['Europe/Berlin', 'day', '2026-03-29T22:00:00Z'],
    ['Europe/Berlin', 'day', '2026-10-25T23:00:00Z'],
    ['Europe/Berlin', 'hour', '2026-10-25T01:00:00Z'],
    ['Asia/Kathmandu', 'hour', '2026-03-10T12:15:00Z'],
    ['America/New_York', 'week', '2026-03-09T04:00:00Z'],
    ['America/New_York', 'month', '2026-04-01T04:00:00Z'],
    ['Asia/Tokyo', 'month', '2026-12-31T15:00:00Z'],
  ])('in %s begins anew with the %s at %s, not a second sooner or later', async (timeZone, window, instant) => {
    const boundary = Date.parse(instant)
    const purse = await withWallet(await quickPurse({ now: boundary - 2 * SECOND }), { timeZone })
    const card = await makeCard(purse, OPEN_CARD)
    const { limit_id } = await limit(purse, { scope: 'wallet', window, max_amount: '100.00', over: 'deny' })
    expect((await buy(purse, card, '99.99')).status).toBe('captured')
    purse.time.now = boundary - SECOND
    expect((await buy(purse, card, '0.02')).status).toBe('refused')
    expect((await buy(purse, card, '0.01')).status).toBe('captured')
    purse.time.now = boundary - 1
    expect((await buy(purse, card, '0.01')).refusal?.code).toBe('limit_exceeded')
    purse.time.now = boundary
    expect((await buy(purse, card, '100.00')).status).toBe('captured')
    purse.time.now = boundary + SECOND
    expect((await buy(purse, card, '0.01')).refusal?.code).toBe('limit_exceeded')
    expect(await left(purse, limit_id)).toEqual(['0.00', null])
  })

  it('does not begin anew when the wallet’s neighbours have midnight', async () => {
    const purse = await withWallet(await quickPurse({ now: Date.parse('2026-03-10T23:59:59Z') }), {
      timeZone: 'Asia/Tokyo',
    })
    const card = await makeCard(purse, OPEN_CARD)
    await limit(purse, { scope: 'wallet', window: 'day', max_amount: '100.00', over: 'deny' })
    expect((await buy(purse, card, '100.00')).status).toBe('captured')
    purse.time.now += 2 * SECOND
    expect((await buy(purse, card, '0.01')).refusal?.code).toBe('limit_exceeded')
  })

  it('counts an approved payment against the day it was approved, not the day it was asked', async () => {
    const purse = await openPurse(quickPurse({ now: Date.parse('2026-03-10T23:55:00Z') }))
    const card = await makeCard(purse, OPEN_CARD)
    await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
    const { limit_id } = await limit(purse, { scope: 'wallet', window: 'day', max_amount: '100.00', over: 'deny' })
    const asked = await buy(purse, card, '80.00')
    expect(asked.status).toBe('awaiting_approval')
    expect(await left(purse, limit_id)).toEqual(['100.00', null])
    purse.time.now = Date.parse('2026-03-11T00:05:00Z')
    expect((await approvePayment(purse, asked.payment_id)).status).toBe('captured')
    expect(await left(purse, limit_id)).toEqual(['20.00', null])
    expect(ruleOf(await buy(purse, card, '20.01'))).toEqual(['refused', 'limit_exceeded', limit_id])
  })

  it('is decided again when a human says yes: no approval lifts a limit that denies', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
    const { limit_id } = await limit(purse, { scope: 'wallet', window: 'day', max_amount: '100.00', over: 'deny' })
    const asked = await buy(purse, card, '80.00')
    expect((await buy(purse, card, '30.00')).status).toBe('captured')
    const late = await approvePayment(purse, asked.payment_id)
    expect(ruleOf(late)).toEqual(['denied', 'limit_exceeded', limit_id])
    expect(await left(purse, limit_id)).toEqual(['70.00', null])
    await expectBooksToAgree(purse)
  })
})

describe('security: what a limit counts', () => {
  async function capped(max = '100.00', count = 9) {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    const rule = { scope: 'payee', window: 'week', max_amount: max, max_count: count, over: 'deny' }
    const everywhere = { scope: 'wallet', window: 'week', max_amount: max, max_count: count, over: 'deny' }
    const { limit_id: limitId } = await limit(purse, everywhere)
    await limit(purse, rule)
    const pay = (amount: string, shop?: string) => buy(purse, card, amount, shop ? at(shop) : {})
    return { purse, card, pay, left: () => left(purse, limitId), wait: (ms: number) => (purse.time.now += ms) }
  }

  it('what is held, from the moment it is held', async () => {
    const { pay, left } = await capped()
    expect((await pay('60.00', 'Never Captured')).status).toBe('authorized')
    expect(await left()).toEqual(['40.00', 8])
    expect((await pay('40.01')).refusal?.code).toBe('limit_exceeded')
  })

  it('what is in doubt', async () => {
    const { pay, left } = await capped()
    expect((await pay('60.00', 'Unreachable')).status).toBe('in_doubt')
    expect(await left()).toEqual(['40.00', 8])
  })

  it('neither what was refused, nor what waits, was denied, expired or canceled', async () => {
    const { purse, pay, left, wait } = await capped()
    await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
    expect((await pay('400.00')).status).toBe('refused')
    const waiting = await pay('60.00')
    expect(waiting.status).toBe('awaiting_approval')
    await cancel(purse.bursar, purse.caller, waiting.payment_id)
    expect((await pay('61.00')).status).toBe('awaiting_approval')
    wait(15 * MINUTE)
    await recover(purse.bursar)
    expect(await left()).toEqual(['100.00', 9])
  })

  it('nothing of what the rail declined: amount and count come back', async () => {
    const { pay, left } = await capped()
    expect((await pay('60.00', 'Decline do_not_honor')).status).toBe('voided')
    expect(await left()).toEqual(['100.00', 9])
    expect((await pay('100.00')).status).toBe('captured')
  })

  it('of a smaller capture only what was taken, and still one payment', async () => {
    const { pay, left } = await capped()
    expect(await pay('60.00', 'Partial Capture')).toMatchObject({ status: 'captured', captured_amount: '24.00' })
    expect(await left()).toEqual(['76.00', 8])
  })

  it('what was refunded, still', async () => {
    const { purse, pay, left, wait } = await capped()
    const paid = await pay('60.00', 'Merchant Refund')
    wait(MINUTE)
    await recover(purse.bursar)
    expect((await purse.bursar.store.read.one('payments', { id: paid.payment_id }))?.status).toBe('refunded')
    expect(await left()).toEqual(['40.00', 8])
  })

  it('what a network took beyond the hold, even over the limit', async () => {
    const { purse, pay, left, wait } = await capped('110.00')
    await pay('100.00', 'Restaurant Tip')
    wait(MINUTE)
    await recover(purse.bursar)
    expect(await left()).toEqual(['0.00', 8])
    const other = await makeCard(purse, OPEN_CARD)
    expect((await buy(purse, other, '0.01')).refusal?.message).toBe(
      'Limit per wallet and week: 0.00 USD of 110.00 USD is left.',
    )
  })

  it('a hold against the window in which it was held, wherever its capture falls', async () => {
    const { purse, pay, left, wait } = await capped()
    const { payment_id } = await pay('60.00', 'Delayed Capture')
    wait(7 * DAY)
    await recover(purse.bursar)
    expect((await purse.bursar.store.read.one('payments', { id: payment_id }))?.status).toBe('captured')
    expect(await left()).toEqual(['100.00', 9])
  })

  it('payments at once: not one more than fits', async () => {
    const { purse, pay, left } = await capped('100.00', 30)
    const many = await Promise.all(Array.from({ length: 20 }, () => pay('10.00')))
    expect(many.filter(({ status }) => status === 'captured')).toHaveLength(10)
    expect(many.filter(({ refusal }) => refusal?.code === 'limit_exceeded')).toHaveLength(10)
    expect(await left()).toEqual(['0.00', 20])
    await expectBooksToAgree(purse)
  })
})
