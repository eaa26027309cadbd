import { type Allowed, type Case, type Changes, cases, copyOf, eachColumn } from './wall.ts'
import { OTHER_RELAYER } from './wall-transfers.ts'

const HASH = `'0x${'b'.repeat(64)}'`
const ADDRESS = `0x${'b'.repeat(40)}`

const fresh = { id: `'wal_2'`, name: `'second'`, account: `'eip155:84532:${ADDRESS}'`, allows: `'[]'` }
const wallet = (changes: Changes, of = 'onchain', or = '') =>
  copyOf('wallets', `id = :${of}`, { ...fresh, ...changes }, or)
const CHAINED = 'wallets_are_on_a_chain_or_not'
const OWN = 'wallets_have_their_own_account'
const wallets = cases('wallets', [
  [
    'json_valid(confirmations)',
    'waits for what nobody can read',
    `UPDATE wallets SET confirmations = '[' WHERE id = :onchain`,
  ],
  [CHAINED, 'has an asset and no account', wallet({ account: 'NULL' })],
  [CHAINED, 'has an asset and no relayer', wallet({ relayer: 'NULL' })],
  [CHAINED, 'has an asset and waits for nothing', wallet({ confirmations: `'[]'` })],
  [CHAINED, 'has an account and no asset', wallet({}, 'wallet')],
  [CHAINED, 'has a relayer and no asset', wallet({ account: 'NULL', relayer: ':relayer' }, 'wallet')],
  [
    CHAINED,
    'waits for a chain and has no asset',
    wallet({ account: 'NULL', confirmations: `'[{"upTo":null,"at":"finalized"}]'` }, 'wallet'),
  ],
  [OWN, 'takes the place of the one with its account', wallet({ account: 'account' }, 'onchain', 'OR REPLACE')],
  [
    OWN,
    'has the account of another, spelled otherwise',
    wallet({ account: 'upper(account)', asset: 'lower(asset)' }, 'onchain', 'OR REPLACE'),
  ],
])

const deposit = (changes: Changes = {}, or = '') =>
  copyOf('deposits', 'wallet_id = :onchain', { tx_hash: HASH, seq: '1000', ...changes }, or)
const SEEN = { tx_hash: 'tx_hash', position: 'position' }
const deposits = cases('deposits', [
  ['length(tx_hash) = 66 AND tx_hash = lower(tx_hash)', 'has half a hash', deposit({ tx_hash: `'0xb'` })],
  [
    'length(tx_hash) = 66 AND tx_hash = lower(tx_hash)',
    'is another by its spelling',
    deposit({ tx_hash: `upper(${HASH})` }),
  ],
  ['position >= 0', 'comes before the first', deposit({ position: '-1' })],
  ['amount > 0', 'is of nothing', deposit({ amount: '0' })],
  ['length(from_address) = 42', 'comes from half an address', deposit({ from_address: `'0xb'` })],
  ['block >= 0', 'comes before the first block', deposit({ block: '-1' })],
  ['deposits_are_new', 'is credited again', deposit(SEEN, 'OR REPLACE')],
  ['deposits_are_new', 'is replaced by a bigger one', deposit({ ...SEEN, amount: 'amount + 1' }, 'OR REPLACE')],
  ['deposits_are_new', 'takes the place of another', deposit({ seq: 'seq' }, 'OR REPLACE')],
  ['deposits_remain', 'is deleted', 'DELETE FROM deposits WHERE wallet_id = :onchain'],
])

const FIVE = { before: deposit({ amount: '5' }) }
const ENTRY = `wallet_id = :onchain AND kind = 'fund'`
const entry = (changes: Changes) => copyOf('entries', ENTRY, { n: '77', ...changes })
const typed = (what: string, changes: Changes, more: Partial<Case> = {}) =>
  ['entries_come_from_deposits', what, entry(changes), more] as const
/** Money of a card wallet is typed in; and what goes out of an account is no deposit. */
const TYPED = copyOf('entries', `wallet_id = :wallet AND kind = 'fund'`, { seq: '1000', n: '78' })
const PAID_OUT = entry({ seq: '1000', n: '78', kind: `'forced'`, debit: `'available'`, credit: `'external'` })
const back = (payment: string) => ({ kind: `'refund'`, payment_id: payment, amount: '1' })
const entries = cases('entries', [
  typed('is money that nobody sent', { seq: '1000' }),
  typed('is more than was sent', { seq: '1000', amount: '6' }, FIVE),
  typed('is more of what was sent', { amount: '1' }),
  typed('is what was sent in another journal', { journal: `'wal_2'` }),
  typed('is what was sent to another wallet', { journal: `'wal_2'`, wallet_id: `'wal_2'` }, { before: wallet({}) }),
  typed('is what was sent by another name', { seq: '1000', amount: '5', kind: `'void'` }, FIVE),
  typed('comes back by another name', { ...back(':moved'), kind: `'void'` }),
  typed('comes back from nobody', back('NULL')),
  typed('comes back and was never signed', back(':unsigned')),
  typed('comes back and never went', back(':signed')),
  typed('comes back as more than went', {
    ...back(':moved'),
    amount: '(SELECT value + 1 FROM transfers WHERE payment_id = :moved)',
  }),
  typed('comes back to another wallet', { ...back(':moved'), wallet_id: `'wal_2'` }, { before: wallet({}) }),
])

