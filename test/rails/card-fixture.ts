import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import pg from 'pg'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { PaymentTerms, ProvisionTerms, RailRecord } from '../../src/ports.ts'
import { type CardRail, cardRail } from '../../src/rails/card/rail.ts'
import { type CardSandbox, sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { sharedSandboxIssuer } from '../../src/rails/card/sandbox/sandbox-postgres.ts'
import { hostUrls } from '../../src/store/postgres/hosts.ts'
import { asked, type TestDatabase, testDatabase } from '../support/postgres.ts'

export const MINUTE_MS = 60_000
export const DAY_MS = 24 * 60 * MINUTE_MS
const START_MS = Date.UTC(2026, 10, 21)

/** A clock that stands still until a test moves it. */
export class TestClock {
  ms = START_MS
  now(): number {
    return this.ms
  }
}

/** Where a card network keeps its books. */
export interface Place {
  readonly path: string | null
  readonly database: TestDatabase | null
}

/** Networks in files, and in databases. `places` stands in a `describe`, and gives the way to a network of its own. */
export const PLACES: readonly { readonly name: string; readonly places: () => () => Promise<Place> }[] = [
  { name: 'a file', places: () => async () => ({ path: newPath(), database: null }) },
  { name: 'PostgreSQL', places: databases },
]

const TABLES = ['network', 'cards', 'authorizations', 'messages', 'schedule', 'lost_requests']

/** The first in each test is the same database, made empty: one of its own for each test takes longer than most tests. */
function databases(): () => Promise<Place> {
  let shared: TestDatabase
  let isTaken = false
  beforeAll(async () => {
    shared = await testDatabase()
  })
  afterAll(() => shared?.drop())
  return async () => {
    if (isTaken) return newDatabase()
    isTaken = true
    onTestFinished(() => {
      isTaken = false
    })
    const place = { path: null, database: shared }
    await ask(place, `TRUNCATE ${TABLES.join()} RESTART IDENTITY; ALTER SEQUENCE changes RESTART`)
    return place
  }
}

export interface Bench extends Omit<CardSandbox, 'close'> {
  readonly rail: CardRail
  readonly clock: TestClock
  readonly place: Place
  /** All waits that were asked for, in milliseconds. None is waited. */
  readonly waits: number[]
  card(terms?: Partial<ProvisionTerms>): Promise<{ railRef: string; instrumentId: string; display: string }>
  /** Pays 49.00 USD at an ordinary merchant, unless told otherwise. */
  pay(card: { railRef: string; instrumentId: string }, terms?: Partial<PaymentTerms>): Promise<RailRecord>
  close(): Promise<void>
}

let count = 0

/** A card network on its books, and a rail to it. `url` is another way to the same database. */
export async function bench(place: Place, clock = new TestClock(), url = place.database?.url): Promise<Bench> {
  const waits: number[] = []
  const sleep = async (ms: number) => {
    waits.push(ms)
    await new Promise(setImmediate)
  }
  const sandbox: Pick<Bench, 'issuer' | 'network'> & { close(): void | Promise<void> } = await (url === undefined
    ? sandboxIssuer({ path: place.path!, clock, sleep })
    : sharedSandboxIssuer({ urls: hostUrls(url), clock, sleep }))
  let isOpen = true
  const close = async () => {
    if (isOpen) await sandbox.close()
    isOpen = false
  }
  onTestFinished(close)
  const rail = cardRail(sandbox.issuer, sandbox.network)
  return {
    ...sandbox,
    ...{ rail, clock, place, waits, close },
    async card(terms) {
      const all = cardTerms(clock, terms)
      return { ...(await rail.provision(all)), instrumentId: all.instrumentId }
    },
    pay: (card, terms) => rail.pay(paymentTerms(clock, card, terms)),
  }
}

export function cardTerms(clock: TestClock, terms?: Partial<ProvisionTerms>): ProvisionTerms {
  count += 1
  return {
    instrumentId: `inst_${count}`,
    currency: 'USD',
    amount: 100_000n,
    usageLimit: null,
    perPaymentMax: null,
    constraints: {},
    expiresAt: clock.now() + 30 * DAY_MS,
    account: null,
    ...terms,
  }
}

export function paymentTerms(
  clock: TestClock,
  { railRef, instrumentId }: { railRef: string; instrumentId: string },
  terms?: Partial<PaymentTerms>,
): PaymentTerms {
  count += 1
  return {
    paymentId: `pay_${count}`,
    walletId: 'wal_1',
    railRef,
    instrumentId,
    amount: 4900n,
    currency: 'USD',
    payee: { name: 'Notion', category: '5734', country: 'US' },
    validUntil: clock.now() + 15 * MINUTE_MS,
    waitMs: 0,
    ...terms,
  }
}

export function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-cards-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'cards.db')
}

export function testMerchant(name: string): { payee: { name: string } } {
  return { payee: { name: `Bursar Test: ${name}` } }
}

/** A sandbox's file, past its own code. */
export function raw(path: string): Database.Database {
  const db = new Database(path)
  onTestFinished(() => void db.close())
  return db
}

/** What stands in the books, past their own code. Whole numbers come as numbers. */
export async function ask({ path, database }: Place, sql: string): Promise<Record<string, unknown>[]> {
  if (!database) {
    const statement = raw(path!).prepare(sql)
    return statement.reader ? (statement.all() as Record<string, unknown>[]) : [{ ...statement.run() }]
  }
  return asked(database.ownerUrl, async (client) => {
    client.setTypeParser(pg.types.builtins.INT8, Number)
    await client.query('SET search_path = sandbox_cards')
    return (await client.query(sql)).rows
  })
}

/** A network of its own in a database of its own. */
export async function newDatabase(): Promise<Place & { readonly database: TestDatabase }> {
  return { path: null, database: await testDatabase() }
}

/** A connection of the test, past the code of the books. */
export async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end())
  return client
}
