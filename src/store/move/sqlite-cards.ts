import { existsSync, renameSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Connection } from '../sqlite/connection.ts'
import { CARD_TABLES, type CardBooks } from './card-tables.ts'
import { insertSql, rowsOf } from './sqlite-rows.ts'

/** Where the sandbox's card network has its file, and how an empty one is made. */
export interface CardFile {
  readonly path: string
  make(path: string): Promise<void>
}

const WITH_IT = ['', '-wal', '-shm'] as const

/** Looks at the network's file; null where there is none. */
export async function lookAtCards<R>(path: string, work: (cards: CardBooks | null) => Promise<R>): Promise<R> {
  if (!existsSync(path)) return work(null)
  const connection = new Database(path, { readonly: true })
  try {
    connection.defaultSafeIntegers(true)
    connection.exec('BEGIN')
    return await work(booksOf(connection))
  } finally {
    connection.close()
  }
}

/** Writes a whole network into a file beside the one that it will be, in place of what a run that was killed left there. */
export async function writeCards({ path, make }: CardFile, cards: CardBooks | null): Promise<void> {
  const moving = movingOf(path)
  for (const end of WITH_IT) rmSync(moving + end, { force: true })
  if (!cards) return
  await make(moving)
  const connection = new Database(moving)
  try {
    connection.exec('BEGIN IMMEDIATE')
    connection.prepare('UPDATE network SET id = ?, seq = ?').run(cards.id, cards.seq)
    for (const table of CARD_TABLES) {
      const insert = connection.prepare(insertSql(table))
      for await (const row of cards.rows(table)) insert.run(row)
    }
    connection.exec('COMMIT')
    // One file, to be renamed.
    connection.pragma('journal_mode = DELETE')
  } finally {
    connection.close()
  }
}

/** What {@link writeCards} wrote, before it is in its place. */
export function lookAtMoving<R>(path: string, work: (cards: CardBooks | null) => Promise<R>): Promise<R> {
  return lookAtCards(movingOf(path), work)
}

/** Puts the network into its place, once the purse is there. One that was there before is kept beside it. */
export function placeCards(path: string): void {
  const moving = movingOf(path)
  if (!existsSync(moving)) return
  if (existsSync(path))
    for (const end of WITH_IT) if (existsSync(path + end)) renameSync(path + end, `${aside(path)}${end}`)
  renameSync(moving, path)
}

function booksOf(connection: Connection): CardBooks {
  const network = connection.prepare('SELECT id, seq FROM network').get() as { id: string; seq: bigint }
  return { ...network, rows: (table) => rowsOf(connection, table) }
}

function movingOf(path: string): string {
  return `${path}.moving`
}

/** The first name that is free. */
function aside(path: string): string {
  for (let n = 1; ; n++) if (!existsSync(`${path}.old-${n}`)) return `${path}.old-${n}`
}
