import { type Case, cases, copyOf, eachColumn } from './wall.ts'

export const DAY = `(SELECT id FROM limits WHERE wallet_id = :wallet AND window = 'day')`
export const COUNT = `(SELECT id FROM limits WHERE wallet_id = :wallet AND max_count = 9)`
const limit = (changes: Record<string, string>, or = '') =>
  copyOf('limits', `id = ${DAY}`, { id: "'lim_2'", ...changes }, or)
const removed = { before: `UPDATE limits SET removed_at = 1 WHERE id = ${DAY}` }

const limits = cases('limits', [
  [
    "scope IN ('wallet', 'agent', 'instrument', 'session', 'payee', 'category', 'protocol')",
    'is over a task',
    limit({ scope: "'task'" }),
  ],
  [
    "window IN ('payment', 'session', 'hour', 'day', 'week', 'month', 'total')",
    'is per year',
    limit({ window: "'year'" }),
  ],
  ['max_amount >= 0', 'allows less than nothing', limit({ max_amount: '-1' })],
  ['max_count >= 0', 'allows less than no payment', limit({ max_count: '-1' })],
  ["over IN ('deny', 'ask')", 'lets pass', limit({ over: "'allow'" })],
  ['max_amount IS NOT NULL OR max_count IS NOT NULL', 'limits nothing', limit({ max_amount: 'NULL' })],
  ['limits_are_new', 'is replaced by a higher one', limit({ id: 'id', max_amount: '99999999' }, 'OR REPLACE')],
  ['limits_are_new', 'is replaced by a removed one', limit({ id: 'id', removed_at: '1' }, 'OR REPLACE')],
  [
    'limits_are_new',
    'is upserted',
    `INSERT INTO limits SELECT * FROM limits WHERE id = ${DAY} ON CONFLICT DO UPDATE SET removed_at = 1`,
  ],
  ['limits_stay_removed', 'comes back', `UPDATE limits SET removed_at = NULL WHERE id = ${DAY}`, removed],
  ['limits_remain', 'is deleted', `DELETE FROM limits WHERE id = ${DAY}`],
])

export const counter = (set: string, id = DAY) => `UPDATE counters SET ${set} WHERE limit_id = ${id}`
export const begin = (id: string, amount: number, count: number, forced = 0) =>
  `INSERT INTO counters VALUES (${id}, 'x', 'tomorrow', ${amount}, ${count}, ${forced})`
const counters = cases('counters', [
  ['amount >= 0', 'gives back more than was taken', counter('amount = -1')],
  ['count >= 0', 'gives back more uses than were taken', counter('count = -1')],
  ['forced >= 0', 'gives back what a network took', counter('forced = -1')],
  [
    'counters_are_new',
    'begins again',
    `REPLACE INTO counters SELECT limit_id, scope_value, window_key, 0, 0, 0
    FROM counters WHERE limit_id = ${DAY}`,
  ],
  ['counters_begin_within_cap', 'begins over the amount', begin(DAY, 100_001, 1)],
  ['counters_begin_within_cap', 'begins over the count', begin(COUNT, 1, 10)],
  ['counters_begin_within_cap', 'begins over with what was forced', begin(DAY, 1, 1, 100_000)],
  ['counters_grow_within_cap', 'grows over the amount', counter('amount = 100001')],
  ['counters_grow_within_cap', 'grows over the count', counter('count = 10', COUNT)],
  ['counters_grow_within_cap', 'grows over with what was forced', counter('forced = 100000, amount = amount + 1')],
  ['counters_grow_within_cap', 'is upserted over the amount', counter('amount = amount + 100000')],
  ['counters_remain', 'is deleted', `DELETE FROM counters WHERE limit_id = ${DAY}`],
])

const LEVELS = "('none', 'host', 'operator', 'passkey')"
const SURE =
  "status <> 'approved' OR ( assurance IS NOT NULL AND answered_at IS NOT NULL AND answered_at < expires_at " +
  "AND instr('none host operator passkey', assurance) >= instr('none host operator passkey', needs) )"
export const Q = 'subject_id = :pending'
const question = (changes: Record<string, string>, or = '') =>
  copyOf('approvals', Q, { id: "'apr_2'", subject_id: "'req_2'", ...changes }, or)
const yes = (set: string) => `UPDATE approvals SET status = 'approved', ${set} WHERE ${Q}`
export const answered = { before: yes(`assurance = 'host', answered_at = :now`) }
const denied = { before: `UPDATE approvals SET status = 'denied', answered_at = :now WHERE ${Q}` }
const levels = ['none', 'host', 'operator', 'passkey']
const weaker = levels.flatMap((needs, n) => levels.slice(0, n).map((given) => [needs, given] as const))

const approvals = cases('approvals', [
  ['length(digest) = 64', 'is bound to nothing', question({ digest: "''" })],
  [`needs IN ${LEVELS}`, 'needs a word', question({ needs: "'model'" })],
  [
    "status IN ('waiting', 'approved', 'denied', 'expired', 'canceled')",
    'is answered by maybe',
    `UPDATE approvals SET status = 'maybe' WHERE ${Q}`,
  ],
  [`assurance IN ${LEVELS}`, 'is sure by a word', `UPDATE approvals SET assurance = 'model' WHERE ${Q}`],
  [SURE, 'is approved by nobody', yes('answered_at = :now')],
  [SURE, 'is approved at no time', yes(`assurance = 'host'`)],
  [SURE, 'is approved at its expiry', yes(`assurance = 'host', answered_at = expires_at`)],
  [SURE, 'is approved after its expiry', yes(`assurance = 'passkey', answered_at = expires_at + 1`)],
  ...weaker.map(([needs, given]) => {
    const made = { needs: `'${needs}'`, status: "'approved'", assurance: `'${given}'`, answered_at: ':now' }
    return [SURE, `needs ${needs} and is approved by ${given}`, question(made)] as const
  }),
  ['approvals_are_new', 'is replaced', question({ id: 'id', subject_id: 'subject_id', needs: "'none'" }, 'OR REPLACE')],
  ['approvals_are_new', 'is asked a second time', question({ subject_id: 'subject_id' })],
  ['approvals_are_new', 'is replaced by subject', question({ subject_id: 'subject_id' }, 'OR REPLACE')],
  [
    'approvals_are_answered_once',
    'is denied after a yes',
    `UPDATE approvals SET status = 'denied' WHERE ${Q}`,
    answered,
  ],
  ['approvals_are_answered_once', 'is approved after a no', yes(`assurance = 'host', answered_at = :now`), denied],
  ['approvals_are_answered_once', 'waits again', `UPDATE approvals SET status = 'waiting' WHERE ${Q}`, answered],
  ['approvals_are_answered_once', 'becomes surer', `UPDATE approvals SET assurance = 'passkey' WHERE ${Q}`, answered],
  ['approvals_remain', 'is deleted', `DELETE FROM approvals WHERE ${Q}`],
])

export const LIMITS: readonly Case[] = [
  ...[limits, counters, approvals].flat(),
  ...eachColumn(
    'limits',
    'limits_keep_their_rule',
    `id = ${DAY}`,
    'id, wallet_id, scope, scope_value, window, max_amount, max_count, over, created_at',
  ),
  ...eachColumn('counters', 'counters_keep_their_key', `limit_id = ${DAY}`, 'limit_id, scope_value, window_key'),
  ...eachColumn(
    'approvals',
    'approvals_keep_their_terms',
    Q,
    'id, subject_id, wallet_id, digest, needs, owners, created_at, expires_at',
  ),
]
