import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent, keyHashOf, revokeAgent, rotateAgent } from '../../src/actions/owner/agents.ts'
import { revokeCredential } from '../../src/actions/owner/credentials.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { AGENT_SCOPES } from '../../src/core/types.ts'
import type { Bursar } from '../../src/ports.ts'
import { migrations } from '../../src/store/sqlite/connection.ts'
import { journalNoteKey, openSqlite } from '../../src/store/sqlite/index.ts'
import { approvePayment, codeOf, credentialOf } from '../purse/desk.ts'
import { buy, CARD, makeCard, makePurse, NOON, type Purse } from '../support/purse.ts'
import { rewriteJournals } from './former-journal.ts'
import { chainRail, PAYEES, SANDBOX, seedChain } from './seed-chain.ts'
import { seedPurchases } from './seed-purchases.ts'

type Rows = Readonly<Record<string, readonly Record<string, unknown>[]>>

/** A database as the first migrations alone make it, with all that a purse has in it. */
function aged(purse: Purse, version: number): { path: string; rows: Rows } {
  const path = join(purse.folder, 'before.db')
  const db = new Database(path)
  const statements = migrations()
    .slice(0, version)
    .flatMap(({ sql }) => sql)
  for (const sql of statements) db.exec(sql)
  const triggers = db.prepare(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`).all() as Rows[string]
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`)
  db.pragma('foreign_keys = OFF')
  db.prepare('ATTACH ? AS now').run(purse.path)
  const rows: Record<string, Record<string, unknown>[]> = {}
  for (const table of tablesOf(db)) {
    const columns = (db.pragma(`main.table_info(${table})`) as { name: string }[]).map(({ name }) => name).join()
    db.exec(`INSERT INTO main.${table} SELECT ${columns} FROM now.${table}`)
  }
  db.exec('DETACH now')
  rewriteJournals(db, purse)
  for (const table of tablesOf(db)) rows[table] = rowsOf(db, table)
  // With the rows in place: what is there was let in by these very rules, one step at a time.
  for (const { sql } of triggers) db.exec(sql as string)
  db.pragma(`user_version = ${version}`)
  db.close()
  return { path, rows }
}

function tablesOf(db: Database.Database): string[] {
  return db.prepare(`SELECT name FROM main.sqlite_master WHERE type = 'table'`).pluck().all() as string[]
}

function rowsOf(db: Database.Database, table: string): Record<string, unknown>[] {
  return db.prepare(`SELECT * FROM main.${table}`).all() as Record<string, unknown>[]
}

/** The purse, from now on with what is in this file. */
function reopened(purse: Purse, path: string): Purse {
  const { clock } = purse.bursar
  const store = openSqlite({ path, clock, journalKey: purse.journalKey })
  onTestFinished(() => store.close())
  return { ...purse, path, bursar: { ...purse.bursar, store } }
}

/** By migration, what every row has that was there before it could be anything else. */
const ADDED: Readonly<Record<string, readonly object[]>> = {
  wallets: [{}, { asset: null, account: null, relayer: null, confirmations: '[]' }, { allows: '[]' }],
  transfers: [{}, {}, { kind: 'eip3009', facilitator: null, moved: null }],
  payments: [{}, {}, {}, { credentials: '[]' }],
  approvals: [{}, {}, {}, { owners: 1 }],
  requests: [{}, {}, {}, { fingerprint: '' }],
}

/** Holds a file to be the schema of now, with these rows and what was added to them, and to be what its journals say. */
async function expectWhole(purse: Purse, path: string, { rows, version }: { rows: Rows; version: number }) {
  expect(await purse.bursar.store.read.altered()).toEqual([])
  expect(await problems(purse)).toEqual([])
  const db = new Database(path, { readonly: true })
  onTestFinished(() => void db.close())
  expect(db.pragma('user_version', { simple: true })).toBe(migrations().length)
  for (const [table, kept] of Object.entries(rows)) {
    const added = Object.assign({}, ...(ADDED[table] ?? []).slice(version)) as object
    expect(rowsOf(db, table)).toEqual(kept.map((row) => ({ ...row, ...added })))
  }
}

