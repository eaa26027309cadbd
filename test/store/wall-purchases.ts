import { type Allowed, type Case, type Changes, cases, copyOf, eachColumn } from './wall.ts'
import { pay, sign } from './wall-transfers.ts'

const change = (of: string, set: string) => `UPDATE purchases SET ${set} WHERE payment_id = :${of}`
const allow = (allows: string, of = 'onchain') => `UPDATE wallets SET allows = ${allows} WHERE id = :${of}`
const ALL = allow(`'["loopback","upfront","v1"]'`)
const ALLOWS = 'wallets_allow_what_there_is'
const wallets = cases('wallets', [
  ['json_valid(allows)', 'allows what nobody can read', allow(`'['`), { without: [ALLOWS] }],
  [
    'wallets_begin_strict',
    'begins with an allowance',
    copyOf('wallets', 'id = :wallet', { id: `'wal_2'`, name: `'second'`, allows: `'["v1"]'` }),
  ],
  [ALLOWS, 'allows what there is not', allow(`'["loopback","v3"]'`)],
  [ALLOWS, 'allows nothing by name', allow(`'[null]'`)],
  [ALLOWS, 'allows a word, and no list', allow(`'"v1"'`)],
  [ALLOWS, 'allows something by a name of its own', allow(`'{"x":"v1"}'`)],
])

const HEADER = `'payment-signature: eyJ4NDAyVmVyc2lvbiI6Mn0='`
/** What is stored for a purchase that is signed. */
const prepare = (changes: Changes = {}, of = 'agreed') => {
  const set = { header: HEADER, version: '2', flow: `'authorization'`, ...changes }
  return change(
    of,
    Object.entries(set)
      .map(([column, value]) => `${column} = ${value}`)
      .join(', '),
  )
}
const SIGNED = { before: sign({}, 'agreed') }
const ANY_WAY = { before: `${SIGNED.before}; ${ALL}` }
const WHOLE = '(header IS NULL) = (version IS NULL) AND (header IS NULL) = (flow IS NULL)'
const ANSWERED = 'header IS NOT NULL OR (http_status IS NULL AND delivered_at IS NULL)'
const DELIVERED = 'delivered_at IS NULL OR coalesce(http_status, 0) BETWEEN 200 AND 299'
const delivered = (status: string) => change('prepared', `http_status = ${status}, delivered_at = :now`)
const checks = cases('purchases', [
  ['value > 0', 'costs nothing', change('agreed', 'value = 0')],
  ['value > 0', 'costs less than nothing', change('agreed', 'value = -1')],
  ['version IN (1, 2)', 'is of a version that there is not', prepare({ version: '3' }), ANY_WAY],
  [`flow IN ('authorization', 'upfront')`, 'is paid into an escrow', prepare({ flow: `'escrow'` }), ANY_WAY],
  [
    'length(header) <= 16384',
    'has a header that no server takes',
    prepare({ header: `'payment-signature: ' || replace(hex(zeroblob(8192)), '00', 'AA')` }),
    SIGNED,
  ],
  [WHOLE, 'has a header of no version', prepare({ version: 'NULL' }), ANY_WAY],
  [WHOLE, 'has a header of no flow', prepare({ flow: 'NULL' }), ANY_WAY],
  [WHOLE, 'has a version and no header', prepare({ header: 'NULL', flow: 'NULL' }), ANY_WAY],
  [WHOLE, 'has a flow and no header', prepare({ header: 'NULL', version: 'NULL' }), ANY_WAY],
  [ANSWERED, 'is answered before it was sent', change('agreed', 'http_status = 200')],
  [ANSWERED, 'is delivered before it was sent', change('agreed', 'http_status = 200, delivered_at = :now')],
  [ANSWERED, 'begins answered', begin({ http_status: '200' })],
  ...['199', '300', '500'].map((status) => [DELIVERED, `is delivered by a ${status}`, delivered(status)] as const),
  [DELIVERED, 'is delivered without an answer', delivered('NULL')],
])

function begin(changes: Changes, of = 'agreed', or = ''): string {
  return copyOf('purchases', `payment_id = :${of}`, { payment_id: `'pay_2'`, ...changes }, or)
}

const ITSELF = { payment_id: 'payment_id' }
const UNSIGNED = { version: 'NULL', flow: 'NULL', header: 'NULL', http_status: 'NULL', delivered_at: 'NULL' }
const isNew = (what: string, bad: string) => ['purchases_are_new', what, bad] as const
const births = cases('purchases', [
  isNew('begins with a header', begin({ http_status: 'NULL' }, 'prepared')),
  isNew('begins with a price of its own', begin({ value: '1' })),
  isNew('is replaced by an unsigned one', begin({ ...ITSELF, ...UNSIGNED }, 'prepared', 'OR REPLACE')),
  isNew('is replaced by one of something else', begin({ ...ITSELF, resource_ref: `'x'` }, 'agreed', 'OR REPLACE')),
  isNew(
    'is upserted',
    `INSERT INTO purchases SELECT payment_id, resource_ref, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM purchases
     WHERE payment_id = :prepared ON CONFLICT DO UPDATE SET http_status = 402`,
  ),
  isNew('is added to a transfer that was to be made', begin({ payment_id: ':unsigned' })),
  isNew('is added to a payment by card', begin({ payment_id: ':open' })),
])

const costs = (what: string, bad: string, more: Partial<Case> = {}) =>
  ['purchases_cost_what_was_approved', what, bad, more] as const
