import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Store } from '../../src/ports.ts'
import { openSqlite, type SqliteOptions } from '../../src/store/sqlite/index.ts'
import { migrated } from './migrated.ts'

/** The tables of a store as plain SQL sees them, past the code that wrote them. */
export interface Books {
  /** The first column of all rows. */
  column(sql: string): Promise<readonly unknown[]>
  close(): Promise<void>
}

export interface TestStore {
  readonly store: Store
  readonly books: () => Promise<Books>
  /** Opens it once more, as another process would. It is the caller's to close. */
  readonly again: () => Promise<Store>
  /** Closes it, and drops what was made for it. */
  close(): Promise<void>
}

/** Which store the tests of the contract run on: each run of them is on one. */
export const ON_POSTGRES = process.env.BURSAR_TEST_STORE === 'postgres'

/** A store for a test: of SQLite at this path, or a fresh database of PostgreSQL. */
export async function openTestStore(options: SqliteOptions): Promise<TestStore> {
  if (ON_POSTGRES) return onPostgres(options)
  migrated(options.path)
  const store = openSqlite(options)
  const again = async () => openSqlite(options)
  return { store, books: async () => sqliteBooks(options.path), again, close: () => store.close() }
}

/** The store of a folder, the same for all who open it, in other processes too. The first of them is a test. */
export async function openFolderStore(folder: string, options: Omit<SqliteOptions, 'path'>): Promise<Store> {
  const path = join(folder, 'bursar.db')
  if (!ON_POSTGRES) {
    migrated(path)
    return openSqlite({ ...options, path })
  }
  const place = join(folder, 'postgres.url')
  if (!existsSync(place)) {
    const { testDatabase } = await import('./postgres.ts')
    writeFileSync(place, (await testDatabase({ lasting: true })).url)
  }
  const { openPostgres } = await import('../../src/store/postgres/index.ts')
  return openPostgres({ ...options, url: readFileSync(place, 'utf8') })
}

async function onPostgres({ clock, journalKey }: SqliteOptions): Promise<TestStore> {
  const { testDatabase } = await import('./postgres.ts')
  const { openPostgres } = await import('../../src/store/postgres/index.ts')
  const { url, adminUrl, drop } = await testDatabase()
  const again = () => openPostgres({ url, clock, journalKey })
  const store = await again()
  return {
    ...{ store, again },
    books: () => postgresBooks(adminUrl),
    async close() {
      await store.close()
      await drop()
    },
  }
}

export function sqliteBooks(path: string): Books {
  const database = new Database(path, { readonly: true })
  database.defaultSafeIntegers(true)
  return {
    column: async (sql) => database.prepare(sql).pluck().all(),
    async close() {
      database.close()
    },
  }
}

async function postgresBooks(url: string): Promise<Books> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url, options: '-c search_path=bursar' })
  await client.connect()
  return {
    async column(sql) {
      const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
      return rows.map(([value]) => value)
    },
    close: () => client.end(),
  }
}