const problems = async ({ bursar, journalKey }: { bursar: Bursar; journalKey: Purse['journalKey'] }) =>
  (await verifyStore(bursar, journalNoteKey(journalKey.publicKey))).problems

describe('a database of before USDC', () => {
  it('is brought up to date by opening it, and loses nothing', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    await buy(purse, card, '20.00')
    await buy(purse, card, '4000.00')
    await buy(purse, card, '150.00')
    const { path, rows } = aged(purse, 1)
    expect(Object.keys(rows.wallets?.[0] ?? {})).not.toContain('asset')
    expect(rows.payments?.map(({ status }) => status)).toEqual(['captured', 'refused', 'awaiting_approval'])
    await expectWhole(reopened(purse, path), path, { rows, version: 1 })
  })

  it('pays on, and takes a wallet on a chain', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    await buy(purse, card, '20.00')
    const after = reopened(purse, aged(purse, 1).path)
    expect(await buy(after, card, '30.00')).toMatchObject({ status: 'captured' })
    const account = `${SANDBOX.id}:0x${'0'.repeat(39)}1`
    const chain = { network: SANDBOX, account, relayer: account }
    const wallet = { name: 'usdc', currency: 'USDC', mode: 'sandbox', chain }
    await createWallet(after.bursar, after.authority, wallet)
    expect(await after.bursar.store.read.one('wallets', { name: 'usdc' })).toMatchObject({ account, relayer: account })
    expect(await problems(after)).toEqual([])
  })
})

describe('a database of before x402', () => {
  it('is brought up to date by opening it, and loses nothing', async () => {
    const { purse } = await seedChain(await makePurse())
    const { path, rows } = aged(purse, 2)
    expect(Object.keys(rows)).not.toContain('purchases')
    expect(rows.payments?.map(({ status }) => status)).toEqual([
      'captured',
      'in_doubt',
      'in_doubt',
      'awaiting_approval',
    ])
    expect(rows.transfers?.map(({ tx_hash }) => tx_hash === null)).toEqual([false, true])
    await expectWhole(reopened(purse, path), path, { rows, version: 2 })
  })

  it('security: is seen to have its former walls again', async () => {
    const purse = await makePurse()
    const db = new Database(purse.path)
    const former = migrations()[1]!.sql.filter((sql) => /TRIGGER (transfers_are_authorized|broadcasts_carry)/.test(sql))
    expect(former.length).toBe(2)
    db.exec('DROP TRIGGER transfers_are_authorized; DROP TRIGGER broadcasts_carry_what_may_leave')
    for (const sql of former) db.exec(sql)
    db.exec('DROP TRIGGER purchases_are_prepared_once')
    db.close()
    expect(await purse.bursar.store.read.altered()).toEqual([
      'broadcasts_carry_what_may_leave is missing or was altered.',
      'purchases_are_prepared_once is missing or was altered.',
      'transfers_are_authorized is missing or was altered.',
    ])
  })

  it('pays on, and buys on the web', async () => {
    const before = await seedChain(await makePurse())
    const after = reopened(before.purse, aged(before.purse, 2).path)
    const rails = { ...after.bursar.rails, usdc: chainRail(after, before.ids.relayer as string) }
    const purse = { ...after, bursar: { ...after.bursar, rails } }
    const paid = await buy(purse, before.instrument, '5.00', { payee: { address: PAYEES[0] } })
    expect(paid).toMatchObject({ status: 'captured' })
    const { bought } = await seedPurchases({ ...before, purse })
    expect(await purse.bursar.store.read.one('payments', { id: bought as string })).toMatchObject({
      status: 'captured',
    })
    expect(await problems(purse)).toEqual([])
  })
})

