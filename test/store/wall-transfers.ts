import { type Allowed, type Case, type Changes, cases, copyOf, eachColumn } from './wall.ts'

export const HEX = (digits: number, of = 'b') => `'0x${of.repeat(digits)}'`
/** The columns of a transfer, as a payment and its wallet say them. */
const SIGNED: Changes = {
  ...{ payment_id: 'p.id', wallet_id: 'p.wallet_id', asset: 'w.asset', from_address: 'substr(w.account, -42)' },
  ...{ to_address: `p.payee ->> 'address'`, value: 'p.amount', valid_before: 'p.valid_until / 1000' },
  ...{ nonce: HEX(64), signature: HEX(130), from_block: '7', status: `'open'` },
  ...{ tx_hash: 'NULL', block: 'NULL', void_proof: 'NULL', signed_at: ':now' },
  ...{ kind: `'eip3009'`, facilitator: 'NULL', moved: 'NULL' },
}
/** Signs a payment of which nothing was signed yet, unless told otherwise. */
export const sign = (changes: Changes = {}, of = 'unsigned', or = '') =>
  `INSERT ${or} INTO transfers SELECT ${Object.values({ ...SIGNED, ...changes }).join(', ')}
  FROM payments p JOIN wallets w ON w.id = p.wallet_id WHERE p.id = :${of}`
export const change = (of: string, set: string) => `UPDATE transfers SET ${set} WHERE payment_id = :${of}`
export const pay = (of: string, set: string) => `UPDATE payments SET ${set} WHERE id = :${of}`

const ANY = { without: ['transfers_are_authorized'] }
const checks = cases('transfers', [
  ['length(from_address) = 42', 'comes from half an address', sign({ from_address: `'0xAb'` }), ANY],
  ['length(to_address) = 42', 'goes to half an address', sign({ to_address: `'0xAb'` }), ANY],
  ['value > 0', 'moves nothing', sign({ value: '0' }), ANY],
  ['value > 0', 'moves backwards', sign({ value: '-1' }), ANY],
  ['length(nonce) = 66', 'has half a nonce', sign({ nonce: HEX(32) })],
  ['length(signature) = 132', 'has half a signature', sign({ signature: HEX(64) })],
  ['from_block >= 0', 'was signed before the first block', sign({ from_block: '-1' })],
  ["status IN ('open', 'final')", 'has another status', change('moved', `status = 'lost'`)],
  ['(tx_hash IS NULL) = (block IS NULL)', 'was seen in no block', change('signed', `tx_hash = ${HEX(64)}`)],
  ['(tx_hash IS NULL) = (block IS NULL)', 'was seen in no transaction', change('signed', 'block = 8')],
  [
    "void_proof IS NULL OR (void_proof >= valid_before AND status = 'final')",
    'is given up before its end',
    change('signed', `void_proof = valid_before - 1, status = 'final'`),
  ],
  [
    "void_proof IS NULL OR (void_proof >= valid_before AND status = 'final')",
    'is given up and stays open',
    change('signed', 'void_proof = valid_before'),
  ],
  [
    "status = 'open' OR tx_hash IS NOT NULL OR void_proof IS NOT NULL",
    'is final without an end',
    change('signed', `status = 'final'`),
  ],
])

const KEPT = { without: ['payments_keep_their_terms'] }
const ENDED = ['frozen', 'limit_reached', 'expired', 'revoked', 'returned']
/** What stops a payment that is authorized: the owner, or what it depends on. */
const STOPPED: readonly (readonly [string, string, string[]?])[] = [
  ...ENDED.map(
    (status) =>
      [`on an instrument that is ${status}`, `UPDATE instruments SET status = '${status}' WHERE id = :usdc`] as const,
  ),
  ['from a frozen wallet', `UPDATE wallets SET status = 'frozen' WHERE id = :onchain`],
  ['by a revoked agent', `UPDATE agents SET status = 'revoked' WHERE id = :buyer`],
  ['while all spending is frozen', 'UPDATE instance SET frozen = true'],
  ['in a database without an instance', 'DELETE FROM instance', ['instance_remains']],
]
const authorized = (what: string, bad: string, more: Partial<Case> = {}) =>
  ['transfers_are_authorized', what, bad, more] as const
