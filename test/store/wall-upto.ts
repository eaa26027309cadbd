import { type Allowed, type Case, cases, eachColumn } from './wall.ts'
import { change, HEX, pay, send, sign } from './wall-transfers.ts'

const SETTLER = HEX(40)
const allow = (what: string) => `UPDATE wallets SET allows = '["${what}"]' WHERE id = :onchain`
/** A purchase whose seller says afterwards what it costs. */
const buy = (facilitator = SETTLER) =>
  `UPDATE purchases SET value = (SELECT amount FROM payments WHERE id = :agreed), facilitator = ${facilitator}
  WHERE payment_id = :agreed`
const PERMIT = { kind: `'permit2'`, facilitator: SETTLER }
const permit = (changes: Readonly<Record<string, string>> = {}) => sign({ ...PERMIT, ...changes }, 'agreed')
const QUOTED = `${allow('upto')}; ${buy()}`
const SIGNED = `${QUOTED}; ${permit()}`
const seen = (moved: number, status = 'open') =>
  change('agreed', `tx_hash = ${HEX(64)}, block = 8, moved = ${moved}, status = '${status}'`)
const taken = (units: number) => pay('agreed', `status = 'captured', captured = ${units}, held = 0`)
/** A part of it, after which more may come. */
const partly = (units: number, held: string) => pay('agreed', `captured = ${units}, held = ${held}`)
const SEEN = `${SIGNED}; ${seen(5)}`
const CAPTURED = `${SEEN}; ${taken(5)}`
const back = (units: number) => pay('agreed', `status = 'partially_refunded', refunded = ${units}`)

const purchases = cases('purchases', [
  ['length(facilitator) = 42', 'is settled by half an address', buy(`'0xAb'`)],
  [
    'purchases_cost_what_was_approved',
    'is settled by another once it is signed',
    `UPDATE purchases SET value = 1, facilitator = ${HEX(40, 'c')} WHERE payment_id = :agreed`,
    { before: SIGNED },
  ],
])

const KIND = "(facilitator IS NULL) = (kind = 'eip3009') AND (facilitator IS NULL OR length(facilitator) = 42)"
const MOVED = "(moved IS NULL) = (kind = 'eip3009' OR tx_hash IS NULL) AND (moved IS NULL OR moved BETWEEN 1 AND value)"
const ANY = { without: ['transfers_keep_their_terms'] }
const authorized = (what: string, bad: string, before: string) =>
  ['transfers_are_authorized', what, bad, { before }] as const
const transfers = cases('transfers', [
  [
    "kind IN ('eip3009', 'permit2')",
    'is signed in another way',
    change('signed', `kind = 'other', facilitator = ${SETTLER}`),
    ANY,
  ],
  [KIND, 'is a permit that nobody settles', change('signed', `kind = 'permit2'`), ANY],
  [KIND, 'is an authorization that somebody settles', change('signed', `facilitator = ${SETTLER}`), ANY],
  [KIND, 'is settled by half an address', change('signed', `kind = 'permit2', facilitator = '0xAb'`), ANY],
  [
    MOVED,
    'is a permit that was seen to move nothing that is known',
    change('agreed', `tx_hash = ${HEX(64)}, block = 8`),
    { before: SIGNED },
  ],
  [MOVED, 'is a permit that moved and was not seen', change('agreed', 'moved = 5'), { before: SIGNED }],
  [MOVED, 'is a permit that moved nothing', seen(0), { before: SIGNED }],
  [MOVED, 'is a permit that moved back', seen(-5), { before: SIGNED }],
  [MOVED, 'is a permit that moved more than was signed', change('agreed', 'moved = value + 1'), { before: SEEN }],
  [MOVED, 'is an authorization that moved a part', change('moved', 'moved = 5')],
  authorized('is a permit that the owner does not allow', permit(), buy()),
  authorized('is a permit where the owner allows something else', permit(), `${allow('upfront')}; ${buy()}`),
  authorized('is a permit that the seller did not ask for', permit(), allow('upto')),
  authorized('is an authorization where the seller asked for a permit', sign({}, 'agreed'), QUOTED),
  authorized('is a permit that another settles', permit({ facilitator: HEX(40, 'c') }), QUOTED),
  authorized('is a permit of more than was held', permit({ value: 'p.amount + 1' }), QUOTED),
  authorized('is a permit of less than was asked for', permit({ value: 'p.amount - 1' }), QUOTED),
])

