import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { recover } from '../../src/actions/recover.ts'
import type { InstrumentView } from '../../src/actions/wire.ts'
import type { Bursar } from '../../src/ports.ts'
import type { Side } from '../../src/store/move/index.ts'
import { postgresSide, sqliteSide } from '../../src/store/move/index.ts'
import { openPostgres } from '../../src/store/postgres/index.ts'
import { journalNoteKey, openSqlite } from '../../src/store/sqlite/index.ts'
import { anotherOwner, passkeyYes } from '../purse/passkeys.ts'
import { seedChain } from '../store/seed-chain.ts'
import { seedOwners } from '../store/seed-owners.ts'
import { seedPurchases } from '../store/seed-purchases.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { buy, CARD, makeCard, makePurse, type Purse, SHOP, temporaryFolder } from '../support/purse.ts'

type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>

export const keyOf = (purse: Pick<Purse, 'journalKey'>) => journalNoteKey(purse.journalKey.publicKey)

/** A purse with something in every table, a refusal, a payment that waits for a human, and some that are under way. */
export async function storiedPurse(): Promise<Purse> {
  const purse = await makePurse()
  const card = await makeCard(purse)
  await buy(purse, card, '20.00')
  await buy(purse, card, '4000.00')
  await buy(purse, card, '150.00')
  await recover(purse.bursar)
  const chain = await seedChain(purse)
  await seedPurchases(chain)
  await seedOwners(purse)
  await half(purse)
  await payLost(purse, card)
  return purse
}

/** One of the two who have to agree did, and an agent minted a credential for another. */
async function half(purse: Purse): Promise<void> {
  const { bursar, authority } = purse
  const [ada, bob] = [await anotherOwner(purse), await anotherOwner(purse, 'Bob')]
  const { wallet_id } = await createWallet(bursar, authority, {
    ...{ name: 'of two', currency: 'EUR', mode: 'sandbox' },
    approvals: [{ up_to: null, assurance: 'passkey', owners: 2 }],
  })
  expect(bob.ownerId).not.toBe(ada.ownerId)
  await fund(bursar, authority, wallet_id, '500.00')
  const { request_id } = await requestInstrument(bursar, purse.caller, { ...CARD, currency: 'EUR' })
  await approve(bursar, request_id, await passkeyYes(purse, ada, request_id), {})
  const made = await addAgent(bursar, authority, 'shopper')
  const caller = { ...purse.caller, agentId: made.agent_id, credentialId: made.credential_id }
  await mintCredential(bursar, caller, { expires_in: '1h' })
}

/** Taken by the card network, whose answer was lost: it is under way. */
export async function payLost(purse: Purse, card: InstrumentView): Promise<string> {
  const payee = { ...SHOP, name: 'Bursar Test: Lost Reply' }
  const { payment_id, status } = await buy(purse, card, '10.00', { payee })
  expect(status).toBe('in_doubt')
  return payment_id
}

/** A file that is not there yet. */
export const newFile = (): string => join(temporaryFolder(), 'bursar.db')

/** A side for as long as the test runs. */
export async function side(where: string): Promise<Side> {
  const made = where.startsWith('postgres') ? await postgresSide(where) : sqliteSide(where)
  onTestFinished(() => made.close())
  return made
}

export async function emptyDatabase(): Promise<string> {
  return (await testDatabase({ empty: true })).ownerUrl
}

/** The purse as whoever starts with this database has it. */
export async function purseOn(purse: Purse, where: string): Promise<Purse> {
  const options = { clock: purse.bursar.clock, journalKey: purse.journalKey }
  const store = where.startsWith('postgres')
    ? await openPostgres({ ...options, url: where })
    : openSqlite({ ...options, path: where })
  onTestFinished(() => store.close())
  return { ...purse, bursar: { ...purse.bursar, store } }
}

export async function problemsOf(purse: Purse, kept: readonly string[] = []): Promise<readonly unknown[]> {
  return (await verifyStore(purse.bursar, keyOf(purse), kept)).problems
}

/** Every row of a purse as the database itself has it. Of JSON, whose keys have no order, what it says. */
export async function rowsIn(where: string): Promise<Rows> {
  return Object.fromEntries(Object.entries(await allIn(where)).filter(([table]) => !table.startsWith('kept_')))
}

/** How many calls and names are remembered there. */
export async function rememberedIn(where: string): Promise<readonly (number | undefined)[]> {
  const { kept_calls, kept_names } = await allIn(where)
  return [kept_calls?.length, kept_names?.length]
}

function allIn(where: string): Promise<Rows> {
  return where.startsWith('postgres') ? rowsOfPostgres(where) : rowsOfFile(where)
}

async function rowsOfFile(path: string): Promise<Rows> {
  const db = new Database(path, { readonly: true })
  try {
    db.defaultSafeIntegers(true)
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()
    return Object.fromEntries(
      (tables as string[]).map((table) => [table, plainRows(db.prepare(`SELECT * FROM ${table}`).all() as object[])]),
    )
  } finally {
    db.close()
  }
}

async function rowsOfPostgres(url: string): Promise<Rows> {
  return asked(url, async (client) => {
    const { rows: tables } = await client.query(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'bursar' AND tablename <> 'schema_version' ORDER BY 1",
    )
    const found: Record<string, Rows[string]> = {}
    for (const { name } of tables) found[name] = plainRows((await client.query(`SELECT * FROM bursar.${name}`)).rows)
    return found
  })
}

/** Bodies and texts stay as they are, byte for byte. */
const EXACT = ['body', 'checkpoint', 'text', 'narrowed', 'header']

function plainRows(rows: readonly object[]): Rows[string] {
  const plain = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(name, value)])),
  )
  const order = (row: object) => JSON.stringify(row)
  return plain.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
}

function plainValue(name: string, value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (typeof value === 'bigint' || typeof value === 'number') return `${value}`
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'object' && value !== null) return sorted(value)
  if (EXACT.includes(name) || typeof value !== 'string' || !/^[[{]/.test(value)) return value
  return sorted(JSON.parse(value))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, one]) => [name, sorted(one)]))
}

/** Whether this store still takes a step. */
export async function isLive({ store }: Pick<Bursar, 'store'>): Promise<boolean> {
  const actor = { role: 'system' as const, id: 'bursar' }
  const fact = { type: 'owner.sign_in_failed' as const, actor, details: { channel: 'test' } }
  return store
    .update({}, () => ({ facts: [fact], result: null }))
    .then(
      () => true,
      (error: { code?: string }) => {
        if (error.code === 'config_invalid') return false
        throw error
      },
    )
}
