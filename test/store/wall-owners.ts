import { type Allowed, type Case, type Changes, cases, copyOf, eachColumn } from './wall.ts'

const HASH = (digit: string) => `'${digit.repeat(64)}'`
const passkey = (changes: Changes = {}, or = '') =>
  copyOf('passkeys', `id = 'pk_1'`, { id: `'pk_2'`, public_key: `'cose_2'`, created_at: ':now', ...changes }, or)
const revoke = (at: string) => `UPDATE passkeys SET revoked_at = ${at} WHERE id = 'pk_1'`
const use = (of: string, at = ':now') => `UPDATE invitations SET used_at = ${at} WHERE owner_id = :${of}`

const passkeys = cases('passkeys', [
  ['synced IN (0, 1)', 'is synced by half', passkey({ synced: '2' })],
  ['json_valid(transports)', 'is reached by no way that can be read', passkey({ transports: `'['` })],
  ['passkeys_are_new', 'is replaced', passkey({ id: 'id' }, 'OR REPLACE')],
  ['passkeys_are_new', 'is replaced by key', passkey({ public_key: 'public_key' }, 'OR REPLACE')],
  ['passkeys_are_new', 'begins revoked', passkey({ revoked_at: ':now' })],
  ['passkeys_are_invited', 'is of an owner who was never invited', passkey({ owner_id: ':third' })],
  ['passkeys_are_invited', 'is of an owner whose invitation was not used', passkey({ owner_id: ':invited' })],
  [
    'passkeys_are_invited',
    'is enrolled a second time by one invitation',
    passkey({ owner_id: ':invited', created_at: ':now + 1' }),
    { before: use('invited') },
  ],
  ['passkeys_are_invited', "is enrolled with another's", passkey({ owner_id: ':third' }), { before: use('invited') }],
  [
    'passkeys_are_invited',
    'is enrolled by one that was revoked',
    passkey({ created_at: ':now + 1' }),
    { before: revoke(':now') },
  ],
  ['passkeys_stay_revoked', 'comes back', revoke('NULL'), { before: revoke(':now') }],
  ['passkeys_remain', 'is deleted', 'DELETE FROM passkeys'],
])

const invite = (changes: Changes = {}, or = '') =>
  copyOf('invitations', 'owner_id = :invited', { code_hash: HASH('3'), ...changes }, or)
const useOnly = (digit: string) => `UPDATE invitations SET used_at = :now WHERE code_hash = ${HASH(digit)}`
const LOST = { before: revoke(':now') }
const invitations = cases('invitations', [
  ['length(code_hash) = 64', 'keeps a code in place of its hash', invite({ code_hash: `'1234'` })],
  ['used_at < expires_at', 'is used at its end', use('invited', 'expires_at')],
  ['invitations_are_new', 'begins used', invite({ used_at: ':now' })],
  ['invitations_are_new', 'is replaced', invite({ code_hash: 'code_hash', expires_at: '9e15' }, 'OR REPLACE')],
  ['invitations_are_new', 'is for an owner who has a passkey', invite({ owner_id: ':owner' })],
  ['invitations_are_used_once', 'is used again', use('owner', ':now + 1'), LOST],
  ['invitations_are_used_once', 'is as if it had not been used', use('owner', 'NULL'), LOST],
  [
    'invitations_are_for_a_first',
    'is used when another was',
    useOnly('3'),
    { before: `${invite()}; ${useOnly('2')}; ${passkey({ owner_id: ':invited' })}` },
  ],
  ['invitations_remain', 'is deleted', 'DELETE FROM invitations'],
])

/** A question that two owners have to answer. */
export const two = (changes: Changes = {}) =>
  copyOf('approvals', 'subject_id = :pending', { id: `'apr_2'`, subject_id: `'req_2'`, owners: '2', ...changes })
export const answer = (of: string, narrowed = `'{}'`, at = ':now', or = '', approval = `'apr_2'`) =>
  `INSERT ${or} INTO answers VALUES (${approval}, :${of}, ${narrowed}, ${at})`
