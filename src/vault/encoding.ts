import {
  encodeFunctionData,
  type Hex,
  hashTypedData,
  hexToBytes,
  keccak256,
  parseAbi,
  serializeTransaction,
  type TransactionSerializableEIP1559,
} from 'viem'
import { contractOf } from '../core/network.ts'
import type { TypedData } from '../core/transfer.ts'
import type { Transfer } from '../core/types.ts'
import type { GasTerms, SignedTransaction } from '../ports/chain.ts'
import type { PrivateKey } from './private-key.ts'

// The bytes that are signed and sent. Loaded with the first key that signs: it brings viem with it.

/** EIP-3009, with the signature in its parts: the form that every version of the token has. */
const ABI = parseAbi([
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
])

/** EIP-712. */
export function digestOf(typedData: TypedData): Uint8Array {
  return hexToBytes(hashTypedData(typedData as Parameters<typeof hashTypedData>[0]))
}

/** EIP-1559: a call of the token that moves what was signed for it, or, for null, nothing from the key's account to itself. */
export function signedTransaction(key: PrivateKey, carries: Transfer | null, terms: GasTerms): SignedTransaction {
  const { chainId, nonce, gas, maxFeePerGas, maxPriorityFeePerGas } = terms
  const transaction: TransactionSerializableEIP1559 = {
    ...{ type: 'eip1559', chainId, nonce, gas, maxFeePerGas, maxPriorityFeePerGas, value: 0n },
    ...(carries ? { to: contractOf(carries.asset) as Hex, data: callOf(carries) } : { to: key.address as Hex }),
  }
  const { r, s, yParity } = key.signDigest(keccak256(serializeTransaction(transaction), 'bytes'))
  const raw = serializeTransaction(transaction, { r: word(r), s: word(s), yParity })
  return { txHash: keccak256(raw), raw }
}

function callOf({ from, to, value, validBefore, nonce, signature }: Transfer): Hex {
  const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130)]
  return encodeFunctionData({
    abi: ABI,
    functionName: 'transferWithAuthorization',
    args: [
      ...([from as Hex, to as Hex, value, 0n, BigInt(validBefore), nonce as Hex] as const),
      ...([Number.parseInt(v, 16), `0x${r}`, `0x${s}`] as const),
    ],
  })
}

function word(number: bigint): Hex {
  return `0x${number.toString(16).padStart(64, '0')}`
}
