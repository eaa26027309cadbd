import { keccak_256 } from '@noble/hashes/sha3'
import { addressIn } from './account.ts'
import type { Token } from './network.ts'
import { chainIdOf, contractOf, networkOf } from './network.ts'
import { permitOf } from './permit.ts'
import type { Confirmation, ConfirmationTier, Payment, Purchase, Transfer, Wallet } from './types.ts'

/** What one payment may move, and nothing else: EIP-3009's `TransferWithAuthorization`, or a permit for at most so much. */
export type Authorization = Pick<
  Transfer,
  'paymentId' | 'asset' | 'from' | 'to' | 'value' | 'validBefore' | 'nonce' | 'kind' | 'facilitator'
>

/** `keccak256(payment id)`: signing twice signs the same, and the token takes a nonce once. */
export function nonceOf(paymentId: string): string {
  return `0x${Buffer.from(keccak_256(paymentId)).toString('hex')}`
}

/**
 * The only authorization that there can be for a payment: every part of it is stored already.
 *
 * @param purchase what it buys on the web: its seller may ask for less than was approved, or name who settles a permit
 * @throws RangeError for a payment that is not on a chain
 */
export function authorizationOf(payment: Payment, wallet: Wallet, purchase: Purchase | null = null): Authorization {
  const { asset, account } = wallet
  const { address, network } = payment.payee
  if (asset === null || account === null || address === undefined || network !== networkOf(asset))
    throw new RangeError('This payment is not on a chain.')
  const facilitator = purchase?.facilitator ?? null
  return {
    ...{ paymentId: payment.id, kind: facilitator === null ? 'eip3009' : 'permit2', facilitator },
    asset,
    from: addressIn(account),
    to: address,
    value: purchase?.value ?? (payment.amount as bigint),
    validBefore: Math.floor(payment.validUntil / 1000),
    nonce: nonceOf(payment.id),
  }
}

type Value = string | bigint | number

/** EIP-712 typed data, as wallets and libraries take it. */
export interface TypedData {
  readonly domain: {
    readonly name: string
    /** Permit2 has none. */
    readonly version?: string
    readonly chainId: number
    readonly verifyingContract: string
  }
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>
  readonly primaryType: string
  readonly message: Readonly<Record<string, Value | Readonly<Record<string, Value>>>>
}

/** EIP-3009, section "Specification". */
export const TRANSFER_TYPES = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const

/** What is signed for an authorization, given how the token names itself. */
export function typedDataOf(authorization: Authorization, token: Token): TypedData {
  if (authorization.kind === 'permit2') return permitOf(authorization)
  const { asset, from, to, value, validBefore, nonce } = authorization
  return {
    domain: {
      name: token.name,
      version: token.version,
      chainId: chainIdOf(networkOf(asset)),
      verifyingContract: contractOf(asset),
    },
    types: TRANSFER_TYPES,
    primaryType: 'TransferWithAuthorization',
    message: { from, to, value, validAfter: 0n, validBefore: BigInt(validBefore), nonce },
  }
}

/** What a transfer to somebody new takes at most: what it does take can only be asked once it is signed. */
export const TRANSFER_GAS = 140_000n

/** Stands for the transaction of what an account held before it became a wallet's. */
export const OPENING_BALANCE = `0x${'0'.repeat(64)}`

/** How much of the chain must stand behind this amount. No tier that covers it: the most there is. */
export function confirmationFor(tiers: readonly ConfirmationTier[], amount: bigint): Confirmation {
  return tiers.find(({ upTo }) => upTo === null || amount <= upTo)?.at ?? 'finalized'
}
