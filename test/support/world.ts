import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAgent, keyHashOf } from '../../src/actions/owner/agents.ts'
import type { OwnerAuthority } from '../../src/actions/owner/authority.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { setUp } from '../../src/actions/owner/setup.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import type { Caller } from '../../src/actions/wire.ts'
import type { Bursar, Rail, RailRecord } from '../../src/ports.ts'
import type { CardNetwork } from '../../src/rails/card/issuer.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { systemIds } from '../../src/system.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import { Audit } from './audit.ts'
import { noSellers } from './sellers.ts'
import { openTestStore } from './store.ts'

/** What the rail does to the next calls: `lost_request` never reaches the issuer, `lost_reply` does and says nothing. */
export type Weather = 'fair' | 'lost_request' | 'lost_reply' | 'no_cards'

/** What bursar heard of a payment from its rail, in order; null: no answer; `unknown`: the rail never heard of it. */
export interface Heard {
  readonly paymentId: string
  readonly by: 'pay' | 'find' | 'refund' | 'changes'
  readonly record: RailRecord | 'unknown' | null
}

/** A real store, real actions and the real card sandbox, whose time and weather a test decides. */
export interface World {
  readonly bursar: Bursar
  readonly authority: OwnerAuthority
  readonly time: { now: number }
  readonly weather: { now: Weather }
  readonly heard: Heard[]
  readonly network: CardNetwork
  readonly audit: Audit
  /** Two runs of one agent, and another agent. */
  readonly callers: readonly [Caller, Caller, Caller]
  close(): Promise<void>
}

export async function makeWorld(now: number): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-'))
  const time = { now }
  const clock = { now: () => time.now }
  const owner = makeKeyPair()
  const journal = makeKeyPair()
  const publicKey = Buffer.from(journal.publicKey, 'base64')
  const path = join(folder, 'bursar.db')
  const opened = await openTestStore({ path, clock, journalKey: { publicKey, sign: signerOf(journal) } })
  const { store } = opened
  const sandbox = await sandboxIssuer({ path: join(folder, 'issuer.db'), clock, sleep: async () => undefined })
  const weather = { now: 'fair' as Weather }
  const heard: Heard[] = []
  const rail = weatheredRail(cardRail(sandbox.issuer, sandbox.network), weather, heard)
  const bursar: Bursar = {
    store,
    rails: { virtual_card: rail },
    clock,
    ids: systemIds,
    notify: { changed() {} },
    sellers: noSellers,
  }
  await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'test' })
  const { ownerId } = (await store.read.one('wallets', { name: 'sandbox' }))!
  const authority: OwnerAuthority = { ownerId, channel: 'test', sign: signerOf(owner) }
  const agentId = (await store.read.one('agents', { name: 'default' }))!.id
  const other = await addAgent(bursar, authority, 'other')
  await makeWallets(bursar, authority, other.agent_id)
  const credentialId = (await store.read.one('credentials', { keyHash: keyHashOf(other.key) }))!.id
  const audit = new Audit(store.read, publicKey, await opened.books(), join(folder, 'issuer.db'))
  return {
    ...{ bursar, authority, time, weather, heard, network: sandbox.network, audit },
    callers: [
      { agentId, sessionId: 'run-1', credentialId: null },
      { agentId, sessionId: 'run-2', credentialId: null },
      { agentId: other.agent_id, sessionId: 'run-3', credentialId },
    ],
    async close() {
      await audit.close()
      await opened.close()
      sandbox.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Beside the first: one whose days begin in Paris and whose large amounts need a signature, and one without decimals. */
async function makeWallets(bursar: Bursar, authority: OwnerAuthority, agentId: string): Promise<void> {
  const approvals = [
    { up_to: '5.00', assurance: 'none' },
    { up_to: '200.00', assurance: 'host' },
    { up_to: null, assurance: 'operator' },
  ]
  const paris = { name: 'paris', currency: 'EUR', mode: 'sandbox', timeZone: 'Europe/Paris', approvals }
  await fund(bursar, authority, (await createWallet(bursar, authority, paris)).wallet_id, '800.00')
  const yen = { name: 'yen', currency: 'JPY', mode: 'sandbox', timeZone: 'America/St_Johns', agentId }
  await fund(bursar, authority, (await createWallet(bursar, authority, yen)).wallet_id, '2500')
}

function weatheredRail(rail: Rail, weather: { readonly now: Weather }, heard: Heard[]): Rail {
  const lost = (): never => {
    throw new Error('No answer.')
  }
  const hear = async <R extends RailRecord | null>(
    paymentId: string,
    by: 'pay' | 'find' | 'refund',
    call: () => Promise<R>,
  ): Promise<R> => {
    try {
      if (weather.now === 'lost_request') lost()
      const record = await call()
      if (weather.now === 'lost_reply') lost()
      heard.push({ paymentId, by, record: record ?? 'unknown' })
      return record
    } catch (error) {
      heard.push({ paymentId, by, record: null })
      throw error
    }
  }
  return {
    serves: (wallet) => rail.serves(wallet),
    authorizations: rail.authorizations,
    accounts: rail.accounts,
    async provision(terms) {
      if (weather.now === 'no_cards') lost()
      return rail.provision(terms)
    },
    setStatus: (railRef, status) => rail.setStatus(railRef, status),
    pay: (terms) => hear(terms.paymentId, 'pay', () => rail.pay(terms)),
    find: (paymentId) => hear(paymentId, 'find', () => rail.find(paymentId)),
    refund: (paymentId, refundId, amount) => hear(paymentId, 'refund', () => rail.refund!(paymentId, refundId, amount)),
    async changes(cursor) {
      const page = await rail.changes(cursor)
      for (const { paymentId, record } of page.records) heard.push({ paymentId, by: 'changes', record })
      return page
    },
  }
}
