import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { DatabaseReport } from '../cli/database.ts'
import type { DatabaseConfig } from '../config.ts'

/** What the database itself says. Read-only: a damaged file is not touched. @throws whatever SQLite throws */
export async function inspectDatabase(database: DatabaseConfig, root: string): Promise<DatabaseReport | null> {
  if (database.kind === 'file') return inspectFile(database.path, migrations(root, 'sqlite'))
  const { inspectServer } = await import('./inspect-server.ts')
  return inspectServer(database.url, migrations(root, 'postgres'))
}

function inspectFile(path: string, schemaKnown: number): DatabaseReport | null {
  if (!existsSync(path)) return null
  const database = new Database(path, { readonly: true })
  try {
    return {
      ...{ kind: 'file', path, schemaKnown },
      schemaVersion: Number(database.pragma('user_version', { simple: true })),
      integrity: String(database.pragma('integrity_check(1)', { simple: true })),
    }
  } finally {
    database.close()
  }
}

function migrations(root: string, kind: 'sqlite' | 'postgres'): number {
  const journal = readFileSync(join(root, 'drizzle', kind, 'meta', '_journal.json'), 'utf8')
  return (JSON.parse(journal) as { entries: unknown[] }).entries.length
}
