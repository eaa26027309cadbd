import type Database from 'better-sqlite3'
import type { Books, Dialect, Sql, Value } from './books.ts'
import { type Sleep, whenFree } from './busy.ts'
import { openDatabase } from './database.ts'
import { recordsOf } from './records.ts'
import { turns } from './turns.ts'

const DIALECT: Dialect = {
  schema: 'main',
  // There is one writer at a time.
  held: '',
  waiting: 'true',
  take: 'DELETE FROM main.schedule WHERE n = $1',
  nextSeq: 'UPDATE main.network SET seq = seq + 1 RETURNING seq',
  settled: null,
}

/** Books in a file of their own. @throws Error for a file of another program, and for one that a newer bursar wrote. */
export async function sqliteBooks(path: string, sleep: Sleep): Promise<Books & { close(): void }> {
  const db = await openDatabase(path, sleep)
  const records = recordsOf(sqlOf(db), DIALECT)
  // There is one connection: nobody may look into a transaction that has not ended.
  const turn = turns(1)
  return {
    read: (work) => whenFree(sleep, () => turn(() => work(records))),
    update: (_subject, work) => whenFree(sleep, () => turn(() => transaction(db, () => work(records)))),
    close: () => void turn(async () => void db.close()),
  }
}

async function transaction<T>(db: Database.Database, work: () => Promise<T>): Promise<T> {
  // Take the write lock before reading: what was decided on can then not change before it is written.
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = await work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // Some errors have ended it already.
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Every statement prepared once. Nothing waits: a transaction ends before the event loop turns. */
function sqlOf(db: Database.Database): Sql {
  const prepared = new Map<string, Database.Statement>()
  const statement = (text: string) => {
    const found = prepared.get(text) ?? db.prepare(text)
    prepared.set(text, found)
    return found
  }
  return {
    all: async <Row>(text: string, values: readonly Value[] = []) => statement(text).all(numbered(values)) as Row[],
    run: async (text, values = []) => statement(text).run(numbered(values)).changes,
  }
}

function numbered(values: readonly Value[]): Record<number, Value> {
  return Object.fromEntries(values.map((value, n) => [n + 1, value]))
}
