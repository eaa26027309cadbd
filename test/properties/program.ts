import fc from 'fast-check'
import type { Op, Program } from './ops.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Merchants by what the sandbox does there, and ordinary ones. */
export const MERCHANTS = [
  ...['Acme Software', 'Grocer', 'Hotel'],
  ...[
    ...[
      'Software Shop',
      'Casino',
      'Airline',
      'Partial Capture',
      'Multiple Captures',
      'Delayed Capture',
      'Never Captured',
    ],
    ...['Reversal', 'Partial Reversal', 'Merchant Refund', 'Partial Refund', 'Restaurant Tip', 'Capture After Expiry'],
    ...['Slow Answer', 'Lost Reply', 'Lost Request', 'Unreachable', 'Duplicate Authorization', 'Duplicate Capture'],
    ...['Decline do_not_honor', 'Decline insufficient_funds'],
  ].map((name) => `Bursar Test: ${name}`),
] as const

const pick = fc.nat({ max: 30 })
const who = fc.nat({ max: 2 })
const wallet = fc.nat({ max: 2 })
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
const rarely = fc.nat({ max: 11 }).map((n) => n === 11)
const units = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 1n, max: 6_000n }) },
  { weight: 2, arbitrary: fc.constantFrom(1n, 100n, 2_500n, 5_000n, 10_000n, 10_001n) },
  { weight: 1, arbitrary: fc.bigInt({ min: 6_001n, max: 60_000n }) },
)
const categories = seldom(fc.subarray(['5734', '5411', '7011', '7995'], { minLength: 1 }))
const countries = seldom(fc.subarray(['US', 'DE'], { minLength: 1 }))
const by = fc.constantFrom('host', 'operator', 'operator')

const request = fc.record({
  ...{ op: fc.constant('request'), who, currency: fc.constantFrom('USD', 'USD', 'EUR', 'JPY', 'CHF') },
  units: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(60_000n, 90_000n, 120_000n) },
    { weight: 2, arbitrary: fc.bigInt({ min: 5_000n, max: 120_000n }) },
    { weight: 1, arbitrary: fc.constantFrom(1n, 400n) },
  ),
  uses: seldom(fc.integer({ min: 1, max: 4 })),
  perPayment: seldom(fc.bigInt({ min: 500n, max: 30_000n })),
  lives: fc.constantFrom('30m', '12h', '3d', '30d', '366d', '366d', '366d'),
  ...{ categories, countries },
})

const pay = fc.record({
  ...{
    op: fc.constant('pay'),
    who,
    stranger: rarely,
    pick,
    units,
    merchant: fc.constantFrom(...MERCHANTS.slice(0, 3), ...MERCHANTS),
  },
  category: fc.option(fc.constantFrom('5734', '5411', '7011'), { freq: 4 }),
  country: fc.option(fc.constantFrom('US', 'DE'), { freq: 2 }),
  purpose: fc.constantFrom('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'),
  key: seldom(fc.constantFrom('k1', 'k2', 'k3')),
})

const GUARDS = ['payment', 'session', 'day']

const setLimit = fc
  .record({
    ...{ op: fc.constant('setLimit'), wallet, named: fc.boolean() },
    scope: fc.constantFrom('wallet', 'agent', 'instrument', 'session', 'payee', 'category', 'protocol'),
    window: fc.constantFrom('payment', 'session', 'hour', 'day', 'week', 'month', 'total'),
    units: fc.option(fc.oneof(fc.bigInt({ min: 0n, max: 90_000n }), fc.bigInt({ min: 0n, max: 9_000n }))),
    count: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 1 }),
    over: fc.constantFrom('deny', 'ask'),
  })
  // Without its three guards a wallet pays nothing at all: that is for `removeLimit`.
  .map((set) => (set.units === null && GUARDS.includes(set.window) ? { ...set, units: 50_000n } : set))

