import { type Allowed, type Case, type Changes, cases, copyOf } from './wall.ts'
import { change, HEX, pay, send, sign } from './wall-transfers.ts'

const purchase = (changes: Changes = {}) =>
  copyOf('purchases', 'payment_id = :agreed', { payment_id: `'pay_2'`, ...changes })
const HOLD = `INSERT INTO entries SELECT wallet_id, seq, 9, wallet_id, 'pay_2', 'hold', 'available', 'held', amount
  FROM payments WHERE id = :prepared`
/** What a payment by x402 has taken, and what it is for, before it is written as held. */
export const TAKEN = `${HOLD}; ${purchase()}`
const WAITS = { status: `'awaiting_approval'`, held: '0', authorized_at: 'NULL' }
export const begin = (changes: Changes = {}) =>
  copyOf('payments', 'id = :prepared', { id: `'pay_2'`, status: `'authorized'`, ...changes })

const payee = (change: string) => ({ ...WAITS, payee: `json_set(payee, ${change})` })
const text = (resource: string) => `INSERT INTO texts VALUES (${HEX(62)}, 'salt', ${resource})`
const page = (url: string) => `${text(`'{"url":"${url}"}'`)}; ${purchase({ resource_ref: HEX(62) })}`
const HTTPS = `'$.origin', 'https://a.example'`
const buys = (what: string, changes: Changes, before = purchase()) =>
  ['payments_buy_something', what, begin(changes), { before }] as const
const purchases = cases('payments', [
  buys('is by x402 and buys nothing', WAITS, ''),
  buys('is refused by x402 and wanted nothing', { ...WAITS, status: `'refused'`, refusal: `'{}'` }, ''),
  buys('is a transfer and buys something', { ...WAITS, protocol: `'transfer'` }),
  buys('is a transfer of an origin, and buys something', { protocol: `'transfer'` }, TAKEN),
  buys('is of no origin', { ...WAITS, payee: `json_remove(payee, '$.origin')` }),
  buys('is of an empty origin', payee(`'$.origin', ''`)),
  buys('is of another origin than what it buys', payee(HTTPS)),
  buys('is of an origin that only begins the same', payee(`'$.origin', substr(payee ->> 'origin', 1, 16)`)),
  buys('is of a page in place of an origin', payee(`'$.origin', 'https://a.example/1'`), page('https://a.example/1/2')),
  buys('is of an origin that is named later on', payee(HTTPS), page('https://b.example/https://a.example/')),
  buys(
    'is of an origin that is neither http nor https',
    payee(`'$.origin', 'ftp://a.example'`),
    page('ftp://a.example/'),
  ),
  buys(
    'is of another machine by http',
    payee(`'$.origin', 'http://a.example'`),
    `${page('http://a.example/')};
    UPDATE wallets SET allows = '["upfront","v1"]' WHERE id = :onchain`,
  ),
  buys('buys what is on no record', WAITS, purchase({ resource_ref: `'x'` })),
  buys(
    'is of the origin that was asked before another one',
    payee(HTTPS),
    page('https://b.example/1","asked":"https://a.example/1'),
  ),
  buys('buys what was erased', payee(HTTPS), `${text('NULL')}; ${purchase({ resource_ref: HEX(62) })}`),
])

const counted = (kept: string) => `(SELECT json_group_array(json(value)) FROM json_each(counted) WHERE ${kept})`
const DAY = `(SELECT id FROM limits WHERE wallet_id = :onchain AND window = 'day')`
const limitOf = (value: string, removedAt = 'NULL') =>
  `INSERT INTO limits VALUES ('lim_2', :onchain, 'payee', ${value}, 'day', 99, NULL, 'deny', 0, ${removedAt})`
const ORIGIN = `(SELECT payee ->> 'origin' FROM payments WHERE id = :prepared)`
const ACCOUNT = '(SELECT payee_key FROM payments WHERE id = :prepared)'
const held = (list: string, value: string) =>
  `UPDATE instruments SET constraints = json_object('${list}', json_array(${value})) WHERE id = :usdc`
