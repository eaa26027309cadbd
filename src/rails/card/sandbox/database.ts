import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { type Sleep, whenFree } from './busy.ts'
import { SCHEMA, SCHEMA_VERSION } from './schema.ts'

/** Marks the file as a sandbox card network's: "bcrd". */
const APPLICATION_ID = 0x62637264n

const SETTINGS = {
  journal_mode: 'wal',
  // A killed process loses nothing. A power cut may forget the last commits of a sandbox, in which no money moves, and
  // never tears the file: bursar then sends the same payment ids again. It saves an fsync for each payment.
  synchronous: 1n,
  foreign_keys: 1n,
  trusted_schema: 0n,
} as const

/**
 * Opens the sandbox's own file, made with mode 0600 on first use. `:memory:` gives a private one.
 *
 * @throws Error for a file of another program, and for one that a newer bursar wrote.
 */
export async function openDatabase(path: string, sleep: Sleep): Promise<Database.Database> {
  if (path !== ':memory:') makePrivate(path)
  return whenFree(sleep, () => {
    // No busy timeout: it blocks the event loop. whenFree waits instead.
    const db = new Database(path, { timeout: 0 })
    try {
      return prepared(db)
    } catch (error) {
      db.close()
      throw error
    }
  })
}

function prepared(db: Database.Database): Database.Database {
  db.defaultSafeIntegers(true)
  // Look before the first write: not even the journal mode of a foreign file may be changed. As of one moment: another
  // process may be making the file.
  db.transaction(() => refuseForeign(db)).deferred()
  for (const [name, wanted] of Object.entries(SETTINGS)) {
    const value = db.pragma(`${name} = ${wanted}`, { simple: true }) ?? db.pragma(name, { simple: true })
    const set = name === 'journal_mode' && db.memory ? 'memory' : wanted
    if (value !== set) throw new Error(`SQLite did not take ${name} = ${wanted}.`)
  }
  db.transaction(() => migrate(db)).immediate()
  return db
}

function refuseForeign(db: Database.Database): void {
  const version = db.pragma('user_version', { simple: true }) as bigint
  const application = db.pragma('application_id', { simple: true })
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  if (tables !== 0n && application !== APPLICATION_ID) throw new Error('The file is not a sandbox card network.')
  if (version > SCHEMA_VERSION) throw new Error('A newer bursar wrote the sandbox card network. Run that one.')
}

/** Runs under the write lock, so that of several processes one creates and the others find it done. */
function migrate(db: Database.Database): void {
  refuseForeign(db)
  if (db.pragma('user_version', { simple: true }) === SCHEMA_VERSION) return
  db.exec(SCHEMA)
  db.prepare('INSERT INTO network (only_row, id, seq) VALUES (1, ?, 0)').run(randomUUID())
  db.pragma(`application_id = ${APPLICATION_ID}`)
  db.pragma(`user_version = ${SCHEMA_VERSION}`)
}

/** Only ever opens a file that does not exist: closing one that SQLite has open would drop this process's locks on it. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
