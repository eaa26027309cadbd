import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'

/**
 * What the core uses of `node:crypto`, for browsers, where it is answered at once: WebCrypto answers only later. The build puts
 * this in its place.
 */

interface Jwk {
  readonly kty?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
}

export interface KeyObject {
  readonly curve: 'Ed25519' | 'P-256'
  readonly bytes: Uint8Array
}

/** As Node's one-shot hash, for SHA-256. `binary` is a string of one character a byte. */
export function hash(algorithm: string, data: Uint8Array | string, encoding = 'hex'): string {
  if (algorithm !== 'sha256') throw new TypeError(`No such hash here: ${algorithm}.`)
  const digest = sha256(typeof data === 'string' ? new TextEncoder().encode(data) : data)
  if (encoding === 'binary') return String.fromCharCode(...digest)
  if (encoding === 'hex') return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  throw new TypeError(`No such encoding here: ${encoding}.`)
}

/** @throws TypeError for a key that is not a point on Ed25519 or P-256, as Node does */
export function createPublicKey({ key }: { key: Jwk; format: 'jwk' }): KeyObject {
  const x = coordinate(key.x)
  if (key.kty === 'OKP' && key.crv === 'Ed25519') return { curve: 'Ed25519', bytes: x }
  if (key.kty !== 'EC' || key.crv !== 'P-256') throw new TypeError('No such kind of key here.')
  const bytes = Uint8Array.of(4, ...x, ...coordinate(key.y))
  p256.ProjectivePoint.fromHex(bytes).assertValidity()
  return { curve: 'P-256', bytes }
}

/** Whether the signature is the key's: Ed25519 with no hash, ECDSA over SHA-256 in DER, as WebAuthn writes it. */
export function verify(
  algorithm: string | null | undefined,
  data: Uint8Array,
  key: KeyObject | { readonly key: KeyObject; readonly dsaEncoding?: string },
  signature: Uint8Array,
): boolean {
  const { key: inner, dsaEncoding = 'der' } = 'key' in key ? key : { key }
  try {
    if (inner.curve === 'Ed25519') return !algorithm && ed25519.verify(signature, data, inner.bytes, { zip215: false })
    if (algorithm !== 'sha256') return false
    const read = dsaEncoding === 'der' ? p256.Signature.fromDER(signature) : p256.Signature.fromCompact(signature)
    return p256.verify(read, sha256(data), inner.bytes, { lowS: false })
  } catch {
    return false
  }
}

function coordinate(text: string | undefined): Uint8Array {
  const binary = atob((text ?? '').replaceAll('-', '+').replaceAll('_', '/'))
  if (binary.length !== 32) throw new TypeError('A coordinate is 32 bytes.')
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