const nonsense = fc.record({
  ...{ op: fc.constant('payNonsense'), who },
  amount: fc.oneof(
    fc.constantFrom('0', '0.00', '-1', '+1', '1e3', '1.234', '', ' 1', '٣', '01', '1,00', '99999999999999999999'),
    fc.string(),
  ),
  instrument: fc.option(
    fc.oneof(fc.constant('inst_01890000-0000-7000-8000-000000000000'), fc.string({ unit: 'binary' })),
  ),
})

const wait = fc.record({
  op: fc.constant('wait'),
  ms: fc.oneof(
    fc.constantFrom(0, 1, MINUTE, 2 * MINUTE, 9 * MINUTE, 11 * MINUTE, 16 * MINUTE),
    fc.integer({ min: 0, max: 2 * DAY }),
    fc.constantFrom(DAY, DAY, 2 * DAY, 7 * DAY, 8 * DAY, 9 * DAY, 31 * DAY),
  ),
})

const weighted = (weight: number, arbitrary: fc.Arbitrary<unknown>) => ({
  weight,
  arbitrary: arbitrary as fc.Arbitrary<Op>,
})

const op = fc.oneof(
  weighted(5, request),
  weighted(
    9,
    request.map((asked) => ({ ...asked, op: 'grant' as const })),
  ),
  weighted(
    5,
    fc.record({
      op: fc.constant('approveRequest'),
      pick,
      by,
      percent: seldom(fc.constantFrom(30, 100, 130)),
      uses: seldom(fc.integer({ min: 1, max: 5 })),
    }),
  ),
  weighted(9, fc.record({ op: fc.constant('approvePayment'), pick, by, late: rarely })),
  weighted(2, fc.record({ op: fc.constantFrom('denyRequest', 'denyPayment'), pick })),
  weighted(75, pay),
  weighted(2, nonsense),
  weighted(3, fc.record({ op: fc.constant('refund'), pick, percent: fc.option(fc.constantFrom(1n, 50n, 100n, 150n)) })),
  weighted(
    4,
    fc.record({
      op: fc.constant('merchant'),
      pick,
      does: fc.constantFrom('capture', 'close', 'reverse', 'refund', 'forcePost'),
      percent: fc.constantFrom(10n, 50n, 100n),
    }),
  ),
  weighted(
    1,
    fc.record({ op: fc.constant('freeze'), what: fc.constantFrom('instrument', 'instrument', 'wallet', 'all'), pick }),
  ),
  weighted(
    4,
    fc.record({ op: fc.constant('unfreeze'), what: fc.constantFrom('instrument', 'wallet', 'all', 'all'), pick }),
  ),
  weighted(2, fc.record({ op: fc.constantFrom('revoke', 'cancelRequest', 'cancelPayment', 'cancelInstrument'), pick })),
  weighted(6, setLimit),
  weighted(1, fc.record({ op: fc.constant('removeLimit'), wallet, pick })),
  weighted(2, fc.record({ op: fc.constant('fund'), wallet, units: fc.bigInt({ min: 1n, max: 100_000n }) })),
  weighted(8, wait),
  weighted(
    4,
    fc.record({
      op: fc.constant('waitUntil'),
      wallet,
      boundary: fc.constantFrom('hour', 'day', 'month', 'expiry'),
      ms: fc.constantFrom(-1, 0, 1),
    }),
  ),
  weighted(
    2,
    fc.record({
      op: fc.constant('weather'),
      weather: fc.constantFrom('fair', 'fair', 'lost_request', 'lost_reply', 'no_cards'),
    }),
  ),
  weighted(7, fc.constant({ op: 'recover' })),
)

/** Before each: clocks forward in Paris, clocks back in Paris and in St John's, a month's end, a leap day, an ordinary Tuesday. */
const begins = fc.constantFrom(
  ...['2026-03-28T20:30:00Z', '2026-10-24T22:10:00Z', '2026-10-31T23:00:00Z', '2026-01-31T21:50:00Z'],
  ...['2028-02-28T23:30:00Z', '2026-03-10T12:00:00Z'],
)

export const programs = (length: number): fc.Arbitrary<Program> =>
  fc.record({
    begins,
    ops: fc.noBias(fc.noShrink(fc.array(op, { minLength: length, maxLength: length, size: 'max' }))),
  })
