import type { LimitUse, Spender } from '../../core/limit.ts'
import type { Key } from '../../core/step.ts'
import type { TableName, Tables } from '../../core/tables.ts'
import type { Counter, Credential, Deposit, Payment, Text, Wallet } from '../../core/types.ts'
import type { Head, Page, Reader, Spending, StoredEvent, Where } from '../../ports.ts'
import { allLimitUses, CHAIN_MAX } from '../shared/snapshots.ts'
import { alterations } from './alterations.ts'
import { sameIn } from './asks.ts'
import { Clauses } from './clauses.ts'
import { allOf, parseRows, rowOf, rowsOf } from './rows.ts'
import { countersBy, priorOf } from './snapshot.ts'
import type { Source } from './source.ts'
import { spendingOf } from './spending.ts'
import { soughtJson } from './text.ts'

/** How many rows are read at a time when a journal or its texts are walked; at first fewer, for who wants only a few. */
const ROWS_AT_ONCE = 2_000
const ROWS_AT_FIRST = 50

const HEAD =
  "SELECT json_build_object('journal', journal, 'size', size, 'frontier', encode(frontier, 'hex'), 'checkpoint', checkpoint)::text FROM bursar.heads"

/** Runs `look` on one connection, within one transaction that sees one moment. */
export type Together = <R>(look: (source: Source) => Promise<R>) => Promise<R>

/** Reads outside of steps. */
export class PostgresReader implements Reader {
  private readonly source: Source
  private readonly at: Together | null

  /** @param at null for one who reads at one moment already */
  constructor(source: Source, at: Together | null) {
    this.source = source
    this.at = at
  }

  async one<T extends TableName>(table: T, where: Partial<Tables[T]>): Promise<Tables[T] | null> {
    const clauses = new Clauses(rowsOf(table)).where(where)
    const [found] = await this.source.texts(clauses.select('LIMIT 1'), clauses.values)
    return found === undefined ? null : rowOf(table, parseRows(found))
  }

