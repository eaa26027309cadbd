import { describe, expect, it } from 'vitest'
import type { InstrumentView, PaymentView } from '../../src/actions/wire.ts'
import { SCOPES, type Scope, WINDOWS, type Window } from '../../src/core/types.ts'
import { buy, makeCard, type Purse, SHOP } from '../support/purse.ts'
import { byAnotherAgent, DAY, HOUR, inSession, limit, OPEN_CARD, openPurse, quickPurse, ruleOf } from './desk.ts'

type Pay = (amount: string) => Promise<PaymentView>

/** Someone, something or somewhere else, to which a limit per `scope` does not apply. Null: there is no other one here. */
async function elsewhere(purse: Purse, card: InstrumentView, scope: Scope): Promise<Pay | null> {
  switch (scope) {
    case 'wallet':
    case 'protocol':
      return null
    case 'agent': {
      const other = await byAnotherAgent(purse)
      const theirs = await makeCard(other, OPEN_CARD)
      return (amount) => buy(other, theirs, amount)
    }
    case 'instrument': {
      const second = await makeCard(purse, OPEN_CARD)
      return (amount) => buy(purse, second, amount)
    }
    case 'session':
      return (amount) => buy(inSession(purse, 'ses_other'), card, amount)
    case 'payee':
      return (amount) => buy(purse, card, amount, { payee: { ...SHOP, name: 'Another Shop' } })
    case 'category':
      return (amount) => buy(purse, card, amount, { payee: { ...SHOP, merchant_category: '5812' } })
  }
}

const LENGTHS = { hour: HOUR, day: DAY, week: 7 * DAY, month: 31 * DAY } as const

/** The same purse when the window is over; null for windows that never are. */
function later(purse: Purse, scope: Scope, window: Window): Purse | null {
  if (window === 'payment') return purse
  if (window === 'session') return scope === 'session' ? null : inSession(purse, 'ses_later')
  if (window === 'total') {
    purse.time.now += 300 * DAY
    return null
  }
  purse.time.now += LENGTHS[window]
  return purse
}

function expectOver(payment: PaymentView, over: 'deny' | 'ask', limitId: string): void {
  if (over === 'deny') expect(ruleOf(payment)).toEqual(['refused', 'limit_exceeded', limitId])
  else expect(ruleOf(payment)).toEqual(['awaiting_approval', undefined, undefined])
}

describe.each(SCOPES)('security: a limit per %s', (scope) => {
  describe.each(WINDOWS)('and %s', (window) => {
    it.each(['deny', 'ask'] as const)('lets 100.00 through, and one cent more meets %s', async (over) => {
      const purse = await openPurse()
      const card = await makeCard(purse, OPEN_CARD)
      const other = await elsewhere(purse, card, scope)
      const { limit_id } = await limit(purse, { scope, window, max_amount: '100.00', over })
      const each = window === 'payment' ? ['100.00', '100.00'] : ['60.00', '40.00']
      for (const amount of each) expect((await buy(purse, card, amount)).status).toBe('captured')
      const more = window === 'payment' ? '100.01' : '0.01'
      expectOver(await buy(purse, card, more), over, limit_id)
      if (other) expect((await other('100.00')).status).toBe('captured')
      expectOver(await buy(purse, card, more), over, limit_id)
      const next = later(purse, scope, window)
      if (next) expect((await buy(next, card, '100.00')).status).toBe('captured')
      else expectOver(await buy(purse, card, more), over, limit_id)
    })

    it.each(['deny', 'ask'] as const)('counts payments, and one more meets %s', async (over) => {
      const purse = await openPurse()
      const card = await makeCard(purse, OPEN_CARD)
      const other = await elsewhere(purse, card, scope)
      // A limit that looks at one payment by itself allows one, or none.
      const max = window === 'payment' ? 0 : 2
      // One rule may have both; without its amount it would not be a limit that the wallet must have.
      const rule = { scope, window, max_amount: '1000000', max_count: max, over }
      const { limit_id } = await limit(purse, rule)
      for (let n = 0; n < max; n++) expect((await buy(purse, card, '5.00')).status).toBe('captured')
      expectOver(await buy(purse, card, '0.01'), over, limit_id)
      if (other && window !== 'payment') expect((await other('5.00')).status).toBe('captured')
      const next = window === 'payment' ? null : later(purse, scope, window)
      if (next) expect((await buy(next, card, '5.00')).status).toBe('captured')
      else expectOver(await buy(purse, card, '0.01'), over, limit_id)
    })
  })
})

describe('security: a limit on one value', () => {
  const named: readonly (readonly [Scope, string, (purse: Purse, card: InstrumentView) => string])[] = [
    ['wallet', 'this wallet', ({ walletId }) => walletId],
    ['agent', 'this agent', ({ caller }) => caller.agentId],
    ['instrument', 'this instrument', (_, card) => card.instrument_id],
    ['session', 'this session', ({ caller }) => caller.sessionId],
    ['payee', 'a name, however it is written', () => ' ACME   software '],
    ['category', 'a number', () => '5734'],
    ['protocol', 'a word', () => 'card'],
  ]
  it.each(named)('looks at that %s alone: %s', async (scope, _, value) => {
    const purse = await openPurse(quickPurse())
    const card = await makeCard(purse, OPEN_CARD)
    const other = await elsewhere(purse, card, scope)
    const rule = { scope, scopeValue: value(purse, card), window: 'day', max_amount: '10.00', over: 'deny' }
    const { limit_id } = await limit(purse, rule)
    expect((await buy(purse, card, '10.00')).status).toBe('captured')
    expectOver(await buy(purse, card, '0.01'), 'deny', limit_id)
    if (other) expect((await other('10.01')).status).toBe('captured')
  })

  it('is not met by anyone else', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    for (const scope of SCOPES)
      if (scope !== 'category')
        await limit(purse, { scope, scopeValue: 'another', window: 'day', max_amount: '0', over: 'deny' })
    await limit(purse, { scope: 'category', scopeValue: '7995', window: 'day', max_amount: '0', over: 'deny' })
    expect((await buy(purse, card, '10.00')).status).toBe('captured')
  })

  it('a payee without a category counts as one of its own', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    const { limit_id } = await limit(purse, { scope: 'category', window: 'day', max_amount: '10.00', over: 'deny' })
    const payee = { name: 'Somebody' }
    expect((await buy(purse, card, '10.00', { payee })).status).toBe('captured')
    expectOver(await buy(purse, card, '0.01', { payee: { name: 'Somebody else' } }), 'deny', limit_id)
  })
})