const TERMS = { without: ['instruments_keep_their_terms'] }
/** What makes any payment by x402 wrong: what is counted for it, what else is there, and the walls that stand before. */
const WRONG: readonly (readonly [string, string, string?, Partial<Case>?])[] = [
  ['without counting', 'json_array()'],
  ['not counted for its origin', counted(`value ->> 'scopeValue' <> payee ->> 'origin'`)],
  ['not counted for its account', counted(`value ->> 'scopeValue' <> payee_key`)],
  [
    'counted twice for its payee, and not for the day',
    `json_insert(${counted(`value ->> 'limitId' <> ${DAY}`)}, '$[#]', json_extract(counted, '$[2]'))`,
  ],
  ['not counted for a limit of its origin', 'counted', limitOf(ORIGIN)],
  ['not counted for a limit of its account', 'counted', limitOf(ACCOUNT)],
  ['by an instrument for other protocols', 'counted', held('protocols', `'transfer'`), TERMS],
  ['by an instrument for other origins', 'counted', held('origins', `'https://a.example', ${ORIGIN} || '/'`), TERMS],
  ['by an instrument for other networks', 'counted', held('networks', `'eip155:8453'`), TERMS],
  ['by an instrument for other accounts', 'counted', held('addresses', `lower(${ACCOUNT})`), TERMS],
  ['by an instrument for other merchants', 'counted', held('payees', `'acme'`), TERMS],
  [
    'by an instrument for nobody',
    'counted',
    `UPDATE instruments SET constraints = '{"origins":[]}' WHERE id = :usdc`,
    TERMS,
  ],
  ['by a card', 'counted', `UPDATE instruments SET type = 'virtual_card' WHERE id = :usdc`, TERMS],
]
const YES = `INSERT INTO entries SELECT wallet_id, seq, 9, wallet_id, id, 'hold', 'available', 'held', amount
  FROM payments WHERE id = :asked; UPDATE approvals SET status = 'approved', assurance = 'host', answered_at = :now
  WHERE subject_id = :asked`
/** A human's yes to what waits, counted like what was agreed before. */
const authorize = (count = 'counted') =>
  `UPDATE payments SET status = 'authorized', held = amount, authorized_at = :now,
  counted = (SELECT ${count} FROM payments WHERE id = :agreed) WHERE id = :asked`
const rules = cases(
  'payments',
  WRONG.flatMap(([what, count, before = '', more]) => [
    ['payments_begin_allowed', `begins ${what}`, begin({ counted: count }), { before: `${TAKEN}; ${before}`, ...more }],
    ['payments_are_approved', `is authorized ${what}`, authorize(count), { before: `${YES}; ${before}`, ...more }],
  ]),
)

/** A purchase that the seller sells for less than was approved, signed. */
const CHEAP = `UPDATE purchases SET value = 50000000 WHERE payment_id = :agreed; ${sign({ value: '50000000' }, 'agreed')}`
const SEEN = `${CHEAP}; ${change('agreed', `tx_hash = ${HEX(64)}, block = 9`)}`
const CAPTURE = `status = 'captured', captured = 50000000, held = 0`
const proof = (what: string, set: string, before = SEEN, more: Partial<Case> = {}) =>
  ['payments_are_void_on_proof', what, pay('agreed', set), { before, ...more }] as const
const endings = cases('payments', [
  ['payments_keep_their_time', 'is good for longer than was signed', pay('prepared', 'valid_until = valid_until + 1')],
  ['payments_keep_their_time', 'is over before what was signed', pay('prepared', 'valid_until = :now')],
  ['payments_keep_their_time', 'was good for longer than was signed', pay('moved', 'valid_until = valid_until + 1')],
  [
    'payments_are_over_when_they_are',
    'is good for longer once it is over',
    pay('agreed', 'valid_until = valid_until + 1, updated_at = valid_until'),
  ],
  proof('frees what was not signed for before it is seen', 'held = 50000000', CHEAP),
  proof('is captured and frees the rest before it is seen', CAPTURE, CHEAP, {
    without: ['payments_are_captured_on_the_chain'],
  }),
  proof('frees what was not signed for before it is captured', 'held = 50000000'),
  proof('frees the rest and is captured in part', `status = 'captured', captured = 49999999, held = 0`),
  proof('frees the rest and may be captured on', 'captured = 50000000, held = 0'),
  proof('is voided though it was seen', `status = 'voided', held = 0`),
  [
    'payments_are_captured_on_the_chain',
    'takes what was approved in place of what was signed',
    pay('agreed', `status = 'captured', captured = amount, held = 0`),
    { before: SEEN },
  ],
])