describe('a database of before credentials', () => {
  /** Agents of each kind: one with its first key, one whose key was replaced, one that is over, and one that got a key later. */
  async function agents(purse: Purse) {
    const { bursar, authority, caller, time } = purse
    const [first, replaced, over] = [
      await addAgent(bursar, authority, 'first'),
      await addAgent(bursar, authority, 'replaced'),
      await addAgent(bursar, authority, 'over'),
    ]
    const card = await makeCard({ ...purse, caller: await callerOf(purse, first) })
    await buy({ ...purse, caller: await callerOf(purse, first) }, card, '20.00')
    const waits = await buy({ ...purse, caller: await callerOf(purse, first) }, card, '150.00')
    time.now += 1
    const again = await rotateAgent(bursar, authority, replaced.agent_id)
    const late = await rotateAgent(bursar, authority, caller.agentId)
    time.now += 1
    await rotateAgent(bursar, authority, over.agent_id)
    await revokeAgent(bursar, authority, over.agent_id)
    return { first, replaced, over, again, late, card, waits }
  }

  async function callerOf(
    purse: Purse,
    { agent_id: agentId, key }: { agent_id: string; key: string },
  ): Promise<Purse['caller']> {
    return { ...purse.caller, agentId, credentialId: await credentialOf(purse.bursar, key) }
  }

  it('is brought up to date by opening it: each agent that has a key has it as its one credential', async () => {
    const purse = await makePurse()
    const { first, again, late, over } = await agents(purse)
    const { path, rows } = aged(purse, 3)
    expect(Object.keys(rows)).not.toContain('credentials')
    expect(JSON.stringify(rows.events)).not.toMatch(/crd_|charged/)
    const after = reopened(purse, path)
    await expectWhole(after, path, { rows, version: 3 })
    const { read } = after.bursar.store
    for (const { agent_id: agentId, key } of [first, again, late])
      expect(await read.list('credentials', { agentId })).toMatchObject([
        {
          id: `crd_${agentId.slice(4)}`,
          keyHash: keyHashOf(key),
          scopes: AGENT_SCOPES,
          parentId: null,
          revokedAt: null,
        },
      ])
    expect(await read.one('credentials', { agentId: over.agent_id })).toMatchObject({ revokedAt: null })
    const created = await Promise.all(
      [first, again, late].map(
        async ({ agent_id }) => (await read.one('credentials', { agentId: agent_id }))!.createdAt,
      ),
    )
    expect(created).toEqual([NOON, NOON, NOON + 1])
  })

  it('goes on: agents pay with their keys, and mint, rotate and end; nobody is let in by what ended before', async () => {
    const purse = await makePurse()
    const { first, replaced, again, late, over, card, waits } = await agents(purse)
    const after = reopened(purse, aged(purse, 3).path)
    const { bursar, authority } = after
    const caller = await callerOf(after, first)
    expect(await buy({ ...after, caller }, card, '30.00')).toMatchObject({ status: 'captured' })
    const minted = await mintCredential(bursar, caller, { scopes: ['bursar:pay'], max_amount: '9.00', currency: 'USD' })
    const task = { ...after, caller: { ...caller, credentialId: minted.credential_id } }
    expect(await buy(task, card, '9.00')).toMatchObject({ status: 'captured' })
    await rotateAgent(bursar, authority, again.agent_id, { overlap: '1h' })
    await rotateAgent(bursar, authority, late.agent_id)
    await expect(async () => credentialOf(bursar, replaced.key)).rejects.toThrow('no such credential')
    expect(await codeOf(requestInstrument(bursar, await callerOf(after, late), CARD))).toBe('spending_frozen')
    expect(await codeOf(mintCredential(bursar, { ...caller, agentId: over.agent_id }, {}))).toBe('spending_frozen')
    // It was asked for with a credential that nobody noted: it is to be asked for again.
    expect((await approvePayment(after, waits.payment_id)).refusal).toMatchObject({ rule: 'agent.credential' })
    await revokeCredential(bursar, authority, caller.credentialId as string)
    expect((await buy(task, card, '1.00')).refusal).toMatchObject({ rule: 'agent.credential' })
    expect(await problems(after)).toEqual([])
  })
})
