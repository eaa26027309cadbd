import { type Case, cases, copyOf, eachColumn } from './wall.ts'

export const copy = (of: string, changes: Record<string, string>, or = '') =>
  copyOf('payments', `id = :${of}`, { id: "'pay_2'", ...changes }, or)
const change = (of: string, set: string) => `UPDATE payments SET ${set} WHERE id = :${of}`

/** What a payment has taken before it is written as held: its money, and allowance and a use of its instrument. */
export const taken = (id: string, of: string, amount: string) =>
  `INSERT INTO entries SELECT wallet_id, seq, 9, wallet_id, ${id}, 'hold', 'available', 'held', ${amount}
   FROM payments WHERE id = :${of}; UPDATE instruments SET remaining = 0, usage_consumed = 5 WHERE id = :card`
export const TAKEN = taken("'pay_2'", 'open', 'amount')
export const TAKEN_BY_WAITING = taken('id', 'waiting', 'amount')

/** A payment that is held as the rules want it: it may be written. */
export const ALLOWED_PAYMENT: Pick<Case, 'bad' | 'before'> = { before: TAKEN, bad: copy('open', {}) }
const YES = `${TAKEN_BY_WAITING}; UPDATE approvals SET status = 'approved', assurance = 'host', answered_at = :now WHERE subject_id = :waiting`
export const authorize = change(
  'waiting',
  `status = 'authorized', held = amount, authorized_at = :now,
  counted = (SELECT counted FROM payments WHERE id = :open)`,
)
/** The same after a human's yes to it. */
export const ALLOWED_APPROVED: Pick<Case, 'bad' | 'before'> = { before: YES, bad: authorize }

const KEY = { status: "'awaiting_approval'", authorized_at: 'NULL' }
const TOO_MUCH = { without: ['payments_take_from_their_hold'] }
const STATUSES =
  "status IN ('refused', 'awaiting_approval', 'authorized', 'in_doubt', 'captured', 'voided', 'denied', 'expired', " +
  "'canceled', 'partially_refunded', 'refunded')"

const checks = cases('payments', [
  [STATUSES, 'is only attempted', copy('refused', { status: "'attempted'" }), { without: ['payments_begin_allowed'] }],
  ['amount > 0', 'is of nothing', copy('refused', { amount: '0' })],
  ['held >= 0 AND held <= amount', 'holds less than nothing', change('open', 'held = -1')],
  ['held >= 0 AND held <= amount', 'holds more than its amount', copy('open', { held: 'amount + 1' })],
  [
    'captured >= 0 AND captured - forced <= amount',
    'captures more than its amount',
    change('open', 'captured = amount + 1, held = 0'),
    TOO_MUCH,
  ],
  ['refunded BETWEEN 0 AND captured', 'gives back more than was taken', change('paid', 'refunded = captured + 1')],
  ['forced BETWEEN 0 AND captured', 'is forced without being taken', change('paid', 'forced = captured + 1')],
  ['json_valid(payee)', 'pays nobody that can be read', copy('refused', { payee: "'{'" })],
  ['json_valid(refusal)', 'is refused in no language', change('refused', `refusal = 'no'`)],
  ['json_valid(refund_asked)', 'is to be refunded in no language', change('paid', `refund_asked = '{'`)],
  ['json_valid(counted)', 'is counted nowhere', change('paid', `counted = '['`)],
  [
    "status = 'refused' OR (wallet_id IS NOT NULL AND instrument_id IS NOT NULL AND amount IS NOT NULL)",
    'waits without an instrument',
    copy('waiting', { instrument_id: 'NULL' }),
  ],
  [
    "status = 'refused' OR (wallet_id IS NOT NULL AND instrument_id IS NOT NULL AND amount IS NOT NULL)",
    'waits without an amount',
    copy('waiting', { amount: 'NULL' }),
  ],
  ["(status = 'refused') <= (refusal IS NOT NULL)", 'is refused for nothing', copy('refused', { refusal: 'NULL' })],
  ["status IN ('authorized', 'in_doubt') OR held = 0", 'holds while it waits', copy('waiting', { held: 'amount' })],
  ["status IN ('authorized', 'in_doubt') OR held = 0", 'is voided and holds on', change('open', `status = 'voided'`)],
  [
    "status NOT IN ('captured', 'partially_refunded', 'refunded') OR captured > 0",
    'is captured without money',
    change('open', `status = 'captured', held = 0`),
  ],
])

