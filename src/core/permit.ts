import { chainIdOf, contractOf, networkOf } from './network.ts'
import type { Authorization, TypedData } from './transfer.ts'

// Permits of Permit2 as x402 `upto` has them: a maximum, to one payee, which one facilitator alone may settle, once, for as
// much of it as he says. Permit2 can take only what the owner of the account has let it take, which bursar never signs.

/** The same on every chain that has it (https://github.com/Uniswap/permit2). EIP-55. */
export const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'
/** `x402UptoPermit2Proxy`: it alone may use the permit, and pays nobody but the payee. */
export const UPTO_PROXY = '0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002'

/** As `uptoPermit2WitnessTypes` of `@x402/evm` 2.27.0. */
export const PERMIT_TYPES = {
  PermitWitnessTransferFrom: [
    { name: 'permitted', type: 'TokenPermissions' },
    { name: 'spender', type: 'address' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
    { name: 'witness', type: 'Witness' },
  ],
  TokenPermissions: [
    { name: 'token', type: 'address' },
    { name: 'amount', type: 'uint256' },
  ],
  Witness: [
    { name: 'to', type: 'address' },
    { name: 'facilitator', type: 'address' },
    { name: 'validAfter', type: 'uint256' },
  ],
} as const

/** Permit2 takes it in a block of this very second, and in none after it: the last second before `validBefore`. */
export function deadlineOf({ validBefore }: Pick<Authorization, 'validBefore'>): number {
  return validBefore - 1
}

/**
 * What is signed for a permit.
 *
 * @throws RangeError for one that nobody is named to settle
 */
export function permitOf(authorization: Authorization): TypedData {
  const { asset, to, value, nonce, facilitator } = authorization
  if (facilitator === null) throw new RangeError('A permit names who settles it.')
  return {
    domain: { name: 'Permit2', chainId: chainIdOf(networkOf(asset)), verifyingContract: PERMIT2 },
    types: PERMIT_TYPES,
    primaryType: 'PermitWitnessTransferFrom',
    message: {
      permitted: { token: contractOf(asset), amount: value },
      spender: UPTO_PROXY,
      nonce: BigInt(nonce),
      deadline: BigInt(deadlineOf(authorization)),
      witness: { to, facilitator, validAfter: 0n },
    },
  }
}