const signing = cases('transfers', [
  authorized('is of no payment', sign({ payment_id: `'pay_none'` })),
  authorized('is of another wallet', sign({ wallet_id: ':otherWallet' })),
  authorized('is of a payment that waits', sign({}, 'alike')),
  authorized('is of a payment that was voided', sign(), {
    before: pay('unsigned', `status = 'voided', held = 0`),
  }),
  authorized('is of a payment on a card', sign({ asset: `'x/y'`, from_address: HEX(40), to_address: HEX(40) }, 'open')),
  authorized('is more than is held', sign(), { before: pay('unsigned', 'held = held - 1') }),
  authorized('is more than was authorized', sign({ value: 'p.amount + 1' })),
  authorized('is what is held, and not the amount', sign({ value: 'p.amount - 1' }), {
    before: pay('unsigned', 'held = held - 1'),
  }),
  authorized('is less than was authorized', sign({ value: 'p.amount - 1' })),
  authorized('is good for longer', sign({ valid_before: 'p.valid_until / 1000 + 1' })),
  authorized('is good for less long', sign({ valid_before: 'p.valid_until / 1000 - 1' })),
  authorized('is signed at its end', sign({ signed_at: 'p.valid_until' })),
  authorized('is of an instrument of another type', sign(), {
    before: `UPDATE instruments SET type = 'virtual_card' WHERE id = :usdc`,
    without: ['instruments_keep_their_terms'],
  }),
  authorized('is of another token', sign({ asset: `replace(w.asset, 'erc20:0x', 'erc20:0xA')` })),
  authorized('is of another chain', sign({ asset: `replace(w.asset, '84532', '8453')` })),
  authorized("comes from another's account", sign({ from_address: HEX(40) })),
  authorized('goes to another account', sign({ to_address: HEX(40) })),
  authorized('goes to the payee as it is not spelled', sign({ to_address: `lower(p.payee ->> 'address')` })),
  authorized('goes to a payee on another chain', sign(), {
    before: pay('unsigned', `payee = json_set(payee, '$.network', 'eip155:8453')`),
    ...KEPT,
  }),
  authorized('goes to a payee without an address', sign({ to_address: HEX(40) }), {
    before: pay('unsigned', `payee = '{}'`),
    ...KEPT,
  }),
  ...STOPPED.map(([what, before, without = []]) => authorized(`is signed ${what}`, sign(), { before, without })),
])

const life = cases('transfers', [
  ['transfers_are_new', 'begins seen', sign({ tx_hash: HEX(64), block: '8' })],
  ['transfers_are_new', 'begins final', sign({ tx_hash: HEX(64), block: '8', status: `'final'` })],
  ['transfers_are_new', 'begins void', sign({ void_proof: 'p.valid_until', status: `'final'` })],
  ['transfers_are_new', 'is signed a second time', sign({}, 'signed', 'OR REPLACE')],
  [
    'transfers_are_new',
    'takes the nonce of another',
    sign({ nonce: '(SELECT nonce FROM transfers WHERE payment_id = :signed)' }, 'unsigned', 'OR REPLACE'),
  ],
  [
    'transfers_stay_where_they_were_seen',
    'was captured and is forgotten',
    change('moved', 'tx_hash = NULL, block = NULL'),
  ],
  [
    'transfers_stay_final',
    'is open again',
    change('moved', `status = 'open'`),
    { before: change('moved', `status = 'final'`) },
  ],
  ['transfers_stay_final', 'moves on', change('moved', 'block = 9'), { before: change('moved', `status = 'final'`) }],
  [
    'transfers_stay_final',
    'loses its proof',
    change('signed', `void_proof = NULL, status = 'open'`),
    { before: change('signed', `void_proof = valid_before, status = 'final'`) },
  ],
  ['transfers_remain', 'is deleted', 'DELETE FROM transfers WHERE payment_id = :signed'],
])

const CAPTURE = `status = 'captured', captured = amount, held = 0`
const VOID = change('signed', `void_proof = valid_before, status = 'final'`)
const payments = cases('payments', [
  [
    'payments_are_void_on_proof',
    'was signed and is voided without a proof',
    pay('signed', `status = 'voided', held = 0`),
  ],
  ['payments_are_void_on_proof', 'was signed and holds nothing', pay('signed', 'held = 0')],
  ['payments_are_void_on_proof', 'was signed and holds less', pay('signed', 'held = held - 1')],
  ['payments_are_captured_on_the_chain', 'is captured and was not signed', pay('unsigned', CAPTURE)],
  ['payments_are_captured_on_the_chain', 'is captured and was not seen', pay('signed', CAPTURE)],
  [
    'payments_are_captured_on_the_chain',
    'is captured on the proof that it never moved',
    pay('signed', CAPTURE),
    { before: VOID },
  ],
  [
    'payments_are_captured_on_the_chain',
    'is captured beyond its transfer',
    pay('moved', 'captured = captured + 1, forced = forced + 1'),
  ],
  [
    'payments_are_returned_on_proof',
    'came back without a proof',
    pay('moved', `status = 'refunded', refunded = captured`),
  ],
  [
    'payments_are_returned_on_proof',
    'came back in part without a proof',
    pay('moved', `status = 'partially_refunded', refunded = 1`),
  ],
  [
    'payments_are_returned_on_proof',
    'came back on the proof of another',
    pay('moved', `status = 'refunded', refunded = captured`),
    { before: VOID },
  ],
])

