import { randomBytes } from 'node:crypto'
import { inject, onTestFinished, TestRunner } from 'vitest'
import { asked, urlFor } from './postgres-databases.ts'
import type { Grant, Kind } from './postgres-desk.ts'

export { asked } from './postgres-databases.ts'

export interface TestDatabase {
  /** For a node of bursar: a role with only what `bursar.grant_to` gives. */
  readonly url: string
  /** For the role that owns the tables, which is no superuser. */
  readonly ownerUrl: string
  /** For a superuser, on the same database. */
  readonly adminUrl: string
  readonly name: string
  /** Drops it, whoever is connected. A test's database is dropped at its end without this. */
  drop(): Promise<void>
}

export interface DatabaseOptions {
  /** `durable` has a server that waits for the disk, as one in production does. By default `quick`. */
  readonly server?: Kind
  /** Without bursar's migrations: as a server's administrator gives it, empty, to the owner's role. */
  readonly empty?: boolean
  /** It stays until the end of the run, wherever it is asked for. */
  readonly lasting?: boolean
}

/**
 * A fresh database with bursar's migrations on a real server, which is started for the first who asks in a run and shared by
 * all its test files, or which `BURSAR_TEST_POSTGRES_URL` names (a superuser's). Asked for within a test it is dropped at the
 * test's end; asked for in a hook it stays until `drop()` or the end of the run.
 */
export async function testDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const { server = 'quick', empty = false, lasting = false } = options
  const { adminUrl, roles, template, strategy, prefix } = await askDesk<Grant>(server)
  // No number of this process: it runs many files, and what a hook asked for stays.
  const name = `${prefix}_${randomBytes(6).toString('hex')}`
  const from = empty ? 'template1' : template
  const create = `CREATE DATABASE ${name} OWNER ${roles.owner} TEMPLATE ${from} ${strategy}`
  await asked(adminUrl, (client) => client.query(create))
  const drop = () =>
    asked(adminUrl, async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    })
  if (!lasting) atEnd(drop)
  return {
    url: urlFor(adminUrl, name, roles.node),
    ownerUrl: urlFor(adminUrl, name, roles.owner),
    adminUrl: urlFor(adminUrl, name),
    name,
    drop,
  }
}

/** Where PostgreSQL's programs are, in a folder that lasts as long as the run. */
export function programs(): Promise<string> {
  return askDesk<string>('programs')
}

/** At the end of the test that is run now. In a hook there is none. */
export function atEnd(work: () => Promise<void>): void {
  if (TestRunner.getCurrentTest()) onTestFinished(work)
}

async function askDesk<T>(what: string): Promise<T> {
  const response = await fetch(`${inject('postgresDesk')}/${what}`)
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as T
}
