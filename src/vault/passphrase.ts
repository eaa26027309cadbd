import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BursarError } from '../core/errors.ts'
import { createFile, readFile, readGivenFile, unreadable } from './files.ts'
import { type Keychain, systemKeychain } from './keychain.ts'

/** Where the passphrase that seals accounts can come from. A process has to pay while no human is there to type it. */
export interface PassphraseSources {
  /** What `BURSAR_VAULT_PASSPHRASE_FILE` names, such as a secret of Docker or systemd; null: it is not set. */
  readonly file: string | null
  /** The home directory, absolute: also the name under which the keychain keeps its passphrase. */
  readonly home: string
  /** Default: this system's own. */
  readonly keychain?: Keychain
}

/** `home` lies beside the keys that it opens: it keeps out nobody who can read the home, and is for sandbox wallets only. */
export type PassphraseOrigin = 'file' | 'keychain' | 'home'

export interface VaultPassphrase {
  readonly passphrase: string
  readonly from: PassphraseOrigin
}

export interface WantedPassphrase {
  /** Whether the owner asked for the keychain. */
  readonly keychain: boolean
  /** Whether it is to seal the key of a live wallet. */
  readonly live: boolean
}

/**
 * Asking a keychain may show a dialog, so it is asked only in a home where the owner once chose it: then this file is
 * there. It holds nothing but a word to whoever finds it.
 */
const MARKER = 'vault.keychain'
const MARKER_TEXT =
  'The passphrase of this vault is in the keychain of the system, as "bursar", under the path of this folder.\n'
const HOME_FILE = 'vault.passphrase'
const RANDOM_BYTES = 15

/**
 * Every passphrase that can be had, the first choice first, each looked up only when it is asked for. There may be more
 * than one: keys that were sealed under an earlier choice still open.
 *
 * @throws `config_invalid` when a file that should hold one is missing, empty, or open to others
 */
export async function* vaultPassphrases(sources: PassphraseSources): AsyncGenerator<VaultPassphrase> {
  const { file, home, keychain = systemKeychain } = sources
  if (file !== null) yield { passphrase: textOf(file, readGivenFile(file)), from: 'file' }
  if (existsSync(join(home, MARKER))) {
    const passphrase = await asked(keychain, home)
    if (passphrase !== null) yield { passphrase, from: 'keychain' }
  }
  const path = join(home, HOME_FILE)
  if (existsSync(path)) yield { passphrase: textOf(path, readFile(path)), from: 'home' }
}

/** The first of {@link vaultPassphrases}; null when there is none. @throws `config_invalid` as they do */
export async function vaultPassphrase(sources: PassphraseSources): Promise<VaultPassphrase | null> {
  for await (const found of vaultPassphrases(sources)) return found
  return null
}

/**
 * The passphrase to seal a new account with: the first that there is and that will do, or else a new one, made up and
 * kept where the owner wants it. Of many processes that make one at once, all get the one that came first, or fail.
 *
 * @throws `config_invalid` for a live wallet without the keychain or a file; when the keychain cannot be used, or lost
 * what it was given; and as {@link vaultPassphrases}
 */
export async function makeVaultPassphrase(
  sources: PassphraseSources,
  wanted: WantedPassphrase,
): Promise<VaultPassphrase> {
  const lasting = wanted.live || wanted.keychain
  for await (const found of vaultPassphrases(sources)) if (found.from !== 'home' || !lasting) return found
  if (wanted.keychain) return { passphrase: await intoKeychain(sources), from: 'keychain' }
  if (wanted.live)
    throw new BursarError(
      'config_invalid',
      'The key of a live wallet is not sealed with a passphrase that lies beside it. Keep one in the keychain of this system (--keychain), or in a private file elsewhere that BURSAR_VAULT_PASSPHRASE_FILE names.',
    )
  const path = join(sources.home, HOME_FILE)
  createFile(path, `${madeUp()}\n`)
  return { passphrase: textOf(path, readFile(path)), from: 'home' }
}

/**
 * The marker comes first, and only whoever made it writes to the keychain: of two that did, one would seal with a
 * passphrase that the other has replaced.
 */
async function intoKeychain({ home, keychain = systemKeychain }: PassphraseSources): Promise<string> {
  const marker = join(home, MARKER)
  if (!createFile(marker, MARKER_TEXT))
    throw new BursarError(
      'config_invalid',
      `The keychain of this system cannot be asked, or does not hold the passphrase of this home. Unlock it, or put the passphrase back. If it is lost, so are the keys that it sealed: remove ${marker} to begin with a new one.`,
    )
  try {
    // Left by a process that ended too early, or by a home that was here before: keys may be sealed with it.
    const passphrase = (await keychain.get(home)) || madeUp()
    await keychain.set(home, passphrase)
    if ((await keychain.get(home)) === passphrase) return passphrase
  } catch {
    // What a keychain says may quote what it was given.
  }
  rmSync(marker, { force: true })
  throw new BursarError(
    'config_invalid',
    'This system has no keychain that can be used here (on Linux: a Secret Service, such as GNOME Keyring). Put a passphrase into a private file and name it in BURSAR_VAULT_PASSPHRASE_FILE.',
  )
}

/** Null also where there is no keychain, or it is locked: then it is not here. */
async function asked(keychain: Keychain, home: string): Promise<string | null> {
  try {
    return (await keychain.get(home)) || null
  } catch {
    return null
  }
}

/** 120 random bits in groups that can be typed. */
function madeUp(): string {
  const groups = randomBytes(RANDOM_BYTES).toString('hex').match(/.{6}/g) ?? []
  return groups.join('-')
}

/** Without the line break at the end, which editors and `echo` put there. */
function textOf(path: string, text: string): string {
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw unreadable(path, 'it is empty')
  return passphrase
}
