import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fromBase64 } from '../core/canonical.ts'
import { BursarError } from '../core/errors.ts'
import type { Sign } from '../core/note.ts'
import { createFile, parseJson, readFile, unreadable } from './files.ts'
import { seal, unseal } from './seal.ts'

/** An Ed25519 key pair. The private half cannot be printed by accident: it is a KeyObject. */
export interface KeyPair {
  /** Base64 of the 32 raw bytes. */
  readonly publicKey: string
  readonly privateKey: KeyObject
}

/** What the seal is bound to. */
const OWNER_KEY = 'bursar owner key'
const PUBLIC_KEY_BYTES = 32

export function makeKeyPair(): KeyPair {
  return pairOf(generateKeyPairSync('ed25519').privateKey)
}

/** The pair of a private key. @throws TypeError unless it is an Ed25519 private key. */
export function pairOf(privateKey: KeyObject): KeyPair {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('Not an Ed25519 key.')
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { publicKey: Buffer.from(x, 'base64url').toString('base64'), privateKey }
}

/** A function that signs with this key, for code that may sign but must not hold the key. */
export function signerOf(pair: KeyPair): Sign {
  return (bytes) => sign(null, bytes, pair.privateKey)
}

/**
 * The journal's key, which signs checkpoints while no human is there: PKCS8 PEM, unsealed, mode 0600, in a directory of
 * mode 0700. Made when there is none; of many processes that make it at once, all get the one that came first.
 *
 * @throws `config_invalid` as {@link readJournalKeyFile}, or when it cannot be written.
 */
export function journalKeyFile(path: string): KeyPair {
  if (!existsSync(path)) createFile(path, makeKeyPair().privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
  return readJournalKeyFile(path)
}

/** @throws `config_invalid` when it is missing, open to others, or not an Ed25519 key. */
export function readJournalKeyFile(path: string): KeyPair {
  return decodeKey(path, () => createPrivateKey(readFile(path)))
}

/**
 * The owner's key, which signs approvals: sealed with the passphrase, its public half beside it in the clear.
 * Made when there is none, like {@link journalKeyFile}.
 *
 * @throws `passphrase_wrong` when there is one under another passphrase, or as {@link readOwnerKeyFile}.
 */
export async function ownerKeyFile(path: string, passphrase: string): Promise<KeyPair> {
  if (!existsSync(path)) createFile(path, await ownerFileText(makeKeyPair(), passphrase))
  return readOwnerKeyFile(path, passphrase)
}

/** @throws `passphrase_wrong`, or `config_invalid` when it is missing, open to others or damaged. */
export async function readOwnerKeyFile(path: string, passphrase: string): Promise<KeyPair> {
  const { publicKey, sealed } = parseOwnerFile(path)
  const der = await unseal(sealed, passphrase, OWNER_KEY)
  const pair = decodeKey(path, () => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  der.fill(0)
  // The public half stands beside it in the clear, where it could have been swapped.
  if (pair.publicKey !== publicKey) throw unreadable(path, 'its two halves do not belong together')
  return pair
}

/** The owner's public key, base64 of 32 bytes; needs no passphrase. @throws `config_invalid` as {@link readOwnerKeyFile}. */
export function readOwnerPublicKey(path: string): string {
  return parseOwnerFile(path).publicKey
}

async function ownerFileText(pair: KeyPair, passphrase: string): Promise<string> {
  const der = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
  const sealed = await seal(der, passphrase, OWNER_KEY)
  der.fill(0)
  return `${JSON.stringify({ v: 1, public_key: pair.publicKey, sealed: JSON.parse(sealed) }, null, 2)}\n`
}

function parseOwnerFile(path: string): { publicKey: string; sealed: string } {
  const { v, public_key, sealed } = parseJson(path, readFile(path))
  if (v !== 1) throw unreadable(path, 'it is not an owner key of version 1')
  if (typeof public_key !== 'string' || fromBase64(public_key)?.length !== PUBLIC_KEY_BYTES)
    throw unreadable(path, 'its public key is not 32 bytes of base64')
  return { publicKey: public_key, sealed: JSON.stringify(sealed ?? null) }
}

function decodeKey(path: string, decode: () => KeyObject): KeyPair {
  try {
    return pairOf(decode())
  } catch (error) {
    // OpenSSL's messages may quote what they read.
    throw error instanceof BursarError ? error : unreadable(path, 'it does not hold an Ed25519 private key')
  }
}
