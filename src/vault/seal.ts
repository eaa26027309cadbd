import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { canonical, fromBase64, sha256 } from '../core/canonical.ts'
import { BursarError } from '../core/errors.ts'

/** What the ciphertext is bound to, besides the passphrase: none of it can be changed unnoticed. */
interface Header {
  readonly v: 1
  /** What the secret is for: a secret sealed for one purpose cannot be opened for another. */
  readonly purpose: string
  readonly kdf: {
    readonly name: 'scrypt'
    readonly N: number
    readonly r: number
    readonly p: number
    readonly salt: string
  }
  readonly cipher: { readonly name: 'aes-256-gcm'; readonly iv: string }
}

/** A sealed secret, as JSON keeps it. Bytes are base64. */
interface Envelope extends Header {
  readonly ciphertext: string
  readonly tag: string
  /**
   * SHA-256 of all the rest. It has no key and keeps out no one: it tells damage from a wrong passphrase, which
   * AES-GCM cannot tell apart.
   */
  readonly checksum: string
}

/** 128 MiB and about 0.3 s for each guess (RFC 7914; OWASP's recommendation). */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const

/** What a file may ask for: from 16 MiB, under which a passphrase is not protected, to 512 MiB and 4 passes. */
const COST_BYTES_MIN = 2 ** 24
const COST_BYTES_MAX = 2 ** 29
const BLOCKS_MAX = 32
const PASSES_MAX = 4

const KEY_BYTES = 32
const SALT_BYTES = 16
const IV_BYTES = 12
const TAG_BYTES = 16
const SEALED_CHARACTERS_MAX = 64 * 1024

const derive = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

/**
 * Encrypts a secret under a passphrase: scrypt (RFC 7914), then AES-256-GCM with the whole header as associated data.
 *
 * @param purpose what the secret is for; {@link unseal} needs the same.
 * @returns JSON text that is safe to store. Two seals of one secret differ.
 * @throws `argument_invalid` for an empty passphrase.
 */
export async function seal(secret: Uint8Array, passphrase: string, purpose: string): Promise<string> {
  if (passphrase === '') throw new BursarError('argument_invalid', 'The passphrase is empty.')
  const salt = randomBytes(SALT_BYTES)
  const iv = randomBytes(IV_BYTES)
  const header: Header = {
    v: 1,
    purpose,
    kdf: { name: 'scrypt', ...COST, salt: base64(salt) },
    cipher: { name: 'aes-256-gcm', iv: base64(iv) },
  }
  const key = await keyOf(passphrase, header.kdf, salt)
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(
    Buffer.from(canonical(header)),
  )
  key.fill(0)
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()])
  const body = { ...header, ciphertext: base64(ciphertext), tag: base64(cipher.getAuthTag()) }
  return JSON.stringify({ ...body, checksum: checksumOf(body) })
}

/**
 * Decrypts what {@link seal} made.
 *
 * @throws `passphrase_wrong`, or `config_invalid` when the text is damaged, sealed for another purpose, or asks for
 * more or less work than bursar allows. Which is found out before any work is done.
 */
export async function unseal(sealed: string, passphrase: string, purpose: string): Promise<Buffer> {
  const { header, salt, iv, ciphertext, tag } = parseEnvelope(sealed, purpose)
  const key = await keyOf(passphrase, header.kdf, salt)
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(canonical(header)))
    .setAuthTag(tag)
  key.fill(0)
  const opened = decipher.update(ciphertext)
  try {
    return Buffer.concat([opened, decipher.final()])
  } catch {
    throw new BursarError('passphrase_wrong', 'The passphrase is not the one that this was sealed with.')
  }
}

function parseEnvelope(sealed: string, purpose: string) {
  if (sealed.length > SEALED_CHARACTERS_MAX) throw damaged('it is too long')
  const envelope = parseJson(sealed) as Partial<Envelope> | null
  if (envelope?.v !== 1) throw damaged('it is not a version 1 envelope')
  if (envelope.purpose !== purpose) throw damaged('it was sealed for another purpose')
  const { kdf, cipher } = envelope
  if (kdf?.name !== 'scrypt' || cipher?.name !== 'aes-256-gcm') throw damaged('it names other algorithms')
  assertCost(kdf)
  const salt = bytesOf(kdf.salt, SALT_BYTES)
  const iv = bytesOf(cipher.iv, IV_BYTES)
  const tag = bytesOf(envelope.tag, TAG_BYTES)
  const ciphertext = bytesOf(envelope.ciphertext)
  // Field by field: only what is named here is bound, so nothing else may pass.
  const header: Header = {
    v: 1,
    purpose,
    kdf: { name: 'scrypt', N: kdf.N, r: kdf.r, p: kdf.p, salt: base64(salt) },
    cipher: { name: 'aes-256-gcm', iv: base64(iv) },
  }
  if (envelope.checksum !== checksumOf({ ...header, ciphertext: base64(ciphertext), tag: base64(tag) }))
    throw damaged('its checksum does not fit')
  return { header, salt, iv, ciphertext, tag }
}

/** Before any work is done: a file must not be able to ask for all memory. */
function assertCost({ N, r, p }: Header['kdf']): void {
  const whole = [N, r, p].every((number) => Number.isSafeInteger(number) && number > 0)
  const costBytes = 128 * N * r
  const bounded = costBytes >= COST_BYTES_MIN && costBytes <= COST_BYTES_MAX && r <= BLOCKS_MAX && p <= PASSES_MAX
  if (!whole || !bounded || !Number.isInteger(Math.log2(N))) throw damaged('its scrypt parameters are out of bounds')
}

/** Passphrases are compared as Unicode text (NFKC), or the same keys typed on two systems would differ. */
function keyOf(passphrase: string, { N, r, p }: Header['kdf'], salt: Uint8Array): Promise<Buffer> {
  // OpenSSL counts a little over 128·N·r, and refuses at 32 MiB unless told.
  return derive(passphrase.normalize('NFKC'), salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r })
}

function checksumOf(body: Omit<Envelope, 'checksum'>): string {
  return sha256(canonical(body)).toString('base64')
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}

function bytesOf(text: unknown, length?: number): Buffer {
  const bytes = typeof text === 'string' ? fromBase64(text) : null
  if (!bytes || (length !== undefined && bytes.length !== length))
    throw damaged('a part of it is not base64 of the right length')
  return bytes
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw damaged('it is not JSON')
  }
}

function damaged(why: string): BursarError {
  return new BursarError('config_invalid', `The sealed secret cannot be read: ${why}. Restore it from a backup.`)
}
