import type { Statement } from 'better-sqlite3'
import type { LimitUse, Spender } from '../../core/limit.ts'
import type { Key } from '../../core/step.ts'
import type { TableName, Tables } from '../../core/tables.ts'
import { KEYS } from '../../core/tables.ts'
import type { Credential, Deposit, Payment, Text, Wallet } from '../../core/types.ts'
import type { Head, Page, Reader, Spending, StoredEvent, Where } from '../../ports.ts'
import { alterations } from './alterations.ts'
import type { Connection } from './connection.ts'
import type { TableStatements } from './rows.ts'
import type { Statements } from './snapshot.ts'
import { SnapshotReader, statementsOf } from './snapshot.ts'
import { SpendingReader } from './spending.ts'

/** How many rows are read at a time when a journal or its texts are walked; at first fewer, for who wants only a few. */
const ROWS_AT_ONCE = 2_000
const ROWS_AT_FIRST = 50

/** Reads outside of steps, on a connection of its own. */
export class SqliteReader implements Reader {
  private readonly connection: Connection
  private readonly statements: Statements
  private readonly snapshots: SnapshotReader
  private readonly spent: SpendingReader
  private readonly sql: {
    readonly [S in 'head' | 'heads' | 'text' | 'texts' | 'events' | 'journals' | 'newestBlock']: Statement
  }

  private readonly open: () => Connection
  /** Connections that nothing is read together on now. */
  private readonly spare: SqliteReader[] = []

  /** @param open another connection for reading, of which `together` needs one to itself */
  constructor(connection: Connection, statements: Statements, open: () => Connection) {
    this.connection = connection
    this.open = open
    this.statements = statements
    this.snapshots = new SnapshotReader(connection, statements)
    this.spent = new SpendingReader(connection)
    this.sql = {
      head: connection.prepare('SELECT journal, size, frontier, checkpoint FROM heads WHERE journal = ?'),
      heads: connection.prepare('SELECT journal, size, frontier, checkpoint FROM heads ORDER BY journal'),
      text: connection.prepare('SELECT text FROM texts WHERE digest = ?').pluck(),
      texts: connection.prepare(
        'SELECT digest, salt, text FROM texts WHERE text IS NOT NULL AND digest > ? ORDER BY digest LIMIT ?',
      ),
      newestBlock: connection
        .prepare(
          `SELECT max(block) FROM (
             SELECT block FROM scans WHERE wallet_id = @walletId
             UNION ALL SELECT max(block) FROM deposits WHERE wallet_id = @walletId
             UNION ALL SELECT max(block) FROM transfers WHERE wallet_id = @walletId)`,
        )
        .pluck(),
      journals: connection.prepare('SELECT DISTINCT journal FROM events').pluck(),
      events: connection.prepare(
        'SELECT journal, seq, type, body, leaf FROM events WHERE journal = ? AND seq >= ? ORDER BY seq LIMIT ?',
      ),
    }
  }

  async one<T extends TableName>(table: T, where: Partial<Tables[T]>): Promise<Tables[T] | null> {
    return this.statements[table].one(where) as Tables[T] | null
  }

