import { type Case, cases, copyOf, eachColumn } from './wall.ts'

const OWNER = 'id = :owner'
const WALLET = 'id = :wallet'
const EVENT = `journal = :wallet AND seq = 3`
const END = `journal = :wallet AND seq = (SELECT max(seq) FROM events WHERE journal = :wallet)`
const HASH = `'${'a'.repeat(64)}'`

const instance = cases('instance', [
  ['frozen IN (0, 1)', 'freezes by half', 'UPDATE instance SET frozen = 2'],
  ['instance_is_one', 'makes a second instance', `INSERT INTO instance VALUES ('ins_2', 0, false)`],
  ['instance_is_one', 'replaces the instance', copyOf('instance', 'true', { frozen: 'false' }, 'OR REPLACE')],
  ['instance_stays', 'renames the instance', `UPDATE instance SET id = 'ins_2'`],
  ['instance_remains', 'deletes the instance', 'DELETE FROM instance'],
])

const owners = cases('owners', [
  ['owners_are_new', 'replaces the owner by another key', copyOf('owners', OWNER, { public_key: "'x'" }, 'OR REPLACE')],
  ['owners_are_new', 'replaces the owner by the key', copyOf('owners', OWNER, { id: "'own_2'" }, 'OR REPLACE')],
  [
    'owners_are_new',
    'upserts another key',
    `INSERT INTO owners SELECT id, name, 'x', 0 FROM owners WHERE ${OWNER} ON CONFLICT (id) DO UPDATE SET public_key = 'x'`,
  ],
  ['owners_stay', 'gives the owner another key', `UPDATE owners SET public_key = 'x' WHERE ${OWNER}`],
  ['owners_stay', 'renames the owner', `UPDATE owners SET id = 'own_2' WHERE ${OWNER}`],
  ['owners_remain', 'deletes the owner', `DELETE FROM owners WHERE ${OWNER}`],
])

const revoked = { before: `UPDATE agents SET status = 'revoked' WHERE id = :other` }
const agents = cases('agents', [
  [
    'key_hash IS NULL OR length(key_hash) = 64',
    'keeps a key instead of its hash',
    `INSERT INTO agents VALUES ('agt_2', 'x', 'bak_secret', 'active', 0)`,
  ],
  ["status IN ('active', 'revoked')", 'has another status', `UPDATE agents SET status = 'paused' WHERE id = :other`],
  ['agents_are_new', 'is replaced by id', copyOf('agents', 'id = :other', { name: "'x'" }, 'OR REPLACE')],
  ['agents_are_new', 'is replaced by name', `REPLACE INTO agents VALUES ('agt_2', 'other', NULL, 'active', 0)`],
  [
    'agents_are_new',
    'is replaced by key',
    copyOf('agents', 'id = :other', { id: "'agt_2'", name: "'x'" }, 'OR REPLACE'),
  ],
  ['agents_stay_revoked', 'comes back', `UPDATE agents SET status = 'active' WHERE id = :other`, revoked],
  [
    'agents_stay_revoked',
    'gets a new key once revoked',
    `UPDATE agents SET key_hash = ${HASH} WHERE id = :other`,
    revoked,
  ],
  ['agents_remain', 'is deleted', 'DELETE FROM agents WHERE id = :other'],
])

const fresh = { id: "'wal_2'", name: "'second'" }
const wallets = cases('wallets', [
  ["mode IN ('sandbox', 'live')", 'has another mode', copyOf('wallets', WALLET, { ...fresh, mode: "'test'" })],
  ['decimals BETWEEN 0 AND 9', 'has ten decimals', copyOf('wallets', WALLET, { ...fresh, decimals: '10' })],
  ['decimals BETWEEN 0 AND 9', 'has less than no decimals', copyOf('wallets', WALLET, { ...fresh, decimals: '-1' })],
  ["status IN ('active', 'frozen')", 'has another status', `UPDATE wallets SET status = 'open' WHERE ${WALLET}`],
  ['json_valid(approvals)', 'has a policy that nobody can read', `UPDATE wallets SET approvals = '[' WHERE ${WALLET}`],
  ['wallets_are_new', 'is replaced by id', copyOf('wallets', WALLET, { agent_id: ':other' }, 'OR REPLACE')],
  ['wallets_are_new', 'is replaced by name', copyOf('wallets', WALLET, { id: "'wal_2'" }, 'OR REPLACE')],
  ['wallets_remain', 'is deleted', 'DELETE FROM wallets WHERE id = :otherWallet'],
])