const TWO = { before: two() }
const ONE_YES = { before: `${two()}; ${answer('owner')}` }
export const YES = `UPDATE approvals SET status = 'approved', assurance = 'passkey', answered_at = :now WHERE id = 'apr_2'`
const answers = cases('answers', [
  ['json_valid(narrowed)', 'agrees to what nobody can read', answer('owner', `'{'`), TWO],
  ['answers_are_new', 'is given twice', answer('owner'), ONE_YES],
  ['answers_are_new', 'is replaced', answer('owner', `'{"amount":"1.00"}'`, ':now', 'OR REPLACE'), ONE_YES],
  ['answers_are_new', 'agrees to something else than the other', answer('third', `'{"amount":"1.00"}'`), ONE_YES],
  [
    'answers_are_new',
    'is about a question for one',
    answer('owner', `'{}'`, ':now', '', '(SELECT id FROM approvals WHERE subject_id = :pending)'),
  ],
  [
    'answers_are_new',
    'comes at the end',
    answer('owner', `'{}'`, `(SELECT expires_at FROM approvals WHERE id = 'apr_2')`),
    TWO,
  ],
  [
    'answers_are_new',
    'comes after a no',
    answer('owner'),
    { before: `${two()}; UPDATE approvals SET status = 'denied', answered_at = :now WHERE id = 'apr_2'` },
  ],
  ['answers_stay', 'is changed', `UPDATE answers SET narrowed = narrowed`, ONE_YES],
  ['answers_remain', 'is taken back', 'DELETE FROM answers', ONE_YES],
])
const approvals = cases('approvals', [
  ['owners IN (1, 2)', 'is for three', two({ owners: '3' })],
  ['owners IN (1, 2)', 'is for nobody', two({ owners: '0' })],
  ['approvals_have_both_owners', 'is approved by nobody', YES, TWO],
  ['approvals_have_both_owners', 'is approved by one of two', YES, ONE_YES],
  [
    'approvals_have_both_owners',
    'is approved by two, and not by the own of the wallet',
    YES,
    { before: `${two()}; ${answer('invited')}; ${answer('third')}` },
  ],
  [
    'approvals_of_two_begin_open',
    'begins approved by two',
    two({ status: `'approved'`, assurance: `'passkey'`, answered_at: ':now' }),
  ],
])

const CURSOR = `channel = 'ops'`
const cursors = cases('notice_cursors', [
  ['seq >= 0', 'is before the first event', `INSERT INTO notice_cursors VALUES ('ops', 'instance', -1)`],
  ['notice_cursors_are_new', 'is replaced', copyOf('notice_cursors', CURSOR, { seq: '0' }, 'OR REPLACE')],
  ['notice_cursors_advance', 'goes back', `UPDATE notice_cursors SET seq = seq - 1 WHERE ${CURSOR}`],
  ['notice_cursors_advance', 'is of another channel', `UPDATE notice_cursors SET channel = 'x' WHERE ${CURSOR}`],
  ['notice_cursors_advance', 'is of another journal', `UPDATE notice_cursors SET journal = 'x' WHERE ${CURSOR}`],
  ['notice_cursors_remain', 'is deleted', 'DELETE FROM notice_cursors'],
])

/** What the rules of owners let pass. */
export const ALLOWED_OWNERS: readonly Allowed[] = [
  { bad: passkey() },
  { bad: passkey({ owner_id: ':invited' }), before: use('invited') },
  { bad: revoke(':now') },
  { bad: invite() },
  { bad: invite({ owner_id: ':third' }) },
  { bad: invite({ owner_id: ':owner' }), before: revoke(':now') },
  { bad: use('invited') },
  { bad: answer('third'), ...ONE_YES },
  { bad: YES, before: `${two()}; ${answer('third')}; ${answer('owner')}` },
  { bad: `UPDATE approvals SET status = 'denied', answered_at = :now WHERE id = 'apr_2'`, ...ONE_YES },
  { bad: `UPDATE notice_cursors SET seq = seq + 1 WHERE ${CURSOR}` },
  { bad: `INSERT INTO notice_cursors VALUES ('ops', 'instance', 0)` },
]

export const OWNERS: readonly Case[] = [
  ...[passkeys, invitations, answers, approvals, cursors].flat(),
  ...eachColumn(
    'passkeys',
    'passkeys_stay',
    `id = 'pk_1'`,
    'id, owner_id, public_key, rp_id, origin, name, synced, transports, created_at',
  ),
  ...eachColumn(
    'invitations',
    'invitations_stay',
    'owner_id = :invited',
    'code_hash, owner_id, created_at, expires_at',
  ),
]
