import { type Case, cases, copyOf, eachColumn } from './wall.ts'

const R = 'id = :pending'
const request = (changes: Record<string, string>, or = '') => copyOf('requests', R, { id: "'req_2'", ...changes }, or)
const decided = { before: `UPDATE requests SET status = 'denied' WHERE ${R}` }

const requests = cases('requests', [
  ["type IN ('virtual_card', 'usdc')", 'is for cash', request({ type: "'cash'" })],
  ['amount > 0', 'is for nothing', request({ amount: '0' })],
  ['usage_limit > 0', 'is for no use', request({ usage_limit: '0' })],
  ['per_payment_max > 0', 'is for payments of nothing', request({ per_payment_max: '0' })],
  ['expires_in_ms > 0', 'is for no time', request({ expires_in_ms: '0' })],
  ['json_valid(constraints)', 'has constraints that nobody can read', request({ constraints: "'['" })],
  [
    "status IN ('pending', 'approved', 'denied', 'expired', 'canceled')",
    'is approved a little',
    `UPDATE requests SET status = 'maybe' WHERE ${R}`,
  ],
  ['json_valid(refusal)', 'is denied in no language', `UPDATE requests SET refusal = 'no' WHERE ${R}`],
  ['requests_are_new', 'is replaced by a bigger one', request({ id: 'id', amount: '99999999' }, 'OR REPLACE')],
  ['requests_are_decided_once', 'waits again', `UPDATE requests SET status = 'pending' WHERE ${R}`, decided],
  [
    'requests_are_decided_once',
    'is approved after a no',
    `UPDATE requests SET status = 'approved' WHERE ${R}`,
    decided,
  ],
  ['requests_are_decided_once', 'gets an instrument', `UPDATE requests SET instrument_id = :card WHERE ${R}`, decided],
  ['requests_remain', 'is deleted', `DELETE FROM requests WHERE ${R}`],
])

const OF_CARD = 'id = (SELECT request_id FROM instruments WHERE id = :card)'
/** A second request like the card's, approved at this moment, whose instrument is still to be made. */
const approved = (request: Record<string, string> = {}, approval: Record<string, string> = {}) =>
  [
    copyOf('requests', OF_CARD, { id: "'req_2'", instrument_id: "'inst_2'", ...request }),
    copyOf('approvals', `subject_${OF_CARD}`, { id: "'apr_2'", subject_id: "'req_2'", ...approval }),
  ].join(';')
const made = (changes: Record<string, string> = {}, or = '') =>
  copyOf(
    'instruments',
    'id = :card',
    {
      ...{ id: "'inst_2'", request_id: "'req_2'", remaining: 'amount', usage_consumed: '0', status: "'active'" },
      ...changes,
    },
    or,
  )

/** The instrument that the human approved: it may be made. */
export const ALLOWED_INSTRUMENT: Pick<Case, 'bad' | 'before'> = { before: approved(), bad: made() }
export const NARROWER_INSTRUMENT: Pick<Case, 'bad' | 'before'> = {
  before: approved(),
  bad: made({ amount: '1', remaining: '1', usage_limit: '1', per_payment_max: '1', expires_at: 'created_at + 1' }),
}

const change = (set: string) => `UPDATE instruments SET ${set} WHERE id = :card`
const afterYes = { before: approved() }
const end = (status: string) => ({ before: change(`status = '${status}'`) })
const ANY_INSTRUMENT = { without: ['instruments_are_approved'] }
const NEW_TERMS = { without: ['instruments_keep_their_terms'] }

