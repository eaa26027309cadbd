import { describe, expect, it } from 'vitest'
import { type Attempt, decide, type Spending } from '../../src/core/decide.ts'
import { CODES } from '../../src/core/errors.ts'
import type { Instrument, Limit, Scope, Wallet, Window } from '../../src/core/types.ts'

const limit = (
  scope: Scope,
  window: Window,
  over: 'deny' | 'ask',
  maxAmount: bigint,
  id = `${scope} ${window}`,
): Limit => {
  const named = { id, walletId: 'wal', scope, scopeValue: null, window, maxAmount, maxCount: null, over }
  return { ...named, createdAt: 0, removedAt: null }
}
const REQUIRED = [
  limit('wallet', 'payment', 'deny', 100n),
  limit('session', 'session', 'deny', 100n),
  limit('wallet', 'day', 'deny', 100n),
]

/** Everything is wrong at once. */
function worst(): { spending: Spending; attempt: Attempt } {
  const wallet = { id: 'wal', currency: 'USD', decimals: 2, status: 'frozen', asset: null } as Wallet
  const constraints = {
    ...{ protocols: ['x402'], networks: ['n'], merchantCategories: ['5734'] },
    ...{ payees: ['Acme'], addresses: ['n:a'], countries: ['US'] },
  }
  const status = 'frozen' as const
  const card = { id: 'inst', type: 'virtual_card', status, constraints, expiresAt: 5, perPaymentMax: 1n, remaining: 0n }
  const instrument = { ...card, usageLimit: 1, usageConsumed: 1 } as unknown as Instrument
  return {
    spending: {
      ...{ now: 9, wallet, instrument, available: 0n, limits: [], lookAlike: null },
      instance: { id: 'ins', createdAt: 0, frozen: true },
      credentials: [],
      agent: { id: 'agt', name: 'a', keyHash: null, status: 'revoked', createdAt: 0 },
    },
    attempt: { amount: 200n, payee: { name: 'Mallory', category: '7995', country: 'KP' }, protocol: 'card' },
  }
}

type Repair = (now: { spending: Spending; attempt: Attempt }) => {
  spending?: Partial<Spending>
  attempt?: Partial<Attempt>
}
const instrument =
  (change: Partial<Instrument>): Repair =>
  ({ spending }) => ({
    spending: { instrument: { ...spending.instrument, ...change } },
  })
const used = (limits: readonly Limit[]) =>
  limits.map((one) => ({ limit: one, key: null, used: { amount: 0n, count: 0 } }))

/** In the order in which rules are tried: the code and rule that is reported, and what then is put right. */
const ORDER: readonly (readonly [string, string, Repair])[] = [
  [
    'spending_frozen',
    'instance.frozen',
    ({ spending }) => ({ spending: { instance: { ...spending.instance, frozen: false } } }),
  ],
  [
    'spending_frozen',
    'agent.status',
    ({ spending }) => ({ spending: { agent: { ...spending.agent, status: 'active' } } }),
  ],
  [
    'spending_frozen',
    'wallet.status',
    ({ spending }) => ({ spending: { wallet: { ...spending.wallet, status: 'active' } } }),
  ],
  [
    'limits_missing',
    'wallet.limits',
    () => ({ spending: { limits: used([...REQUIRED, limit('payee', 'month', 'ask', 1n)]) } }),
  ],
  ['instrument_frozen', 'instrument.status', instrument({ status: 'active' })],
  ['instrument_expired', 'instrument.expires_at', () => ({ spending: { now: 4 } })],
  ['protocol_not_allowed', 'instrument.constraints.protocols', () => ({ attempt: { protocol: 'x402' } })],
  ['network_not_allowed', 'instrument.constraints.networks', pays({ network: 'n' })],
  ['merchant_category_not_allowed', 'instrument.constraints.merchant_categories', pays({ category: '5734' })],
  ['payee_not_allowed', 'instrument.constraints.payees', pays({ name: ' ACME ' })],
  ['address_not_allowed', 'instrument.constraints.addresses', pays({ address: 'a' })],
  ['country_not_allowed', 'instrument.constraints.countries', pays({ country: 'US' })],
  ['usage_limit_reached', 'instrument.usage_limit', instrument({ usageLimit: 2 })],
  ['per_payment_max_exceeded', 'instrument.per_payment_max', instrument({ perPaymentMax: 200n })],
  ['amount_exceeds_remaining', 'instrument.amount', instrument({ remaining: 200n })],
  ['insufficient_funds', 'wallet.available', () => ({ spending: { available: 200n } })],
  ['limit_exceeded', 'wallet payment', () => ({ attempt: { amount: 100n } })],
]

function pays(change: Partial<Attempt['payee']>): Repair {
  return ({ attempt }) => ({ attempt: { payee: { ...attempt.payee, ...change } } })
}

describe('a decision', () => {
  it('names the first rule that is broken, in one order, until none is', () => {
    let now = worst()
    for (const [code, rule, repair] of ORDER) {
      for (const approved of [false, true]) {
        const verdict = decide(now.spending, now.attempt, approved)
        expect(verdict).toMatchObject({ verdict: 'deny', refusal: { code, rule } })
      }
      const { spending, attempt } = repair(now)
      now = { spending: { ...now.spending, ...spending }, attempt: { ...now.attempt, ...attempt } }
    }
    expect(decide(now.spending, now.attempt, false)).toEqual({ verdict: 'ask', rule: 'payee month' })
    expect(decide(now.spending, now.attempt, true)).toEqual({ verdict: 'allow' })
    expect(ORDER.every(([code]) => Object.hasOwn(CODES, code))).toBe(true)
  })

  it('security: an empty list allows nothing', () => {
    const { spending, attempt } = ORDER.reduce((now, [, , repair]) => {
      const { spending, attempt } = repair(now)
      return { spending: { ...now.spending, ...spending }, attempt: { ...now.attempt, ...attempt } }
    }, worst())
    const { constraints } = spending.instrument
    for (const name of Object.keys(constraints)) {
      const narrowed = {
        ...spending,
        instrument: { ...spending.instrument, constraints: { ...constraints, [name]: [] } },
      }
      expect([name, decide(narrowed, attempt, true).verdict]).toEqual([name, 'deny'])
    }
  })

  it.each(['revoked', 'returned', 'expired'] as const)('security: an instrument that is %s pays nothing', (status) => {
    const { spending, attempt } = worst()
    const { instance, agent, wallet } = spending
    const well = {
      ...spending,
      ...{ instance: { ...instance, frozen: false }, agent: { ...agent, status: 'active' as const } },
      ...{ wallet: { ...wallet, status: 'active' as const }, limits: used(REQUIRED), now: 0 },
      instrument: { ...spending.instrument, status, constraints: {} },
    }
    expect(decide(well, { ...attempt, amount: 1n }, true)).toMatchObject({
      refusal: { code: status === 'expired' ? 'instrument_expired' : 'instrument_revoked' },
    })
  })
})