const payments = cases('payments', [
  [
    'payments_are_void_on_proof',
    'was a permit, and is void though it was seen',
    pay('agreed', `status = 'voided', held = 0`),
    { before: SEEN },
  ],
  ['payments_are_void_on_proof', 'was a permit, and gives back more than was not taken', taken(4), { before: SEEN }],
  [
    'payments_are_void_on_proof',
    'was a permit, and gives back a part that was taken',
    partly(4, 'held - 6'),
    { before: SEEN },
  ],
  [
    'payments_are_captured_on_the_chain',
    'was a permit, and is captured beyond what was taken',
    partly(6, 'held - 6'),
    { before: SEEN },
  ],
  [
    'payments_are_captured_on_the_chain',
    'was a permit, and is captured unseen',
    partly(5, 'held - 5'),
    { before: SIGNED },
  ],
  [
    'payments_are_returned_on_proof',
    'was a permit, and comes back while that may change',
    back(2),
    {
      before: `${CAPTURED}; ${seen(3)}`,
    },
  ],
  [
    'payments_are_returned_on_proof',
    'was a permit, and comes back as more than was not taken',
    back(3),
    {
      before: `${CAPTURED}; ${seen(3, 'final')}`,
    },
  ],
  [
    'payments_are_returned_on_proof',
    'was a permit, and comes back as less',
    back(1),
    {
      before: `${CAPTURED}; ${seen(3, 'final')}`,
    },
  ],
  [
    'payments_are_returned_on_proof',
    'came back only because it is final',
    pay('moved', `status = 'partially_refunded', refunded = 1`),
    {
      before: change('moved', `status = 'final'`),
    },
  ],
])

const broadcasts = cases('broadcasts', [
  ['broadcasts_carry_what_may_leave', 'carries a permit', send({ payment_id: ':agreed' }), { before: SIGNED }],
])

/** What the rules of permits let pass. */
export const ALLOWED_UPTO: readonly Allowed[] = [
  { bad: allow('upto') },
  { bad: buy() },
  { bad: permit(), before: QUOTED },
  { bad: sign({}, 'agreed'), before: `${allow('upto')}; ${buy('NULL')}` },
  {
    bad: `UPDATE purchases SET value = 1, facilitator = ${HEX(40, 'c')} WHERE payment_id = :agreed`,
    before: QUOTED,
  },
  { bad: seen(5), before: SIGNED },
  { bad: seen(4), before: SEEN },
  { bad: change('agreed', 'moved = value'), before: SEEN },
  { bad: taken(5), before: SEEN },
  { bad: partly(5, 'held - 5'), before: SEEN },
  { bad: back(2), before: `${CAPTURED}; ${seen(3, 'final')}` },
  {
    bad: pay('agreed', `status = 'refunded', refunded = captured`),
    before: `${CAPTURED}; ${change('agreed', `void_proof = valid_before, status = 'final'`)}`,
  },
  {
    bad: pay('agreed', `status = 'voided', held = 0`),
    before: `${SIGNED}; ${change('agreed', `void_proof = valid_before, status = 'final'`)}`,
  },
]

export const UPTO: readonly Case[] = [
  ...[purchases, transfers, payments, broadcasts].flat(),
  ...eachColumn('transfers', 'transfers_keep_their_terms', 'payment_id = :signed', 'kind, facilitator'),
]
