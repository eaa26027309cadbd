import { asked, type TestDatabase, testDatabase } from '../support/postgres.ts'
import { command, emptyHome, OWNER, type Ran } from './fixture.ts'

export interface Found {
  readonly check: string
  readonly ok: boolean
  readonly warning?: true
  readonly found: string
  readonly mend?: string
}

export interface Examined {
  readonly code: number | null
  readonly wrong: readonly string[]
  readonly warnings: readonly string[]
  readonly of: (check: string) => Found | undefined
}

/** `bursar doctor` on a database, as its operator sees it. */
export async function examined(home: string, url: string): Promise<Examined> {
  const { code, stdout, stderr } = await on(url, home, ['doctor', '--json'])
  if (stdout === '') throw new Error(stderr)
  const findings = JSON.parse(stdout) as Found[]
  return {
    code,
    wrong: findings.filter(({ ok }) => !ok).map(({ check }) => check),
    warnings: findings.filter(({ ok, warning }) => ok && warning).map(({ check }) => check),
    of: (wanted) => findings.find(({ check }) => check === wanted),
  }
}

/** A command of the owner on a database. */
export function on(url: string, home: string, args: readonly string[]): Promise<Ran> {
  return command(home, args, { ...OWNER, BURSAR_DATABASE_URL: url })
}

export interface Purse extends TestDatabase {
  readonly home: string
}

/** A home whose purse is in a database of its own, after `bursar init` by a node. */
export async function purseOn(server: 'quick' | 'durable'): Promise<Purse> {
  const database = await testDatabase({ server })
  const home = emptyHome()
  const { code, stderr } = await on(database.url, home, ['init'])
  if (code !== 0) throw new Error(stderr)
  return { ...database, home }
}

/** SQL by the server's administrator. */
export async function sql(url: string, text: string): Promise<void> {
  await asked(url, (client) => client.query(text))
}

export function roleOf(url: string): string {
  return new URL(url).username
}

/** As a program of another version would leave it, which a trigger refuses. For a database that nothing else is tested on. */
export async function setSchema(adminUrl: string, version: string): Promise<void> {
  await sql(
    adminUrl,
    `ALTER TABLE bursar.schema_version DISABLE TRIGGER USER; UPDATE bursar.schema_version SET version = ${version}`,
  )
}
