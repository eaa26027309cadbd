import pg from 'pg'
import { PASSWORD } from '../test/support/postgres-databases.ts'
import type { ServerFolder } from '../test/support/postgres-folder.ts'
import { copyPrograms, makeServerFolder } from '../test/support/postgres-folder.ts'
import { PostgresServer } from '../test/support/postgres-server.ts'

/** A server that waits for the disk, as PostgreSQL does unless it is told otherwise. */
const SETTINGS = { synchronous_commit: 'on', fsync: 'on', full_page_writes: 'on', shared_buffers: '512MB' } as const

export interface BenchServer {
  /** A new, empty database. @returns its URL, a superuser's */
  database(): Promise<string>
  stop(): Promise<void>
}

let made = 0

/**
 * A server of PostgreSQL on loopback for one measurement, or the one of `BURSAR_TEST_POSTGRES_URL` (a superuser's), of which
 * databases are left behind.
 */
export async function benchServer(): Promise<BenchServer> {
  const given = process.env.BURSAR_TEST_POSTGRES_URL
  if (given) return { database: () => databaseOn(given), stop: async () => undefined }
  const folder: ServerFolder = makeServerFolder()
  const server = new PostgresServer(folder, copyPrograms(folder), 'bench', SETTINGS)
  await server.initialise()
  await server.start()
  return {
    database: () => databaseOn(server.url()),
    async stop() {
      await server.stop()
      await folder.remove()
    },
  }
}

export async function databaseOn(adminUrl: string): Promise<string> {
  made += 1
  const name = `bursar_bench_${process.pid}_${made}`
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  if (!url.password) url.password = PASSWORD
  return url.href
}

/** Runs `work` with no check but those of a row, as a superuser can, and sets all triggers up again as they were. */
export async function unwalled(client: pg.Client, tables: readonly string[], work: () => Promise<void>): Promise<void> {
  for (const table of tables) await client.query(`ALTER TABLE bursar.${table} DISABLE TRIGGER ALL`)
  await work()
  for (const table of tables) {
    await client.query(`ALTER TABLE bursar.${table} ENABLE TRIGGER ALL`)
    const { rows } = await client.query<{ name: string }>(
      'SELECT tgname AS name FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal',
      [`bursar.${table}`],
    )
    for (const { name } of rows) await client.query(`ALTER TABLE bursar.${table} ENABLE ALWAYS TRIGGER ${name}`)
  }
  await client.query('ANALYZE')
}

export async function analyze(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('ANALYZE')
  await client.end()
}
