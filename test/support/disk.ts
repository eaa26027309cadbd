import { join } from 'node:path'
import type { OwnerAuthority } from '../../src/actions/owner/authority.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { listLimits } from '../../src/actions/owner/inspect.ts'
import { removeLimit, setLimit } from '../../src/actions/owner/limit.ts'
import { setUp } from '../../src/actions/owner/setup.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import type { Bursar, Clock, Rail, Store } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { type CardSandbox, sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { openSqlite } from '../../src/store/sqlite/index.ts'
import { systemClock, systemIds } from '../../src/system.ts'
import { journalKeyFile, signerOf } from '../../src/vault/keys.ts'
import { noSellers } from './sellers.ts'

/** A purse in a folder that several processes share: the same files, keys and clocks for all of them. */
export interface Disk {
  readonly bursar: Bursar
  readonly sandbox: CardSandbox
  /** The key that signs checkpoints: 32 raw bytes. */
  readonly publicKey: Buffer
  /** Whether this process made the folder's instance, of all that tried. */
  readonly created: boolean
  readonly authority: OwnerAuthority
  readonly agentId: string
  close(): Promise<void>
}

export interface DiskOptions {
  readonly clock?: Clock
  /** What stands between the actions and their ports. */
  readonly store?: (store: Store) => Store
  readonly sandbox?: (sandbox: CardSandbox) => CardSandbox
  readonly rail?: (rail: Rail) => Rail
}

export const booksOf = (folder: string): string => join(folder, 'bursar.db')
export const issuerOf = (folder: string): string => join(folder, 'sandbox-cards.db')

export async function openDisk(folder: string, options: DiskOptions = {}): Promise<Disk> {
  const same = <T>(one: T): T => one
  const clock = options.clock ?? systemClock
  const key = journalKeyFile(join(folder, 'journal.key'))
  const owner = journalKeyFile(join(folder, 'test-owner.key'))
  const publicKey = Buffer.from(key.publicKey, 'base64')
  const opened = openSqlite({ path: booksOf(folder), clock, journalKey: { publicKey, sign: signerOf(key) } })
  const store = (options.store ?? same)(opened)
  const sandbox = (options.sandbox ?? same)(await sandboxIssuer({ path: issuerOf(folder), clock }))
  const rail = (options.rail ?? same)(cardRail(sandbox.issuer, sandbox.network))
  const bursar: Bursar = {
    store,
    rails: { virtual_card: rail },
    clock,
    ids: systemIds,
    notify: { changed() {} },
    sellers: noSellers,
  }
  const { created } = await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'test' })
  const { ownerId } = (await store.read.one('wallets', { name: 'sandbox' }))!
  return {
    ...{ bursar, sandbox, publicKey, created, agentId: (await store.read.one('agents', { name: 'default' }))!.id },
    authority: { ownerId, channel: 'test', sign: signerOf(owner) },
    async close() {
      await opened.close()
      sandbox.close()
    },
  }
}

let wallets = 0

/** A wallet of its own with this much in it, and limits that are out of the way. Its day has just half gone by. */
export async function wideWallet({ bursar, authority }: Disk, currency: string, amount: string): Promise<string> {
  wallets += 1
  const hour = new Date(bursar.clock.now()).getUTCHours()
  // In this zone it is about noon: no race meets midnight. (`Etc/GMT+3` is three hours behind.)
  const timeZone = hour >= 12 ? `Etc/GMT+${hour - 12}` : `Etc/GMT-${12 - hour}`
  const input = { name: `wallet ${wallets} ${amount}`, currency, mode: 'sandbox', timeZone }
  const { wallet_id } = await createWallet(bursar, authority, input)
  await fund(bursar, authority, wallet_id, amount)
  for (const { limit_id, over } of await listLimits(bursar, wallet_id))
    if (over === 'ask') await removeLimit(bursar, authority, limit_id)
  for (const [scope, window] of [
    ['wallet', 'payment'],
    ['session', 'session'],
    ['wallet', 'day'],
  ] as const)
    await setLimit(bursar, authority, wallet_id, { scope, window, max_amount: '1000000.00', over: 'deny' })
  return wallet_id
}
