import { beforeEach, describe, expect, it } from 'vitest'
import { PrivateKey } from '../../src/vault/private-key.ts'
import { payerOf } from '../../src/vault/signer.ts'
import {
  ACCOUNT,
  asked,
  BASE,
  books,
  OTHER,
  PAYEE,
  PAYER,
  PAYMENT,
  PERMIT2,
  type Reason,
  refusal,
  SECRET,
  set,
  startOver,
  state,
  usdc,
} from './signer-fixture.ts'

const KEY = new PrivateKey(Buffer.from(SECRET, 'hex'))
const payer = await payerOf(books, ACCOUNT, KEY)
beforeEach(startOver)

const ENDED = [
  'refused',
  'awaiting_approval',
  'captured',
  'voided',
  'denied',
  'expired',
  'canceled',
  'refunded',
] as const
const UNUSABLE = ['frozen', 'revoked', 'returned', 'expired', 'limit_reached'] as const
type Case = [Reason, string, () => void]
describe('security: the payer signs for no payment but one that may go out', () => {
  it.each<Case>([
    ...ENDED.map(
      (status): Case => ['not_authorized', `a payment that is ${status}`, () => set('payments', { status })],
    ),
    ['not_authorized', 'a payment that holds less', () => set('payments', { held: 1n })],
    ['not_authorized', 'a payment that holds nothing', () => set('payments', { held: 0n })],
    ['too_late', 'a payment whose time is over', () => (state.now = state.rows.payments.validUntil)],
    [
      'too_long',
      'a payment that is good for days',
      () => set('payments', { protocol: 'x402', validUntil: state.now + 600_001 }),
    ],
    ['stopped', 'a frozen wallet', () => set('wallets', { status: 'frozen' })],
    ['stopped', 'a revoked agent', () => set('agents', { status: 'revoked' })],
    ['stopped', 'an agent that is not there', () => set('agents', { id: 'agt_2' })],
    ...UNUSABLE.map(
      (status): Case => ['stopped', `an instrument that is ${status}`, () => set('instruments', { status })],
    ),
    ['stopped', 'everything frozen', () => set('instance', { frozen: true })],
    ['not_on_a_chain', 'a card', () => set('instruments', { type: 'virtual_card' })],
    ['not_on_a_chain', 'a payee without an address', () => set('payments', { payee: { name: 'Acme' } })],
    [
      'not_on_a_chain',
      'a payee on another chain',
      () => set('payments', { payee: { address: PAYEE, network: 'eip155:1' } }),
    ],
    ['other_account', 'a wallet of another account', () => set('wallets', { account: `${BASE.id}:${OTHER}` })],
    [
      'other_account',
      'a wallet of the account on another chain',
      () => set('wallets', { account: `eip155:1:${PAYER.address}` }),
    ],
    ['other_token', 'a token that is not in the table', () => set('wallets', { asset: `${BASE.id}/erc20:${PERMIT2}` })],
  ])('%s: %s', async (reason, _what, happen) => {
    const data = asked()
    happen()
    await expect(payer.sign(data, PAYMENT)).rejects.toThrow(refusal(reason))
  })

  it('other_account: the same payment, by the same key on another chain', async () => {
    const elsewhere = await payerOf(books, `eip155:1:${PAYER.address}`, KEY)
    await expect(elsewhere.sign(asked(), PAYMENT)).rejects.toThrow(refusal('other_account'))
  })

  it('other_account: a wallet whose account is not where its token is', async () => {
    const data = asked()
    set('wallets', { account: `eip155:1:${PAYER.address}` })
    const elsewhere = await payerOf(books, `eip155:1:${PAYER.address}`, KEY)
    await expect(elsewhere.sign(data, PAYMENT)).rejects.toThrow(refusal('other_account'))
  })

  it('other_token: a table that gives another contract for the asset', async () => {
    const wrong = { ...books, tokenOf: () => ({ ...usdc, address: PERMIT2 }) }
    const signer = await payerOf(wrong, ACCOUNT, KEY)
    await expect(signer.sign(asked(), PAYMENT)).rejects.toThrow(refusal('other_token'))
  })

  it.each(['pay_019cd7a0-0000-7000-8000-000000000002', '', null, undefined, {}, { id: PAYMENT }, [PAYMENT]])(
    'not_authorized: a payment that there is not: %j',
    async (paymentId) => {
      await expect(payer.sign(asked(), paymentId as string)).rejects.toThrow(refusal('not_authorized'))
    },
  )
})
