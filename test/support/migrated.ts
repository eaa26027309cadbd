import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openConnection } from '../../src/store/sqlite/connection.ts'

/** Kept beside all modules: those of a test file are loaded anew for the next one, and the migrations stay the same. */
const shared = globalThis as { migratedDatabase?: Buffer }

/**
 * Puts a database at this path that the migrations have made, and nothing else, unless one is there: `openSqlite` finds its
 * work done. The migrations run once in each process and the file is copied, which takes a tenth of the time.
 */
export function migrated(path: string): void {
  if (existsSync(path)) return
  const bytes = migratedBytes()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // Whole or not at all, for whoever else opens it; and who is second finds it.
  const own = `${path}.${process.pid}`
  writeFileSync(own, bytes)
  try {
    linkSync(own, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(own)
  }
}

function migratedBytes(): Buffer {
  if (shared.migratedDatabase) return shared.migratedDatabase
  const folder = mkdtempSync(join(tmpdir(), 'bursar-migrated-'))
  try {
    const path = join(folder, 'bursar.db')
    // What is in the log beside it gets into the file at the end.
    openConnection(path).close()
    shared.migratedDatabase = readFileSync(path)
    return shared.migratedDatabase
  } finally {
    rmSync(folder, { recursive: true })
  }
}
