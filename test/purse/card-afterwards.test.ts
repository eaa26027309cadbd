import { describe, expect, it } from 'vitest'
import { fund } from '../../src/actions/owner/fund.ts'
import { refund } from '../../src/actions/owner/refund.ts'
import { recover } from '../../src/actions/recover.ts'
import { balances } from '../support/purse.ts'
import { ON_POSTGRES } from '../support/store.ts'
import { expectBooksToAgree } from './books.ts'
import { codeOf, DAY, eventsOf, MINUTE, sandboxOf } from './desk.ts'
import { paidAt, untouched, whole } from './paid-at.ts'

describe('a refund', () => {
  it('by the merchant credits the wallet, and gives back neither allowance nor use', async () => {
    const { purse, now, view, later } = await paidAt('Merchant Refund')
    await later(MINUTE)
    expect(await now()).toMatchObject({ status: 'refunded', refunded_amount: '100.00' })
    expect(await balances(purse)).toMatchObject(untouched)
    expect(await view()).toMatchObject({ remaining_amount: '900.00', usage_consumed: 1 })
  })

  it('of a part is one of a part', async () => {
    const { purse, now, later } = await paidAt('Partial Refund')
    await later(MINUTE)
    expect(await now()).toMatchObject({ status: 'partially_refunded', refunded_amount: '25.00' })
    expect(await balances(purse)).toMatchObject({ available: 92_500n })
  })

  it('by the owner is asked of the rail, in parts and no more than was taken', async () => {
    const { purse, id, now } = await paidAt('Software Shop')
    const { bursar, authority } = purse
    expect(await codeOf(refund(bursar, authority, id, '100.01'))).toBe('amount_invalid')
    expect((await refund(bursar, authority, id, '30.00')).status).toBe('partially_refunded')
    expect(await codeOf(refund(bursar, authority, id, '70.01'))).toBe('amount_invalid')
    expect((await refund(bursar, authority, id)).status).toBe('refunded')
    expect(await codeOf(refund(bursar, authority, id))).toBe('wrong_state')
    expect((await now()).refunded_amount).toBe('100.00')
    await expectBooksToAgree(purse)
  })

  it('security: asked for twice at once gives back once', async () => {
    const { purse, id } = await paidAt('Software Shop')
    const { bursar, authority } = purse
    // The other one finds the same refund; on a server perhaps that there is nothing left to give back.
    const both = await Promise.all([codeOf(refund(bursar, authority, id)), codeOf(refund(bursar, authority, id))])
    expect(both).toContain('no error')
    expect(ON_POSTGRES ? ['no error', 'wrong_state'] : ['no error']).toEqual(expect.arrayContaining(both))
    expect(await balances(purse)).toMatchObject(untouched)
    await expectBooksToAgree(purse)
  })

  it('of a payment that still holds waits for the end of the hold', async () => {
    const { purse, id, now, later } = await paidAt('Multiple Captures')
    const { network } = await sandboxOf(purse)
    await network.refund(id, 'merchant-1', 5_000n)
    await recover(purse.bursar)
    expect(await now()).toMatchObject({ status: 'authorized', refunded_amount: '0.00' })
    await later(2 * MINUTE)
    expect(await now()).toMatchObject({
      status: 'partially_refunded',
      captured_amount: '100.00',
      refunded_amount: '50.00',
    })
  })
})

describe('security: a network that takes more than was held', () => {
  it('is written as what it is, and the card is frozen here and at the issuer', async () => {
    const { purse, id, now, view, pay, later } = await paidAt('Restaurant Tip')
    await later(MINUTE)
    expect(await now()).toMatchObject({ status: 'captured', captured_amount: '120.00' })
    expect(await balances(purse)).toMatchObject({ available: 88_000n, held: 0n, external: -88_000n })
    expect((await view()).status).toBe('frozen')
    const { instrumentId } = (await purse.bursar.store.read.one('payments', { id }))!
    expect((await purse.bursar.store.read.one('instruments', { id: instrumentId! }))?.railStatus).toBe('frozen')
    expect((await pay('1.00')).refusal?.code).toBe('instrument_frozen')
  })

  it('after the hold ended too', async () => {
    const { purse, now, view, later } = await paidAt('Capture After Expiry')
    await later(7 * DAY)
    expect((await now()).status).toBe('voided')
    await later(DAY)
    expect(await now()).toMatchObject({ status: 'captured', captured_amount: '100.00' })
    expect(await balances(purse)).toMatchObject(whole)
    expect((await view()).status).toBe('frozen')
  })

  it('than there is leaves a debt, which the next money repays first', async () => {
    const { purse, id, pay, later } = await paidAt('Restaurant Tip', '900.00')
    await later(MINUTE)
    expect(await balances(purse)).toMatchObject({ available: 0n, held: 0n, external: 8_000n, overdrawn: -8_000n })
    expect((await pay('1.00')).status).toBe('refused')
    await fund(purse.bursar, purse.authority, purse.walletId, '50.00')
    expect(await balances(purse)).toMatchObject({ available: 0n, overdrawn: -3_000n })
    await refund(purse.bursar, purse.authority, id, '40.00')
    expect(await balances(purse)).toMatchObject({ available: 1_000n, overdrawn: 0n })
    await expectBooksToAgree(purse)
  })

  it('is read once, however often its books are', async () => {
    const { purse, now, later } = await paidAt('Restaurant Tip')
    await later(MINUTE)
    for (let n = 0; n < 3; n++) await later(0)
    expect((await now()).captured_amount).toBe('120.00')
    expect(await eventsOf(purse, 'payment.captured')).toHaveLength(2)
  })

  it('of a payment that was given back whole, is written still', async () => {
    const { purse, id, now, later } = await paidAt('Merchant Refund')
    await later(MINUTE)
    const { network } = await sandboxOf(purse)
    await network.forcePost(id, 'merchant-1', 1_500n)
    await later(0)
    expect(await now()).toMatchObject({ captured_amount: '115.00', refunded_amount: '100.00' })
    expect(await balances(purse)).toMatchObject({ available: 98_500n, held: 0n })
  })
})
