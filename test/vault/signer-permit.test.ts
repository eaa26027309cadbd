import { verifyTypedData } from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Authorization, authorizationOf, type TypedData, typedDataOf } from '../../src/core/transfer.ts'
import type { Transfer, Wallet } from '../../src/core/types.ts'
import { PrivateKey } from '../../src/vault/private-key.ts'
import { payerOf, relaySignerOf } from '../../src/vault/signer.ts'
import {
  ACCOUNT,
  asked,
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
const SETTLER = '0x90F79bf6EB2c4f870365E785982E1f101E93b906'
const allow = (...allows: Wallet['allows']) => set('wallets', { allows })

beforeEach(() => {
  startOver()
  allow('upto')
  set('purchases', { paymentId: PAYMENT, facilitator: SETTLER, value: null })
})

function authorization(): Authorization {
  return authorizationOf(state.rows.payments, state.rows.wallets, state.rows.purchases)
}
/** The permit of the payment, in objects of its own. */
const permit = (): TypedData => structuredClone(typedDataOf(authorization(), usdc))

type Change = (data: TypedData) => unknown
const message = (more: object) => (data: TypedData) => ({ ...data, message: { ...data.message, ...more } })
const within = (part: 'permitted' | 'witness', more: object) => (data: TypedData) =>
  message({ [part]: { ...(data.message[part] as object), ...more } })(data)
const plus = (field: 'nonce' | 'deadline', more: bigint) => (data: TypedData) =>
  message({ [field]: (data.message[field] as bigint) + more })(data)

const DATA: readonly (readonly [Reason, string, Change])[] = [
  ['other_terms', 'one unit more', within('permitted', { amount: 1_500_001n })],
  ['other_terms', 'one unit less', within('permitted', { amount: 1_499_999n })],
  ['other_terms', 'another token', within('permitted', { token: OTHER })],
  ['other_terms', 'the token in small letters', within('permitted', { token: usdc.address.toLowerCase() })],
  ['other_terms', 'another spender', message({ spender: SETTLER })],
  ['other_terms', 'another nonce', plus('nonce', 1n)],
  ['other_terms', 'a later deadline', plus('deadline', 1n)],
  ['other_terms', 'an earlier deadline', plus('deadline', -1n)],
  ['other_terms', 'another payee', within('witness', { to: OTHER })],
  ['other_terms', 'another facilitator', within('witness', { facilitator: PAYEE })],
  ['other_terms', 'a later beginning', within('witness', { validAfter: 1n })],
  ['other_terms', 'no witness', ({ message: { witness: _, ...rest }, ...data }) => ({ ...data, message: rest })],
  ['other_token', 'another chain', (data) => ({ ...data, domain: { ...data.domain, chainId: 1 } })],
  ['other_token', 'another contract', (data) => ({ ...data, domain: { ...data.domain, verifyingContract: OTHER } })],
  ['other_token', 'a version', (data) => ({ ...data, domain: { ...data.domain, version: '1' } })],
  ['not_a_transfer', 'a permit without a witness', (data) => ({ ...data, primaryType: 'PermitTransferFrom' })],
  ['not_a_transfer', 'the witness of exact payments', (data) => ({ ...data, types: exact(data) })],
  ['not_a_transfer', 'an allowance of Permit2', (data) => ({ ...data, primaryType: 'PermitSingle' })],
  ['not_a_transfer', 'the authorization of the payment', () => tokenData()],
]

const exact = ({ types }: TypedData) => ({
  ...types,
  Witness: (types.Witness ?? []).filter(({ name }) => name !== 'facilitator'),
})

function tokenData(): TypedData {
  return structuredClone(typedDataOf({ ...authorization(), kind: 'eip3009', facilitator: null }, usdc))
}

describe('a permit', () => {
  it('is signed as the books say it, the same each time', async () => {
    const signature = await payer.sign(permit(), PAYMENT)
    expect(await payer.sign(permit(), PAYMENT)).toBe(signature)
    const data = { ...permit(), address: PAYER.address, signature } as unknown as Parameters<typeof verifyTypedData>[0]
    expect(await verifyTypedData(data)).toBe(true)
    expect(permit().domain.verifyingContract).toBe(PERMIT2)
  })

  it('security: is of the price that the seller asks for now', async () => {
    const before = permit()
    set('purchases', { value: 7n })
    await expect(payer.sign(before, PAYMENT)).rejects.toThrow(refusal('other_terms'))
    expect(await payer.sign(permit(), PAYMENT)).toHaveLength(132)
  })

  it.each<[string, Wallet['allows']]>([
    ['nothing', []],
    ['something else', ['loopback', 'upfront', 'v1']],
  ])('security: is not signed where the owner allows %s', async (_, allows) => {
    allow(...allows)
    await expect(payer.sign(permit(), PAYMENT)).rejects.toThrow(refusal('not_allowed'))
  })

  it('security: is not signed for a payment whose seller asked for an exact price', async () => {
    const data = permit()
    set('purchases', { facilitator: null })
    await expect(payer.sign(data, PAYMENT)).rejects.toThrow(refusal('not_a_transfer'))
    expect(await payer.sign(asked(), PAYMENT)).toHaveLength(132)
  })

  it.each(DATA)('security: nothing else is signed: %s, %s', async (reason, _what, change) => {
    await expect(payer.sign(change(permit()) as TypedData, PAYMENT)).rejects.toThrow(refusal(reason))
    expect(await payer.sign(permit(), PAYMENT)).toHaveLength(132)
  })

  it('security: is carried by no relayer', async () => {
    const relayer = await relaySignerOf(books, ACCOUNT, KEY)
    const carried: Transfer = { ...state.rows.transfers, kind: 'permit2', facilitator: SETTLER }
    await expect(relayer.carry(carried)).rejects.toThrow(refusal('not_stored'))
    set('transfers', { kind: 'permit2', facilitator: SETTLER })
    await expect(relayer.carry(carried)).rejects.toThrow(refusal('not_carried'))
  })
})