const balance = (set: string) => `UPDATE accounts SET ${set} WHERE wallet_id = :wallet`
const accounts = cases('accounts', [
  ['available >= 0', 'spends what is not there', balance('external = external + available + 1, available = -1')],
  ['held >= 0', 'holds less than nothing', balance('external = external + held + 1, held = -1')],
  ['overdrawn <= 0', 'is owed by a network', balance('external = external - 1, overdrawn = 1')],
  ['available + held + external + overdrawn = 0', 'makes money', balance('available = available + 1')],
  ['available + held + external + overdrawn = 0', 'loses money', balance('held = held - 1')],
  ['accounts_are_new', 'is replaced', `REPLACE INTO accounts VALUES (:wallet, 1, 0, -1, 0)`],
  ['accounts_keep_their_wallet', 'goes to another wallet', balance(`wallet_id = 'wal_2'`)],
  ['accounts_remain', 'is deleted', 'DELETE FROM accounts WHERE wallet_id = :wallet'],
])

const FUNDED = `wallet_id = :wallet AND kind = 'fund'`
const entry = (changes: Record<string, string>) => copyOf('entries', FUNDED, { n: '77', ...changes })
const ACCOUNT = "('available', 'held', 'external', 'overdrawn')"
const entries = cases('entries', [
  ["kind IN ('fund', 'hold', 'capture', 'void', 'refund', 'forced')", 'is a gift', entry({ kind: "'gift'" })],
  [`debit IN ${ACCOUNT}`, 'comes from nowhere', entry({ debit: "'nowhere'" })],
  [`credit IN ${ACCOUNT} AND credit <> debit`, 'goes nowhere', entry({ credit: "'nowhere'" })],
  [`credit IN ${ACCOUNT} AND credit <> debit`, 'goes round', entry({ credit: 'debit' })],
  ['amount > 0', 'moves nothing', entry({ amount: '0' })],
  ['amount > 0', 'moves backwards', entry({ amount: '-100' })],
  ['entries_are_new', 'is replaced', copyOf('entries', FUNDED, { amount: '1' }, 'OR REPLACE')],
  ['entries_stay', 'is changed', `UPDATE entries SET amount = amount + 1 WHERE ${FUNDED}`],
  ['entries_remain', 'is deleted', `DELETE FROM entries WHERE ${FUNDED}`],
])

const event = (changes: Record<string, string>, or = '') => copyOf('events', END, { seq: 'seq + 1', ...changes }, or)
const upsert = 'ON CONFLICT DO UPDATE SET body = excluded.body'
const events = cases('events', [
  ['seq >= 0', 'begins before the beginning', event({ journal: "'new'", seq: '-1' }), { without: ['events_append'] }],
  ['json_valid(body)', 'is no JSON', event({ body: "'{'" })],
  ['length(leaf) = 32', 'has half a hash', event({ leaf: 'zeroblob(16)' })],
  ['events_append', 'leaves a gap', event({ seq: 'seq + 2' })],
  ['events_append', 'comes before others', event({ seq: '-1' })],
  ['events_append', 'begins a journal in the middle', event({ journal: "'new'", seq: '1' })],
  ['events_append', 'takes the place of another', copyOf('events', EVENT, { body: "'{}'" })],
  ['events_append', 'replaces one', copyOf('events', EVENT, { body: "'{}'" }, 'OR REPLACE')],
  ['events_append', 'replaces the last', copyOf('events', END, { body: "'{}'" }, 'OR REPLACE')],
  ['events_append', 'is upserted', `INSERT INTO events VALUES (:wallet, 3, 'x', '{}', zeroblob(32)) ${upsert}`],
  ['events_stay', 'is changed', `UPDATE events SET body = replace(body, '20.00', '2.00') WHERE journal = :wallet`],
  ['events_stay', 'is moved to the end', `UPDATE events SET seq = seq + 1000 WHERE ${EVENT}`],
  ['events_stay', 'replaces its neighbour', `UPDATE OR REPLACE events SET seq = 4 WHERE ${EVENT}`],
  ['events_remain', 'is deleted', `DELETE FROM events WHERE ${EVENT}`],
  ['events_remain', 'is cut off', `DELETE FROM events WHERE ${END}`],
])

