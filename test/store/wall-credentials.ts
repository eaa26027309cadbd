import { type Allowed, type Case, type Changes, cases, copyOf, eachColumn } from './wall.ts'

const HASH = (digit: string) => `'${digit.repeat(64)}'`
const NEW: Changes = { id: `'crd_2'`, key_hash: HASH('2'), spent: '0', created_at: ':now' }
/** One like the owner's own, and one like what was minted with it. */
export const given = (changes: Changes = {}, or = '') =>
  copyOf('credentials', 'id = :credential', { ...NEW, ...changes }, or)
export const mint = (changes: Changes = {}, or = '') => copyOf('credentials', 'id = :task', { ...NEW, ...changes }, or)
export const set = (what: string, of = 'task') => `UPDATE credentials SET ${what} WHERE id = :${of}`

export const TOKEN: Changes = {
  ...{ key_hash: 'NULL', issuer: `'https://idp.example'`, subject: `'agent'`, audience: `'bursar'` },
  jwks_uri: `'https://idp.example/jwks'`,
}
const KEY_OR_TOKEN = '(key_hash IS NULL) = (issuer IS NOT NULL)'
const WHOLE_TOKEN =
  '(issuer IS NULL) = (subject IS NULL) AND (issuer IS NULL) = (audience IS NULL) AND (issuer IS NULL) = (jwks_uri IS NULL)'
const BUDGET = '(max_amount IS NULL) = (currency IS NULL)'
const MINTED = 'parent_id IS NULL OR (key_hash IS NOT NULL AND expires_at IS NOT NULL)'
const ANY_SCOPES = { without: ['credentials_have_known_scopes'] }
const checks = cases('credentials', [
  ['length(key_hash) = 64', 'keeps a key in place of its hash', given({ key_hash: `'bak_secret'` })],
  ['json_valid(scopes)', 'is for what nobody can read', given({ scopes: `'['` }), ANY_SCOPES],
  ['json_valid(instruments)', 'pays with what nobody can read', given({ instruments: `'['` }), ANY_SCOPES],
  ['max_amount > 0', 'may spend nothing', given({ max_amount: '0', currency: `'USD'` })],
  ['spent >= 0', 'spent less than nothing', set('spent = -1'), { without: ['credentials_get_back_what_was_held'] }],
  ['max_amount IS NULL OR spent <= max_amount', 'spent more than it may', set('spent = max_amount + 1')],
  [BUDGET, 'may spend so much of nothing', given({ max_amount: '5' })],
  [BUDGET, 'may spend any amount of something', given({ currency: `'USD'` })],
  [KEY_OR_TOKEN, 'is neither key nor tokens', given({ key_hash: 'NULL' })],
  [KEY_OR_TOKEN, 'is both key and tokens', given({ ...TOKEN, key_hash: HASH('2') })],
  ...['subject', 'audience', 'jwks_uri'].map(
    (column) => [WHOLE_TOKEN, `is tokens without ${column}`, given({ ...TOKEN, [column]: 'NULL' })] as const,
  ),
  [WHOLE_TOKEN, 'is a key for an audience', given({ audience: `'bursar'` })],
  [MINTED, 'is minted for good', mint({ expires_at: 'NULL' })],
  [MINTED, 'is minted for tokens', mint(TOKEN)],
])

const scopes = (what: string, list: string) =>
  ['credentials_have_known_scopes', what, given({ scopes: `'${list}'` })] as const
const fresh = (what: string, bad: string, more: Partial<Case> = {}) => ['credentials_are_new', what, bad, more] as const
const births = cases('credentials', [
  scopes('is for what there is not', '["bursar:pay","bursar:approve"]'),
  scopes('is for nothing by name', '["bursar:pay",null]'),
  scopes('is for nothing', '[]'),
  scopes('is for one thing twice', '["bursar:pay","bursar:pay"]'),
  scopes('is for a word, and no list', '"bursar:pay"'),
  scopes('is for something by a name of its own', '{"x":"bursar:pay"}'),
  ['credentials_have_known_scopes', 'pays with a word, and no list', given({ instruments: `'"inst_1"'` })],
  fresh('begins with something spent', given({ spent: '1' })),
  fresh('begins revoked', given({ revoked_at: ':now' })),
  fresh('begins at its end', given({ expires_at: ':now' })),
  fresh('is replaced by a wider one', given({ id: ':task' }, 'OR REPLACE')),
  fresh('is replaced by key', given({ key_hash: 'key_hash' }, 'OR REPLACE')),
  fresh('is of a revoked agent', given(), { before: `UPDATE agents SET status = 'revoked' WHERE id = :buyer` }),
  fresh('is tokens that are somebody already', given({ ...TOKEN, id: `'crd_3'`, agent_id: ':other' }), {
    before: given(TOKEN),
  }),
])

const ANY_TERMS = { without: ['credentials_keep_their_terms'] }
const narrow = (what: string, changes: Changes, before = '', more: Partial<Case> = {}) =>
  ['credentials_only_narrow', what, mint(changes), { before, ...more }] as const
const parent = (what: string, changes: Changes, terms: string) =>
  narrow(what, changes, set(terms, 'credential'), ANY_TERMS)
export const deep = (n: number, of: string, changes: Changes = {}) =>
  mint({ id: `'crd_${n}'`, key_hash: HASH(`${n}`), parent_id: of, ...changes })