const scans = cases('scans', [
  ['block >= 0', 'comes before the first block', 'UPDATE scans SET block = -1'],
  ['scans_keep_their_wallet', 'is of another wallet', 'UPDATE scans SET wallet_id = :otherWallet'],
  ['scans_remain', 'is deleted', 'DELETE FROM scans'],
])

const relayers = cases('relayers', [
  ['daily_max >= 0', 'may spend less than nothing', 'UPDATE relayers SET daily_max = -1'],
  ['relayers_keep_their_account', 'is another', `UPDATE relayers SET id = 'other'`],
  ['relayers_remain', 'is deleted', 'DELETE FROM relayers'],
])

const MAX = '(SELECT daily_max FROM relayers WHERE id = :relayer)'
const begin = (held: string, spent: string, day = '2026-03-11', relayer = ':relayer') =>
  `INSERT INTO fee_days VALUES (${relayer}, '${day}', ${held}, ${spent})`
const fees = (set: string) => `UPDATE fee_days SET ${set} WHERE relayer = :relayer`
const feeDays = cases('fee_days', [
  ['length(day) = 10', 'is of no day', begin('0', '0', 'today')],
  ['held >= 0', 'holds less than nothing', fees('held = -1')],
  ['spent >= 0', 'brought something in', begin('0', '-1')],
  ['fee_days_are_new', 'begins again', 'REPLACE INTO fee_days SELECT relayer, day, 0, 0 FROM fee_days'],
  [
    'fee_days_are_new',
    'is upserted',
    'INSERT INTO fee_days SELECT * FROM fee_days WHERE true ON CONFLICT DO UPDATE SET held = 0',
  ],
  ['fee_days_spend_for_good', 'gets a fee back', fees('spent = spent - 1')],
  ['fee_days_begin_within_cap', 'begins over the most', begin(`${MAX} + 1`, '0')],
  ['fee_days_begin_within_cap', 'begins over the most with what was spent', begin('1', MAX)],
  ['fee_days_begin_within_cap', 'begins for one without a limit', begin('1', '0', '2026-03-11', `'other'`)],
  ['fee_days_grow_within_cap', 'grows over the most', fees(`held = ${MAX} - spent + 1`)],
  ['fee_days_grow_within_cap', 'grows over the most by a little', fees('held = held + 1'), { before: atMost() }],
  ['fee_days_grow_within_cap', 'grows and spends over the most', fees('held = held + 1, spent = spent + 1000000000')],
  ['fee_days_remain', 'is deleted', 'DELETE FROM fee_days'],
])

function atMost(): string {
  return `UPDATE relayers SET daily_max = (SELECT held + spent FROM fee_days)`
}

const known = (changes: Changes) => copyOf('known_payees', 'wallet_id = :onchain', changes)
const payee = (of: string) => `(SELECT payee_key FROM payments WHERE id = :${of})`
const looksLike = (account: string) => ({
  account,
  shape: `format('%s…%s', lower(substr(${account}, -40, 4)), lower(substr(${account}, -4)))`,
})
const knows = (what: string, account: string, changes: Changes = {}) =>
  ['known_payees_were_paid', what, known({ ...looksLike(account), ...changes })] as const
const ANYBODY = { without: ['known_payees_were_paid'] }
const SHAPE = "shape = lower(substr(account, -40, 4)) || '…' || lower(substr(account, -4))"
const knownPayees = cases('known_payees', [
  ['payments > 0', 'was never paid', 'UPDATE known_payees SET payments = 0'],
  [SHAPE, 'looks like another', known({ account: payee('signed'), shape: `'0a2b…c3d5'` }), ANYBODY],
  [SHAPE, 'looks like nobody', known({ account: payee('signed'), shape: `''` }), ANYBODY],
  knows('was never paid', payee('unsigned')),
  knows('was only to be paid', payee('signed')),
  knows('looks like who was paid', payee('alike')),
  knows('was paid on another chain', `replace(account, '84532', '8453')`),
  knows('was paid by another wallet', 'account', { wallet_id: ':otherWallet' }),
  knows('is who was paid, spelled otherwise', 'lower(account)'),
  ['known_payees_remain', 'is deleted', 'DELETE FROM known_payees'],
])

/** A payment that is held as the rules want it, to the payee of another one. */
const HELD = `INSERT INTO entries SELECT wallet_id, seq, 9, wallet_id, 'pay_2', 'hold', 'available', 'held', amount
  FROM payments WHERE id = :unsigned`