const instruments = cases('instruments', [
  ['amount > 0', 'is of nothing', made({ amount: '0', remaining: '0' }), afterYes],
  ['remaining BETWEEN 0 AND amount', 'has less than nothing left', change('remaining = -1')],
  ['remaining BETWEEN 0 AND amount', 'has more left than was approved', change('remaining = amount + 1')],
  ['usage_limit > 0', 'is for no use', made({ usage_limit: '0' }), afterYes],
  [
    'usage_consumed >= 0 AND (usage_limit IS NULL OR usage_consumed <= usage_limit)',
    'is used more often than approved',
    change('usage_consumed = usage_limit + 1'),
  ],
  [
    'usage_consumed >= 0 AND (usage_limit IS NULL OR usage_consumed <= usage_limit)',
    'has more uses than approved',
    change('usage_consumed = -1'),
  ],
  ['per_payment_max > 0', 'pays nothing at a time', made({ per_payment_max: '0' }), afterYes],
  ['json_valid(constraints)', 'has constraints that nobody can read', change(`constraints = '['`), NEW_TERMS],
  [
    "status IN ('active', 'frozen', 'limit_reached', 'expired', 'revoked', 'returned')",
    'is immortal',
    change(`status = 'immortal'`),
  ],
  ["rail_status IN ('active', 'frozen', 'closed')", 'is something else at its rail', change(`rail_status = 'x'`)],
  ['instruments_are_new', 'is replaced by a full one', made({ id: 'id', request_id: 'request_id' }, 'OR REPLACE')],
  ['instruments_are_new', 'is made twice', made({ request_id: 'request_id' }), ANY_INSTRUMENT],
  ['instruments_are_new', 'is replaced by request', made({ request_id: 'request_id' }, 'OR REPLACE'), ANY_INSTRUMENT],
  ...broader(),
  ...['limit_reached', 'expired', 'revoked', 'returned'].map(
    (status) =>
      ['instruments_end_for_good', `is active after ${status}`, change(`status = 'active'`), end(status)] as const,
  ),
  ['instruments_remain', 'is deleted', 'DELETE FROM instruments WHERE id = :card'],
])

/** Every way in which an instrument could be more than what a human approved. */
function broader(): (readonly [string, string, string, Partial<Case>])[] {
  const more = (what: string, changes: Record<string, string>, before = approved()) =>
    ['instruments_are_approved', what, made(changes), { before }] as const
  return [
    more('has more money', { amount: 'amount + 1', remaining: 'amount + 1' }),
    more('begins with less than it says', { remaining: 'amount - 1' }),
    more('begins used', { usage_consumed: '1' }),
    more('has more uses', { usage_limit: 'usage_limit + 1' }),
    more('has any number of uses', { usage_limit: 'NULL' }),
    more('pays more at a time', { per_payment_max: 'per_payment_max + 1' }),
    more('pays any amount at a time', { per_payment_max: 'NULL' }),
    more('lives longer', { expires_at: 'expires_at + 1' }),
    more('is said to be made later, and lives longer', { created_at: 'created_at + 9', expires_at: 'expires_at + 9' }),
    more('is said to be made before its approval', { created_at: 'created_at - 1' }),
    more('loses its constraints', { constraints: "'{}'" }),
    more('is of another type', { type: "'usdc'" }),
    more('is of another wallet', { wallet_id: ':otherWallet' }),
    more('is of another agent', { agent_id: ':other' }),
    more('is not the one that the request names', {}, approved({ instrument_id: "'inst_3'" })),
    more('is of a request that waits', {}, approved({ status: "'pending'" })),
    more('is of a request that was denied', {}, approved({ status: "'denied'" })),
    more('is of a question that waits', {}, approved({}, { status: "'waiting'" })),
    more('is of a question that was denied', {}, approved({}, { status: "'denied'" })),
    more('is of no question', {}, copyOf('requests', OF_CARD, { id: "'req_2'", instrument_id: "'inst_2'" })),
  ]
}

export const TERMS: readonly Case[] = [
  ...[requests, instruments].flat(),
  ...eachColumn(
    'requests',
    'requests_keep_their_terms',
    R,
    'id, wallet_id, agent_id, session_id, task_id, currency, type, amount, usage_limit, per_payment_max, expires_in_ms, constraints, purpose_ref, fingerprint, created_at',
  ),
  ...eachColumn(
    'instruments',
    'instruments_keep_their_terms',
    'id = :card',
    'id, request_id, wallet_id, agent_id, type, amount, usage_limit, per_payment_max, constraints, expires_at, created_at',
  ),
]
