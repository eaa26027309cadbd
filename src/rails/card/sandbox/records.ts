import type Database from 'better-sqlite3'
import type { Authorization, Card, CardControls, CardOrder, CardStatus, DeclineCode, Merchant } from '../issuer.ts'
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

/** The card network's books: every statement, prepared once. The writing ones must run inside one transaction. */
export function recordsOf(db: Database.Database) {
  const network = db.prepare<[], string>('SELECT id FROM network').pluck()
  const nextSeq = db.prepare<[], bigint>('UPDATE network SET seq = seq + 1 RETURNING seq').pluck()
  const cards = cardRecords(db)
  const entries = entryRecords(db)
  return {
    ...cards,
    ...entries,
    ...messageRecords(db),
    /** Names this file, so that a cursor of another is noticed. */
    networkId: () => network.get() as string,
    /** Writes the first state of a payment, or its next, with its card's totals and its place in the order of changes. */
    write(entry: Entry, before: Entry | null): void {
      const spent = spentOf(entry) - (before ? spentOf(before) : 0n)
      const payments = counted(entry) - (before ? counted(before) : 0n)
      if (entry.cardId !== null) cards.addToCard(entry.cardId, spent, payments)
      entries.upsertEntry(entry, nextSeq.get() as bigint)
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
const CARD_COLUMNS = `id, instrument_id, substr(pan, -4) AS last4, terms, status, currency, all_time, per_authorization,
  payment_count, expires_at, allowed_categories, allowed_countries, allowed_merchants, spent, payments`

function cardRecords(db: Database.Database) {
  const byId = db.prepare<[string], CardRow>(`SELECT ${CARD_COLUMNS} FROM cards WHERE id = ?`)
  const byInstrument = db.prepare<[string], CardRow>(`SELECT ${CARD_COLUMNS} FROM cards WHERE instrument_id = ?`)
  const panTaken = db.prepare<[string], bigint>('SELECT 1 FROM cards WHERE pan = ?').pluck()
  const insert = db.prepare(`INSERT INTO cards (id, instrument_id, pan, terms, status, currency, all_time,
    per_authorization, payment_count, expires_at, allowed_categories, allowed_countries, allowed_merchants)
    VALUES (@id, @instrumentId, @pan, @terms, 'active', @currency, @allTime, @perAuthorization, @paymentCount, @expiresAt,
    @allowedCategories, @allowedCountries, @allowedMerchants)`)
  const setStatus = db.prepare<[CardStatus, string]>('UPDATE cards SET status = ? WHERE id = ?')
  const add = db.prepare<[bigint, bigint, string]>(
    'UPDATE cards SET spent = spent + ?, payments = payments + ? WHERE id = ?',
  )
  return {
    cardById: (id: string) => opened(byId.get(id)),
    cardByInstrument: (instrumentId: string) => opened(byInstrument.get(instrumentId)),
    panTaken: (pan: string) => panTaken.get(pan) !== undefined,
    insertCard({ instrumentId, currency, controls }: CardOrder, id: string, pan: string, terms: string): void {
      insert.run({
        ...{ id, instrumentId, pan, terms, currency },
        ...{ allTime: controls.allTime, perAuthorization: controls.perAuthorization },
        ...{ paymentCount: controls.paymentCount, expiresAt: controls.expiresAt },
        allowedCategories: list(controls.allowedCategories),
        allowedCountries: list(controls.allowedCountries),
        allowedMerchants: list(controls.allowedMerchants),
      })
    },
    setCardStatus: (id: string, status: CardStatus) => setStatus.run(status, id),
    addToCard: (id: string, spent: bigint, payments: bigint) => add.run(spent, payments, id),
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

const ENTRY_COLUMNS = `payment_id AS paymentId, id, card_id AS cardId, terms, currency, merchant_name AS name, category,
  country, status, decline_code AS declineCode, authorized, captured, forced, released, refunded, seq`

function entryRecords(db: Database.Database) {
  const byPayment = db.prepare<[string], EntryRow>(`SELECT ${ENTRY_COLUMNS} FROM authorizations WHERE payment_id = ?`)
  const changed = db.prepare<[bigint, number], EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM authorizations WHERE seq > ? ORDER BY seq LIMIT ?`,
  )
  const upsert =
    db.prepare(`INSERT INTO authorizations (payment_id, id, card_id, terms, currency, merchant_name, category,
    country, status, decline_code, authorized, captured, forced, released, refunded, seq)
    VALUES (@paymentId, @id, @cardId, @terms, @currency, @name, @category, @country, @status, @declineCode, @authorized,
    @captured, @forced, @released, @refunded, @seq)
    ON CONFLICT (payment_id) DO UPDATE SET status = @status, captured = @captured, forced = @forced, released = @released,
    refunded = @refunded, seq = @seq`)
  return {
    entry: (paymentId: string) => entered(byPayment.get(paymentId)),
    /** In the order of their changes, each with its place in it. */
    changedAfter: (seq: bigint, limit: number) =>
      changed.all(seq, limit).map((row) => ({ seq: row.seq, entry: entered(row) as Entry })),
    upsertEntry: ({ merchant, ...entry }: Entry, seq: bigint) => upsert.run({ ...entry, ...merchant, seq }),
  }
}

function entered(row: EntryRow | undefined): Entry | undefined {
  if (!row) return undefined
  const { name, category, country, seq: _, ...rest } = row
  return { ...rest, merchant: { name, category, country } }
}

/** What the issuer tells of an entry to the outside. */
export function authorizationOf(entry: Entry): Authorization {
  const { id, paymentId, status, declineCode, merchant, currency, authorized, captured, forced, refunded } = entry
  return { id, paymentId, status, declineCode, merchant, currency, authorized, captured: captured + forced, refunded }
}

type StoredRow = Omit<Stored, 'close'> & { closes: bigint }

const MESSAGE_COLUMNS = 'payment_id AS paymentId, message_id AS messageId, kind, amount, closes'

function messageRecords(db: Database.Database) {
  const received = db.prepare<[string, string], StoredRow>(
    `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE payment_id = ? AND message_id = ?`,
  )
  const insert = db.prepare(`INSERT INTO messages (payment_id, message_id, kind, amount, closes)
    VALUES (@paymentId, @messageId, @kind, @amount, @closes)`)
  const schedule = db.prepare(`INSERT INTO schedule (payment_id, message_id, kind, amount, closes, due_at)
    VALUES (@paymentId, @messageId, @kind, @amount, @closes, @dueAt)`)
  const anyDue = db.prepare<[number], bigint>('SELECT 1 FROM schedule WHERE due_at <= ? LIMIT 1').pluck()
  const due = db.prepare<[number, number], StoredRow & { n: bigint }>(
    `SELECT n, ${MESSAGE_COLUMNS} FROM schedule WHERE due_at <= ? ORDER BY due_at, n LIMIT ?`,
  )
  const unschedule = db.prepare<[bigint]>('DELETE FROM schedule WHERE n = ?')
  const lose = db.prepare<[string]>('INSERT INTO lost_requests (payment_id) VALUES (?) ON CONFLICT DO NOTHING')
  return {
    received: (paymentId: string, messageId: string) => storedOf(received.get(paymentId, messageId)),
    insertMessage: (stored: Stored) => insert.run(rowOf(stored)),
    schedule: (stored: Stored, dueAt: number) => schedule.run({ ...rowOf(stored), dueAt }),
    anyDue: (now: number) => anyDue.get(now) !== undefined,
    /** Takes the messages that are due off the schedule, oldest first, at most `limit`. */
    takeDue(now: number, limit: number): Stored[] {
      const rows = due.all(now, limit)
      for (const row of rows) unschedule.run(row.n)
      return rows.map((row) => storedOf(row) as Stored)
    },
    /** Whether this is the first request of the payment, which the network loses. */
    loseOnce: (paymentId: string) => lose.run(paymentId).changes === 1,
  }
}

function rowOf({ close, ...stored }: Stored) {
  return { ...stored, closes: close ? 1 : 0 }
}

function storedOf(row: StoredRow | undefined): Stored | undefined {
  if (!row) return undefined
  const { paymentId, messageId, kind, amount, closes } = row
  return { paymentId, messageId, kind, amount, close: closes === 1n }
}
