import type { Authorization, Card, CardControls, CardOrder, CardStatus, DeclineCode, Merchant } from '../issuer.ts'
import type { Dialect, Sql } from './books.ts'
import type { CardState } from './controls.ts'
import { type Message, spentOf, type Totals } from './message.ts'

/** One payment in the books. `terms` is what it was begun with, to tell a repetition from a bug. */
export interface Entry extends Totals {
  readonly paymentId: string
  readonly id: string
  /** Null only for a payment that was declined because there is no such card. */
  readonly cardId: string | null
  readonly terms: string
  readonly currency: string
  readonly merchant: Merchant
  readonly declineCode: DeclineCode | null
}

/** A message that was received, or is under way. */
export interface Stored extends Message {
  readonly paymentId: string
  readonly messageId: string
}

export type Records = ReturnType<typeof recordsOf>

/** The card network's books: every statement. They run inside one transaction. */
export function recordsOf(sql: Sql, dialect: Dialect) {
  const cards = cardRecords(sql, dialect)
  const entries = entryRecords(sql, dialect)
  return {
    ...cards,
    ...entries,
    ...messageRecords(sql, dialect),
    /** Names these books, so that a cursor of others is noticed. */
    async networkId(): Promise<string> {
      const [row] = await sql.all<{ id: string }>(`SELECT id FROM ${dialect.schema}.network`)
      if (!row) throw new Error('The card network has no name.')
      return row.id
    },
    /** Writes the first state of a payment, or its next, with its card's totals and its place in the order of changes. */
    async write(entry: Entry, before: Entry | null): Promise<void> {
      const spent = spentOf(entry) - (before ? spentOf(before) : 0n)
      const payments = counted(entry) - (before ? counted(before) : 0n)
      if (entry.cardId !== null) await cards.addToCard(entry.cardId, spent, payments)
      await entries.upsertEntry(entry)
    },
  }
}

function counted(totals: Totals): bigint {
  return spentOf(totals) > 0n ? 1n : 0n
}

interface CardRow {
  id: string
  instrument_id: string
  last4: string
  terms: string
  status: CardStatus
  currency: string
  all_time: bigint
  per_authorization: bigint | null
  payment_count: bigint | null
  expires_at: bigint
  allowed_categories: string | null
  allowed_countries: string | null
  allowed_merchants: string | null
  spent: bigint
  payments: bigint
}

// The number itself is never selected, so that it cannot get out.
const CARD_COLUMNS = `id, instrument_id, substr(pan, 13) AS last4, terms, status, currency, all_time, per_authorization,
  payment_count, expires_at, allowed_categories, allowed_countries, allowed_merchants, spent, payments`

function cardRecords(sql: Sql, { schema, held }: Dialect) {
  const cardBy = async (column: 'id' | 'instrument_id', value: string) => {
    const [row] = await sql.all<CardRow>(`SELECT ${CARD_COLUMNS} FROM ${schema}.cards WHERE ${column} = $1${held}`, [
      value,
    ])
    return opened(row)
  }
  return {
    cardById: (id: string) => cardBy('id', id),
    cardByInstrument: (instrumentId: string) => cardBy('instrument_id', instrumentId),
    /** @returns false when there is a card with this number, and nothing was written */
    async insertCard({ instrumentId, currency, controls }: CardOrder, id: string, pan: string, terms: string) {
      const written = await sql.run(
        `INSERT INTO ${schema}.cards (id, instrument_id, pan, terms, status, currency, all_time, per_authorization,
        payment_count, expires_at, allowed_categories, allowed_countries, allowed_merchants)
        VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (pan) DO NOTHING`,
        [
          ...[id, instrumentId, pan, terms, currency, controls.allTime, controls.perAuthorization],
          ...[controls.paymentCount, controls.expiresAt, list(controls.allowedCategories)],
          ...[list(controls.allowedCountries), list(controls.allowedMerchants)],
        ],
      )
      return written === 1
    },
    setCardStatus: (id: string, status: CardStatus) =>
      sql.run(`UPDATE ${schema}.cards SET status = $1 WHERE id = $2`, [status, id]),
    addToCard: (id: string, spent: bigint, payments: bigint) =>
      sql.run(`UPDATE ${schema}.cards SET spent = spent + $1, payments = payments + $2 WHERE id = $3`, [
        spent,
        payments,
        id,
      ]),
  }
}

function opened(row: CardRow | undefined): (CardState & Card & { instrumentId: string; terms: string }) | undefined {
  if (!row) return undefined
  const { id, last4, terms, status, currency, spent, payments } = row
  const controls: CardControls = {
    allowedCategories: unlisted(row.allowed_categories),
    allowedCountries: unlisted(row.allowed_countries),
    allowedMerchants: unlisted(row.allowed_merchants),
    allTime: row.all_time,
    perAuthorization: row.per_authorization,
    paymentCount: row.payment_count === null ? null : Number(row.payment_count),
    expiresAt: Number(row.expires_at),
  }
  return { id, instrumentId: row.instrument_id, last4, terms, status, currency, controls, spent, payments }
}

function list(values: readonly string[] | null): string | null {
  return values === null ? null : JSON.stringify(values)
}

