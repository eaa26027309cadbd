import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type pg from 'pg'
import { BursarError } from '../../core/errors.ts'
import { isNoRight } from './faults.ts'
import type { Pool } from './pool.ts'

/**
 * Applies what is missing of `drizzle/postgres`, all of it or nothing, under a lock, so that many nodes may start at once.
 *
 * @throws `schema_newer` when a newer bursar made the schema; `config_invalid` when it is older and this role may not change
 * it, or when the server does not keep what it says that it keeps
 */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.direct()
  try {
    await assertDurable(client)
    const known = migrations()
    if ((await versionOf(client)) === known.length) return
    await client.query('BEGIN')
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('bursar migrations', 0))")
    const version = await versionOf(client)
    if (version > known.length)
      throw new BursarError('schema_newer', `The database has schema ${version}; this bursar knows ${known.length}.`)
    for (const { sql } of known.slice(version)) for (const statement of sql) await client.query(statement)
    const keep =
      version === 0 ? 'INSERT INTO bursar.schema_version VALUES ($1)' : 'UPDATE bursar.schema_version SET version = $1'
    await client.query(keep, [known.length])
    await client.query('COMMIT')
  } catch (error) {
    throw isNoRight(error) ? notAllowed() : error
  } finally {
    await client.end()
  }
}

function notAllowed(): BursarError {
  return new BursarError(
    'config_invalid',
    "The database has no schema of this version of bursar, or this role was not given its rights in it. Run `bursar database migrate` with BURSAR_DATABASE_URL of the role that owns the tables, and `SELECT bursar.grant_to('ROLE')` for this one.",
  )
}

/** A commit that is told before it is where it has to be may be lost, and with it what was paid. */
async function assertDurable(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ held: string; standbys: string }>(
    "SELECT current_setting('synchronous_commit') AS held, current_setting('synchronous_standby_names') AS standbys",
  )
  const { held = '', standbys = '' } = rows[0] ?? {}
  if (held === 'off' || (held === 'local' && standbys !== ''))
    throw new BursarError(
      'config_invalid',
      `PostgreSQL has synchronous_commit = ${held} here: payments could be lost. Turn it on.`,
    )
}

/** How many migrations were applied; 0 for a database without bursar. */
async function versionOf(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('bursar.schema_version') IS NOT NULL AS there",
  )
  if (!rows[0]?.there) return 0
  const found = await client.query<{ version: number }>('SELECT version FROM bursar.schema_version')
  return found.rows[0]?.version ?? 0
}

/** The migrations that this program comes with, oldest first. */
export function migrations() {
  return readMigrationFiles({ migrationsFolder: migrationsFolder() })
}

/** `drizzle/postgres` at the root of the package, from the source as from the bundle. */
export function migrationsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'drizzle', 'postgres', 'meta', '_journal.json'))) {
    const parent = dirname(folder)
    if (parent === folder)
      throw new BursarError('config_invalid', 'The folder drizzle/postgres of the package is missing.')
    folder = parent
  }
  return join(folder, 'drizzle', 'postgres')
}
