import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

/** Of every role that tests make. Their servers are reached over loopback alone. */
export const PASSWORD = 'bursar-test'

const MIGRATIONS = fileURLToPath(new URL('../../drizzle/postgres/', import.meta.url))
/** How much of a statement that fails is shown, in characters. */
const SHOWN = 500
const BREAKPOINT = '--> statement-breakpoint'

/** A role that owns what the migrations make, and one that is granted what a node of bursar needs. */
export interface Roles {
  readonly owner: string
  readonly node: string
}

export interface Migration {
  readonly tag: string
  readonly sql: string
}

/** The migrations that there are, in the journal's order. */
export function readMigrations(): Migration[] {
  const journal = `${MIGRATIONS}meta/_journal.json`
  if (!existsSync(journal)) return []
  const { entries } = JSON.parse(readFileSync(journal, 'utf8')) as { entries: { tag: string }[] }
  const there = entries.filter(({ tag }) => existsSync(`${MIGRATIONS}${tag}.sql`))
  return there.map(({ tag }) => ({ tag, sql: readFileSync(`${MIGRATIONS}${tag}.sql`, 'utf8') }))
}

export async function makeRoles(adminUrl: string, roles: Roles): Promise<void> {
  await asked(adminUrl, async (client) => {
    for (const role of [roles.owner, roles.node])
      await client.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER PASSWORD '${PASSWORD}'`)
  })
}

/** A database with these migrations, made by the owner and granted to the node. */
export async function makeDatabase(
  adminUrl: string,
  name: string,
  { owner, node }: Roles,
  migrations: readonly Migration[] = readMigrations(),
): Promise<void> {
  await asked(adminUrl, (client) => client.query(`CREATE DATABASE ${name} OWNER ${owner}`))
  if (migrations.length === 0) return
  await asked(urlFor(adminUrl, name, owner), async (client) => {
    for (const { tag, sql } of migrations)
      for (const statement of sql.split(BREAKPOINT))
        await client.query(statement).catch((error: Error) => {
          throw new Error(`${tag}.sql: ${error.message}, in:${statement.slice(0, SHOWN)}`, { cause: error })
        })
    const { rowCount } = await client.query('UPDATE bursar.schema_version SET version = $1', [migrations.length])
    if (rowCount === 0) await client.query('INSERT INTO bursar.schema_version VALUES ($1)', [migrations.length])
    const { rows } = await client.query("SELECT to_regproc('bursar.grant_to') IS NOT NULL AS found")
    if (rows[0].found) await client.query('SELECT bursar.grant_to($1)', [node])
  })
}

/** A URL of the same server, for another database and role. */
export function urlFor(adminUrl: string, database: string, role?: string): string {
  const url = new URL(adminUrl)
  url.pathname = `/${database}`
  if (role) {
    url.username = role
    url.password = PASSWORD
  }
  return url.href
}

/** One connection for as long as the work takes. When it is lost, the statement that waits says so. */
export async function asked<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
