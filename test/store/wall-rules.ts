import { type Allowed, type Case, cases, copyOf, eachColumn } from './wall.ts'
import { deep, given, HUNDRED, mint, set, TOKEN } from './wall-credentials.ts'
import { answered, begin, COUNT, counter, DAY, Q } from './wall-limits.ts'
import { answer, YES as BOTH, two } from './wall-owners.ts'
import { authorize, copy, DENIED, TAKEN, TAKEN_BY_WAITING, taken, without } from './wall-payments.ts'

const limit = (scope: string, window: string, amount: string, more = `NULL, 'deny', 0, NULL`) =>
  `INSERT INTO limits VALUES ('lim_2', :wallet, ${scope}, '${window}', ${amount}, ${more})`
const ANY_TERMS = { without: ['instruments_keep_their_terms'] }
/** Each but for one thing as the rules want it: what it took is there, and a human said yes. */
const WRONG: readonly (readonly [string, (took: string) => string, Partial<Case>?])[] = [
  ['took it in another step', (took) => took.replace('seq, 9', 'seq + 1, 9')],
  ['took it by another name', (took) => took.replace(`'hold'`, `'capture'`)],
  ['took less', (took) => took.replace(/amount\s+FROM/, 'amount - 1 FROM')],
  ['is over the most per payment', (took) => `${took}; ${limit(`'wallet', NULL`, 'payment', '1')}`],
  [
    'is by an instrument of another wallet',
    (took) => `${took}; UPDATE instruments SET wallet_id = :otherWallet WHERE id = :card`,
    ANY_TERMS,
  ],
  [
    'has a number for each day only',
    (took) => `${took}; ${without('day')}; ${limit(`'wallet', NULL`, 'day', 'NULL', `9, 'deny', 0, NULL`)}`,
  ],
  [
    'has an amount for each day of one session only',
    (took) => `${took}; ${without('day')}; ${limit(`'session', 'x'`, 'day', '1000')}`,
  ],
  [
    'has an amount for each week only',
    (took) => `${took}; ${without('day')}; ${limit(`'wallet', NULL`, 'week', '1000')}`,
  ],
]
const SAID = `UPDATE approvals SET status = 'approved', assurance = 'host', answered_at = :now WHERE subject_id = :waiting`
const payments = cases('payments', [
  ...WRONG.flatMap(([what, before, more]) => [
    ['payments_begin_allowed', `begins and ${what}`, copy('open', {}), { before: before(TAKEN), ...more }] as const,
    [
      'payments_are_approved',
      `is authorized and ${what}`,
      authorize,
      { before: `${SAID}; ${before(TAKEN_BY_WAITING)}`, ...more },
    ] as const,
  ]),
  ['payments_are_approved', 'took all and is authorized by nobody', authorize, { before: TAKEN_BY_WAITING }],
  [
    'payments_are_approved',
    'took all and is authorized after a no',
    authorize,
    { before: `${TAKEN_BY_WAITING}; ${DENIED}` },
  ],
])

const credentials = cases('credentials', [
  [
    'credentials_get_back_what_was_held',
    'gets back what another one of its agent holds',
    set('spent = spent - 1').replace(':task', `'crd_2'`),
    { before: `${given()}; UPDATE credentials SET spent = 5 WHERE id = 'crd_2'` },
  ],
])

const OTHERS = copyOf('wallets', 'id = :wallet', { id: `'wal_2'`, name: `'x'`, owner_id: ':third', allows: `'[]'` })
const approvals = cases('approvals', [
  [
    'approvals_have_both_owners',
    'is approved by two, one of them the own of another wallet',
    BOTH,
    { before: `${OTHERS}; ${two()}; ${answer('invited')}; ${answer('third')}` },
  ],
  [
    'approvals_are_answered_once',
    'was answered at another time',
    `UPDATE approvals SET answered_at = answered_at - 1 WHERE ${Q}`,
    answered,
  ],
  [
    'approvals_are_answered_once',
    'was answered for another reason',
    `UPDATE approvals SET reason_ref = 'x' WHERE ${Q}`,
    answered,
  ],
])

/** Where a rule has several conditions, each of them by itself. */
export const RULES: readonly Case[] = [
  ...[payments, credentials, approvals].flat(),
  ...eachColumn('instance', 'instance_stays', 'true', 'id, created_at'),
]

const WAITS = { status: `'awaiting_approval'`, authorized_at: 'NULL' }
const END = 'journal = :wallet AND seq = (SELECT max(seq) FROM events WHERE journal = :wallet)'
const REMOVED = `UPDATE limits SET removed_at = 1 WHERE id = ${DAY}`
const ASK = `(SELECT id FROM limits WHERE wallet_id = :wallet AND over = 'ask' AND window = 'payment')`
/** What is just within the rules. */
export const ALLOWED_RULES: readonly Allowed[] = [
  { bad: copyOf('events', END, { seq: 'seq + 1' }) },
  { bad: copyOf('events', END, { journal: `'new'`, seq: '0' }) },
  { bad: begin(DAY, 100_000, 1) },
  { bad: begin(DAY, 1, 1, 99_999) },
  { bad: begin(DAY, 0, 0, 100_001) },
  { bad: begin(COUNT, 1, 9) },
  { bad: begin(DAY, 100_001, 1), before: REMOVED },
  { bad: begin(ASK, 1_000_000, 1) },
  { bad: counter('amount = 100000') },
  { bad: counter('count = 9', COUNT) },
  { bad: counter('forced = 100000') },
  { bad: counter('amount = 100001'), before: REMOVED },
  {
    bad: `UPDATE fee_days SET held = (SELECT daily_max FROM relayers WHERE id = :relayer) - spent WHERE relayer = :relayer`,
  },
  { bad: copy('open', { amount: '10000', held: '10000' }), before: taken(`'pay_2'`, 'open', '10000') },
  { bad: copy('open', {}), before: `${TAKEN}; ${limit(`'wallet', NULL`, 'payment', '1', `NULL, 'deny', 0, 1`)}` },
  { bad: copy('open', {}), before: `${TAKEN}; ${limit(`'payee', 'x'`, 'payment', '1')}` },
  { bad: copy('open', {}), before: `${TAKEN}; ${limit(`'wallet', NULL`, 'day', '1', `NULL, 'ask', 0, 1`)}` },
  { bad: copy('waiting', { ...WAITS, idempotency_key: `'order-2'` }) },
  {
    bad: copy('waiting', { ...WAITS, idempotency_key: `'order-9'` }),
    before: `UPDATE payments SET idempotency_key = 'order-9' WHERE id = :voided`,
    without: ['payments_keep_their_terms'],
  },
  { bad: given({ ...TOKEN, id: `'crd_3'`, subject: `'other'` }), before: given(TOKEN) },
  {
    bad: mint({ parent_id: ':task' }),
    before: `${HUNDRED}; UPDATE credentials SET revoked_at = :now WHERE id = 'crd_n5'`,
  },
  {
    bad: mint({ parent_id: `'crd_3'`, expires_at: ':now + 9' }),
    before: `${deep(3, ':task')}; ${set('expires_at = :now + 9', 'credential')}`,
  },
]