function unlisted(text: string | null): string[] | null {
  return text === null ? null : (JSON.parse(text) as string[])
}

type EntryRow = Omit<Entry, 'merchant'> & { name: string; category: string; country: string; seq: bigint }

const ENTRY_COLUMNS = `payment_id AS "paymentId", id, card_id AS "cardId", terms, currency, merchant_name AS name, category,
  country, status, decline_code AS "declineCode", authorized, captured, forced, released, refunded, seq`

function entryRecords(sql: Sql, { schema, nextSeq, settled }: Dialect) {
  return {
    async entry(paymentId: string): Promise<Entry | undefined> {
      const select = `SELECT ${ENTRY_COLUMNS} FROM ${schema}.authorizations WHERE payment_id = $1`
      const [row] = await sql.all<EntryRow>(select, [paymentId])
      return row && entered(row)
    },
    /** In the order of their changes, each with its place in it. None will come before one that is given here. */
    async changedAfter(seq: bigint, limit: number) {
      if (settled !== null) await sql.all(settled)
      const rows = await sql.all<EntryRow>(
        `SELECT ${ENTRY_COLUMNS} FROM ${schema}.authorizations WHERE seq > $1 ORDER BY seq LIMIT $2`,
        [seq, limit],
      )
      return rows.map((row) => ({ seq: row.seq, entry: entered(row) }))
    },
    async upsertEntry({ merchant: { name, category, country }, ...entry }: Entry): Promise<void> {
      const [place] = await sql.all<{ seq: bigint }>(nextSeq)
      await sql.run(
        `INSERT INTO ${schema}.authorizations (payment_id, id, card_id, terms, currency, merchant_name, category, country,
        status, decline_code, authorized, captured, forced, released, refunded, seq)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT (payment_id) DO UPDATE SET status = excluded.status, captured = excluded.captured,
        forced = excluded.forced, released = excluded.released, refunded = excluded.refunded, seq = excluded.seq`,
        [
          ...[entry.paymentId, entry.id, entry.cardId, entry.terms, entry.currency, name, category, country],
          ...[entry.status, entry.declineCode, entry.authorized, entry.captured, entry.forced, entry.released],
          ...[entry.refunded, place?.seq ?? null],
        ],
      )
    },
  }
}

function entered({ name, category, country, seq: _, ...rest }: EntryRow): Entry {
  return { ...rest, merchant: { name, category, country } }
}

/** What the issuer tells of an entry to the outside. */
export function authorizationOf(entry: Entry): Authorization {
  const { id, paymentId, status, declineCode, merchant, currency, authorized, captured, forced, refunded } = entry
  return { id, paymentId, status, declineCode, merchant, currency, authorized, captured: captured + forced, refunded }
}

type StoredRow = Omit<Stored, 'close'> & { closes: bigint }

const MESSAGE_COLUMNS = 'payment_id AS "paymentId", message_id AS "messageId", kind, amount, closes'

function messageRecords(sql: Sql, { schema, waiting, take }: Dialect) {
  return {
    async received(paymentId: string, messageId: string): Promise<Stored | undefined> {
      const select = `SELECT ${MESSAGE_COLUMNS} FROM ${schema}.messages WHERE payment_id = $1 AND message_id = $2`
      const [row] = await sql.all<StoredRow>(select, [paymentId, messageId])
      return row && storedOf(row)
    },
    insertMessage: (stored: Stored) =>
      sql.run(
        `INSERT INTO ${schema}.messages (payment_id, message_id, kind, amount, closes) VALUES ($1, $2, $3, $4, $5)`,
        valuesOf(stored),
      ),
    schedule: (stored: Stored, dueAt: number) =>
      sql.run(
        `INSERT INTO ${schema}.schedule (payment_id, message_id, kind, amount, closes, due_at)
        VALUES ($1, $2, $3, $4, $5, $6)`,
        [...valuesOf(stored), dueAt],
      ),
    /** The messages whose time has come, in the order in which they are to be taken, at most `limit`. */
    due: (now: number, limit: number) =>
      sql.all<{ n: bigint; paymentId: string }>(
        `SELECT n, payment_id AS "paymentId" FROM ${schema}.schedule WHERE ${waiting} AND due_at <= $1
        ORDER BY due_at, n LIMIT $2`,
        [now, limit],
      ),
    /** Takes one off the schedule; undefined when it was taken before. */
    async take(n: bigint): Promise<Stored | undefined> {
      const [row] = await sql.all<StoredRow>(`${take} RETURNING ${MESSAGE_COLUMNS}`, [n])
      return row && storedOf(row)
    },
    /** Whether this is the first request of the payment, which the network loses. */
    async loseOnce(paymentId: string): Promise<boolean> {
      const insert = `INSERT INTO ${schema}.lost_requests (payment_id) VALUES ($1) ON CONFLICT DO NOTHING`
      return (await sql.run(insert, [paymentId])) === 1
    },
  }
}

function valuesOf({ paymentId, messageId, kind, amount, close }: Stored) {
  return [paymentId, messageId, kind, amount, close ? 1 : 0]
}

function storedOf({ closes, ...stored }: StoredRow): Stored {
  return { ...stored, close: closes === 1n }
}
