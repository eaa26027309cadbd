import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Statement } from 'better-sqlite3'
import { sha256 } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import { MARK, markedFor, markSql } from '../shared/moved.ts'
import type { Connection } from '../sqlite/connection.ts'
import { openConnection, openReader } from '../sqlite/connection.ts'
import { takeLock } from '../sqlite/lock.ts'
import { SqliteReader } from '../sqlite/reader.ts'
import { statementsOf } from '../sqlite/snapshot.ts'
import type { Books, Receiver, Side } from './side.ts'
import type { CardFile } from './sqlite-cards.ts'
import { lookAtCards, lookAtMoving, placeCards, writeCards } from './sqlite-cards.ts'
import { insertSql, rowsOf } from './sqlite-rows.ts'
import type { Table } from './tables.ts'

/**
 * A purse in a file, which is made if it is not there.
 *
 * @param cards the sandbox's card network beside it; null: it is left where it is
 * @throws `schema_newer`, `config_invalid` as every opening does
 */
export function sqliteSide(path: string, cards: CardFile | null = null): Side {
  if (!existsSync(path)) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const connection = openConnection(path)
  // Waiting for the write lock is done in short pauses.
  connection.pragma('busy_timeout = 0')
  const begin = connection.prepare('BEGIN IMMEDIATE')
  const within = async <R>(work: () => Promise<R> | R): Promise<R> => {
    await takeLock(begin)
    try {
      const result = await work()
      connection.exec('COMMIT')
      return result
    } catch (error) {
      if (connection.inTransaction) connection.exec('ROLLBACK')
      throw error
    }
  }
  return {
    id: sha256(`file:${realpathSync(path)}`).toString('hex', 0, 8),
    keepsAll: true,
    marked: async () => markOf(connection),
    mark: (target) =>
      within(() => {
        if (markOf(connection) !== null) throw new BursarError('wrong_state', 'The purse is marked as moved already.')
        connection.exec(markSql(target))
      }),
    unmark: (target) =>
      within(() => {
        if (markOf(connection) === target) connection.exec(`DROP TRIGGER ${MARK}`)
      }),
    async look(work) {
      const reading = openReader(path)
      try {
        reading.exec('BEGIN')
        return await work(booksOf(reading, path))
      } finally {
        reading.close()
      }
    },
    lookAtCards: (work) => (cards ? lookAtCards(cards.path, work) : work(null)),
    alone: (work) => within(() => work(receiverOf(connection, path, cards))),
    async placeCards() {
      if (cards) placeCards(cards.path)
    },
    close: async () => void connection.close(),
  }
}

function markOf(connection: Connection): string | null {
  const sql = connection.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(MARK) as string | undefined
  return markedFor(/RAISE\(ABORT, '([^']*)'\)/.exec(sql ?? '')?.[1] ?? '')
}

function booksOf(connection: Connection, path: string): Books {
  return {
    read: new SqliteReader(connection, statementsOf(connection), () => openReader(path)),
    rows: (table) => rowsOf(connection, table),
  }
}

function receiverOf(connection: Connection, path: string, cards: CardFile | null): Receiver {
  let walls: readonly string[] = []
  const inserts = new Map<Table, Statement>()
  const insertOf = (table: Table): Statement => {
    const made = inserts.get(table) ?? connection.prepare(insertSql(table))
    inserts.set(table, made)
    return made
  }
  return {
    ...booksOf(connection, path),
    async open() {
      // Whole again at the end: what a row refers to may come after it.
      connection.pragma('defer_foreign_keys = ON')
      const found = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all()
      for (const { name } of found as Wall[]) connection.exec(`DROP TRIGGER ${name}`)
      walls = (found as Wall[]).map(({ sql }) => sql)
    },
    async insert(table, rows) {
      const statement = insertOf(table)
      for (const row of rows) statement.run(row.map((one) => (typeof one === 'boolean' ? Number(one) : one)))
    },
    async shut() {
      for (const sql of walls) connection.exec(sql)
    },
    async insertCards(found) {
      if (cards) await writeCards(cards, found)
    },
    lookAtCards: (work) => (cards ? lookAtMoving(cards.path, work) : work(null)),
  }
}

interface Wall {
  readonly name: string
  readonly sql: string
}
