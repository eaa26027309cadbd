import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Books, Dialect, Sql } from './books.ts'
import type { Sleep } from './busy.ts'
import { type Hosts, hostsOf } from './postgres-hosts.ts'
import { type Records, recordsOf } from './records.ts'
import { turns } from './turns.ts'

const DIALECT: Dialect = {
  schema: 'sandbox_cards',
  held: ' FOR NO KEY UPDATE',
  waiting: 'NOT taken',
  take: 'UPDATE sandbox_cards.schedule SET taken = true WHERE n = $1 AND NOT taken',
  nextSeq: 'SELECT sandbox_cards.next_seq() AS seq',
  settled: 'SELECT sandbox_cards.settle_seq()',
}

/** How many transactions run at a time, those that wait for a lock among them. */
const CONNECTIONS = 8
/** How long one waits for a lock, and the server for the next statement of a transaction, in milliseconds. */
const LOCK_MS = 4_000
const SILENT_MS = 5_000
/** For how long it is begun again, and the longest pause between, in milliseconds. */
const TRIED_MS = 10_000
const PAUSE_MS = 100

/** Serialization failures, deadlocks, locks that were not had in time: nothing was written. */
const AGAIN = /^(40001|40P01|55P03)$/
/** The connection or the server is gone, is going, or is a standby: that says 0A000 to READ WRITE. */
const ELSEWHERE = /^(08...|0A000|25006|25P0[345]|53300|57P0[1235])$/

type Work<T> = (records: Records, sql: Sql) => Promise<T>

/**
 * Books in the schema `sandbox_cards` of PostgreSQL. Every verb is idempotent by its own ids, so a transaction whose answer was
 * lost is run again as well: it finds what the one before it wrote.
 *
 * @param urls one for each host
 * @throws Error when the database cannot be had, or has no such schema
 */
export async function postgresBooks(
  urls: readonly string[],
  sleep: Sleep,
): Promise<Books & { close(): Promise<void> }> {
  const hosts = hostsOf(urls, CONNECTIONS)
  const turn = turns(CONNECTIONS)
  const run = <T>(subject: string | null, work: Work<T>) =>
    untilDone(sleep, () => turn(() => transaction(hosts, subject, work)))
  try {
    await run(null, (_records, sql) => named(sql))
  } catch (error) {
    await hosts.end()
    throw error
  }
  return { read: (work) => run(null, work), update: run, close: hosts.end }
}

/** The first who opens the network gives it its name. */
async function named(sql: Sql): Promise<void> {
  await sql.run('INSERT INTO sandbox_cards.network (only_row, id) VALUES (1, $1) ON CONFLICT DO NOTHING', [
    randomUUID(),
  ])
}

/** What the database says, with the code of its error. Not the details: a card's number may be in them. */
class DatabaseError extends Error {
  readonly code: string | null

  constructor(error: unknown) {
    super(error instanceof Error ? error.message : String(error))
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    this.code = /^[0-9A-Z]{5}$/.test(code) ? code : null
  }

  /** It can only go on over another connection, perhaps to another host. */
  get isLost(): boolean {
    return this.code === null || ELSEWHERE.test(this.code)
  }

  get isPassing(): boolean {
    return this.isLost || AGAIN.test(this.code ?? '')
  }
}

async function untilDone<T>(sleep: Sleep, attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + TRIED_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof DatabaseError && error.isPassing) || performance.now() > until) throw error
    }
    await sleep(1 + Math.random() * PAUSE_MS)
  }
}

async function transaction<T>(hosts: Hosts, subject: string | null, work: Work<T>): Promise<T> {
  const client = await said(() => hosts.connect())
  try {
    await said(() => client.query(begin(subject)))
    const sql = sqlOf(client)
    const result = await work(recordsOf(sql, DIALECT), sql)
    // A transaction that has failed answers ROLLBACK, and no error.
    const { command } = await said(() => client.query('COMMIT'))
    if (command !== 'COMMIT') throw new Error(`The card network's books answered ${command}.`)
    client.release()
    return result
  } catch (error) {
    if (error instanceof DatabaseError && error.isLost) hosts.leave(client)
    else await undo(hosts, client)
    throw error
  }
}

/** Each statement sees all that was committed before it began, so what is read under a lock is as it will stay. */
function begin(subject: string | null): string {
  const settings = `SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL idle_in_transaction_session_timeout = ${SILENT_MS}`
  const lock = (name: string) =>
    `; SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(${pg.escapeLiteral(name)}, 0))`
  return `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${settings}${subject === null ? '' : lock(`sandbox_cards:${subject}`)}`
}

async function undo(hosts: Hosts, client: pg.PoolClient): Promise<void> {
  try {
    await client.query('ROLLBACK')
    client.release()
  } catch {
    hosts.leave(client)
  }
}

/** Statements without a name, each within the transaction: a PgBouncer may give the next one another connection. */
function sqlOf(client: pg.PoolClient): Sql {
  return {
    all: async (statement, values = []) => (await said(() => client.query(statement, [...values]))).rows,
    run: async (statement, values = []) => (await said(() => client.query(statement, [...values]))).rowCount ?? 0,
  }
}

async function said<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw new DatabaseError(error)
  }
}