  async list<T extends TableName>(table: T, where: Where<Tables[T]>, page: Page = {}): Promise<readonly Tables[T][]> {
    const rows = this.statements[table]
    const newest = rows.sql(KEYS[table][0] as string)
    const conditions = Object.entries(where).map(([field, value]) => conditionOf(rows, field, value))
    if (page.before !== undefined) conditions.push({ sql: `${newest} < ?`, values: [page.before] })
    const met = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`
    const limit = page.limit === undefined ? [] : [page.limit]
    const clauses = `${met} ORDER BY ${newest} DESC${limit.length === 0 ? '' : ' LIMIT ?'}`
    return rows.many(clauses, [...conditions.flatMap(({ values }) => values), ...limit]) as unknown as Tables[T][]
  }

  /** Apart, too, unless it is read together: a statement that is open keeps a connection at the moment at which it began. */
  async *all<T extends TableName>(table: T): AsyncIterable<Tables[T]> {
    if (this.connection.inTransaction) return yield* this.each(table)
    const reader = this.spare.pop() ?? this.another()
    try {
      yield* reader.each(table)
    } finally {
      this.spare.push(reader)
    }
  }

  async limits(spender: Spender, now: number): Promise<readonly LimitUse[]> {
    const wallet = await this.one('wallets', { id: spender.walletId })
    return wallet ? this.snapshots.allLimits(wallet as Wallet, spender, now) : []
  }

  async prior(same: NonNullable<Key['same']>, now: number): Promise<Payment | null> {
    return this.snapshots.prior(same, now)
  }

  async credentials(id: string): Promise<readonly Credential[]> {
    return this.snapshots.identities.chain(id)
  }

  async depositsAfter(walletId: string, block: number): Promise<readonly Deposit[]> {
    return this.statements.deposits.many('WHERE wallet_id = ? AND block > ?', [walletId, block]) as unknown as Deposit[]
  }

  async newestBlock(walletId: string): Promise<number> {
    return Number(this.sql.newestBlock.get({ walletId }) ?? -1)
  }

  async text(digest: string): Promise<string | null> {
    return (this.sql.text.get(digest) as string | null | undefined) ?? null
  }

  async spending(walletId: string, since: number, slotMs: number): Promise<Spending> {
    return this.spent.of(walletId, since, slotMs)
  }

  /** In portions, as events: a statement that is open keeps everything that is read here at the moment at which it began. */
  async *texts(): AsyncIterable<Text> {
    for (let after = ''; ; ) {
      const rows = this.sql.texts.all(after, ROWS_AT_ONCE) as Text[]
      yield* rows
      if (rows.length < ROWS_AT_ONCE) return
      after = rows.at(-1)?.digest as string
    }
  }

  async head(journal: string): Promise<Head | null> {
    const row = this.sql.head.get(journal) as HeadRow | undefined
    return row ? headOf(row) : null
  }

  /** On a connection of its own: others go on reading what is new. */
  async together<R>(look: (read: Reader) => Promise<R>): Promise<R> {
    const reader = this.spare.pop() ?? this.another()
    reader.connection.exec('BEGIN')
    try {
      return await look(reader)
    } finally {
      reader.connection.exec('COMMIT')
      this.spare.push(reader)
    }
  }

  close(): void {
    for (const reader of this.spare) reader.close()
    this.connection.close()
  }

  private each<T extends TableName>(table: T): Iterable<Tables[T]> {
    const rows = this.statements[table]
    const order = KEYS[table].map((field) => rows.sql(field)).join(', ')
    return rows.each(`ORDER BY ${order}`) as Iterable<unknown> as Iterable<Tables[T]>
  }

  private another(): SqliteReader {
    const connection = this.open()
    return new SqliteReader(connection, statementsOf(connection), this.open)
  }

  async heads(): Promise<readonly Head[]> {
    return (this.sql.heads.all() as HeadRow[]).map(headOf)
  }

  async journals(): Promise<readonly string[]> {
    return this.sql.journals.all() as string[]
  }

  async altered(): Promise<readonly string[]> {
    return alterations(this.connection)
  }

  /** In portions, so that a journal of any length is walked in little memory. */
  async *events(journal: string, from = 0): AsyncIterable<StoredEvent> {
    let portion = ROWS_AT_FIRST
    for (let next = from; ; portion = ROWS_AT_ONCE) {
      const rows = this.sql.events.all(journal, next, portion) as EventRow[]
      for (const row of rows) yield { ...row, seq: Number(row.seq) }
      if (rows.length < portion) return
      next += rows.length
    }
  }
}

type HeadRow = Omit<Head, 'size'> & { readonly size: bigint }
type EventRow = Omit<StoredEvent, 'seq'> & { readonly seq: bigint }

function headOf(row: HeadRow): Head {
  return { ...row, size: Number(row.size) }
}

interface Condition {
  readonly sql: string
  readonly values: readonly unknown[]
}

function conditionOf(rows: TableStatements, field: string, value: unknown): Condition {
  const column = rows.sql(field)
  if (value === null) return { sql: `${column} IS NULL`, values: [] }
  const any: readonly unknown[] = [value].flat()
  if (field === 'status') return { sql: named(column, any as string[]), values: [] }
  return { sql: `${column} IN (${any.map(() => '?').join(', ')})`, values: any.map((one) => rows.encode(field, one)) }
}

/** Written out, since SQLite takes a partial index (`WHERE status = …`) only for a status that the statement itself names. */
function named(column: string, statuses: readonly string[]): string {
  const known = statuses.filter((status) => /^[a-z_]{1,32}$/.test(status)).map((status) => `'${status}'`)
  return `${column} IN (${known.join(', ')})`
}