const pay = (of: string, changes: Changes = {}) =>
  copyOf('payments', 'id = :unsigned', {
    ...{ id: `'pay_2'`, status: `'authorized'`, payee_key: payee(of) },
    ...{ payee: `(SELECT payee FROM payments WHERE id = :${of})`, ...changes },
  })
const constrained = (list: string, account: string, of = 'usdc') => ({
  before: `${HELD}; UPDATE instruments SET constraints = json_object('${list}', json_array('x', ${account})) WHERE id = :${of}`,
  without: ['instruments_keep_their_terms'],
})
const alike = (what: string, bad = pay('alike'), more: Partial<Case> = { before: HELD }) =>
  ['payments_to_look_alikes_wait', what, bad, more] as const
const WAITS = { status: `'awaiting_approval'`, held: '0', authorized_at: 'NULL' }
const named = (what: string, changes: Changes, before = HELD) =>
  ['payments_go_to_their_payee', what, pay('unsigned', changes), { before }] as const
const payments = cases('payments', [
  alike('pays a look-alike'),
  alike(
    'pays who was paid before, spelled otherwise',
    pay('moved', {
      payee: `(SELECT json_set(payee, '$.address', lower(payee ->> 'address')) FROM payments WHERE id = :moved)`,
      payee_key: `lower(${payee('moved')})`,
    }),
  ),
  alike('pays a look-alike, and may pay others', pay('alike'), constrained('addresses', payee('moved'))),
  alike('pays a look-alike that is named elsewhere', pay('alike'), constrained('origins', payee('alike'))),
  alike(
    'pays a look-alike that another instrument may pay',
    pay('alike'),
    constrained('addresses', payee('alike'), 'card'),
  ),
  alike('pays a look-alike that another wallet paid', pay('alike'), {
    before: `${HELD}; ${known({ wallet_id: ':otherWallet', account: payee('alike') })}`,
    without: ['known_payees_were_paid'],
  }),
  alike(
    'pays a look-alike whose address is part of another name',
    pay('alike'),
    constrained('addresses', `format('"%s" and more', ${payee('alike')})`),
  ),
  named('pays one account and counts for another', { payee_key: payee('moved') }),
  named('pays an account and counts for a name', { payee_key: `'name:acme'` }),
  named('pays an account on no chain', { payee: `json_remove(payee, '$.network')` }),
  named('is asked about for one account and pays another', { ...WAITS, payee_key: payee('moved') }, ''),
])

/** What the rules of chains let pass. */
export const ALLOWED_ON_CHAIN: readonly Allowed[] = [
  { bad: wallet({}) },
  { bad: wallet({ account: 'account', asset: `replace(asset, '84532', '8453')` }) },
  { bad: deposit() },
  { bad: deposit({ ...SEEN, position: '1' }) },
  { bad: deposit({ ...SEEN, seq: 'seq', wallet_id: ':otherWallet' }) },
  { bad: entry({ seq: '1000', amount: '5' }), ...FIVE },
  { bad: entry({ seq: '1000', amount: '5' }), before: `${FIVE.before}; ${PAID_OUT}` },
  { bad: entry({ seq: '1000', amount: '5' }), before: `${FIVE.before}; ${TYPED}` },
  { bad: TYPED },
  { bad: PAID_OUT },
  { bad: entry(back(':moved')) },
  { bad: 'UPDATE scans SET block = block - 1' },
  { bad: 'UPDATE relayers SET daily_max = daily_max + 1' },
  { bad: begin(MAX, '0') },
  { bad: begin('1', '1', '2026-03-10', `'other'`), before: OTHER_RELAYER },
  { bad: fees('held = held + 1, spent = spent + 1') },
  { bad: fees('held = held - 1, spent = spent + 1000'), before: atMost() },
  { bad: 'UPDATE known_payees SET payments = payments + 1' },
  { bad: pay('unsigned'), before: HELD },
  { bad: pay('moved'), before: HELD },
  { bad: pay('alike', WAITS) },
  { bad: pay('alike'), ...constrained('addresses', payee('alike')) },
  {
    bad: pay('unsigned'),
    before: `${HELD}; ${known({ wallet_id: ':otherWallet', ...looksLike(`replace(${payee('unsigned')}, '2c3', '3c3')`) })}`,
    without: ['known_payees_were_paid'],
  },
]

export const ON_CHAIN: readonly Case[] = [
  ...[wallets, deposits, entries, scans, relayers, feeDays, knownPayees, payments].flat(),
  ...eachColumn('wallets', 'wallets_keep_their_account', 'id = :onchain', 'asset, account, relayer'),
  ...eachColumn(
    'deposits',
    'deposits_stay',
    'wallet_id = :onchain',
    'wallet_id, tx_hash, position, amount, from_address, block, seq',
  ),
  ...eachColumn('fee_days', 'fee_days_keep_their_day', 'relayer = :relayer', 'relayer, day'),
  ...eachColumn('known_payees', 'known_payees_keep_their_account', 'wallet_id = :onchain', 'wallet_id, account, shape'),
]
