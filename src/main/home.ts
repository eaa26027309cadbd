import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import type { Config } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import { journalKeyFile, type KeyPair } from '../vault/keys.ts'

const OTHERS = 0o077

/** An empty directory that bursar was given is made private; one that others use is left as it is, and refused later. */
export function prepareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const open = process.platform !== 'win32' && (statSync(directory).mode & OTHERS) !== 0
  if (open && readdirSync(directory).length === 0) chmodSync(directory, 0o700)
}

/**
 * The journals' key, made on first use. It is always made before the database: where there is only a database file, the key
 * was lost, and a new one would break the journals.
 *
 * @throws `config_invalid`
 */
export function journalKey({ home, database }: Pick<Config, 'home' | 'database'>): KeyPair {
  if (database.kind === 'file' && existsSync(database.path) && !existsSync(home.journalKey))
    throw new BursarError(
      'config_invalid',
      `The journal's key ${home.journalKey} is missing. Put it back from a backup.`,
    )
  return journalKeyFile(home.journalKey)
}
