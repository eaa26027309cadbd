import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { DatabaseReport } from '../cli/program.ts'

/** What SQLite itself says of a database file. Read-only: a damaged file is not touched. @throws whatever SQLite throws */
export function inspectDatabase(path: string, root: string): DatabaseReport | null {
  if (!existsSync(path)) return null
  const database = new Database(path, { readonly: true })
  try {
    return {
      schemaVersion: Number(database.pragma('user_version', { simple: true })),
      schemaKnown: migrations(root),
      integrity: String(database.pragma('integrity_check(1)', { simple: true })),
    }
  } finally {
    database.close()
  }
}

function migrations(root: string): number {
  const journal = readFileSync(join(root, 'drizzle', 'sqlite', 'meta', '_journal.json'), 'utf8')
  return (JSON.parse(journal) as { entries: unknown[] }).entries.length
}
