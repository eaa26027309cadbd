import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { fromBase64 } from '../core/canonical.ts'
import { BursarError } from '../core/errors.ts'
import type { Sign } from '../core/note.ts'
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
const FILE_BYTES_MAX = 128 * 1024
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
const OTHERS = 0o077

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
  if (!fs.existsSync(path))
    createFile(path, makeKeyPair().privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
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
  if (!fs.existsSync(path)) createFile(path, await ownerFileText(makeKeyPair(), passphrase))
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

function parseJson(path: string, text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    throw unreadable(path, 'it is not JSON')
  }
}

function decodeKey(path: string, decode: () => KeyObject): KeyPair {
  try {
    return pairOf(decode())
  } catch (error) {
    // OpenSSL's messages may quote what they read.
    throw error instanceof BursarError ? error : unreadable(path, 'it does not hold an Ed25519 private key')
  }
}

/** Creates a file whole or not at all. When another process was first, its file stays and this text is dropped. */
function createFile(path: string, text: string): void {
  const directory = dirname(path)
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`
  try {
    fs.mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
    assertPrivate(directory, fs.statSync(directory), '700')
    writeDurably(temporary, text)
    // A link, unlike a rename, never replaces what is there.
    fs.linkSync(temporary, path)
    syncDirectory(directory)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw fileError(error, path)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
}

function writeDurably(path: string, text: string): void {
  const file = fs.openSync(path, 'wx', FILE_MODE)
  try {
    fs.writeFileSync(file, text)
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
}

/** A new name survives a crash once its directory is on disk. Windows cannot and need not sync one. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const directory = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(directory)
  } finally {
    fs.closeSync(directory)
  }
}

function readFile(path: string): string {
  try {
    assertPrivate(dirname(path), fs.statSync(dirname(path)), '700')
    // Checked on the open file: by path, it could be another one by the time it is read. Non-blocking, or a pipe hangs.
    const file = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0))
    try {
      const stat = fs.fstatSync(file)
      if (!stat.isFile() || stat.size > FILE_BYTES_MAX) throw unreadable(path, 'it is not a small regular file')
      assertPrivate(path, stat, '600')
      return fs.readFileSync(file, 'utf8')
    } finally {
      fs.closeSync(file)
    }
  } catch (error) {
    throw fileError(error, path)
  }
}

/** Windows keeps no such bits; there, the user's profile is the protection. */
function assertPrivate(path: string, stat: fs.Stats, mode: '600' | '700'): void {
  if (process.platform === 'win32') return
  if (stat.uid !== process.getuid?.())
    throw new BursarError('config_invalid', `${path} belongs to another user, who can read and replace what is in it.`)
  if ((stat.mode & OTHERS) === 0) return
  throw new BursarError(
    'config_invalid',
    `Other users of this machine can reach ${path}, which is for a private key. Run: chmod ${mode} ${path}`,
  )
}

function fileError(error: unknown, path: string): BursarError {
  return error instanceof BursarError
    ? error
    : unreadable(path, `the system answers ${codeOf(error) ?? 'an unknown error'}`)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function unreadable(path: string, why: string): BursarError {
  return new BursarError('config_invalid', `The key file ${path} cannot be used: ${why}.`)
}
