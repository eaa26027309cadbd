import { type Allowed, type Case, type Changes, cases, copyOf } from './wall.ts'
import { change, HEX, pay, send, sign } from './wall-transfers.ts'

const set = (what: string, of = 'task') => `UPDATE credentials SET ${what} WHERE id = :${of}`
const HOLD = (
  of: string,
) => `INSERT INTO entries SELECT wallet_id, seq, 9, wallet_id, ${of}, 'hold', 'available', 'held', amount
  FROM payments WHERE id = :prepared`
const PURCHASE = copyOf('purchases', 'payment_id = :agreed', { payment_id: `'pay_2'` })
const TAKEN = `${HOLD(`'pay_2'`)}; ${PURCHASE}`
const begin = (changes: Changes = {}) =>
  copyOf('payments', 'id = :prepared', { id: `'pay_2'`, status: `'authorized'`, ...changes })
const YES = `INSERT INTO entries SELECT wallet_id, seq, 9, wallet_id, id, 'hold', 'available', 'held', amount
  FROM payments WHERE id = :asked; UPDATE approvals SET status = 'approved', assurance = 'host', answered_at = :now
  WHERE subject_id = :asked`
const AUTHORIZE = `UPDATE payments SET status = 'authorized', held = amount, authorized_at = :now,
  counted = (SELECT counted FROM payments WHERE id = :agreed) WHERE id = :asked`

const TERMS = ['credentials_keep_their_terms']
/** What makes any payment wrong whose credential was minted: what is done to it, or to what it was minted with. */
const OVER: readonly (readonly [string, string, string[]?])[] = [
  ['that was revoked', set('revoked_at = :now')],
  ['that is to be revoked', set('revoked_at = :now + 9')],
  ['below one that was revoked', set('revoked_at = :now', 'credential')],
  ['that ends at this moment', set('expires_at = :now')],
  ['below one that ends at this moment', set('expires_at = :now', 'credential')],
]
const SITUATIONS: typeof OVER = [
  ...OVER,
  ['that may not pay', set(`scopes = '["bursar:read","bursar:request"]'`), TERMS],
  ['below one that may not pay', set(`scopes = '["bursar:read"]'`, 'credential'), TERMS],
  ['for other instruments', set(`instruments = '["inst_1"]'`), TERMS],
  ['below one for no instrument', set(`instruments = '[]'`, 'credential'), TERMS],
  ['for another currency', set(`currency = 'USD'`), TERMS],
  ["that is another agent's", set('agent_id = :other'), TERMS],
  ['that was not charged', set('spent = 0'), ['credentials_get_back_what_was_held']],
  ['below one that was not charged', set('spent = 0', 'credential'), ['credentials_get_back_what_was_held']],
]
/** What else a payment may say that it was asked for with. */
const SAID: readonly (readonly [string, string])[] = [
  ['no credential', `'[]'`],
  ['none that there is', `json_array('crd_none')`],
  ['one, and not what it was minted with', 'json_array(:task)'],
  ['what another was minted with first', 'json_array(:credential, :task)'],
  ['one twice', 'json_array(:task, :task)'],
  ['one, and another below what it was minted with', `json_array(:task, :credential, :task)`],
  ['a word', `'"crd_1"'`],
  ['something by a name of its own', `json_object('0', :task, '1', :credential)`],
]
const KEPT = ['payments_keep_their_terms']
const payments = cases('payments', [
  ...SAID.flatMap(([what, credentials]) => [
    ['payments_begin_with_credential', `begins with ${what}`, begin({ credentials }), { before: TAKEN }] as const,
    [
      'payments_go_on_with_credential',
      `is authorized with ${what}`,
      AUTHORIZE,
      { before: `${YES}; ${pay('asked', `credentials = ${credentials}`)}`, without: KEPT },
    ] as const,
  ]),
  ...SITUATIONS.flatMap(([what, before, without = []]) => [
    [
      'payments_begin_with_credential',
      `begins with one ${what}`,
      begin(),
      { before: `${TAKEN}; ${before}`, without },
    ] as const,
    [
      'payments_go_on_with_credential',
      `is authorized with one ${what}`,
      AUTHORIZE,
      { before: `${YES}; ${before}`, without },
    ] as const,
  ]),
  [
    'json_valid(credentials)',
    'was asked for with what nobody can read',
    copyOf('payments', 'id = :refused', { id: `'pay_2'`, credentials: `'['` }),
  ],
])

const NONE = [pay('unsigned', `credentials = '[]'`), pay('signed', `credentials = '[]'`)] as const
const transfers = cases('transfers', [
  ...OVER.map(
    ([what, before]) => ['transfers_are_of_live_credentials', `is signed for one ${what}`, sign(), { before }] as const,
  ),
  ['transfers_are_of_live_credentials', 'is signed for none', sign(), { before: NONE[0], without: KEPT }],
])
const broadcasts = cases('broadcasts', [
  ...OVER.map(
    ([what, before]) => ['broadcasts_are_of_live_credentials', `is sent for one ${what}`, send(), { before }] as const,
  ),
  ['broadcasts_are_of_live_credentials', 'is sent for none', send(), { before: NONE[1], without: KEPT }],
])

/** What the rules let pass of payments with credentials. */
export const ALLOWED_CHARGED: readonly Allowed[] = [
  { bad: begin(), before: TAKEN },
  { bad: begin({ credentials: 'json_array(:credential)' }), before: TAKEN },
  { bad: begin(), before: `${TAKEN}; ${set('expires_at = :now + 1')}; ${set('expires_at = :now + 1', 'credential')}` },
  { bad: begin(), before: `${TAKEN}; ${set('instruments = json_array(:usdc)')}`, without: TERMS },
  { bad: AUTHORIZE, before: YES },
  { bad: sign() },
  { bad: send() },
  {
    bad: send(),
    before: `${change('signed', `tx_hash = ${HEX(64)}, block = 9`)}; ${pay('signed', `status = 'captured', captured = amount, held = 0`)};
      ${set('revoked_at = :now')}`,
  },
]

export const CHARGED: readonly Case[] = [payments, transfers, broadcasts].flat()
