import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { canonical } from '../../src/core/canonical.ts'
import type { EventOf, JournalEvent } from '../../src/core/event.ts'
import { append, EMPTY, type Frontier, leafHash, rootOf } from '../../src/core/merkle.ts'
import { openNote, parseCheckpoint } from '../../src/core/note.ts'
import { project } from '../../src/core/projection/index.ts'
import { KEYS, Rebuilt, rowName, type TableName } from '../../src/core/tables.ts'
import type { Counter, CounterKey, Instrument, Payment } from '../../src/core/types.ts'
import type { Reader } from '../../src/ports.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { collected } from './collected.ts'
import type { Books } from './store.ts'

interface Carried {
  readonly amount: bigint
  readonly count: number
  readonly forced: bigint
}

/**
 * Looks at a store from outside, past the code that wrote it: the journals' bytes, plain SQL over the tables, and the
 * issuer's own file. Remembers how far it has read, so that it can be asked after every step.
 */
export class Audit {
  private readonly read: Reader
  private readonly noteKey: ReturnType<typeof journalNoteKey>
  private readonly books: Books
  private readonly issuer: Database.Database
  private readonly journals = new Map<string, Frontier>()
  private readonly rebuilt = new Rebuilt()
  private readonly voided = new Set<string>()
  private readonly carried = new Map<string, Carried>()
  /** The rows that events have changed since the last look. */
  private changed = new Map<string, { table: TableName; key: object }>()
  /** How many events there are, over all journals. */
  events = 0

  constructor(read: Reader, publicKey: Buffer, books: Books, issuerPath: string) {
    this.read = read
    this.noteKey = journalNoteKey(publicKey)
    this.books = books
    this.issuer = new Database(issuerPath, { readonly: true })
    this.issuer.defaultSafeIntegers(true)
  }

  async close(): Promise<void> {
    await this.books.close()
    this.issuer.close()
  }

  /** Everything that is wrong, a sentence each; nothing is the right answer. `settled`: recovery has read the issuer, and all rows are compared. */
  async problems(settled = false): Promise<string[]> {
    return [
      ...(await collected(this.journalProblems())),
      ...(await collected(this.tableProblems(settled))),
      ...(await collected(this.accountProblems())),
      ...(await collected(this.instrumentProblems())),
      ...(await collected(this.counterProblems())),
      ...(await collected(this.issuerProblems(settled))),
    ]
  }

  /** What merchants took by force with an instrument, whether bursar has heard of it or not. */
  forcedOn(instrumentId: string): bigint {
    const sum = `SELECT coalesce(sum(a.forced), 0) FROM authorizations a JOIN cards c ON c.id = a.card_id WHERE c.instrument_id = ?`
    return this.issuer.prepare(sum).pluck().get(instrumentId) as bigint
  }

  private async *journalProblems(): AsyncIterable<string> {
    const heads = (await this.read.heads()).toSorted(
      (a, b) => Number(b.journal === 'instance') - Number(a.journal === 'instance'),
    )
    for (const { journal, size, checkpoint } of heads) {
      let frontier = this.journals.get(journal) ?? EMPTY
      for await (const { seq, body, leaf } of this.read.events(journal, frontier.size)) {
        const event = JSON.parse(body!) as JournalEvent
        if (seq !== frontier.size || event.seq !== seq || event.journal !== journal)
          yield `${journal} ${seq}: out of place`
        if (canonical(event) !== body || !leafHash(body).equals(leaf)) yield `${journal} ${seq}: not what was hashed`
        frontier = append(frontier, leafHash(body!))
        this.take(event)
      }
      this.journals.set(journal, frontier)
      const signed = parseCheckpoint(openNote(checkpoint, [this.noteKey]).text)
      if (frontier.size !== size || signed.size !== size) yield `${journal}: the head is over another size`
      if (!signed.root.equals(rootOf(frontier))) yield `${journal}: the checkpoint is over another root`
    }
  }

  private take(event: JournalEvent): void {
    this.events += 1
    const ops = project(event)
    this.rebuilt.apply(ops)
    for (const op of ops) {
      const row = ('insert' in op ? op.insert : op.key) as object
      const key = Object.fromEntries(KEYS[op.table].map((column) => [column, (row as never)[column]]))
      this.changed.set(rowName(op.table, key), { table: op.table, key })
    }
    if (event.type === 'payment.voided') this.voided.add(event.payment_id as string)
    if (event.type === 'limit.set') for (const one of (event as EventOf<'limit.set'>).details.carried) this.carry(one)
  }

  private carry(one: EventOf<'limit.set'>['details']['carried'][number]): void {
    const key = { limitId: one.limit_id, scopeValue: one.scope_value, windowKey: one.window_key }
    const units = (text: string) => BigInt(text.replace('.', ''))
    this.carried.set(nameOf(key), { amount: units(one.amount), count: one.count, forced: units(one.forced) })
  }