const AMOUNT = '(SELECT amount FROM payments WHERE id = payment_id)'
const prices = cases('purchases', [
  costs('costs more than was approved', change('agreed', `value = ${AMOUNT} + 1`)),
  costs('costs more than is still held', change('agreed', `value = ${AMOUNT}`), {
    before: pay('agreed', 'held = held - 1'),
  }),
  costs('is asked for what was approved again', change('agreed', 'value = NULL'), {
    before: change('agreed', 'value = 5'),
  }),
  costs('costs more once it is signed', change('agreed', `value = ${AMOUNT}`), {
    before: `${change('agreed', 'value = 5')}; ${sign({ value: '5' }, 'agreed')}`,
  }),
  costs('costs less once it is signed', change('agreed', 'value = 1'), SIGNED),
  costs('costs less once it was sent', change('prepared', 'value = 1')),
  costs('costs less once it was paid', change('bought', 'value = 1')),
  costs('has a price while a human is asked', change('asked', 'value = 1')),
  costs('has another price while it is in doubt', change('agreed', 'value = 1'), {
    before: pay('agreed', `status = 'in_doubt'`),
  }),
  costs('has a price after it was given up', change('agreed', 'value = 1'), {
    before: pay('agreed', `status = 'voided', held = 0`),
  }),
])

const once = (what: string, bad: string, more: Partial<Case> = {}) =>
  ['purchases_are_prepared_once', what, bad, more] as const
const V1 = { version: '1', header: `'x-payment: eyJ4NDAyVmVyc2lvbiI6MX0='` }
const UPFRONT = { flow: `'upfront'` }
const header = (what: string, text: string) => once(what, prepare({ header: text }), SIGNED)
const headers = cases('purchases', [
  once('gets another header after one may have left', prepare({}, 'prepared')),
  once('gets another header after it was delivered', prepare({}, 'bought')),
  once('loses its header', prepare({ header: 'NULL', version: 'NULL', flow: 'NULL' }, 'prepared'), {
    before: change('prepared', 'http_status = NULL'),
  }),
  once('says that its header was of another version', change('prepared', 'version = 1'), { before: ALL }),
  once('says that its header was of another flow', change('prepared', `flow = 'upfront'`), { before: ALL }),
  once('has a header, and was not signed', prepare()),
  once('has a header, and another was signed', prepare(), { before: sign() }),
  once('is paid by version 1', prepare(V1), SIGNED),
  once('is paid by version 1, where that may be upfront', prepare(V1), {
    before: `${SIGNED.before}; ${allow(`'["upfront"]'`)}`,
  }),
  once('is paid by version 1 as another wallet may', prepare(V1), {
    before: `${SIGNED.before}; ${allow(`'["v1"]'`, 'wallet')}`,
  }),
  once('is paid upfront', prepare(UPFRONT), SIGNED),
  once('is paid upfront, where that may be by version 1', prepare(UPFRONT), {
    before: `${SIGNED.before}; ${allow(`'["v1"]'`)}`,
  }),
  header('carries a credential', `'authorization: eyJ4NDAyVmVyc2lvbiI6Mn0='`),
  header('carries the header of version 1 as version 2', V1.header),
  once('carries the header of version 2 as version 1', prepare({ version: '1' }), ANY_WAY),
  header('carries nothing', `'payment-signature: '`),
  header('carries a second header', `'payment-signature: eyJ9' || char(13, 10) || 'x-payment: eyJ9'`),
  header('carries more than one word', `'payment-signature: eyJ9 eyJ9'`),
])

const lives = cases('purchases', [
  ['purchases_stay_delivered', 'is to be delivered again', change('bought', 'delivered_at = NULL')],
  ['purchases_stay_delivered', 'was delivered at another time', change('bought', 'delivered_at = delivered_at + 1')],
  ['purchases_stay_delivered', 'was delivered by another answer', change('bought', 'http_status = 204')],
  [
    'purchases_keep_their_resource',
    'is moved to another payment',
    `UPDATE OR REPLACE purchases SET payment_id = :asked WHERE payment_id = :prepared`,
  ],
  ['purchases_keep_their_resource', 'is of something else', change('agreed', `resource_ref = 'x'`)],
  ['purchases_remain', 'is deleted', 'DELETE FROM purchases WHERE payment_id = :prepared'],
])

/** What the rules of purchases let pass. */
export const ALLOWED_PURCHASES: readonly Allowed[] = [
  { bad: ALL },
  { bad: allow(`'[]'`) },
  { bad: begin({}) },
  { bad: change('agreed', `value = ${AMOUNT}`) },
  { bad: change('agreed', 'value = 6'), before: change('agreed', 'value = 5') },
  { bad: prepare(), ...SIGNED },
  { bad: prepare({ ...V1, ...UPFRONT }), ...ANY_WAY },
  { bad: prepare(UPFRONT), before: `${SIGNED.before}; ${allow(`'["upfront"]'`)}` },
  { bad: prepare(V1), before: `${SIGNED.before}; ${allow(`'["v1"]'`)}` },
  { bad: change('prepared', 'http_status = NULL') },
  { bad: delivered('204') },
]

export const PURCHASES: readonly Case[] = [
  ...[wallets, checks, births, prices, headers, lives].flat(),
  ...eachColumn('purchases', 'purchases_keep_their_resource', 'payment_id = :prepared', 'payment_id, resource_ref'),
]