const DEEP = `${deep(3, ':task')}; ${deep(4, `'crd_3'`)}`
/** What is minted with one credential as often as may be. */
export const HUNDRED = `INSERT INTO credentials SELECT 'crd_n' || n.key, agent_id, c.id, printf('%064d', n.key), NULL, NULL, NULL, NULL,
        scopes, instruments, max_amount, currency, 0, NULL, :now, expires_at, NULL FROM credentials c,
        json_each('[' || substr(replace(hex(zeroblob(100)), '00', ',0'), 2) || ']') n WHERE c.id = :task`
const minting = cases('credentials', [
  narrow('is minted with what there is not', { parent_id: `'crd_none'` }),
  narrow("is minted with another agent's", { agent_id: ':other' }),
  narrow('is minted four deep', { parent_id: `'crd_4'` }, DEEP),
  narrow('is minted with what was revoked', {}, set('revoked_at = :now', 'credential')),
  narrow(
    'is said to be minted before that was revoked',
    { created_at: ':now - 9' },
    set('revoked_at = :now', 'credential'),
  ),
  narrow('is minted below what was revoked', { parent_id: ':task' }, set('revoked_at = :now', 'credential')),
  narrow(
    'is minted two below what was revoked',
    { parent_id: `'crd_3'` },
    `${deep(3, ':task')}; ${set('revoked_at = :now', 'credential')}`,
  ),
  narrow('lives longer than what it is minted with', { parent_id: ':task', expires_at: 'expires_at + 1' }),
  narrow('lives longer than what is above that', { parent_id: ':task' }, set('expires_at = :now + 9', 'credential')),
  narrow(
    'lives longer than what is two above',
    { parent_id: `'crd_3'` },
    `${deep(3, ':task')}; ${set('expires_at = :now + 9', 'credential')}`,
  ),
  parent('may more', {}, `scopes = '["bursar:read","bursar:pay"]'`),
  parent('pays with any instrument', {}, `instruments = '["inst_1"]'`),
  parent('pays with another instrument', { instruments: `'["inst_1","inst_2"]'` }, `instruments = '["inst_1"]'`),
  parent('may spend any amount', { max_amount: 'NULL', currency: 'NULL' }, `max_amount = 900000000, currency = 'USDC'`),
  narrow('may spend more', { parent_id: ':task', max_amount: 'max_amount + 1' }),
  narrow('may spend another currency', { parent_id: ':task', currency: `'USD'` }),
  [
    'credentials_are_few',
    'is one of more than a hundred',
    mint({ parent_id: ':task' }),
    {
      before: HUNDRED,
    },
  ],
])

const REVOKED = { before: set('revoked_at = :now') }
const ends = (what: string, bad: string, more: Partial<Case> = {}) =>
  ['credentials_end_for_good', what, bad, more] as const
const back = (what: string, bad: string, before = '', without: readonly string[] = []) =>
  ['credentials_get_back_what_was_held', what, bad, { before, without }] as const
const HELD = '(SELECT max(held) FROM payments WHERE agent_id = :buyer)'
const lives = cases('credentials', [
  ends('comes back', set('revoked_at = NULL'), REVOKED),
  ends('was revoked at another time', set('revoked_at = :now + 1'), REVOKED),
  ends('lives longer', set('expires_at = expires_at + 1')),
  ends('lives for good', set('expires_at = NULL')),
  ['credentials_remain', 'is deleted', 'DELETE FROM credentials WHERE id = :task'],
  back('has spent nothing', set('spent = 0')),
  back('has spent less than nobody gave back', set('spent = spent - 1', 'idle'), set('spent = 1', 'idle')),
  back('gets back more than was held', set(`spent = spent - ${HELD} - 1`)),
  back(
    'gets back what is not held any more',
    set('spent = spent - 1'),
    `UPDATE payments SET held = 0 WHERE agent_id = :buyer`,
    ['payments_are_void_on_proof'],
  ),
])
const agents = cases('agents', [
  ['agents_keep_needing_a_key', 'needs no key any more', 'UPDATE agents SET key_hash = NULL WHERE id = :buyer'],
])

/** What the rules of credentials let pass. */
export const ALLOWED_CREDENTIALS: readonly Allowed[] = [
  { bad: given() },
  { bad: given(TOKEN) },
  {
    bad: given({ ...TOKEN, id: `'crd_3'` }),
    before: `${given(TOKEN)}; UPDATE credentials SET revoked_at = 1 WHERE id = 'crd_2'`,
  },
  { bad: mint() },
  { bad: mint({ parent_id: ':task', scopes: `'["bursar:pay"]'`, max_amount: '1', expires_at: ':now + 1' }) },
  { bad: mint({ parent_id: `'crd_3'` }), before: deep(3, ':task') },
  { bad: set('revoked_at = :now') },
  { bad: set('expires_at = :now') },
  { bad: set('expires_at = :now', 'credential') },
  { bad: set(`spent = spent - ${HELD}`) },
  { bad: 'UPDATE agents SET key_hash = NULL WHERE id = :agent' },
]

export const CREDENTIALS: readonly Case[] = [
  ...[checks, births, minting, lives, agents].flat(),
  ...eachColumn('credentials', 'credentials_keep_their_key', 'id = :task', 'key_hash'),
  ...eachColumn(
    'credentials',
    'credentials_keep_their_terms',
    'id = :task',
    'id, agent_id, parent_id, issuer, subject, audience, jwks_uri, scopes, instruments, max_amount, currency, label, created_at',
  ),
]
