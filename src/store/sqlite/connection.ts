import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { BursarError } from '../../core/errors.ts'

export type Connection = Database.Database

/** How long an opening waits for a database that others are opening, migrating or recovering, in milliseconds. */
const OPEN_WAIT_MS = 15_000

/** Set on every open and read back: SQLite takes an unknown value in silence, and better-sqlite3 defaults to NORMAL. */
const PRAGMAS: Readonly<Record<string, string | bigint>> = {
  journal_mode: 'wal',
  synchronous: 2n,
  foreign_keys: 1n,
  recursive_triggers: 1n,
  trusted_schema: 0n,
  temp_store: 2n,
}

/**
 * Opens the database file with everything that durability and the triggers depend on, at the schema of this program.
 *
 * @throws `schema_newer` when a newer bursar wrote it; `config_invalid` when a setting does not hold.
 */
export function openConnection(path: string): Connection {
  const connection = new Database(path, { timeout: OPEN_WAIT_MS })
  connection.defaultSafeIntegers(true)
  configure(connection)
  migrate(connection)
  return connection
}

/** A second connection, for reading while the first one writes: it never waits for a writer. */
export function openReader(path: string): Connection {
  const connection = new Database(path, { readonly: true, timeout: OPEN_WAIT_MS })
  connection.defaultSafeIntegers(true)
  connection.pragma('trusted_schema = OFF')
  return connection
}

function configure(connection: Connection): void {
  for (const [name, wanted] of Object.entries(PRAGMAS)) {
    connection.pragma(`${name} = ${wanted}`)
    const held = connection.pragma(name, { simple: true })
    if (held !== wanted)
      throw new BursarError('config_invalid', `SQLite does not hold ${name} = ${wanted} on this file.`)
  }
}

/** Applies what is missing of `drizzle/sqlite` under the write lock, so that many processes may open at once. */
function migrate(connection: Connection): void {
  const known = migrations()
  if (versionOf(connection) === known.length) return
  connection.exec('BEGIN IMMEDIATE')
  try {
    const version = versionOf(connection)
    if (version > known.length)
      throw new BursarError('schema_newer', `The database has schema ${version}; this bursar knows ${known.length}.`)
    for (const { sql } of known.slice(version)) for (const statement of sql) connection.exec(statement)
    connection.pragma(`user_version = ${known.length}`)
    connection.exec('COMMIT')
  } catch (error) {
    connection.exec('ROLLBACK')
    throw error
  }
}

/** The migrations that this program comes with, oldest first. */
export function migrations() {
  return readMigrationFiles({ migrationsFolder: migrationsFolder() })
}

function versionOf(connection: Connection): number {
  return Number(connection.pragma('user_version', { simple: true }))
}

/** `drizzle/sqlite` at the root of the package, from the source as from the bundle. */
function migrationsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'drizzle', 'sqlite', 'meta', '_journal.json'))) {
    const parent = dirname(folder)
    if (parent === folder)
      throw new BursarError('config_invalid', 'The folder drizzle/sqlite of the package is missing.')
    folder = parent
  }
  return join(folder, 'drizzle', 'sqlite')
}
