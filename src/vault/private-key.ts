import { secp256k1 } from '@noble/curves/secp256k1'
import { keccak_256 } from '@noble/hashes/sha3'
import { addressOf } from '../core/account.ts'

// Loaded by whoever opens or makes a key, and by nobody else: it brings the curve with it.

/** A secp256k1 signature with `s` in the lower half of the order (EIP-2). */
export interface Signature {
  readonly r: bigint
  readonly s: bigint
  readonly yParity: 0 | 1
}

/** How a digest is signed, wherever the key is. What may be signed is decided before it, in `reading.ts`. */
export interface Key {
  /** EIP-55. */
  readonly address: string
  signDigest(digest: Uint8Array): Signature | Promise<Signature>
}

/** The private key of an account. It cannot be printed by accident: nothing but its address can be read from outside. */
export class PrivateKey implements Key {
  readonly address: string
  readonly #secret: Uint8Array

  /** Copies the 32 bytes. @throws RangeError unless they are a number from 1 to n - 1 */
  constructor(secret: Uint8Array) {
    if (!secp256k1.utils.isValidPrivateKey(secret)) throw new RangeError('Not a private key.')
    this.#secret = Uint8Array.from(secret)
    this.address = addressFrom(secp256k1.getPublicKey(this.#secret, false))
  }

  /** The same digest gives the same signature (RFC 6979). */
  signDigest(digest: Uint8Array): Signature {
    if (digest.length !== DIGEST_BYTES) throw new RangeError('Not a digest.')
    const { r, s, recovery } = secp256k1.sign(digest, this.#secret, { lowS: true })
    return { r, s, yParity: recovery === 0 ? 0 : 1 }
  }
}

const DIGEST_BYTES = 32
const ADDRESS_BYTES = 20

/** 32 random bytes that are a private key. */
export function randomSecret(): Uint8Array {
  return secp256k1.utils.randomPrivateKey()
}

/** The address of an uncompressed public key: the end of the hash of its two coordinates. */
function addressFrom(publicKey: Uint8Array): string {
  const hash = keccak_256(publicKey.subarray(1))
  return addressOf(`0x${Buffer.from(hash.subarray(-ADDRESS_BYTES)).toString('hex')}`)
}

/** `r`, `s` and `v` (27 or 28): 65 bytes, hex. */
export function signatureHex({ r, s, yParity }: Signature): string {
  const word = (number: bigint): string => number.toString(16).padStart(64, '0')
  return `0x${word(r)}${word(s)}${(27 + yParity).toString(16)}`
}
