import { describe, expect, it } from 'vitest'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { revokeAgent } from '../../src/actions/owner/agents.ts'
import { freezeAll, freezeWallet } from '../../src/actions/owner/freeze.ts'
import { recover } from '../../src/actions/recover.ts'
import { instrumentView } from '../../src/actions/views.ts'
import { buy, makeCard, type Purse } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { DAY, eventsOf, MINUTE, openPurse, quickPurse, ruleOf } from './desk.ts'

async function carded(terms: Partial<RequestInput> = {}) {
  const purse = await openPurse()
  const card = await makeCard(purse, { usage_limit: undefined, constraints: {}, ...terms })
  const at = (payee: object, amount = '10.00') => buy(purse, card, amount, { payee })
  return { purse, card, at, view: () => instrumentView(purse.bursar, card.instrument_id) }
}

describe('security: a card with an amount', () => {
  it('pays to the last cent, and not one more', async () => {
    const { purse, card, view } = await carded({ amount: '100.00' })
    expect((await buy(purse, card, '60.00')).status).toBe('captured')
    expect((await buy(purse, card, '40.01')).refusal).toMatchInlineSnapshot(`
      {
        "code": "amount_exceeds_remaining",
        "hint": "Do not split the payment. check_budget says what remains.",
        "message": "The instrument has 40.00 USD left.",
        "rule": "instrument.amount",
      }
    `)
    expect((await buy(purse, card, '40.00')).status).toBe('captured')
    expect(await view()).toMatchObject({ status: 'limit_reached', remaining_amount: '0.00' })
    expect(ruleOf(await buy(purse, card, '0.01'))).toEqual(['refused', 'amount_exceeds_remaining', 'instrument.amount'])
  })

  it('pays at most so much at a time', async () => {
    const { purse, card } = await carded({ per_payment_max: '50.00' })
    expect((await buy(purse, card, '50.01')).refusal).toMatchInlineSnapshot(`
      {
        "code": "per_payment_max_exceeded",
        "hint": "Do not split the payment. Ask your user, or ask with request_instrument.",
        "message": "One payment may be at most 50.00 USD.",
        "rule": "instrument.per_payment_max",
      }
    `)
    expect((await buy(purse, card, '50.00')).status).toBe('captured')
  })

  it('gets nothing back by a refund, neither money nor uses', async () => {
    const { purse, at, view } = await carded({ usage_limit: 2 })
    await at({ name: 'Bursar Test: Merchant Refund' })
    purse.time.now += MINUTE
    await recover(purse.bursar)
    expect(await view()).toMatchObject({ remaining_amount: '290.00', usage_consumed: 1 })
    await expectBooksToAgree(purse)
  })

  it.each([
    '1e3',
    '-5',
    '0',
    '0.001',
    'NaN',
    '1'.repeat(31),
    '٣٠٠',
    '１００',
    ' 5',
    '+5',
    '05',
    '5.',
    '.5',
    '5,00',
    '0x10',
    '∞',
    '5\u200b',
  ])('pays nothing for %j, and puts it on record', async (amount) => {
    const { purse, card } = await carded()
    const paid = await buy(purse, card, amount)
    expect(ruleOf(paid)).toEqual(['refused', 'amount_invalid', 'amount'])
    expect(await eventsOf(purse, paid.payment_id)).toEqual(['payment.attempted', 'payment.refused'])
  })

  it('cannot pay what the wallet does not have', async () => {
    const purse = await quickPurse()
    const card = await makeCard(purse, { amount: '5000.00' })
    expect((await buy(purse, card, '1000.01')).refusal).toMatchInlineSnapshot(`
      {
        "code": "insufficient_funds",
        "hint": "The wallet does not hold enough. Tell your user; only the owner can fund it.",
        "message": "The wallet has 1000.00 USD available.",
        "rule": "wallet.available",
      }
    `)
  })
})

describe('security: a card with an expiry', () => {
  it('pays in its last millisecond and not in the next', async () => {
    const { purse, card, view } = await carded({ expires_in: '30d' })
    purse.time.now += 30 * DAY - 1
    expect((await buy(purse, card, '10.00')).status).toBe('captured')
    purse.time.now += 1
    expect((await view()).status).toBe('expired')
    expect((await buy(purse, card, '10.00')).refusal).toMatchInlineSnapshot(`
      {
        "code": "instrument_expired",
        "hint": "This instrument is past its expiry. If it is still needed, ask with request_instrument.",
        "message": "The instrument has expired.",
        "rule": "instrument.expires_at",
      }
    `)
    expect((await purse.bursar.store.read.one('instruments', { id: card.instrument_id }))?.status).toBe('expired')
    expect(ruleOf(await buy(purse, card, '10.00'))).toEqual(['refused', 'instrument_expired', 'instrument.expires_at'])
    expect((await eventsOf(purse, card.instrument_id)).filter((type) => type === 'instrument.expired')).toHaveLength(1)
  })

  it('is noticed without a payment', async () => {
    const { purse, card } = await carded({ expires_in: '45m' })
    purse.time.now += 45 * MINUTE
    await recover(purse.bursar)
    expect((await purse.bursar.store.read.one('instruments', { id: card.instrument_id }))?.status).toBe('expired')
  })
})

describe('security: a kill switch', () => {
  it.each<[string, string, (purse: Purse) => Promise<unknown>]>([
    ['All spending is frozen.', 'instance.frozen', ({ bursar, authority }) => freezeAll(bursar, authority)],
    [
      'This agent was revoked.',
      'agent.status',
      (purse) => revokeAgent(purse.bursar, purse.authority, purse.caller.agentId),
    ],
    ['The wallet is frozen.', 'wallet.status', (purse) => freezeWallet(purse.bursar, purse.authority, purse.walletId)],
  ])('comes before any other answer: %s', async (message, rule, stop) => {
    const { purse, card } = await carded({ expires_in: '45m', amount: '1.00' })
    purse.time.now += DAY
    await stop(purse)
    const hint = 'The owner stopped spending. Stop, and tell your user.'
    expect((await buy(purse, card, '10.00')).refusal).toEqual({ code: 'spending_frozen', rule, message, hint })
  })
})
