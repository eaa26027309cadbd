import { randomBytes } from 'node:crypto'
import type { Statement } from 'better-sqlite3'
import type { Connection } from '../src/store/sqlite/connection.ts'
import { openConnection } from '../src/store/sqlite/connection.ts'
import { systemIds } from '../src/system.ts'
import { filesOf } from './purse.ts'

const HASH_BYTES = 32
const MINUTES_10 = 600_000

/** What a measured decision wrote: its rows are written again, under new ids. */
interface Sample {
  readonly payment: Readonly<Record<string, unknown>>
  readonly entry: Readonly<Record<string, unknown>>
  readonly counters: readonly { readonly limit_id: string; readonly scope_value: string; readonly window_key: string }[]
  readonly bodies: readonly { readonly type: string; readonly body: string }[]
  readonly checkpoint: string
}

/**
 * The same rows as a decision, read and written by nothing but better-sqlite3: no snapshot, no rules, no hash, no
 * signature. The file is one of {@link makePurse}'s with one decision in it, so that schema, indexes, checks and triggers
 * are the same.
 */
export class Bare {
  readonly connection: Connection
  private readonly sample: Sample
  private readonly statements: ReturnType<typeof statementsOf>
  private readonly transaction: { immediate(): void }

  constructor(folder: string) {
    this.connection = openConnection(filesOf(folder).database)
    this.sample = sampleOf(this.connection)
    this.statements = statementsOf(this.connection, this.sample)
    this.transaction = this.connection.transaction(() => this.step())
  }

  /** One decision's reads and writes, durable when it returns. */
  decide(): void {
    this.transaction.immediate()
  }

  /** Many of them in one transaction, the payments captured: history in little time. */
  history(payments: number): void {
    const capture = this.connection.prepare(
      `UPDATE payments SET status = 'captured', held = 0, captured = amount WHERE id = ?`,
    )
    this.connection.transaction(() => {
      for (let i = 0; i < payments; i++) capture.run(this.step())
    })()
  }

  close(): void {
    this.connection.close()
  }

  private step(): string {
    const { sample, statements } = this
    const { payment } = sample
    const { wallet_id: journal, agent_id, instrument_id } = payment
    const id = systemIds.make('payment')
    const fingerprint = randomBytes(HASH_BYTES).toString('hex')
    const digest = randomBytes(HASH_BYTES).toString('hex')
    statements.instance.get()
    statements.agent.get(agent_id)
    statements.instrument.get(instrument_id)
    statements.wallet.get(journal)
    statements.accounts.get(journal)
    statements.limits.all(journal)
    for (const { limit_id, scope_value, window_key } of sample.counters)
      statements.counter.get(limit_id, scope_value, window_key)
    statements.prior.get(agent_id, fingerprint, Date.now() - MINUTES_10)
    const [size] = statements.head.get(journal) as [bigint]
    const seq = Number(size)
    statements.text.run(digest, digest.slice(HASH_BYTES), id)
    for (const [i, { type, body }] of sample.bodies.entries())
      statements.event.run(journal, seq + i, type, body.replaceAll(payment.id as string, id), randomBytes(HASH_BYTES))
    statements.use.run(instrument_id)
    for (const { limit_id, scope_value, window_key } of sample.counters)
      statements.count.run(limit_id, scope_value, window_key)
    statements.entry.run({ ...sample.entry, payment_id: id, seq: seq + 1 })
    statements.hold.run(journal)
    statements.payment.run({ ...payment, id, fingerprint, purpose_ref: digest, seq: seq + 1, created_at: Date.now() })
    const end = seq + sample.bodies.length
    statements.advance.run(end, randomBytes(HASH_BYTES * setBits(end)), sample.checkpoint, journal)
    return id
  }
}

function sampleOf(connection: Connection): Sample {
  const one = (sql: string): Record<string, unknown> => connection.prepare(sql).get() as Record<string, unknown>
  const payment = one('SELECT * FROM payments ORDER BY id DESC LIMIT 1')
  return {
    payment,
    entry: one(`SELECT * FROM entries WHERE kind = 'hold' ORDER BY seq DESC LIMIT 1`),
    counters: connection
      .prepare('SELECT * FROM counters WHERE scope_value IN (?, ?, ?)')
      .all(payment.wallet_id, payment.session_id, payment.payee_key) as unknown as Sample['counters'],
    bodies: connection
      .prepare('SELECT type, body FROM events WHERE journal = ? ORDER BY seq DESC LIMIT 2')
      .all(payment.wallet_id)
      .reverse() as Sample['bodies'][number][],
    checkpoint: one('SELECT checkpoint FROM heads ORDER BY size DESC LIMIT 1').checkpoint as string,
  }
}

function statementsOf(connection: Connection, sample: Sample) {
  const read = (sql: string): Statement => connection.prepare(sql).raw(true)
  const insert = (table: string, row: object): Statement => {
    const columns = Object.keys(row)
    return connection.prepare(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`,
    )
  }
  return {
    instance: read('SELECT * FROM instance'),
    agent: read('SELECT * FROM agents WHERE id = ?'),
    instrument: read('SELECT * FROM instruments WHERE id = ?'),
    wallet: read('SELECT * FROM wallets WHERE id = ?'),
    accounts: read('SELECT * FROM accounts WHERE wallet_id = ?'),
    limits: read('SELECT * FROM limits WHERE wallet_id = ? AND removed_at IS NULL'),
    counter: read('SELECT * FROM counters WHERE limit_id = ? AND scope_value = ? AND window_key = ?'),
    prior: read(
      `SELECT * FROM payments WHERE agent_id = ? AND fingerprint = ? AND created_at > ?
       AND status NOT IN ('refused', 'voided', 'expired', 'canceled') ORDER BY id DESC LIMIT 1`,
    ),
    head: read('SELECT size, frontier FROM heads WHERE journal = ?'),
    text: connection.prepare('INSERT INTO texts (digest, salt, text) VALUES (?, ?, ?)'),
    event: connection.prepare('INSERT INTO events (journal, seq, type, body, leaf) VALUES (?, ?, ?, ?, ?)'),
    payment: insert('payments', sample.payment),
    entry: insert('entries', sample.entry),
    use: connection.prepare(
      'UPDATE instruments SET remaining = remaining - 100, usage_consumed = usage_consumed + 1 WHERE id = ?',
    ),
    count: connection.prepare(
      `UPDATE counters SET amount = amount + 100, count = count + 1
       WHERE limit_id = ? AND scope_value = ? AND window_key = ?`,
    ),
    hold: connection.prepare('UPDATE accounts SET available = available - 100, held = held + 100 WHERE wallet_id = ?'),
    advance: connection.prepare('UPDATE heads SET size = ?, frontier = ?, checkpoint = ? WHERE journal = ?'),
  }
}

function setBits(value: number): number {
  let count = 0
  for (let bits = value; bits > 0; bits = Math.floor(bits / 2)) count += bits % 2
  return count
}
