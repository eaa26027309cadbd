import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { recover } from '../../src/actions/recover.ts'
import { buy, CARD, makeCard, makePurse } from '../support/purse.ts'
import { seedChain } from './seed-chain.ts'
import { seedOwners } from './seed-owners.ts'
import { seedPurchases } from './seed-purchases.ts'

/** One row that must not be written, straight in SQL, and the check or trigger that refuses it. */
export interface Case {
  readonly table: string
  /** A trigger's name, or a CHECK's expression. */
  readonly wall: string
  readonly what: string
  readonly bad: string
  /** What must be there first, and may be. */
  readonly before?: string
  /** Walls that stand before this one and would refuse it as well. */
  readonly without?: readonly string[]
}

/** What the rules let pass. */
export type Allowed = Pick<Case, 'bad' | 'before' | 'without'>

/** Columns with what is to stand in them, as SQL. */
export type Changes = Readonly<Record<string, string>>

/** Cases of one table: what is tried, by which wall it is refused, and how. */
export function cases(table: string, rows: readonly (readonly [string, string, string, Partial<Case>?])[]): Case[] {
  return rows.map(([wall, what, bad, more]) => ({ table, wall, what, bad, ...more }))
}

/** A change of each of many columns: that it is named is enough where the store sees that. */
export function eachColumn(table: string, wall: string, where: string, columns: string): Case[] {
  return columns.split(', ').map((column) => ({
    table,
    wall,
    what: `changes ${column}`,
    bad: `TOUCH ${table}|${column}|${where}`,
  }))
}

export interface Seed {
  readonly path: string
  /** What the SQL of cases names as `:name`. */
  readonly ids: Readonly<Record<string, string | number>>
  dispose(): void
}

/** A database in which each kind of thing happened, written by bursar itself; a copy, so that nobody else has it open. */
export async function seed(): Promise<Seed> {
  const purse = await makePurse()
  const { bursar, authority, caller, time } = purse
  const other = await addAgent(bursar, authority, 'other')
  const bound = { name: 'bound', currency: 'USD', mode: 'sandbox', agentId: other.agent_id }
  const wallet = await createWallet(bursar, authority, bound)
  await setLimit(bursar, authority, purse.walletId, { scope: 'wallet', window: 'month', max_count: 9, over: 'deny' })
  const card = await makeCard(purse, { usage_limit: 6, per_payment_max: '300.00' })
  const pending = await requestInstrument(bursar, caller, CARD)
  const paid = await buy(purse, card, '20.00', { idempotency_key: 'order-1' })
  const refused = await buy(purse, card, '4000.00')
  const at = (name: string) => ({ payee: { name: `Bursar Test: ${name}`, merchant_category: '5734' } })
  const voided = await buy(purse, card, '21.00', at('Decline do_not_honor'))
  const waiting = await buy(purse, card, '150.00')
  const open = await buy(purse, card, '30.00', at('Never Captured'))
  const doubtful = await buy(purse, card, '31.00', at('Unreachable'))
  await recover(bursar)
  const buyer = await addAgent(bursar, authority, 'buyer')
  const buying = { ...caller, agentId: buyer.agent_id, credentialId: buyer.credential_id }
  const minted = { max_amount: '900.00', currency: 'USDC', expires_in: '30d' }
  const { credential_id: task } = await mintCredential(bursar, buying, minted)
  const chain = await seedChain({ ...purse, caller: { ...buying, credentialId: task } })
  const purchases = await seedPurchases(chain)
  const owners = await seedOwners(purse)
  const folder = mkdtempSync(join(tmpdir(), 'bursar-wall-'))
  const path = join(folder, 'bursar.db')
  await bursar.store.backup(path)
  const ids = {
    agent: caller.agentId,
    other: other.agent_id,
    wallet: purse.walletId,
    ...{ buyer: buyer.agent_id, credential: buyer.credential_id, task },
    ...{ idle: other.credential_id, ...owners },
    otherWallet: wallet.wallet_id,
    card: card.instrument_id,
    pending: pending.request_id,
    paid: paid.payment_id,
    refused: refused.payment_id,
    voided: voided.payment_id,
    waiting: waiting.payment_id,
    open: open.payment_id,
    doubtful: doubtful.payment_id,
    now: time.now,
    ...chain.ids,
    ...purchases,
  }
  return { path, ids, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}

/** `INSERT` of a copy of one row with other values in some columns, as SQL. `or` is `OR REPLACE` or the like. */
export function copyOf(table: string, where: string, changes: Changes, or = ''): string {
  return `COPY ${or}|${table}|${where}|${JSON.stringify(changes)}`
}
