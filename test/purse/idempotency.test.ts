import { describe, expect, it } from 'vitest'
import type { PayInput } from '../../src/actions/agent/pay.ts'
import { pay } from '../../src/actions/agent/pay.ts'
import { recover } from '../../src/actions/recover.ts'
import { balances, makeCard, SHOP } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { byAnotherAgent, eventsOf, inSession, limit, MINUTE, OPEN_CARD, openPurse, ruleOf } from './desk.ts'

async function opened() {
  const purse = await openPurse()
  const card = await makeCard(purse, OPEN_CARD)
  const call = (more: Partial<PayInput> = {}, from = purse) =>
    pay(purse.bursar, from.caller, {
      ...{ instrument_id: card.instrument_id, amount: '49.00', payee: SHOP, purpose: 'Licence for Ada' },
      ...more,
    })
  const spent = async () => 100_000n + 9_900_000n - (await balances(purse)).available
  return { purse, card, call, spent }
}

describe('security: the same purchase again', () => {
  it('is answered with the payment that was made, marked as replayed', async () => {
    const { purse, call, spent } = await opened()
    const first = await call()
    const again = await call()
    expect(again).toEqual({ ...first, replayed: true })
    expect(await spent()).toBe(4900n)
    expect(await eventsOf(purse, 'payment.attempted')).toHaveLength(1)
  })

  it.each(['49', '49.0', '49.00'])('is the same as %s', async (amount) => {
    const { call, spent } = await opened()
    const { payment_id } = await call()
    expect(await call({ amount })).toMatchObject({ payment_id, replayed: true })
    expect(await spent()).toBe(4900n)
  })

  it.each<[string, Partial<PayInput>]>([
    ['another task', { task_id: 'task-2' }],
    ['blanks about its purpose', { purpose: '  Licence   for Ada\u200b ' }],
    ['blanks about its payee', { payee: { ...SHOP, name: ' Acme  Software ' } }],
    ['its category by name', { payee: { ...SHOP, merchant_category: 'computer software stores' } }],
    ['its country in small letters', { payee: { ...SHOP, country: 'us' } }],
  ])('is the same with %s', async (_, more) => {
    const { call, spent } = await opened()
    const { payment_id } = await call()
    expect(await call(more)).toMatchObject({ payment_id, replayed: true })
    expect(await spent()).toBe(4900n)
  })

  it('is the same from another run of the agent', async () => {
    const { purse, call, spent } = await opened()
    const { payment_id } = await call()
    expect(await call({}, inSession(purse, 'ses_2'))).toMatchObject({ payment_id, replayed: true })
    expect(await spent()).toBe(4900n)
  })

  it.each<[string, Partial<PayInput>]>([
    ['amount', { amount: '49.01' }],
    ['purpose', { purpose: 'Licence for Bob' }],
    ['payee', { payee: { ...SHOP, name: 'Acme' } }],
    ['country', { payee: { ...SHOP, country: 'DE' } }],
  ])('is another one with another %s', async (_, more) => {
    const { call } = await opened()
    const { payment_id } = await call()
    const other = await call(more)
    expect(other.status).toBe('captured')
    expect(other).not.toHaveProperty('replayed')
    expect(other.payment_id).not.toBe(payment_id)
  })

  it('is another one with another card, and with another agent', async () => {
    const { purse, call, spent } = await opened()
    await call()
    const second = await makeCard(purse, OPEN_CARD)
    expect(await call({ instrument_id: second.instrument_id })).not.toHaveProperty('replayed')
    const other = await byAnotherAgent(purse)
    const theirs = await makeCard(other, OPEN_CARD)
    expect(await call({ instrument_id: theirs.instrument_id }, other)).not.toHaveProperty('replayed')
    expect(await spent()).toBe(3n * 4900n)
    // A guess at what another agent bought says nothing about it.
    expect(ruleOf(await call({}, other))).toEqual(['refused', 'not_found', 'instrument_id'])
  })

  it('is the same for ten minutes, and then a new one', async () => {
    const { purse, call, spent } = await opened()
    const { payment_id } = await call()
    purse.time.now += 10 * MINUTE - 1
    expect(await call()).toMatchObject({ payment_id, replayed: true })
    purse.time.now += 1
    const next = await call()
    expect(next.payment_id).not.toBe(payment_id)
    expect(next).not.toHaveProperty('replayed')
    expect(await spent()).toBe(2n * 4900n)
  })

  it('fifty times at once is one payment', async () => {
    const { purse, call, spent } = await opened()
    const many = await Promise.all(Array.from({ length: 50 }, () => call()))
    expect(new Set(many.map(({ payment_id }) => payment_id)).size).toBe(1)
    expect(many.filter(({ replayed }) => replayed)).toHaveLength(49)
    expect(await spent()).toBe(4900n)
    expect(await eventsOf(purse, 'payment.authorized')).toHaveLength(1)
    await expectBooksToAgree(purse)
  })

  it('while its outcome is unknown is not sent again', async () => {
    const { purse, call, spent } = await opened()
    const payee = { name: 'Bursar Test: Lost Reply' }
    const first = await call({ payee })
    expect(first.status).toBe('in_doubt')
    expect(await call({ payee })).toMatchObject({ payment_id: first.payment_id, status: 'in_doubt', replayed: true })
    await recover(purse.bursar)
    expect(await call({ payee })).toMatchObject({ payment_id: first.payment_id, status: 'captured', replayed: true })
    expect(await spent()).toBe(4900n)
    await expectBooksToAgree(purse)
  })
})

describe('an attempt that was refused', () => {
  it('is decided anew, and both are on record', async () => {
    const { purse, call } = await opened()
    const { limit_id } = await limit(purse, { scope: 'wallet', window: 'month', max_amount: '10.00', over: 'deny' })
    const refused = await call()
    expect(ruleOf(refused)).toEqual(['refused', 'limit_exceeded', limit_id])
    const again = await call()
    expect(again.payment_id).not.toBe(refused.payment_id)
    await limit(purse, { scope: 'wallet', window: 'month', max_amount: '100.00', over: 'deny' })
    expect((await call()).status).toBe('captured')
    expect((await eventsOf(purse)).filter((type) => /payment\.(attempted|refused|captured)/.test(type))).toEqual([
      ...['payment.attempted', 'payment.refused'],
      ...['payment.attempted', 'payment.refused'],
      ...['payment.attempted', 'payment.captured'],
    ])
  })

  it('with a key leaves the key free', async () => {
    const { purse, call } = await opened()
    await limit(purse, { scope: 'wallet', window: 'month', max_amount: '10.00', over: 'deny' })
    expect((await call({ idempotency_key: 'k' })).status).toBe('refused')
    expect((await call({ idempotency_key: 'k' })).status).toBe('refused')
    expect((await call({ idempotency_key: 'k', amount: '10.00' })).status).toBe('captured')
  })
})