const QUOTED = 'UPDATE purchases SET value = 50000000 WHERE payment_id = :agreed'
const signed = (what: string, changes: Changes, more: Partial<Case> = {}) =>
  ['transfers_are_authorized', what, sign(changes, 'agreed'), more] as const
const transfers = cases('transfers', [
  signed('is less than the seller asks', { value: 'p.amount - 1' }),
  signed('is what was approved, and the seller asks for less', {}, { before: QUOTED }),
  signed('is less than the seller asks now', { value: '49999999' }, { before: QUOTED }),
  signed(
    'is what the seller asks, and not all is held',
    { value: '50000000' },
    { before: `${QUOTED}; ${pay('agreed', 'held = held - 1')}` },
  ),
  signed(
    'is what the seller asks, and more than was approved',
    { value: 'p.amount + 1' },
    {
      before: `UPDATE purchases SET value = 70000001 WHERE payment_id = :agreed`,
      without: ['purchases_cost_what_was_approved'],
    },
  ),
  ['transfers_are_authorized', 'is of a purchase that waits', sign({}, 'asked')],
  signed(
    'is by a protocol that signs nothing',
    {},
    { before: pay('agreed', `protocol = 'card'`), without: ['payments_keep_their_terms'] },
  ),
  signed(
    'is good for more than ten minutes from now',
    {},
    { before: pay('agreed', 'valid_until = valid_until + 1000') },
  ),
])

const carried = (what: string, payment: string) =>
  ['broadcasts_carry_what_may_leave', what, send({ payment_id: `:${payment}` })] as const
const broadcasts = cases('broadcasts', [
  carried('carries what a seller is to bring', 'prepared'),
  carried('carries again what a seller brought', 'bought'),
])

/** What the rules let pass of payments by x402. */
export const ALLOWED_BY_X402: readonly Allowed[] = [
  { bad: begin(), before: TAKEN },
  {
    bad: begin({ ...WAITS, status: `'refused'`, refusal: `'{}'`, payee: `'{}'` }),
    before: purchase({ resource_ref: `'x'` }),
  },
  {
    bad: begin(payee(HTTPS)),
    before: `${page('https://a.example/1","asked":"https://b.example/')}; UPDATE wallets SET allows = '[]'`,
  },
  { bad: begin(), before: `${TAKEN}; ${held('origins', `'https://a.example', ${ORIGIN}`)}`, ...TERMS },
  { bad: begin(), before: `${TAKEN}; ${limitOf(`'https://a.example'`)}` },
  { bad: begin(), before: `${TAKEN}; ${limitOf(ORIGIN, '1')}` },
  { bad: authorize(), before: YES },
  { bad: pay('agreed', 'valid_until = valid_until + 1, updated_at = valid_until - 1') },
  { bad: pay('agreed', 'valid_until = :now, updated_at = valid_until') },
  { bad: sign({}, 'agreed') },
  { bad: sign({ value: '50000000' }, 'agreed'), before: QUOTED },
  { bad: pay('agreed', CAPTURE), before: SEEN },
  { bad: pay('agreed', CAPTURE), before: `${SEEN}; ${pay('agreed', 'captured = 20000000, held = held - 20000000')}` },
  { bad: pay('agreed', `status = 'voided', held = 0`) },
  {
    bad: pay('agreed', `status = 'voided', held = 0`),
    before: `${CHEAP}; ${change('agreed', `void_proof = valid_before, status = 'final'`)}`,
  },
]

export const BY_X402: readonly Case[] = [purchases, rules, endings, transfers, broadcasts].flat()
