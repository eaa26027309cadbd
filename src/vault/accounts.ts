import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { addressOf } from '../core/account.ts'
import { BursarError } from '../core/errors.ts'
import { createFile, namesIn, parseJson, readFile, unreadable } from './files.ts'
import type { PrivateKey } from './private-key.ts'
import { seal, unseal } from './seal.ts'

const KEY = /^(?:0x)?([0-9a-fA-F]{64})$/
const FILE = /^(0x[0-9a-f]{40})\.json$/

/** Makes the key of a new account, sealed in a file of its own. @returns its EIP-55 address @throws as {@link importAccount} */
export async function makeAccount(folder: string, passphrase: string): Promise<string> {
  const { randomSecret } = await import('./private-key.ts')
  return keep(folder, passphrase, randomSecret())
}

/**
 * Seals a key that was made elsewhere. The same key again changes nothing.
 *
 * @param privateKeyText 64 hexadecimal digits, with or without 0x
 * @returns its EIP-55 address
 * @throws `argument_invalid` for what is no private key; `passphrase_wrong` when it is there under another passphrase;
 * `config_invalid` when the folder or its file cannot be used
 */
export async function importAccount(folder: string, passphrase: string, privateKeyText: string): Promise<string> {
  const [, digits] = KEY.exec(privateKeyText) ?? []
  if (digits === undefined) throw noKey()
  return keep(folder, passphrase, Buffer.from(digits, 'hex'))
}

/**
 * The key of an account.
 *
 * @throws `key_unavailable` when there is none; `passphrase_wrong`; `config_invalid` when its file is damaged, open to
 * others, or holds the key of another account
 */
export async function openAccount(folder: string, passphrase: string, address: string): Promise<PrivateKey> {
  const account = addressOf(address)
  const path = pathOf(folder, account)
  if (!existsSync(path)) throw new BursarError('key_unavailable', `There is no key of ${account} here.`)
  const file = parseJson(path, readFile(path))
  if (file.v !== 1 || file.address !== account) throw unreadable(path, 'it is not the key of this account, version 1')
  const key = await keyOf(path, await unseal(JSON.stringify(file.sealed ?? null), passphrase, purposeOf(account)))
  // The name and the address of the file are in the clear, where they could have been swapped.
  if (key.address !== account) throw unreadable(path, 'it holds the key of another account')
  return key
}

/** The EIP-55 addresses of which there is a key, in the order of their digits. @throws `config_invalid` */
export function listAccounts(folder: string): readonly string[] {
  const digits = namesIn(folder).flatMap((name) => FILE.exec(name)?.[1] ?? [])
  return digits.sort().map(addressOf)
}

/** Opened once it is written: nobody should send money to an account whose key does not open. */
async function keep(folder: string, passphrase: string, secret: Uint8Array): Promise<string> {
  try {
    const address = await addressFor(secret)
    const path = pathOf(folder, address)
    if (!existsSync(path)) {
      const sealed = await seal(secret, passphrase, purposeOf(address))
      createFile(path, `${JSON.stringify({ v: 1, address, sealed: JSON.parse(sealed) }, null, 2)}\n`)
    }
    return (await openAccount(folder, passphrase, address)).address
  } finally {
    secret.fill(0)
  }
}

async function addressFor(secret: Uint8Array): Promise<string> {
  const { PrivateKey } = await import('./private-key.ts')
  try {
    return new PrivateKey(secret).address
  } catch {
    throw noKey()
  }
}

async function keyOf(path: string, secret: Buffer): Promise<PrivateKey> {
  const { PrivateKey } = await import('./private-key.ts')
  try {
    return new PrivateKey(secret)
  } catch {
    throw unreadable(path, 'it does not hold a private key')
  } finally {
    secret.fill(0)
  }
}

function pathOf(folder: string, address: string): string {
  return join(folder, `${address.toLowerCase()}.json`)
}

/** What the seal is bound to: a file under the name of another account does not open. */
function purposeOf(address: string): string {
  return `bursar account key ${address}`
}

/** Never quotes what it was given. */
function noKey(): BursarError {
  return new BursarError(
    'argument_invalid',
    'A private key is 64 hexadecimal digits, with or without 0x, of a number that secp256k1 has a key for.',
  )
}
