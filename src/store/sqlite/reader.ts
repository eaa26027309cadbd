import type { Statement } from 'better-sqlite3'
import type { SQL } from 'drizzle-orm'
import { and, asc, desc, eq, gte, inArray, isNull, lt, sql } from 'drizzle-orm'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { LimitUse, Spender } from '../../core/limit.ts'
import type { TableName, Tables } from '../../core/tables.ts'
import { KEYS } from '../../core/tables.ts'
import type { Text, Wallet } from '../../core/types.ts'
import type { Head, Page, Reader, StoredEvent, Where } from '../../ports.ts'
import type { Connection } from './connection.ts'
import { events, heads, READINGS, texts } from './schema.ts'
import type { Statements } from './snapshot.ts'
import { SnapshotReader } from './snapshot.ts'

/** How many events are read at a time when a journal is walked. */
const EVENTS_AT_ONCE = 2_000

type Columns = Readonly<Record<string, SQLiteColumn>>

/** Reads outside of steps, on a connection of its own: these queries depend on what is asked, so drizzle builds them. */
export class SqliteReader implements Reader {
  private readonly connection: Connection
  private readonly database: BetterSQLite3Database
  private readonly statements: Statements
  private readonly snapshots: SnapshotReader
  private readonly headOf: Statement
  private readonly textOf: Statement

  constructor(connection: Connection, statements: Statements) {
    this.connection = connection
    this.database = drizzle(connection)
    this.statements = statements
    this.snapshots = new SnapshotReader(connection, statements)
    this.headOf = connection.prepare('SELECT size, frontier, checkpoint FROM heads WHERE journal = ?').raw(true)
    this.textOf = connection.prepare('SELECT text FROM texts WHERE digest = ?').pluck()
  }

  one<T extends TableName>(table: T, where: Partial<Tables[T]>): Tables[T] | null {
    return this.statements[table].one(where) as Tables[T] | null
  }

  list<T extends TableName>(table: T, where: Where<Tables[T]>, page: Page = {}): readonly Tables[T][] {
    const schema = READINGS[table] as SQLiteTable
    const columns = schema as unknown as Columns
    const newest = columns[KEYS[table][0] as string] as SQLiteColumn
    const conditions: (SQL | undefined)[] = Object.entries(where).map(([field, value]) =>
      condition(field, columns[field] as SQLiteColumn, value),
    )
    if (page.before !== undefined) conditions.push(lt(newest, page.before))
    const query = this.database
      .select()
      .from(schema)
      .where(and(...conditions))
      .orderBy(desc(newest))
    return (page.limit === undefined ? query.all() : query.limit(page.limit).all()) as Tables[T][]
  }

  *all<T extends TableName>(table: T): Iterable<Tables[T]> {
    const schema = READINGS[table] as SQLiteTable
    const columns = schema as unknown as Columns
    const order = KEYS[table].map((field) => asc(columns[field] as SQLiteColumn))
    yield* this.database
      .select()
      .from(schema)
      .orderBy(...order)
      .all() as Tables[T][]
  }

  limits(spender: Spender, now: number): readonly LimitUse[] {
    const wallet = this.one('wallets', { id: spender.walletId })
    return wallet ? this.snapshots.allLimits(wallet as Wallet, spender, now) : []
  }

  text(digest: string): string | null {
    return (this.textOf.get(digest) as string | null | undefined) ?? null
  }

  *texts(): Iterable<Text> {
    for (const row of this.database.select().from(texts).all())
      if (row.text !== null) yield { digest: row.digest, salt: row.salt, text: row.text }
  }

  head(journal: string): Head | null {
    const row = this.headOf.get(journal) as [bigint, Buffer, string] | undefined
    return row ? { journal, size: Number(row[0]), frontier: row[1], checkpoint: row[2] } : null
  }

  together<R>(look: () => R): R {
    this.connection.exec('BEGIN')
    try {
      return look()
    } finally {
      this.connection.exec('COMMIT')
    }
  }

  heads(): readonly Head[] {
    return this.database.select().from(heads).orderBy(asc(heads.journal)).all()
  }

  /** In portions, so that a journal of any length is walked in little memory. */
  *events(journal: string, from = 0): Iterable<StoredEvent> {
    const portion = this.portions()
    for (let next = from; ; ) {
      const rows = portion.all({ journal, next, limit: EVENTS_AT_ONCE })
      yield* rows
      if (rows.length < EVENTS_AT_ONCE) return
      next += rows.length
    }
  }

  private portions() {
    return this.database
      .select()
      .from(events)
      .where(and(eq(events.journal, sql.placeholder('journal')), gte(events.seq, sql.placeholder('next'))))
      .orderBy(asc(events.seq))
      .limit(sql.placeholder('limit'))
      .prepare()
  }
}

function condition(field: string, column: SQLiteColumn, value: unknown): SQL {
  if (value === null) return isNull(column)
  if (field === 'status') return hasStatus(column, [value].flat() as string[])
  return Array.isArray(value) ? inArray(column, value) : eq(column, value)
}

/** Written out, since SQLite takes a partial index (`WHERE status = …`) only for a status that the statement itself names. */
function hasStatus(column: SQLiteColumn, statuses: readonly string[]): SQL {
  const named = statuses.filter((status) => /^[a-z_]{1,32}$/.test(status)).map((status) => `'${status}'`)
  if (named.length === 0) return sql`0`
  return named.length === 1
    ? sql`${column} = ${sql.raw(named.join())}`
    : sql`${column} in (${sql.raw(named.join(', '))})`
}