  async list<T extends TableName>(table: T, where: Where<Tables[T]>, page: Page = {}): Promise<readonly Tables[T][]> {
    const clauses = new Clauses(rowsOf(table)).where(where)
    const newest = rowsOf(table).key[0] as string
    if (page.before !== undefined) clauses.before(newest, page.before)
    const limit = page.limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.trunc(page.limit))}`
    return this.rows(table, clauses.select(`ORDER BY ${newest} DESC${limit}`), clauses.values)
  }

  async *all<T extends TableName>(table: T): AsyncIterable<Tables[T]> {
    const { key } = rowsOf(table)
    for (let last: Tables[T] | undefined; ; ) {
      const clauses = new Clauses(rowsOf(table))
      if (last) clauses.after(last as unknown as Readonly<Record<string, unknown>>)
      const rows = await this.rows(
        table,
        clauses.select(`ORDER BY ${key.join(', ')} LIMIT ${ROWS_AT_ONCE}`),
        clauses.values,
      )
      yield* rows
      last = rows.at(-1)
      if (rows.length < ROWS_AT_ONCE) return
    }
  }

  async limits(spender: Spender, now: number): Promise<readonly LimitUse[]> {
    const wallet = (await this.one('wallets', { id: spender.walletId })) as Wallet | null
    if (!wallet) return []
    const limits = await this.rows(
      'limits',
      new Clauses(rowsOf('limits')).select('WHERE wallet_id = $1 AND removed_at IS NULL'),
      [wallet.id],
    )
    const wanted = allLimitUses(limits, spender, wallet, now, () => undefined).flatMap(({ key }) => (key ? [key] : []))
    const [found = '[]'] = wanted.length === 0 ? [] : await this.source.texts(countersBy(wanted))
    const counters = allOf('counters', parseRows(found)) as readonly Counter[]
    return allLimitUses(limits, spender, wallet, now, (key) =>
      counters.find(
        (one) => one.limitId === key.limitId && one.scopeValue === key.scopeValue && one.windowKey === key.windowKey,
      ),
    )
  }

  async prior(same: NonNullable<Key['same']>, now: number): Promise<Payment | null> {
    const [found] = await this.source.texts('SELECT bursar.prior($1::jsonb)::text', [soughtJson(sameIn(same, now))])
    return priorOf(found === undefined || found === null ? null : parseRows(found), same, now)
  }

  async credentials(id: string): Promise<readonly Credential[]> {
    const [found = '[]'] = await this.source.texts('SELECT bursar.chain($1, $2)::text', [id, CHAIN_MAX])
    return allOf('credentials', parseRows(found))
  }

  async depositsAfter(walletId: string, block: number): Promise<readonly Deposit[]> {
    const clauses = new Clauses(rowsOf('deposits'))
    return this.rows('deposits', clauses.select('WHERE wallet_id = $1 AND block > $2'), [walletId, block])
  }

  async newestBlock(walletId: string): Promise<number> {
    const [found] = await this.source.texts(
      `SELECT max(block)::text FROM (
         SELECT block FROM bursar.scans WHERE wallet_id = $1
         UNION ALL SELECT max(block) FROM bursar.deposits WHERE wallet_id = $1
         UNION ALL SELECT max(block) FROM bursar.transfers WHERE wallet_id = $1) seen`,
      [walletId],
    )
    return Number(found ?? -1)
  }

  async text(digest: string): Promise<string | null> {
    const [found] = await this.source.texts('SELECT text FROM bursar.texts WHERE digest = $1', [digest])
    return found ?? null
  }

  spending(walletId: string, since: number, slotMs: number): Promise<Spending> {
    return spendingOf(this.source, walletId, since, slotMs)
  }

  async *texts(): AsyncIterable<Text> {
    for (let after = ''; ; ) {
      const rows = (
        await this.source.texts(
          `SELECT json_build_object('digest', digest, 'salt', salt, 'text', text)::text FROM bursar.texts
           WHERE text IS NOT NULL AND digest > $1 ORDER BY digest LIMIT ${ROWS_AT_ONCE}`,
          [after],
        )
      ).map((row) => JSON.parse(row) as Text)
      yield* rows
      if (rows.length < ROWS_AT_ONCE) return
      after = rows.at(-1)?.digest as string
    }
  }

  async head(journal: string): Promise<Head | null> {
    const [found] = await this.source.texts(`${HEAD} WHERE journal = $1`, [journal])
    return found === undefined ? null : headOf(found)
  }

  async heads(): Promise<readonly Head[]> {
    return (await this.source.texts(`${HEAD} ORDER BY journal`)).map(headOf)
  }

  /** The journals by an index: from one name to the next. */
  journals(): Promise<readonly string[]> {
    return this.source.texts(
      `WITH RECURSIVE names AS (
         (SELECT journal FROM bursar.events ORDER BY journal LIMIT 1)
         UNION ALL SELECT (SELECT e.journal FROM bursar.events e WHERE e.journal > n.journal ORDER BY e.journal LIMIT 1)
         FROM names n WHERE n.journal IS NOT NULL)
       SELECT journal FROM names WHERE journal IS NOT NULL`,
    )
  }

  altered(): Promise<readonly string[]> {
    return this.at ? this.at(alterations) : alterations(this.source)
  }

  together<R>(look: (read: Reader) => Promise<R>): Promise<R> {
    return this.at ? this.at((source) => look(new PostgresReader(source, null))) : look(this)
  }

  /** In portions, so that a journal of any length is walked in little memory. */
  async *events(journal: string, from = 0): AsyncIterable<StoredEvent> {
    let portion = ROWS_AT_FIRST
    for (let next = from; ; portion = ROWS_AT_ONCE) {
      const rows = await this.source.texts(
        `SELECT json_build_object('seq', seq, 'type', type, 'body', body, 'leaf', encode(leaf, 'hex'))::text
         FROM bursar.events WHERE journal = $1 AND seq >= $2 ORDER BY seq LIMIT ${portion}`,
        [journal, next],
      )
      for (const row of rows) yield eventOf(journal, row)
      if (rows.length < portion) return
      next += rows.length
    }
  }

  private async rows<T extends TableName>(
    table: T,
    text: string,
    values: readonly unknown[],
  ): Promise<readonly Tables[T][]> {
    return (await this.source.texts(text, values)).map((row) => rowOf(table, parseRows(row)) as Tables[T])
  }
}

function headOf(json: string): Head {
  const row = JSON.parse(json) as Omit<Head, 'frontier'> & { readonly frontier: string }
  return { ...row, frontier: Buffer.from(row.frontier, 'hex') }
}

function eventOf(journal: string, json: string): StoredEvent {
  const { leaf, ...row } = JSON.parse(json) as Omit<StoredEvent, 'leaf' | 'journal'> & { readonly leaf: string }
  return { journal, ...row, leaf: Buffer.from(leaf, 'hex') }
}
