import { type Case, cases, copyOf } from './wall.ts'
import { begin, TAKEN } from './wall-x402.ts'

const VERSION = { before: 'INSERT INTO schema_version SELECT 2 WHERE NOT EXISTS (SELECT 1 FROM schema_version)' }
const version = cases('schema_version', [
  ['schema_version_remains', 'is deleted', 'DELETE FROM schema_version', VERSION],
  ['schema_version_advances', 'goes back', 'UPDATE schema_version SET version = version - 1', VERSION],
  [
    'version > 0',
    'is of no migration',
    'UPDATE schema_version SET version = 0',
    { ...VERSION, without: ['schema_version_advances'] },
  ],
  ['unique schema_version_is_one', 'is one of two', 'INSERT INTO schema_version VALUES (9)', VERSION],
])

/** Every table: nothing empties it, not even by way of another that it belongs to. */
const TABLES = [
  ...['owners', 'agents', 'wallets', 'accounts', 'entries', 'limits', 'counters', 'approvals', 'answers', 'requests'],
  ...[
    'instruments',
    'payments',
    'rails',
    'events',
    'heads',
    'texts',
    'transfers',
    'relayers',
    'broadcasts',
    'fee_days',
  ],
  ...['deposits', 'scans', 'known_payees', 'purchases', 'credentials', 'passkeys', 'invitations', 'notice_cursors'],
]
/** Whose rows may leave one by one: a wall of its own keeps all from leaving at once. */
const LEAVING = ['payments', 'purchases']
const emptied = [
  ...TABLES.map((table) => [table, `${table}_${LEAVING.includes(table) ? 'are_not_emptied' : 'remain'}`]),
  ['instance', 'instance_remains'],
].flatMap(([table = '', wall = '']) => cases(table, [[wall, 'is emptied out', `TRUNCATE ${table} CASCADE`]]))

const TOKEN = {
  ...{ id: `'crd_2'`, key_hash: 'NULL', issuer: `'https://idp.example'`, subject: `'agent'`, audience: `'bursar'` },
  ...{ jwks_uri: `'https://idp.example/jwks'`, spent: '0', created_at: ':now' },
}
const given = (id: string) => copyOf('credentials', 'id = :credential', { ...TOKEN, id })
/** What two writers at once would each not see of the other is a key. */
const keys: readonly Case[] = [
  ...cases('instance', [
    [
      'unique instance_one',
      'is a second one that the first did not see',
      `INSERT INTO instance VALUES ('ins_2', 0, false)`,
      { without: ['instance_is_one'] },
    ],
  ]),
  ...cases('credentials', [
    [
      'unique credentials_live_subject',
      'is tokens that became somebody meanwhile',
      given(`'crd_3'`),
      { before: given(`'crd_2'`), without: ['credentials_are_new'] },
    ],
  ]),
]

const unheld = cases('payments', [
  [
    'payments_begin_allowed',
    'begins by an instrument whose lists are no lists',
    begin(),
    {
      before: `${TAKEN}; UPDATE instruments SET constraints = '[]' WHERE id = :usdc`,
      without: ['instruments_keep_their_terms'],
    },
  ],
])

const LAST = 'journal = :wallet AND seq = (SELECT max(seq) FROM events WHERE journal = :wallet)'
/** Of the seed, all of it is old enough to be archived: by the rules, and by nothing else, one event. */
const OLD = `journal = :wallet AND type = 'wallet.funded'`
const archived = cases('events', [
  ['events_are_whole', 'begins without a body', copyOf('events', LAST, { seq: 'seq + 1', body: 'NULL' })],
  ...[
    ['is archived with another leaf', `body = NULL, leaf = zeroblob(32) WHERE ${OLD}`],
    ['is archived with another type', `body = NULL, type = 'x' WHERE ${OLD}`],
    ['is archived with another place', `body = NULL, seq = seq + 1000 WHERE ${OLD}`],
    ['is archived with another journal', `body = NULL, journal = 'new' WHERE ${OLD}`],
    ['is archived, and says which journals there are', `body = NULL WHERE type = 'journal.opened'`],
    ['is archived while its payment is open', `body = NULL WHERE strpos(body, '"payment_id":"' || :open) > 0`],
    ['is archived while its payment waits', `body = NULL WHERE strpos(body, '"payment_id":"' || :waiting) > 0`],
    ['is archived while its payment is in doubt', `body = NULL WHERE strpos(body, '"payment_id":"' || :doubtful) > 0`],
    [
      'is archived while its transfer is not final',
      `body = NULL WHERE type = 'payment.captured' AND strpos(body, :moved) > 0`,
    ],
    ['is archived while its request waits', `body = NULL WHERE strpos(body, '"request_id":"' || :pending) > 0`],
    [
      'is archived while its instrument is active',
      `body = NULL WHERE type = 'instrument.provisioned' AND strpos(body, :card) > 0`,
    ],
  ].map(([what = '', change = '']) => ['events_stay', what, `UPDATE events SET ${change}`] as const),
])

/** What only PostgreSQL lets anybody try, or refuses. */
export const POSTGRES: readonly Case[] = [...version, ...emptied, ...keys, ...unheld, ...archived]
