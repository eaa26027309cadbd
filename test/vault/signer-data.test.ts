import { encodeFunctionData, parseAbi } from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import type { TypedData } from '../../src/core/transfer.ts'
import { PrivateKey } from '../../src/vault/private-key.ts'
import { payerOf } from '../../src/vault/signer.ts'
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
  startOver,
  usdc,
} from './signer-fixture.ts'

const KEY = new PrivateKey(Buffer.from(SECRET, 'hex'))
const payer = await payerOf(books, ACCOUNT, KEY)
beforeEach(startOver)

type Change = (data: TypedData) => unknown
const message = (more: object) => (data: TypedData) => ({ ...data, message: { ...data.message, ...more } })
const domain = (more: object) => (data: TypedData) => ({ ...data, domain: { ...data.domain, ...more } })
const types = (change: (fields: { name: string; type: string }[]) => unknown) => (data: TypedData) => ({
  ...data,
  types: { TransferWithAuthorization: change([...(data.types.TransferWithAuthorization as [])]) },
})
const without = (object: object, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
const as = (primaryType: string, fields: string, content: object) => (data: TypedData) => ({
  ...data,
  primaryType,
  types: {
    [primaryType]: fields.split(', ').map((field) => ({ type: field.split(' ')[0], name: field.split(' ')[1] })),
  },
  message: content,
})
const MAX = 2n ** 256n - 1n

const DATA: readonly (readonly [Reason, string, Change])[] = [
  ['other_terms', 'another payer', message({ from: OTHER })],
  ['other_terms', 'another payee', message({ to: OTHER })],
  ['other_terms', 'a payee in small letters', message({ to: PAYEE.toLowerCase() })],
  ['other_terms', 'a payer in small letters', message({ from: PAYER.address.toLowerCase() })],
  ['other_terms', 'one unit more', message({ value: 1_500_001n })],
  ['other_terms', 'one unit less', message({ value: 1_499_999n })],
  ['other_terms', 'all there is', message({ value: MAX })],
  ['other_terms', 'a value that is negative', message({ value: -1_500_000n })],
  ['other_terms', 'a value that is a number', message({ value: 1_500_000 })],
  ['other_terms', 'a value that is a text', message({ value: '1500000' })],
  ['other_terms', 'a value in hexadecimal', message({ value: '0x16e360' })],
  ['other_terms', 'a later beginning', message({ validAfter: 1n })],
  ['other_terms', 'a beginning that is a number', message({ validAfter: 0 })],
  ['other_terms', 'a later end', (data) => message({ validBefore: (data.message.validBefore as bigint) + 1n })(data)],
  [
    'other_terms',
    'an earlier end',
    (data) => message({ validBefore: (data.message.validBefore as bigint) - 1n })(data),
  ],
  ['other_terms', 'no end', message({ validBefore: MAX })],
  [
    'other_terms',
    'an end that is a number',
    (data) => message({ validBefore: Number(data.message.validBefore) })(data),
  ],
  ['other_terms', 'another nonce', message({ nonce: `0x${'00'.repeat(32)}` })],
  [
    'other_terms',
    'a nonce in capitals',
    (data) => message({ nonce: `0x${String(data.message.nonce).slice(2).toUpperCase()}` })(data),
  ],
  ['other_terms', 'a nonce that is a number', (data) => message({ nonce: BigInt(data.message.nonce as string) })(data)],
  ['other_terms', 'a field more', message({ spender: OTHER })],
  ['other_terms', 'a field that is no name', message({ [Symbol('x')]: 1 })],
  ['other_terms', 'a field less', (data) => ({ ...data, message: without(data.message, 'nonce') })],
  ['other_terms', 'fields that are inherited', (data) => ({ ...data, message: Object.create(data.message) })],
  ['other_terms', 'no message', (data) => ({ ...data, message: null })],
  ['other_token', 'another name', domain({ name: 'USDC' })],
  ['other_token', 'another version', domain({ version: '1' })],
  ['other_token', 'a version that is a number', domain({ version: 2 })],
  ['other_token', 'another chain', domain({ chainId: 1 })],
  ['other_token', 'a chain that is a bigint', domain({ chainId: 8453n })],
  ['other_token', 'a chain that is a text', domain({ chainId: '0x2105' })],
  ['other_token', 'another contract', domain({ verifyingContract: PERMIT2 })],
  ['other_token', 'a contract in small letters', domain({ verifyingContract: usdc.address.toLowerCase() })],
  ['other_token', 'a salt', domain({ salt: `0x${'00'.repeat(32)}` })],
  ['other_token', 'a salt that is not given', domain({ salt: undefined })],
  ['other_token', 'a domain without a chain', (data) => ({ ...data, domain: without(data.domain, 'chainId') })],
  ['other_token', 'no domain', (data) => ({ ...data, domain: undefined })],
  ['not_a_transfer', 'two types in another order', types(([from, to, ...rest]) => [to, from, ...rest])],
  ['not_a_transfer', 'types backwards', types((fields) => fields.reverse())],
  ['not_a_transfer', 'a type more', types((fields) => [...fields, { name: 'salt', type: 'bytes32' }])],
  ['not_a_transfer', 'a type less', types((fields) => fields.slice(0, 5))],
  [
    'not_a_transfer',
    'a smaller value',
    types(([from, to, , ...rest]) => [from, to, { name: 'value', type: 'uint128' }, ...rest]),
  ],
  [
    'not_a_transfer',
    'a nonce of any length',
    types((fields) => [...fields.slice(0, 5), { name: 'nonce', type: 'bytes' }]),
  ],
  ['not_a_transfer', 'a field by another name', types(([, ...rest]) => [{ name: 'owner', type: 'address' }, ...rest])],
  ['not_a_transfer', 'a type beside it', (data) => ({ ...data, types: { ...data.types, Permit: [] } })],
  [
    'not_a_transfer',
    'the type of the domain beside it',
    (data) => ({ ...data, types: { ...data.types, EIP712Domain: [{ name: 'name', type: 'string' }] } }),
  ],
  [
    'not_a_transfer',
    'the same fields, to be received',
    (data) => ({
      ...data,
      primaryType: 'ReceiveWithAuthorization',
      types: { ReceiveWithAuthorization: data.types.TransferWithAuthorization },
    }),
  ],
  ['not_a_transfer', 'the same fields by another name', (data) => ({ ...data, primaryType: 'Transfer' })],
  [
    'not_a_transfer',
    'a cancellation',
    as('CancelAuthorization', 'address authorizer, bytes32 nonce', {
      authorizer: PAYER.address,
      nonce: `0x${'00'.repeat(32)}`,
    }),
  ],
  [
    'not_a_transfer',
    'a Permit',
    as('Permit', 'address owner, address spender, uint256 value, uint256 nonce, uint256 deadline', {
      ...{ owner: PAYER.address, spender: OTHER, value: MAX, nonce: 0n, deadline: MAX },
    }),
  ],
  [
    'not_a_transfer',
    'a Permit2 transfer',
    (data) =>
      domain({ name: 'Permit2', verifyingContract: PERMIT2 })(
        as('PermitTransferFrom', 'TokenPermissions permitted, address spender, uint256 nonce, uint256 deadline', {
          ...{ permitted: { token: usdc.address, amount: MAX }, spender: OTHER, nonce: 0n, deadline: MAX },
        })(data) as TypedData,
      ),
  ],
  ['not_a_transfer', 'an approval', as('Approve', 'address spender, uint256 value', { spender: OTHER, value: MAX })],
  [
    'not_a_transfer',
    'a call to approve',
    () =>
      encodeFunctionData({
        abi: parseAbi(['function approve(address spender, uint256 value) returns (bool)']),
        args: [OTHER, MAX],
      }),
  ],
  [
    'not_a_transfer',
    'a transaction',
    () => ({ type: 'eip1559', to: usdc.address, data: '0x095ea7b3', value: 1n, chainId: 8453 }),
  ],
  ['not_a_transfer', 'a message for people', () => 'I agree to everything'],
  ['not_a_transfer', 'a message for people, wrapped', () => ({ message: { raw: '0x1234' } })],
  ['not_a_transfer', 'a hash', () => `0x${'ab'.repeat(32)}`],
  ['not_a_transfer', 'bytes', () => new Uint8Array(32)],
  ['not_a_transfer', 'nothing', () => null],
  ['not_a_transfer', 'something beside the data', (data) => ({ ...data, hash: `0x${'ab'.repeat(32)}` })],
  ['not_a_transfer', 'a list', (data) => [data]],
]

describe('security: the payer signs nothing else', () => {
  it.each(DATA)('%s: %s', async (reason, _what, change) => {
    await expect(payer.sign(change(asked()) as TypedData, PAYMENT)).rejects.toThrow(refusal(reason))
    // The payment itself is as good as before.
    expect(await payer.sign(asked(), PAYMENT)).toHaveLength(132)
  })
})