export const without = (window: string) =>
  `UPDATE limits SET removed_at = 1 WHERE wallet_id = :wallet AND window = '${window}' AND over = 'deny'`
const perPayee = `INSERT INTO limits VALUES ('lim_2', :wallet, 'payee', NULL, 'day', 1000, NULL, 'deny', 0, NULL)`
const set = (table: string, what: string) => `UPDATE ${table} SET ${what}`
/** What makes any payment wrong, however it becomes authorized. */
const SITUATIONS: readonly (readonly [string, string, string[]?])[] = [
  ...['frozen', 'limit_reached', 'expired', 'revoked', 'returned'].map(
    (status) =>
      [`on an instrument that is ${status}`, set('instruments', `status = '${status}' WHERE id = :card`)] as const,
  ),
  ['by a revoked agent', set('agents', `status = 'revoked' WHERE id = :agent`)],
  ['from a frozen wallet', set('wallets', `status = 'frozen' WHERE id = :wallet`)],
  [
    'from a wallet of another agent',
    set('wallets', 'agent_id = :other WHERE id = :wallet'),
    ['wallets_keep_their_terms'],
  ],
  ['while all spending is frozen', set('instance', 'frozen = true')],
  ['in a database without an instance', 'DELETE FROM instance', ['instance_remains']],
  ['without a limit per payment', without('payment')],
  ['without a limit per session', without('session')],
  ['without a limit per day', without('day')],
  ['with a limit per day for each payee only', `${without('day')}; ${perPayee}`],
]

const instead = (changes: Record<string, string>) => copy('open', changes)
const begins = cases('payments', [
  ...['in_doubt', 'voided', 'denied', 'expired', 'canceled'].map(
    (status) => ['payments_begin_allowed', `begins ${status}`, instead({ status: `'${status}'`, held: '0' })] as const,
  ),
  ...(
    [
      ['in doubt and held', instead({ status: "'in_doubt'" })],
      ['without its hold', instead({ held: 'amount - 1' })],
      ['at no time', instead({ authorized_at: 'NULL' })],
      ['on an expired instrument', instead({ authorized_at: `${lasts()}` })],
      ['from another wallet', instead({ wallet_id: ':otherWallet' })],
      ['without counting', instead({ counted: "'[]'" })],
    ] as const
  ).map(([what, bad]) => ['payments_begin_allowed', `begins ${what}`, bad, { before: TAKEN }] as const),
  [
    'payments_begin_allowed',
    'is over the most per payment',
    instead({ amount: '9001', held: '9001' }),
    {
      before: `${taken("'pay_2'", 'open', '9001')}; ${set('instruments', 'per_payment_max = 9000 WHERE id = :card')}`,
      without: ['instruments_keep_their_terms'],
    },
  ],
  [
    'payments_begin_allowed',
    'is over what asks for a human',
    instead({ amount: '10001', held: '10001' }),
    { before: taken("'pay_2'", 'open', '10001') },
  ],
  [
    'payments_begin_allowed',
    "begins with another agent's instrument",
    instead({ agent_id: ':other' }),
    { before: TAKEN, without: ['payments_begin_with_credential'] },
  ],
  ['payments_begin_allowed', 'begins without its money', instead({})],
  [
    'payments_begin_allowed',
    'begins without its allowance',
    instead({}),
    { before: `${TAKEN}; ${set('instruments', 'remaining = amount')}` },
  ],
  [
    'payments_begin_allowed',
    'begins without its use',
    instead({}),
    { before: `${TAKEN}; ${set('instruments', 'usage_consumed = 0')}` },
  ],
  ...SITUATIONS.map(([what, before, walls = []]) => {
    return [
      'payments_begin_allowed',
      `begins ${what}`,
      instead({}),
      { before: `${TAKEN}; ${before}`, without: walls },
    ] as const
  }),
  ['payments_begin_unmoved', 'begins captured', copy('paid', { idempotency_key: 'NULL' })],
  ['payments_begin_unmoved', 'begins forced', copy('refused', { captured: '1', forced: '1' })],
  ['payments_begin_unmoved', 'begins refunded', copy('refused', { captured: '1', forced: '1', refunded: '1' })],
  ['payments_are_new', 'is replaced by a refused one', copy('refused', { id: ':paid' }, 'OR REPLACE')],
  ['payments_are_new', 'is replaced by itself', copy('open', { id: 'id' }, 'OR REPLACE')],
  [
    'payments_are_new',
    'is upserted',
    `INSERT INTO payments SELECT * FROM payments WHERE id = :open ON CONFLICT DO UPDATE SET held = 0`,
  ],
  ['payments_have_their_own_key', 'has the key of another', copy('waiting', { ...KEY, idempotency_key: "'order-1'" })],
  [
    'payments_have_their_own_key',
    'replaces the one with its key',
    copy('waiting', { ...KEY, idempotency_key: "'order-1'" }, 'OR REPLACE'),
  ],
])

