import type pg from 'pg'
import type { Migrated } from '../cli/database.ts'
import type { DatabaseConfig } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import { codeOf } from '../store/postgres/faults.ts'
import { migrate } from '../store/postgres/migrate.ts'
import { Pool } from '../store/postgres/pool.ts'
import { placesOf, unreached } from './reach.ts'

const NO_RIGHT = '42501'

/** What a role that was granted before has, and no other right that a table's owner gives. */
const GRANTED = `
  SELECT r.rolname AS name FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'bursar'
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
    JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
  WHERE c.relname = 'events' AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner ORDER BY 1`

/** Of a role: whether it owns the tables or will, by itself or by what it is a member of. */
const OWNS = `
  SELECT r.rolsuper OR pg_catalog.pg_has_role(r.oid, current_user, 'MEMBER') OR EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'bursar' AND pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER')
  ) AS owns FROM pg_catalog.pg_roles r WHERE r.rolname = $1`

/**
 * Brings a PostgreSQL database up to date, with the rights of its owner. Roles that were granted before are granted what is
 * new, too. Safe to do again, also while nodes run.
 *
 * @throws `argument_invalid` for a file, or a role that owns the tables; `not_found` for a role that is not there;
 * `config_invalid` where this role may not; `rail_unavailable`, `schema_newer`
 */
export async function migrateDatabase(database: DatabaseConfig, grantTo: string | null): Promise<Migrated> {
  if (database.kind === 'file')
    throw new BursarError(
      'argument_invalid',
      'BURSAR_DATABASE_URL names no PostgreSQL database. A file is brought up to date whenever it is opened.',
    )
  const pool = new Pool(database.url, 1)
  try {
    return await migrated(pool, grantTo)
  } catch (error) {
    throw errorOf(error, database.url)
  } finally {
    await pool.end()
  }
}

async function migrated(pool: Pool, grantTo: string | null): Promise<Migrated> {
  const before = await withClient(pool, async (client) => {
    if (grantTo !== null) await assertNode(client, grantTo)
    return versionOf(client)
  })
  await migrate(pool)
  return withClient(pool, async (client) => {
    const { rows } = await client.query<{ name: string }>(GRANTED)
    const roles = [...new Set([...rows.map(({ name }) => name), ...(grantTo === null ? [] : [grantTo])])].sort()
    for (const role of roles) await client.query('SELECT bursar.grant_to($1)', [role])
    const { host, port, database } = client
    return { where: `${host}:${port}/${database}`, before, after: await versionOf(client), granted: roles }
  })
}

/** @throws `not_found`, `argument_invalid` */
async function assertNode(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query<{ owns: boolean }>(OWNS, [role])
  if (rows.length === 0)
    throw new BursarError('not_found', 'There is no such role. Make it with CREATE ROLE … LOGIN first.')
  if (rows[0]?.owns)
    throw new BursarError(
      'argument_invalid',
      'That role owns the tables or is a superuser. Nodes need one of their own.',
    )
}

async function versionOf(client: pg.Client): Promise<number> {
  const there = "SELECT to_regclass('bursar.schema_version') IS NOT NULL AS there"
  if (!(await client.query<{ there: boolean }>(there)).rows[0]?.there) return 0
  const { rows } = await client.query<{ version: number }>('SELECT version FROM bursar.schema_version')
  return Number(rows[0]?.version ?? 0)
}

async function withClient<T>(pool: Pool, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await pool.direct()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** What the server says, in our words. */
function errorOf(error: unknown, url: string): unknown {
  if (codeOf(error) !== NO_RIGHT) return unreached(error, url)
  return new BursarError(
    'config_invalid',
    `This role may not change the tables in ${placesOf(url)}. Run it with BURSAR_DATABASE_URL of the role that owns them.`,
  )
}
