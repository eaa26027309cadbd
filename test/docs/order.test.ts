import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Attempt, Spending } from '../../src/core/decide.ts'
import { decide } from '../../src/core/decide.ts'
import { defaultRules } from '../../src/core/limit.ts'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The numbered list under "The order of decision": the codes of each step. */
function documented(): string[] {
  const list = README.slice(README.indexOf('**The order of decision.**'))
    .split('\n')
    .filter((line) => /^\d+\. /.test(line))
  const codes = list
    .slice(0, 20)
    .map((line) => Array.from(line.split(':')[0]!.matchAll(/`([a-z_]+)`/g), ([, code]) => code!))
  // The first step is about the call itself, and the last two come after the rules.
  return codes.slice(1, 18).flat()
}

const LIMITS = defaultRules(2).map((rule, n) => ({
  limit: { ...rule, id: `lim_${n}`, walletId: 'wal', createdAt: 0, removedAt: null },
  key: null,
  used: { amount: 0n, count: 0 },
}))

const ATTEMPT: Attempt = {
  amount: 60_000n,
  payee: { name: 'Shop', category: '7995', country: 'US', address: 'x', network: 'eip155:1' },
  protocol: 'card',
}

/** Everything is wrong at once. */
const WRONG = {
  now: 10,
  limits: [],
  available: 0n,
  instance: { frozen: true },
  agent: { status: 'active' },
  credentials: [{ instruments: [], currency: 'EUR', maxAmount: 70_000n, spent: 10_001n }],
  wallet: { status: 'active', currency: 'USD', decimals: 2, asset: null },
  lookAlike: null,
  instrument: {
    type: 'virtual_card',
    status: 'frozen',
    expiresAt: 20,
    usageLimit: 1,
    usageConsumed: 1,
    perPaymentMax: 100n,
    remaining: 100n,
    constraints: {
      protocols: ['x402'],
      networks: [],
      origins: [],
      merchantCategories: [],
      payees: [],
      addresses: [],
      countries: [],
    },
  },
} as unknown as Spending

/** What puts right what a code complains of; the codes in between show one instrument in another state. */
const MEND: Readonly<Record<string, (spending: Spending) => Spending>> = {
  spending_frozen: (s) => ({ ...s, instance: { ...s.instance, frozen: false } }),
  limits_missing: (s) => ({ ...s, limits: LIMITS }),
  not_found: (s) => credential(s, { instruments: null }),
  currency_mismatch: (s) => credential(s, { currency: 'USD' }),
  instrument_frozen: (s) => instrument(s, { status: 'revoked' }),
  instrument_revoked: (s) => instrument(s, { status: 'active', expiresAt: 10 }),
  instrument_expired: (s) => instrument(s, { expiresAt: 20 }),
  protocol_not_allowed: (s) => without(s, 'protocols'),
  network_not_allowed: (s) => without(s, 'networks'),
  payee_not_allowed: (s) => without(s, s.instrument.constraints.origins ? 'origins' : 'payees'),
  merchant_category_not_allowed: (s) => without(s, 'merchantCategories'),
  address_not_allowed: (s) => without(s, 'addresses'),
  country_not_allowed: (s) => without(s, 'countries'),
  usage_limit_reached: (s) => instrument(s, { usageConsumed: 0 }),
  per_payment_max_exceeded: (s) => instrument(s, { perPaymentMax: null }),
  amount_exceeds_remaining: (s) =>
    s.instrument.remaining < 100_000n ? instrument(s, { remaining: 100_000n }) : credential(s, { spent: 10_000n }),
  insufficient_funds: (s) => ({ ...s, available: 100_000n }),
  limit_exceeded: (s) => ({
    ...s,
    limits: LIMITS.filter(({ limit }) => limit.over === 'ask' || limit.window !== 'payment'),
  }),
}

function instrument(spending: Spending, change: Partial<Spending['instrument']>): Spending {
  return { ...spending, instrument: { ...spending.instrument, ...change } }
}

function credential(spending: Spending, change: Partial<Spending['credentials'][number]>): Spending {
  return { ...spending, credentials: spending.credentials.map((one) => ({ ...one, ...change })) }
}

function without(spending: Spending, name: keyof Spending['instrument']['constraints']): Spending {
  const { [name]: _, ...constraints } = spending.instrument.constraints
  return instrument(spending, { constraints })
}

it('the order of decision in README.md is the one that is decided by', () => {
  const codes = documented()
  const met: string[] = []
  let spending = WRONG
  for (const code of codes) {
    const verdict = decide(spending, ATTEMPT, false)
    met.push(verdict.verdict === 'deny' ? verdict.refusal.code : verdict.verdict)
    spending = MEND[code]!(spending)
  }
  expect(met).toEqual(codes)
  expect([...new Set(codes)]).toEqual(Object.keys(MEND))
})