function lasts(): string {
  return '(SELECT expires_at FROM instruments WHERE id = :card)'
}

export const DENIED = `UPDATE approvals SET status = 'denied', answered_at = :now WHERE subject_id = :waiting`
const approvals = cases('payments', [
  ['payments_are_approved', 'is authorized by nobody', authorize],
  ['payments_are_approved', 'is authorized after a no', authorize, { before: DENIED }],
  [
    'payments_are_approved',
    'is authorized by a yes to another',
    authorize,
    { before: YES.replace(':waiting', ':pending') },
  ],
  [
    'payments_are_approved',
    'holds less than was approved',
    authorize.replace('= amount', '= amount - 1'),
    { before: YES },
  ],
  ['payments_are_approved', 'is approved once its card expired', authorize.replace(':now', lasts()), { before: YES }],
  ...SITUATIONS.map(([what, before, walls = []]) => {
    const more = { before: `${YES}; ${before}`, without: walls }
    return ['payments_are_approved', `is authorized ${what}`, authorize, more] as const
  }),
])

const MOVED = ['captured', 'partially_refunded', 'refunded']
const COURSE: Readonly<Record<string, readonly string[]>> = {
  refused: [],
  waiting: ['authorized', 'denied', 'expired', 'canceled'],
  open: [...MOVED, 'voided', 'in_doubt'],
  doubtful: [...MOVED, 'voided'],
  paid: ['partially_refunded', 'refunded'],
  voided: [],
}
const IS: Readonly<Record<string, string>> = {
  waiting: 'awaiting_approval',
  open: 'authorized',
  doubtful: 'in_doubt',
  paid: 'captured',
}
const ALL = [...STATUSES.matchAll(/'(\w+)'/g)].map(([, status]) => status as string)
const course = cases('payments', [
  ...Object.entries(COURSE).flatMap(([of, next]) =>
    ALL.filter((to) => to !== (IS[of] ?? of) && !next.includes(to)).map((to) => {
      return ['payments_follow_their_course', `${IS[of] ?? of} becomes ${to}`, change(of, `status = '${to}'`)] as const
    }),
  ),
  ['payments_take_from_their_hold', 'captures and keeps its hold', change('open', 'captured = 1')],
  ['payments_take_from_their_hold', 'captures more than it lets go', change('open', 'captured = 2, held = held - 1')],
  ['payments_take_from_their_hold', 'captures without a hold', change('voided', 'captured = 1')],
  ['payments_take_from_their_hold', 'captures while it waits', change('waiting', 'captured = 1')],
  ['payments_take_from_their_hold', 'holds again', change('paid', 'held = 1')],
  ['payments_take_from_their_hold', 'holds while it waits', change('waiting', 'held = amount')],
  ['payments_take_from_their_hold', 'takes back what was captured', change('paid', 'captured = captured - 1')],
  [
    'payments_take_from_their_hold',
    'takes back a refund',
    change('paid', 'refunded = 0'),
    { before: change('paid', `status = 'partially_refunded', refunded = 1`) },
  ],
  [
    'payments_take_from_their_hold',
    'takes back what was forced',
    change('paid', 'forced = 0, captured = captured - 1'),
    { before: change('paid', 'forced = 1, captured = captured + 1') },
  ],
  ['payments_remain', 'is deleted', 'DELETE FROM payments WHERE id = :refused'],
])

export const PAYMENTS: readonly Case[] = [
  ...[checks, begins, approvals, course].flat(),
  ...eachColumn(
    'payments',
    'payments_keep_their_terms',
    'id = :paid',
    'id, wallet_id, instrument_id, agent_id, credentials, session_id, task_id, protocol, amount, payee, payee_key, purpose_ref, fingerprint, idempotency_key, created_at',
  ),
]