export const send = (changes: Changes = {}, of = 'signed', or = '') =>
  copyOf('broadcasts', `payment_id = :${of}`, { tx_hash: HEX(64), relayer_nonce: '7', fee: 'NULL', ...changes }, or)
const sent = (set: string, of = 'signed') => `UPDATE broadcasts SET ${set} WHERE payment_id = :${of}`
const SAME_NONCE = { relayer_nonce: 'relayer_nonce' }
const GIVEN_UP = { before: send({ ...SAME_NONCE, payment_id: 'NULL', tx_hash: HEX(64, 'c') }) }
const leaves = (what: string, bad: string, more: Partial<Case> = {}) =>
  ['broadcasts_carry_what_may_leave', what, bad, more] as const
export const OTHER_RELAYER = `INSERT INTO relayers VALUES ('other', 9000)`
const DAY = "day = date(created_at / 1000, 'unixepoch')"
const broadcasts = cases('broadcasts', [
  ['length(tx_hash) = 66', 'has half a hash', send({ tx_hash: HEX(32) })],
  ['relayer_nonce >= 0', 'comes before the first', send({ relayer_nonce: '-1' })],
  ['max_fee >= 0', 'costs less than nothing', send({ max_fee: '-1' })],
  ['fee >= 0', 'brought something in', sent('fee = -1')],
  [DAY, 'counts to another day', send({ day: `'2026-03-11'` })],
  [DAY, 'counts to no day', send({ day: `'tomorrow'` })],
  ['broadcasts_are_new', 'begins paid', send({ fee: '1' })],
  ['broadcasts_are_new', 'is replaced', send({ tx_hash: 'tx_hash', raw: `'0x03'` }, 'signed', 'OR REPLACE')],
  [
    'broadcasts_are_new',
    'takes the nonce of another payment',
    send({ ...SAME_NONCE, payment_id: ':unsigned' }),
    { before: sign() },
  ],
  ['broadcasts_are_new', 'takes a nonce back that was given up', send(SAME_NONCE), GIVEN_UP],
  leaves('carries what was not signed', send({ payment_id: ':unsigned' })),
  leaves('is sent by another relayer', send({ relayer: `'other'` }), { before: OTHER_RELAYER }),
  leaves('is sent at its end', send({ created_at: '(SELECT valid_until FROM payments WHERE id = :signed)' })),
  leaves('is sent once it is void', send(), { before: `${VOID}; ${pay('signed', `status = 'voided', held = 0`)}` }),
  ...STOPPED.map(([what, before, without = []]) => leaves(`is sent ${what}`, send(), { before, without })),
  ['broadcasts_are_paid_once', 'costs less afterwards', sent('fee = 0', 'moved')],
  ['broadcasts_are_paid_once', 'is to be paid again', sent('fee = NULL', 'moved')],
  ['broadcasts_remain', 'is deleted', 'DELETE FROM broadcasts WHERE payment_id = :signed'],
])

/** What the rules of transfers let pass. */
export const ALLOWED_TRANSFERS: readonly Allowed[] = [
  { bad: sign() },
  { bad: sign(), before: pay('unsigned', 'valid_until = :now + 601000') },
  { bad: pay('unsigned', `status = 'voided', held = 0, captured = 0, refunded = 0`) },
  { bad: pay('signed', `status = 'voided', held = 0`), before: VOID },
  { bad: pay('signed', CAPTURE), before: change('signed', `tx_hash = ${HEX(64)}, block = 9`) },
  { bad: pay('open', CAPTURE) },
  { bad: pay('paid', `status = 'refunded', refunded = captured`) },
  {
    bad: pay('moved', `status = 'refunded', refunded = captured`),
    before: change('moved', `void_proof = valid_before, status = 'final'`),
  },
  { bad: change('signed', 'tx_hash = NULL') },
  { bad: change('moved', `tx_hash = ${HEX(64)}, block = 9`) },
  { bad: send() },
  { bad: send(SAME_NONCE) },
  { bad: GIVEN_UP.before },
  { bad: send({}, 'moved'), before: `UPDATE wallets SET status = 'frozen' WHERE id = :onchain` },
  {
    bad: send({ relayer: `'other'`, relayer_nonce: '1' }, 'moved'),
    before: OTHER_RELAYER,
    without: ['broadcasts_carry_what_may_leave'],
  },
]

export const TRANSFERS: readonly Case[] = [
  ...[checks, signing, life, payments, broadcasts].flat(),
  ...eachColumn(
    'transfers',
    'transfers_keep_their_terms',
    'payment_id = :signed',
    'payment_id, wallet_id, asset, from_address, to_address, value, valid_before, nonce, signature, from_block, signed_at',
  ),
  ...eachColumn(
    'broadcasts',
    'broadcasts_keep_their_terms',
    'payment_id = :signed',
    'tx_hash, relayer, relayer_nonce, payment_id, raw, max_fee, day, created_at',
  ),
]
