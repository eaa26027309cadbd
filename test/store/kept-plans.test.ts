import Database from 'better-sqlite3'
import { expect, it, vi } from 'vitest'
import { openConnection } from '../../src/store/sqlite/connection.ts'
import { SqliteKept } from '../../src/store/sqlite/kept.ts'
import { temporaryFolder } from '../support/purse.ts'

it('what is remembered in a file is found by its keys and indexes alone', async () => {
  const path = `${temporaryFolder()}/bursar.db`
  openConnection(path).close()
  const prepare = vi.spyOn(Database.prototype, 'prepare')
  const kept = new SqliteKept(() => openConnection(path), { now: () => 0 })
  await kept.first('f'.repeat(64), 1)
  const statements = prepare.mock.calls.map(([sql]) => sql).filter((sql) => /kept_(calls|names)/.test(sql))
  prepare.mockRestore()
  await kept.close()
  const db = openConnection(path)
  const scans = statements.flatMap((sql) => {
    const values = sql.includes('@') ? [] : Array.from(sql.matchAll(/\?/g), () => 1)
    const named = Object.fromEntries(Array.from(sql.matchAll(/@(\w+)/g), ([, name]) => [name, 1]))
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values, named) as { detail: string }[]
    return plan.map(({ detail }) => detail).filter((detail) => /SCAN kept_(calls|names)\b/.test(detail))
  })
  db.close()
  expect(statements.length).toBeGreaterThan(12)
  // In the order of the index, and the first of it alone.
  expect(scans).toEqual(['SCAN kept_calls USING COVERING INDEX kept_calls_answered'])
})