const HEAD = 'journal = :wallet'
const heads = cases('heads', [
  ['size > 0', 'is of no event', copyOf('heads', HEAD, { journal: "'new'", size: '0' })],
  [
    'length(frontier) % 32 = 0',
    'has half a hash',
    copyOf('heads', HEAD, { journal: "'new'", frontier: 'zeroblob(33)' }),
  ],
  ['length(mac) = 32', 'has half a seal', copyOf('heads', HEAD, { journal: "'new'", mac: 'zeroblob(16)' })],
  ['heads_are_ahead', 'is replaced', copyOf('heads', HEAD, { checkpoint: "'x'" }, 'OR REPLACE')],
  ['heads_are_ahead', 'is replaced by an older one', copyOf('heads', HEAD, { size: 'size - 1' }, 'OR REPLACE')],
  ['heads_advance', 'stays', `UPDATE heads SET checkpoint = 'x' WHERE ${HEAD}`],
  ['heads_advance', 'goes back', `UPDATE heads SET size = size - 1 WHERE ${HEAD}`],
  ['heads_advance', 'goes to another journal', `UPDATE heads SET journal = 'x', size = size + 1 WHERE ${HEAD}`],
  ['heads_remain', 'is deleted', `DELETE FROM heads WHERE ${HEAD}`],
])

const erased = { before: 'UPDATE texts SET text = NULL' }
const texts = cases('texts', [
  ['length(digest) = 64', 'has no digest', `INSERT INTO texts VALUES ('x', 'y', 'z')`],
  ['texts_are_new', 'is replaced', copyOf('texts', 'true', { text: "'other words'" }, 'OR REPLACE')],
  ['texts_are_new', 'comes back when erased', copyOf('texts', 'true', { text: "'x'" }, 'OR REPLACE'), erased],
  ['texts_are_only_erased', 'is changed', `UPDATE texts SET text = 'other words'`],
  ['texts_are_only_erased', 'gets another salt', `UPDATE texts SET salt = 'x', text = NULL`],
  ['texts_are_only_erased', 'gets another digest', `UPDATE texts SET digest = ${HASH}, text = NULL`],
  ['texts_are_only_erased', 'is written again', `UPDATE texts SET text = 'x'`, erased],
  ['texts_remain', 'is deleted', 'DELETE FROM texts'],
])

const rails = cases('rails', [
  ["id IN ('virtual_card', 'usdc')", 'is not one of bursar', `INSERT INTO rails VALUES ('sepa', '')`],
  ['rails_remain', 'is deleted', 'DELETE FROM rails'],
])

export const BOOKS: readonly Case[] = [
  ...[instance, owners, agents, wallets, accounts, entries, events, heads, texts, rails].flat(),
  ...eachColumn('agents', 'agents_keep_their_name', 'id = :other', 'id, name, created_at'),
  ...eachColumn(
    'wallets',
    'wallets_keep_their_terms',
    WALLET,
    'id, name, owner_id, agent_id, mode, currency, decimals, time_zone, created_at',
  ),
]
