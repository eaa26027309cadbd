import { describe, expect, it } from 'vitest'
import { listLimits } from '../../src/actions/owner/inspect.ts'
import { removeLimit } from '../../src/actions/owner/limit.ts'
import { SCOPES } from '../../src/core/types.ts'
import { buy, makeCard, SHOP } from '../support/purse.ts'
import { codeOf, limit, OPEN_CARD, openPurse, quickPurse, ruleOf, withWallet } from './desk.ts'

async function opened() {
  const purse = await openPurse()
  return { purse, card: await makeCard(purse, OPEN_CARD) }
}

describe('over several limits', () => {
  const week = (max_amount: string, over: 'deny' | 'ask' = 'deny', scope = 'wallet') => ({
    scope,
    window: 'week',
    max_amount,
    over,
  })

  it('security: the strictest wins: a denial before a question', async () => {
    const { purse, card } = await opened()
    await limit(purse, week('10.00', 'ask'))
    const { limit_id } = await limit(purse, week('50.00', 'deny', 'payee'))
    expect(ruleOf(await buy(purse, card, '50.01'))).toEqual(['refused', 'limit_exceeded', limit_id])
    expect((await buy(purse, card, '50.00')).status).toBe('awaiting_approval')
    expect((await buy(purse, card, '10.00')).status).toBe('captured')
  })

  it('the first by scope, then by window, then by age is the one that is named, whichever came first', async () => {
    const order = [
      { scope: 'wallet', window: 'payment' },
      { scope: 'wallet', window: 'hour' },
      { scope: 'wallet', window: 'total' },
      { scope: 'agent', window: 'day' },
      { scope: 'instrument', window: 'payment' },
      { scope: 'session', window: 'week' },
      { scope: 'payee', window: 'month' },
      { scope: 'payee', scopeValue: SHOP.name, window: 'month' },
      { scope: 'category', window: 'hour' },
      { scope: 'protocol', window: 'total' },
    ]
    for (const made of [order, [...order.slice(0, 6), ...order.slice(8), ...order.slice(6, 8)].toReversed()]) {
      const { purse, card } = await opened()
      const ids = new Map<object, string>()
      for (const rule of made)
        ids.set(rule, (await limit(purse, { ...rule, max_amount: '1.00', over: 'deny' })).limit_id)
      const byAge = made === order ? order : order.toSpliced(6, 2, order[7]!, order[6]!)
      for (const rule of byAge) {
        const answers = [await buy(purse, card, '2.00'), await buy(purse, card, '2.00')].map(ruleOf)
        expect(answers).toEqual([answers[0], ['refused', 'limit_exceeded', ids.get(rule)]])
        // Wide ones come in the place of the required: without those nothing is decided on.
        if (rule.window === 'payment' && rule.scope === 'wallet')
          await limit(purse, { ...rule, max_amount: '1000000', over: 'deny' })
        else await removeLimit(purse.bursar, purse.authority, ids.get(rule) as string)
      }
      expect((await buy(purse, card, '2.00')).status).toBe('captured')
    }
  })

  it('the same call gets the same answer, any number of times', async () => {
    const { purse, card } = await opened()
    for (const scope of SCOPES) await limit(purse, week('1.00', 'deny', scope))
    const answers = new Set<string>()
    for (let n = 0; n < 20; n++) {
      const { refusal } = await buy(purse, card, '2.00', { purpose: 'The same' })
      answers.add(JSON.stringify(refusal))
    }
    expect(answers.size).toBe(1)
  })

  it('of another wallet, in another currency, nothing counts', async () => {
    const purse = await openPurse()
    const euro = await withWallet(purse, { name: 'euro', currency: 'EUR' })
    const dollars = await makeCard(purse, OPEN_CARD)
    const euros = await makeCard(euro, { ...OPEN_CARD, currency: 'EUR' })
    await limit(purse, week('100.00'))
    await limit(euro, week('100.00'))
    expect((await buy(purse, dollars, '100.00')).status).toBe('captured')
    expect((await buy(euro, euros, '100.00')).status).toBe('captured')
    expect((await buy(purse, dollars, '0.01')).status).toBe('refused')
    expect((await buy(euro, euros, '0.01')).status).toBe('refused')
  })

  it('a limit of nothing allows nothing', async () => {
    const { purse, card } = await opened()
    await limit(purse, { scope: 'category', scopeValue: '5734', window: 'total', max_amount: '0', over: 'deny' })
    expect((await buy(purse, card, '0.01')).refusal?.code).toBe('limit_exceeded')
  })

  it('security: no limit is set by nonsense', async () => {
    const purse = await quickPurse()
    const day = { scope: 'wallet', window: 'day', over: 'deny' }
    for (const wrong of [
      { ...day },
      { ...day, max_count: -1 },
      { ...day, max_count: 1.5 },
      { ...day, max_count: Number.NaN },
      { ...day, scope: 'task', max_count: 1 },
      { ...day, window: 'year', max_count: 1 },
      { ...day, over: 'allow', max_count: 1 },
    ])
      expect(await codeOf(limit(purse, wrong))).toBe('argument_invalid')
    for (const max_amount of ['-1', '1e9', '1.001', 'NaN', ''])
      expect(await codeOf(limit(purse, { ...day, max_amount }))).toBe('amount_invalid')
    expect(await listLimits(purse.bursar)).toHaveLength(5)
  })
})
