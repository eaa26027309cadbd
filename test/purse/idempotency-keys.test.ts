import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import type { PayInput } from '../../src/actions/agent/pay.ts'
import { pay } from '../../src/actions/agent/pay.ts'
import { recover } from '../../src/actions/recover.ts'
import { balances, buy, makeCard, SHOP } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { byAnotherAgent, eventsOf, MINUTE, no, OPEN_CARD, openPurse, waiting } from './desk.ts'

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

describe('security: an idempotency key', () => {
  it('is one purchase, after any time', async () => {
    const { purse, call, spent } = await opened()
    const { payment_id } = await call({ idempotency_key: 'order-1' })
    purse.time.now += 300 * 24 * 60 * MINUTE
    expect(await call({ idempotency_key: 'order-1' })).toMatchObject({ payment_id, replayed: true })
    expect(await spent()).toBe(4900n)
  })

  it('with other terms is a conflict, and on record', async () => {
    const { purse, call, spent } = await opened()
    await call({ idempotency_key: 'order-1' })
    const conflict = await call({ idempotency_key: 'order-1', amount: '48.00' })
    expect(conflict.refusal).toMatchInlineSnapshot(`
      {
        "code": "idempotency_conflict",
        "hint": "This idempotency_key already names another purchase. Use get_payment to see it.",
        "message": "This idempotency_key was used for another purchase.",
        "rule": "idempotency_key",
      }
    `)
    expect(await eventsOf(purse, conflict.payment_id)).toEqual(['payment.attempted', 'payment.refused'])
    expect(await spent()).toBe(4900n)
  })

  it('makes two of purchases that are alike', async () => {
    const { call, spent } = await opened()
    await call({ idempotency_key: 'order-1' })
    expect(await call({ idempotency_key: 'order-2' })).not.toHaveProperty('replayed')
    expect(await spent()).toBe(2n * 4900n)
    // Without a key, the last one like it is meant.
    expect(await call()).toHaveProperty('replayed', true)
  })

  it('of one agent is not that of another', async () => {
    const { purse, call } = await opened()
    await call({ idempotency_key: 'order-1' })
    const other = await byAnotherAgent(purse)
    const theirs = await makeCard(other, OPEN_CARD)
    const bought = await buy(other, theirs, '20.00', { idempotency_key: 'order-1' })
    expect(bought.status).toBe('captured')
    expect(bought).not.toHaveProperty('replayed')
  })

  it('is free again once its payment was voided', async () => {
    const { call, spent } = await opened()
    const declined = { payee: { name: 'Bursar Test: Decline do_not_honor' }, idempotency_key: 'order-1' }
    expect((await call(declined)).status).toBe('voided')
    expect((await call({ idempotency_key: 'order-1' })).status).toBe('captured')
    expect(await call({ idempotency_key: 'order-1' })).toHaveProperty('replayed', true)
    expect(await spent()).toBe(4900n)
  })

  it.each(['canceled', 'expired'])('is free again once its payment was %s', async (how) => {
    const { purse, card } = await waiting()
    const call = () => buy(purse, card, '80.00', { idempotency_key: 'order-1', purpose: 'Licence' })
    const { payment_id } = await call()
    if (how === 'canceled') await cancel(purse.bursar, purse.caller, payment_id)
    else purse.time.now += 15 * MINUTE
    await recover(purse.bursar)
    const next = await call()
    expect([next.status, next.payment_id === payment_id]).toEqual(['awaiting_approval', false])
  })

  it('stays taken once a human said no', async () => {
    const { purse, card } = await waiting()
    const call = () => buy(purse, card, '80.00', { idempotency_key: 'order-1', purpose: 'Licence' })
    const { payment_id } = await call()
    await no(purse, payment_id)
    expect(await call()).toMatchObject({ payment_id, status: 'denied', replayed: true })
  })

  it('fifty times at once is one payment, whatever else differs', async () => {
    const { purse, call, spent } = await opened()
    const calls = Array.from({ length: 50 }, (_, n) =>
      call({ idempotency_key: 'order-1', purpose: `Licence ${n % 5}` }),
    )
    const many = await Promise.all(calls)
    expect(many.filter(({ status, replayed }) => status === 'captured' && !replayed)).toHaveLength(1)
    expect(many.filter(({ replayed }) => replayed)).toHaveLength(9)
    expect(many.filter(({ refusal }) => refusal?.code === 'idempotency_conflict')).toHaveLength(40)
    expect(await spent()).toBe(4900n)
    await expectBooksToAgree(purse)
  })

  it('that was free again and taken does not keep the network’s late capture out of the books', async () => {
    const { purse, card, call } = await opened()
    const lodging = { payee: { name: 'Bursar Test: Capture After Expiry' }, idempotency_key: 'order-1' }
    const first = await call(lodging)
    purse.time.now += 7 * 24 * 60 * MINUTE
    await recover(purse.bursar)
    expect((await purse.bursar.store.read.one('payments', { id: first.payment_id }))?.status).toBe('voided')
    expect((await call({ idempotency_key: 'order-1' })).status).toBe('captured')
    purse.time.now += 24 * 60 * MINUTE
    await recover(purse.bursar)
    expect(await purse.bursar.store.read.one('payments', { id: first.payment_id })).toMatchObject({
      status: 'captured',
      forced: 4900n,
    })
    expect((await purse.bursar.store.read.one('instruments', { id: card.instrument_id }))?.status).toBe('frozen')
    await expectBooksToAgree(purse)
  })

  it.each(['', ' ', 'a b\n', 'x'.repeat(129), 'ключ', '\ud800'])(
    '%j is none: the attempt is refused, and on record',
    async (key) => {
      const { purse, call } = await opened()
      const refused = await call({ idempotency_key: key })
      expect([refused.status, refused.refusal?.code]).toEqual(['refused', 'argument_invalid'])
      expect(await eventsOf(purse, refused.payment_id)).toEqual(['payment.attempted', 'payment.refused'])
    },
  )
})
