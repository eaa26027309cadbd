import { join } from 'node:path'
import { setUp } from '../../src/actions/owner/setup.ts'
import type { Bursar } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sharedSandboxIssuer } from '../../src/rails/card/sandbox/sandbox-postgres.ts'
import { hostUrls } from '../../src/store/postgres/hosts.ts'
import { openPostgres, type PostgresOptions } from '../../src/store/postgres/index.ts'
import { systemClock, systemIds } from '../../src/system.ts'
import { journalKeyFile, signerOf } from '../../src/vault/keys.ts'
import type { Disk } from '../support/disk.ts'
import { noSellers } from '../support/sellers.ts'

/** One of several nodes on a database: as a purse on a disk, with the same keys in a folder. */
export type Node = Omit<Disk, 'sandbox'>

/** The purse is made by the first who opens it. */
export async function openNode(folder: string, url: string, options: Partial<PostgresOptions> = {}): Promise<Disk> {
  const key = journalKeyFile(join(folder, 'journal.key'))
  const owner = journalKeyFile(join(folder, 'test-owner.key'))
  const publicKey = Buffer.from(key.publicKey, 'base64')
  const journalKey = { publicKey, sign: signerOf(key) }
  const clock = options.clock ?? systemClock
  const store = await openPostgres({ url, clock, journalKey, ...options })
  const sandbox = await sharedSandboxIssuer({ urls: hostUrls(url), clock })
  const rails = { virtual_card: cardRail(sandbox.issuer, sandbox.network) }
  const parts = { clock, ids: systemIds, notify: { changed() {} }, sellers: noSellers }
  const bursar: Bursar = { store, rails, ...parts }
  const { created } = await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'test' })
  const { ownerId } = (await store.read.one('wallets', { name: 'sandbox' }))!
  return {
    ...{ bursar, sandbox: { ...sandbox, close: () => void sandbox.close() }, publicKey, created },
    agentId: (await store.read.one('agents', { name: 'default' }))!.id,
    authority: { ownerId, channel: 'test', sign: signerOf(owner) },
    async close() {
      await store.close()
      await sandbox.close()
    },
  }
}