  /** Every row that events changed, or every row there is; and that there are no others. */
  private async *tableProblems(all: boolean): AsyncIterable<string> {
    let rows = 0
    for (const [name, { table, key }] of this.changed)
      if (!isDeepStrictEqual(await this.read.one(table, key), this.rebuilt.rows.get(name)))
        yield `${name}: not as the journal says`
    this.changed = new Map()
    for (const table of Object.keys(KEYS) as TableName[]) {
      rows += Number((await this.books.column(`SELECT count(*) FROM ${table}`))[0])
      for await (const row of all ? this.read.all(table) : []) {
        const name = rowName(table, row as never)
        if (!isDeepStrictEqual(row, this.rebuilt.rows.get(name))) yield `${name}: not as the journal says`
      }
    }
    if (rows !== this.rebuilt.rows.size)
      yield `the journal makes ${this.rebuilt.rows.size} rows, the tables have ${rows}`
  }

  private async *accountProblems(): AsyncIterable<string> {
    const sum = (column: string) => `coalesce((SELECT sum(CASE WHEN credit = '${column}' THEN amount ELSE 0 END -
      CASE WHEN debit = '${column}' THEN amount ELSE 0 END) FROM entries e WHERE e.wallet_id = a.wallet_id), 0)`
    const wrong = await this.books.column(`SELECT wallet_id FROM accounts a
      WHERE available + held + external + overdrawn <> 0 OR available < 0 OR held < 0 OR overdrawn > 0
      OR held <> coalesce((SELECT sum(p.held) FROM payments p WHERE p.wallet_id = a.wallet_id), 0)
      OR available <> ${sum('available')} OR held <> ${sum('held')} OR external <> ${sum('external')}
      OR overdrawn <> ${sum('overdrawn')}`)
    for (const id of wrong) yield `the accounts of ${id} are not what moved`
  }

  private async *instrumentProblems(): AsyncIterable<string> {
    const taken = new Map<string, { amount: bigint; uses: number }>()
    for (const payment of await this.counted()) {
      const { amount, uses } = taken.get(payment.instrumentId as string) ?? { amount: 0n, uses: 0 }
      const own = this.voided.has(payment.id) ? 0 : 1
      const total = amount + payment.held + payment.captured - payment.forced
      taken.set(payment.instrumentId as string, { amount: total, uses: uses + own })
    }
    for await (const instrument of this.read.all('instruments') as AsyncIterable<Instrument>) {
      const { amount, uses } = taken.get(instrument.id) ?? { amount: 0n, uses: 0 }
      if (instrument.remaining !== instrument.amount - amount) yield `${instrument.id} has ${instrument.remaining} left`
      if (instrument.usageConsumed !== uses) yield `${instrument.id} has ${instrument.usageConsumed} uses of ${uses}`
    }
  }

  /** Every counter is the sum of the payments that it counted, and of what was there when its limit was set. */
  private async *counterProblems(): AsyncIterable<string> {
    const sums = new Map<string, Carried>(this.carried)
    for (const payment of await this.counted()) {
      const own = this.voided.has(payment.id) ? 0 : 1
      for (const key of payment.counted) {
        const before = sums.get(nameOf(key)) ?? { amount: 0n, count: 0, forced: 0n }
        const amount = before.amount + payment.held + payment.captured - payment.forced
        sums.set(nameOf(key), { amount, count: before.count + own, forced: before.forced + payment.forced })
      }
    }
    for await (const counter of this.read.all('counters') as AsyncIterable<Counter>) {
      const { amount, count, forced } = counter
      if (!isDeepStrictEqual({ amount, count, forced }, sums.get(nameOf(counter))))
        yield `${nameOf(counter)} is not its sum`
    }
    const over = await this.books.column(`SELECT limit_id FROM counters c JOIN limits l ON l.id = c.limit_id
      WHERE l.over = 'deny' AND c.amount > l.max_amount`)
    for (const id of over) yield `${id} was overrun`
  }

  private async counted(): Promise<readonly Payment[]> {
    const payments = (await collected(this.read.all('payments'))) as Payment[]
    return payments.filter(({ authorizedAt }) => authorizedAt !== null)
  }

  /** Once the issuer was read, both books agree to the cent; before, the issuer may only be ahead. */
  private async *issuerProblems(settled: boolean): AsyncIterable<string> {
    const payments = new Map((await this.counted()).map((payment) => [payment.id, payment]))
    const rows =
      this.issuer.prepare(`SELECT payment_id AS id, status, authorized, captured + forced AS captured, refunded,
      authorized - captured - released AS held FROM authorizations`)
    for (const row of rows.all() as {
      id: string
      status: string
      authorized: bigint
      captured: bigint
      refunded: bigint
      held: bigint
    }[]) {
      const payment = payments.get(row.id)
      if (!payment) yield `the issuer was asked for ${row.id}, which was never authorized`
      else if (row.status !== 'declined' && row.authorized !== payment.amount)
        yield `${row.id}: another amount was sent`
      else if (payment.captured > row.captured || payment.refunded > row.refunded)
        yield `${row.id}: more than the issuer says`
      else if (
        settled &&
        (payment.captured !== row.captured || payment.refunded !== row.refunded || payment.held !== row.held)
      )
        yield `${row.id}: the issuer's books say something else`
      payments.delete(row.id)
    }
    const unsent = ['authorized', 'in_doubt', 'voided']
    for (const { id, captured, status } of payments.values())
      if (captured > 0n || !unsent.includes(status)) yield `${id} is ${status}; the issuer never heard of it`
  }
}

function nameOf({ limitId, scopeValue, windowKey }: CounterKey): string {
  return `${limitId} ${scopeValue} ${windowKey}`
}
