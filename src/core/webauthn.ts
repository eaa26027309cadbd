import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { decodeCBOR } from '@levischuck/tiny-cbor'
import { sha256 } from './canonical.ts'
import type { WireAssertion } from './event.ts'
import type { Passkey } from './types.ts'

/** COSE algorithms (RFC 9053) that a passkey may have: ES256 and EdDSA, the two that every verifier has. */
export const ALGORITHMS = [-7, -8] as const

const FLAG = { userPresent: 0x01, userVerified: 0x04, attested: 0x40, extensions: 0x80 } as const
const HASH_BYTES = 32
const FLAGS_AT = HASH_BYTES
/** The hash of the relying party, the flags, and the counter. */
const DATA_BYTES = HASH_BYTES + 1 + 4
const LOOPBACK = /^http:\/\/localhost(?::[1-9][0-9]{0,4})?$/

/** As URLs write addresses. */
const ADDRESS = /^(?:\[.*\]|\d+\.\d+\.\d+\.\d+)$/

/** COSE_Key (RFC 9052 §7, RFC 9053 §7). */
const LABEL = { type: 1, algorithm: 3, curve: -1, x: -2, y: -3 } as const
const EC2 = { type: 2, algorithm: -7, curve: 1, labels: 5 } as const
const OKP = { type: 1, algorithm: -8, curve: 6, labels: 4 } as const
const COORDINATE_BYTES = 32

/** Where passkeys are made and used: a page and its host, which browsers call the relying party. */
export interface Party {
  readonly origin: string
  readonly rpId: string
}

/** Null where browsers make no passkeys: they take https with a name, or this machine under the name `localhost`. */
export function relyingParty(origin: string): Party | null {
  const { protocol, hostname } = new URL(origin)
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  const isNamed = protocol === 'https:' && !ADDRESS.test(hostname)
  return isNamed || (protocol === 'http:' && isLocal) ? { origin, rpId: hostname } : null
}

/** What a passkey signs to approve: no other statement, and no sign-in, has this challenge. */
export function approvalChallenge(statement: string): Buffer {
  return sha256(`bursar-approval-v1\0${statement}`)
}

/** What a passkey signs to confirm an act of its owner. */
export function actChallenge(statement: string): Buffer {
  return sha256(`bursar-act-v1\0${statement}`)
}

/**
 * Whether this passkey answered this challenge, on its own page, with its user there and verified (WebAuthn Level 3, §7.2). From
 * nothing but its arguments, so that what was accepted once can be checked for ever. Never throws.
 */
export function isAsserted(
  assertion: WireAssertion,
  challenge: Uint8Array,
  passkey: Pick<Passkey, 'id' | 'publicKey' | 'rpId' | 'origin'>,
): boolean {
  const data = bytesOf(assertion.authenticator_data)
  const client = bytesOf(assertion.client_data_json)
  const signature = bytesOf(assertion.signature)
  if (!data || !client || !signature || assertion.passkey_id !== passkey.id) return false
  return (
    isClientData(client, challenge, passkey) &&
    isAuthenticatorData(data, passkey.rpId) &&
    isSignedBy(passkey.publicKey, Buffer.concat([data, sha256(client)]), signature)
  )
}

function isClientData(bytes: Buffer, challenge: Uint8Array, passkey: Pick<Passkey, 'rpId' | 'origin'>): boolean {
  const said = clientDataOf(bytes)
  return (
    said !== null &&
    said.type === 'webauthn.get' &&
    said.challenge === Buffer.from(challenge).toString('base64url') &&
    isOriginOf(said.origin, passkey) &&
    said.crossOrigin !== true &&
    said.topOrigin === undefined
  )
}

/**
 * A passkey of this machine is good on each of its ports: the console of an embedded bursar has another one every time. Where an
 * answer is taken in, its origin has to be that page's.
 */
function isOriginOf(origin: unknown, { rpId, origin: own }: Pick<Passkey, 'rpId' | 'origin'>): boolean {
  return origin === own || (rpId === 'localhost' && typeof origin === 'string' && LOOPBACK.test(origin))
}

interface ClientData {
  readonly type?: unknown
  readonly challenge?: unknown
  readonly origin?: unknown
  readonly crossOrigin?: unknown
  readonly topOrigin?: unknown
}

/** Null for what is no JSON object in UTF-8. */
function clientDataOf(bytes: Uint8Array): ClientData | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}

function isAuthenticatorData(data: Buffer, rpId: string): boolean {
  const flags = data[FLAGS_AT] ?? 0
  const has = (flag: number): boolean => (flags & flag) !== 0
  if (data.length < DATA_BYTES || !data.subarray(0, HASH_BYTES).equals(sha256(rpId))) return false
  if (!has(FLAG.userPresent) || !has(FLAG.userVerified) || has(FLAG.attested)) return false
  return has(FLAG.extensions) === data.length > DATA_BYTES
}

/** @param publicKey COSE_Key, base64url */
function isSignedBy(publicKey: string, bytes: Buffer, signature: Buffer): boolean {
  const found = keyOf(publicKey)
  if (!found) return false
  try {
    return verify(found.digest, bytes, found.key, signature)
  } catch {
    return false
  }
}

/** Whether bursar can check what a passkey with this key signs. */
export function isUsableKey(publicKey: string): boolean {
  return keyOf(publicKey) !== null
}

/** Null for anything but a whole COSE_Key of a point on P-256 for ES256, or of Ed25519 for EdDSA. */
function keyOf(publicKey: string): { readonly key: KeyObject; readonly digest: 'sha256' | null } | null {
  try {
    const labels: unknown = decodeCBOR(Uint8Array.from(bytesOf(publicKey) ?? []))
    if (!(labels instanceof Map)) return null
    const is = ({ type, algorithm, curve, labels: count }: typeof EC2 | typeof OKP): boolean =>
      labels.size === count &&
      labels.get(LABEL.type) === type &&
      labels.get(LABEL.algorithm) === algorithm &&
      labels.get(LABEL.curve) === curve
    const x = coordinateOf(labels.get(LABEL.x))
    const y = coordinateOf(labels.get(LABEL.y))
    if (x !== null && y !== null && is(EC2)) return { key: jwk({ kty: 'EC', crv: 'P-256', x, y }), digest: 'sha256' }
    return x !== null && is(OKP) ? { key: jwk({ kty: 'OKP', crv: 'Ed25519', x }), digest: null } : null
  } catch {
    return null
  }
}

/** @throws where it is no point of the curve */
function jwk(key: { readonly kty: string; readonly crv: string; readonly x: string; readonly y?: string }): KeyObject {
  return createPublicKey({ key, format: 'jwk' })
}

function coordinateOf(value: unknown): string | null {
  if (!(value instanceof Uint8Array) || value.length !== COORDINATE_BYTES) return null
  return Buffer.from(value).toString('base64url')
}

/** The bytes of unpadded base64url in its only spelling; null for anything else. */
function bytesOf(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
