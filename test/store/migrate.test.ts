import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { NETWORKS } from '../../src/core/network.ts'
import type { Bursar } from '../../src/ports.ts'
import { migrations } from '../../src/store/sqlite/connection.ts'
import { journalNoteKey, openSqlite } from '../../src/store/sqlite/index.ts'
import { buy, makeCard, makePurse, type Purse } from '../support/purse.ts'

type Rows = Readonly<Record<string, readonly Record<string, unknown>[]>>

/** A database as the first migration alone makes it, with all that a purse has in it. */
function aged(purse: Purse): { path: string; rows: Rows } {
  const path = join(purse.folder, 'before.db')
  const db = new Database(path)
  const statements = migrations()[0]!.sql
  const isTrigger = (sql: string) => /^CREATE TRIGGER /m.test(sql)
  for (const sql of statements.filter((one) => !isTrigger(one))) db.exec(sql)
  db.pragma('foreign_keys = OFF')
  db.prepare('ATTACH ? AS now').run(purse.path)
  const rows: Record<string, Record<string, unknown>[]> = {}
  for (const table of tablesOf(db)) {
    const columns = (db.pragma(`main.table_info(${table})`) as { name: string }[]).map(({ name }) => name).join()
    db.exec(`INSERT INTO main.${table} SELECT ${columns} FROM now.${table}`)
    rows[table] = rowsOf(db, table)
  }
  db.exec('DETACH now')
  // With the rows in place: what is there was let in by these very rules, one step at a time.
  for (const sql of statements.filter(isTrigger)) db.exec(sql)
  db.pragma('user_version = 1')
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

const problems = ({ bursar, journalKey }: { bursar: Bursar; journalKey: Purse['journalKey'] }) =>
  verifyStore(bursar, journalNoteKey(journalKey.publicKey)).problems

describe('a database of before USDC', () => {
  it('is brought up to date by opening it, and loses nothing', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    await buy(purse, card, '20.00')
    await buy(purse, card, '4000.00')
    await buy(purse, card, '150.00')
    const { path, rows } = aged(purse)
    expect(Object.keys(rows.wallets?.[0] ?? {})).not.toContain('asset')
    expect(rows.payments?.map(({ status }) => status)).toEqual(['captured', 'refused', 'awaiting_approval'])

    const { bursar } = reopened(purse, path)
    expect(bursar.store.read.altered()).toEqual([])
    expect(problems({ ...purse, bursar })).toEqual([])
    const db = new Database(path, { readonly: true })
    onTestFinished(() => void db.close())
    expect(db.pragma('user_version', { simple: true })).toBe(migrations().length)
    const off = { asset: null, account: null, relayer: null, confirmations: '[]' }
    for (const [table, kept] of Object.entries(rows))
      expect(rowsOf(db, table)).toEqual(table === 'wallets' ? kept.map((row) => ({ ...row, ...off })) : kept)
  })

  it('pays on, and takes a wallet on a chain', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    await buy(purse, card, '20.00')
    const after = reopened(purse, aged(purse).path)
    expect(await buy(after, card, '30.00')).toMatchObject({ status: 'captured' })
    const network = NETWORKS.find(({ testnet }) => testnet)!
    const account = `${network.id}:0x${'0'.repeat(39)}1`
    const wallet = { name: 'usdc', currency: 'USDC', mode: 'sandbox', chain: { network, account, relayer: account } }
    await createWallet(after.bursar, after.authority, wallet)
    expect(after.bursar.store.read.one('wallets', { name: 'usdc' })).toMatchObject({ account, relayer: account })
    expect(problems(after)).toEqual([])
  })
})
