import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import type { PaymentTerms, ProvisionTerms, RailRecord } from '../../src/ports.ts'
import { type CardRail, cardRail } from '../../src/rails/card/rail.ts'
import { type CardSandbox, sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'

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

export interface Bench extends CardSandbox {
  readonly rail: CardRail
  readonly clock: TestClock
  readonly path: string
  /** All waits that were asked for, in milliseconds. None is waited. */
  readonly waits: number[]
  card(terms?: Partial<ProvisionTerms>): Promise<{ railRef: string; instrumentId: string; display: string }>
  /** Pays 49.00 USD at an ordinary merchant, unless told otherwise. */
  pay(card: { railRef: string; instrumentId: string }, terms?: Partial<PaymentTerms>): Promise<RailRecord>
}

let count = 0

export async function bench(path = newPath(), clock = new TestClock()): Promise<Bench> {
  const waits: number[] = []
  const sandbox = await sandboxIssuer({
    path,
    clock,
    sleep: async (ms) => {
      waits.push(ms)
      await new Promise(setImmediate)
    },
  })
  onTestFinished(() => sandbox.close())
  const rail = cardRail(sandbox.issuer, sandbox.network)
  return {
    ...sandbox,
    ...{ rail, clock, path, waits },
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

/** The sandbox's file, past its own code. */
export function raw(path: string): Database.Database {
  const db = new Database(path)
  onTestFinished(() => void db.close())
  return db
}
