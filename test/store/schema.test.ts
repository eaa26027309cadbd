import { join } from 'node:path'
import Database from 'better-sqlite3'
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { KEYS, type TableName } from '../../src/core/tables.ts'
import type { Connection } from '../../src/store/sqlite/connection.ts'
import { openConnection, openReader } from '../../src/store/sqlite/connection.ts'
import { events, heads, READINGS, texts } from '../../src/store/sqlite/schema.ts'
import { kept_calls, kept_names, kept_room } from '../../src/store/sqlite/schema-kept.ts'
import { codeOf } from '../purse/desk.ts'
import { temporaryFolder } from '../support/purse.ts'

const SCHEMA: readonly SQLiteTable[] = [
  ...Object.values(READINGS),
  ...[events, heads, texts, kept_calls, kept_names, kept_room],
]

function migrated(): { path: string; connection: Connection } {
  const path = join(temporaryFolder(), 'bursar.db')
  const connection = openConnection(path)
  onTestFinished(() => void connection.close())
  return { path, connection }
}

interface Listed {
  readonly name: string
  readonly strict: bigint
  readonly wr: bigint
  readonly type: string
}

function tablesOf(connection: Connection): Listed[] {
  const listed = connection.pragma('table_list') as Listed[]
  return listed.filter(({ name, type }) => type === 'table' && !name.startsWith('sqlite_'))
}

describe('the schema in code', () => {
  it('names the tables of the migrated database, and no others', () => {
    const { connection } = migrated()
    expect(SCHEMA.map(getTableName).toSorted()).toEqual(
      tablesOf(connection)
        .map(({ name }) => name)
        .toSorted(),
    )
  })

  it.each(SCHEMA.map((table) => [getTableName(table), table] as const))(
    'has the columns of %s as they are',
    (name, table) => {
      const { connection } = migrated()
      const rows = connection.pragma(`table_info(${name})`) as {
        name: string
        type: string
        notnull: bigint
        pk: bigint
      }[]
      const stored = rows.map((row) => ({
        name: row.name,
        type: row.type,
        required: row.notnull === 1n || row.pk > 0n,
      }))
      const written = Object.values(getTableColumns(table)).map((column: SQLiteColumn) => ({
        name: column.name,
        type: column.getSQLType().toUpperCase(),
        required: column.notNull,
      }))
      expect(written).toEqual(stored)
    },
  )

  it.each(Object.keys(READINGS) as TableName[])('has the key of %s as it is', (name) => {
    const { connection } = migrated()
    const rows = connection.pragma(`table_info(${name})`) as { name: string; pk: bigint }[]
    const key = rows.filter(({ pk }) => pk > 0n).toSorted((a, b) => Number(a.pk - b.pk))
    const columns: Record<string, SQLiteColumn> = getTableColumns(READINGS[name] as SQLiteTable)
    expect(KEYS[name].map((field) => columns[field]?.name)).toEqual(key.map((row) => row.name))
  })
})

describe('the migrated database', () => {
  it('security: has only strict tables, so that an amount is an integer', () => {
    const { connection } = migrated()
    const lax = tablesOf(connection).filter(({ strict, wr }) => strict !== 1n || wr !== 1n)
    expect(lax).toEqual([])
  })

  it('security: holds what durability and the triggers depend on, however often it is opened', () => {
    const { path, connection } = migrated()
    const again = openConnection(path)
    onTestFinished(() => void again.close())
    for (const one of [connection, again]) {
      const held = ['journal_mode', 'synchronous', 'foreign_keys', 'recursive_triggers', 'trusted_schema'].map((name) =>
        one.pragma(name, { simple: true }),
      )
      expect(held).toEqual(['wal', 2n, 1n, 1n, 0n])
    }
  })

  it('security: cannot be written, nor trusted with functions, over the connection that reads', () => {
    const { path } = migrated()
    const reader = openReader(path)
    onTestFinished(() => void reader.close())
    expect(reader.pragma('trusted_schema', { simple: true })).toBe(0n)
    expect(() => reader.exec(`INSERT INTO texts VALUES ('${'a'.repeat(64)}', 'salt', 'text')`)).toThrow('readonly')
    expect(() => reader.pragma('user_version = 7')).toThrow('readonly')
  })

  it('reads integers whole on both connections', () => {
    const { path, connection } = migrated()
    const reader = openReader(path)
    onTestFinished(() => void reader.close())
    for (const one of [connection, reader])
      expect(one.prepare('SELECT 9007199254740993').pluck().get()).toBe(9_007_199_254_740_993n)
  })

  it('is refused by a program that does not know its schema', async () => {
    const { path, connection } = migrated()
    connection.pragma('user_version = 99')
    expect(await codeOf((async () => openConnection(path))())).toBe('schema_newer')
  })

  it('is not half made by a migration that fails', () => {
    const path = join(temporaryFolder(), 'bursar.db')
    const blocker = new Database(path)
    blocker.exec('CREATE TABLE payments (id)')
    expect(() => openConnection(path)).toThrow('already exists')
    expect(blocker.prepare('SELECT name FROM sqlite_master').pluck().all()).toEqual(['payments'])
    blocker.close()
  })
})
