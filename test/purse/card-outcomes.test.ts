import { describe, expect, it } from 'vitest'
import { recover } from '../../src/actions/recover.ts'
import { DECLINE_CODES } from '../../src/rails/card/issuer.ts'
import { balances, buy, makeCard } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { DAY, eventsOf, MINUTE, OPEN_CARD, sandboxOf } from './desk.ts'
import { paidAt, untouched, whole } from './paid-at.ts'

describe('a card payment that the issuer declines', () => {
  it.each(Object.keys(DECLINE_CODES))('with %s moves nothing, and all comes back', async (code) => {
    const { purse, first, view } = await paidAt(`Decline ${code}`)
    expect(first.status).toBe('voided')
    expect(first.refusal).toMatchObject({ code: 'rail_declined', rule: `issuer.${code}` })
    expect(await balances(purse)).toMatchObject(untouched)
    expect(await view()).toMatchObject({ status: 'active', remaining_amount: '1000.00', usage_consumed: 0 })
    await expectBooksToAgree(purse)
  })
})

describe('a card payment that is captured', () => {
  it('in part gives the rest back to wallet and card, but not the use', async () => {
    const { purse, first, view } = await paidAt('Partial Capture')
    expect(first).toMatchObject({ status: 'captured', amount: '100.00', captured_amount: '40.00' })
    expect(await balances(purse)).toMatchObject({ available: 96_000n, held: 0n })
    expect(await view()).toMatchObject({ remaining_amount: '960.00', usage_consumed: 1 })
    await expectBooksToAgree(purse)
  })

  it('in three parts holds what is left until the last', async () => {
    const { purse, first, now, view, later } = await paidAt('Multiple Captures')
    expect(first).toMatchObject({ status: 'authorized', captured_amount: '50.00' })
    expect(await balances(purse)).toMatchObject({ available: 90_000n, held: 5_000n, external: -95_000n })
    await later(MINUTE)
    expect(await now()).toMatchObject({ status: 'authorized', captured_amount: '80.00' })
    await later(MINUTE)
    expect(await now()).toMatchObject({ status: 'captured', captured_amount: '100.00' })
    expect(await balances(purse)).toMatchObject(whole)
    expect(await view()).toMatchObject({ remaining_amount: '900.00', usage_consumed: 1 })
  })

  it('later is held until then', async () => {
    const { purse, first, now, later } = await paidAt('Delayed Capture')
    expect(first.status).toBe('authorized')
    await later(MINUTE - 1)
    expect((await now()).status).toBe('authorized')
    expect(await balances(purse)).toMatchObject({ available: 90_000n, held: 10_000n })
    await later(1)
    expect((await now()).status).toBe('captured')
    expect(await balances(purse)).toMatchObject(whole)
  })

  it('after a part was given back takes the other part only', async () => {
    const { purse, now, view, later } = await paidAt('Partial Reversal')
    await later(MINUTE)
    expect(await now()).toMatchObject({ status: 'captured', captured_amount: '70.00' })
    expect(await balances(purse)).toMatchObject({ available: 93_000n, held: 0n })
    expect(await view()).toMatchObject({ remaining_amount: '930.00', usage_consumed: 1 })
  })

  it.each(['Duplicate Authorization', 'Slow Answer'])('once, by %s', async (name) => {
    const { purse, first, later } = await paidAt(name)
    expect(first.status).toBe('captured')
    await later(8 * DAY)
    expect(await balances(purse)).toMatchObject(whole)
  })

  it('once, though its part is brought twice, and the rest comes back when the hold ends', async () => {
    const { purse, now, later } = await paidAt('Duplicate Capture')
    expect(await now()).toMatchObject({ status: 'authorized', captured_amount: '40.00' })
    await later(7 * DAY)
    expect(await now()).toMatchObject({ status: 'captured', captured_amount: '40.00' })
    expect(await balances(purse)).toMatchObject({ available: 96_000n, held: 0n })
  })
})

describe('a card payment that is never captured', () => {
  it.each([
    ['Never Captured', 7 * DAY],
    ['Reversal', MINUTE],
  ])('at %s is voided, and all comes back', async (name, after) => {
    const { purse, first, now, view, later } = await paidAt(name)
    expect(first.status).toBe('authorized')
    await later(after - 1)
    expect([(await now()).status, (await balances(purse)).held]).toEqual(['authorized', 10_000n])
    await later(1)
    expect((await now()).status).toBe('voided')
    expect(await balances(purse)).toMatchObject(untouched)
    expect(await view()).toMatchObject({ status: 'active', remaining_amount: '1000.00', usage_consumed: 0 })
  })
})

describe('security: a card payment without an answer', () => {
  it('that was made is in doubt and held, and found captured', async () => {
    const { purse, id, first, now, later } = await paidAt('Lost Reply')
    expect(first.status).toBe('in_doubt')
    expect(await balances(purse)).toMatchObject({ available: 90_000n, held: 10_000n })
    await later(0)
    expect((await now()).status).toBe('captured')
    await later(0)
    expect(await balances(purse)).toMatchObject(whole)
    expect(await eventsOf(purse, id)).toEqual([
      'payment.attempted',
      'payment.authorized',
      'payment.in_doubt',
      'payment.captured',
    ])
  })

  it('that was never made is in doubt and held, then made once', async () => {
    const { purse, first, now, later } = await paidAt('Lost Request')
    expect(first.status).toBe('in_doubt')
    await later(MINUTE)
    expect((await now()).status).toBe('captured')
    expect(await balances(purse)).toMatchObject(whole)
  })

  it('that can never be made stays held until the network must refuse it, and is then voided', async () => {
    const { purse, first, now, later } = await paidAt('Unreachable')
    expect(first.status).toBe('in_doubt')
    await later(10 * MINUTE)
    expect([(await now()).status, (await balances(purse)).held]).toEqual(['in_doubt', 10_000n])
    await later(1)
    expect(await now()).toMatchObject({ status: 'voided', refusal: { rule: 'issuer.authorization_expired' } })
    expect(await balances(purse)).toMatchObject(untouched)
  })

  it('is settled by many recoveries at once as by one', async () => {
    const { purse, now } = await paidAt('Lost Reply')
    await Promise.all(Array.from({ length: 5 }, () => recover(purse.bursar)))
    expect((await now()).status).toBe('captured')
    expect(await eventsOf(purse, 'payment.captured')).toHaveLength(1)
    await expectBooksToAgree(purse)
  })

  it('and refunded before anyone heard of it is written as both', async () => {
    const { purse, id, now, later } = await paidAt('Lost Reply')
    const { network } = await sandboxOf(purse)
    await network.refund(id, 'merchant-1', 10_000n)
    await later(0)
    expect(await now()).toMatchObject({ status: 'refunded', captured_amount: '100.00', refunded_amount: '100.00' })
    expect(await balances(purse)).toMatchObject(untouched)
  })

  it('is found among any number of others that wait', async () => {
    const { purse, pay, now } = await paidAt('Lost Request', '0.01')
    const card = await makeCard(purse, { ...OPEN_CARD, amount: '1000.00' })
    const at = { payee: { name: 'Bursar Test: Never Captured' } }
    await Promise.all(Array.from({ length: 210 }, () => buy(purse, card, '0.01', at)))
    expect((await pay('0.01')).status).toBe('captured')
    await recover(purse.bursar)
    expect((await now()).status).toBe('captured')
  })
})
