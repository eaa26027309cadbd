import { describe, expect, it } from 'vitest'
import type { InstrumentView, PaymentView } from '../../src/actions/wire.ts'
import { buy, makeCard, type Purse, SHOP } from '../support/purse.ts'
import { askedBefore, asking, waits } from './asking.ts'
import {
  approvePayment,
  ask,
  codeOf,
  DAY,
  eventsOf,
  HOUR,
  inSession,
  limit,
  MINUTE,
  no,
  OPEN_CARD,
  quickPurse,
  ruleOf,
  SECOND,
} from './desk.ts'

describe('security: after a human’s no', () => {
  it('the same request is not asked for an hour, then two, then four, and the count is forgotten in a day', async () => {
    const purse = await quickPurse()
    const deny = async () => no(purse, (await ask(purse, { purpose: `At ${purse.time.now}` })).request_id)
    const otherwise = { purpose: 'Pretty please', task_id: 'new' }
    for (const hours of [1, 2, 4]) {
      await deny()
      purse.time.now += hours * HOUR - 1
      expect(await codeOf(ask(inSession(purse, `ses_${hours}`), otherwise))).toBe('asked_before')
      purse.time.now += 1
    }
    expect((await ask(purse, { amount: '299.00' })).status).toBe('pending')
    purse.time.now += DAY
    await deny()
    purse.time.now += HOUR
    expect((await ask(purse)).status).toBe('pending')
  })

  it('says until when', async () => {
    const purse = await quickPurse()
    await no(purse, (await ask(purse)).request_id)
    await expect(ask(purse)).rejects.toMatchObject({
      code: 'asked_before',
      message: 'A human denied the same. Nobody is asked before 2026-03-10T13:00:00.000Z.',
    })
  })

  it('the same payment is not asked either, by other words, keys, tasks, sessions or instruments', async () => {
    const { purse, card } = await asking()
    const first = await buy(purse, card, '60.00', { purpose: 'A licence' })
    const second = await makeCard(purse, { ...OPEN_CARD, amount: '8000.00' })
    await no(purse, first.payment_id)
    const tries: [Purse, InstrumentView, string, object][] = [
      [purse, card, '60.00', { purpose: 'Another licence' }],
      [purse, card, '60', { idempotency_key: 'fresh', task_id: 'task' }],
      [purse, card, '60.00', { payee: { ...SHOP, name: 'ACME  software', merchant_category: '5732' } }],
      [inSession(purse, 'ses_new'), card, '60.00', {}],
      [purse, second, '60.00', {}],
    ]
    for (const [who, means, amount, more] of tries)
      expect(ruleOf(await buy(who, means, amount, more))).toEqual(askedBefore)
    expect((await eventsOf(purse)).filter((type) => type === 'payment.refused')).toHaveLength(tries.length)
    purse.time.now += HOUR
    expect(ruleOf(await buy(purse, card, '60.00'))).toEqual(waits)
  })

  it('another amount or payee may be asked, and what needs no human is paid', async () => {
    const { purse, card } = await asking()
    await no(purse, (await buy(purse, card, '60.00')).payment_id)
    expect(ruleOf(await buy(purse, card, '61.00'))).toEqual(waits)
    expect(ruleOf(await buy(purse, card, '59.00'))).toEqual(waits)
    expect(ruleOf(await buy(purse, card, '60.00', { payee: { name: 'Other' } }))).toEqual(waits)
    expect((await buy(purse, card, '50.00')).status).toBe('captured')
  })

  it('an identical call is told of the denied payment for ten minutes, and refused after that', async () => {
    const { purse, card } = await asking()
    const call = (): Promise<PaymentView> => buy(purse, card, '60.00', { purpose: 'A licence' })
    const { payment_id } = await call()
    await no(purse, payment_id)
    expect(await call()).toMatchObject({ payment_id, status: 'denied', replayed: true })
    purse.time.now += 10 * MINUTE + SECOND
    expect(ruleOf(await call())).toEqual(askedBefore)
  })

  it('that no human said, but a rule after a human’s yes, asks again at once', async () => {
    const { purse, card } = await asking()
    const first = await buy(purse, card, '60.00', { purpose: 'A licence' })
    const { limit_id } = await limit(purse, { scope: 'payee', window: 'month', max_amount: '59.00', over: 'deny' })
    expect((await approvePayment(purse, first.payment_id)).refusal).toMatchObject({ rule: limit_id })
    await limit(purse, { scope: 'payee', window: 'month', max_amount: '5900.00', over: 'deny' })
    expect(ruleOf(await buy(purse, card, '60.00', { purpose: 'Another' }))).toEqual(waits)
  })

  it('of many at once, the wait is as long as that many denials make it', async () => {
    const { purse, card } = await asking()
    const views = [await buy(purse, card, '60.00'), await buy(purse, card, '60.00'), await buy(purse, card, '60.00')]
    for (const { payment_id } of views) await no(purse, payment_id)
    purse.time.now += 4 * HOUR - 1
    expect(ruleOf(await buy(purse, card, '60.00'))).toEqual(askedBefore)
    purse.time.now += 1
    expect(ruleOf(await buy(purse, card, '60.00'))).toEqual(waits)
  })
})
