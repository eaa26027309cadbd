import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import type { OwnerAuthority } from '../../src/actions/owner/authority.ts'
import { setUp } from '../../src/actions/owner/setup.ts'
import { question } from '../../src/actions/question.ts'
import type { Caller, InstrumentView, PaymentView, RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Bursar, Rail, Store } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { systemIds } from '../../src/system.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import { noSellers } from './sellers.ts'
import { openTestStore } from './store.ts'

/** 2026-03-10T12:00:00Z: a Tuesday, far from any boundary. */
export const NOON = Date.UTC(2026, 2, 10, 12)

export interface Purse {
  readonly bursar: Bursar
  readonly folder: string
  /** Of the file, where the store is SQLite's. */
  readonly path: string
  readonly caller: Caller
  readonly authority: OwnerAuthority
  readonly owner: ReturnType<typeof makeKeyPair>
  readonly journalKey: { publicKey: Buffer; sign: (bytes: Uint8Array) => Uint8Array }
  /** Milliseconds since the epoch; move it and the purse's clock moves. */
  readonly time: { now: number }
  readonly walletId: string
  /** Its store, opened once more, as another process would. It is the caller's to close. */
  again(): Promise<Store>
  close(): Promise<void>
}

export interface PurseOptions {
  readonly folder?: string
  readonly rail?: Rail
  readonly sessionId?: string
  readonly now?: number
}

const open: Purse[] = []
const folders: string[] = []

afterEach(async () => {
  for (const purse of open.splice(0)) await purse.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-'))
  folders.push(folder)
  return folder
}

/** A real purse in a folder of its own: SQLite, the card sandbox, an owner, the agent `default` and 1,000.00 USD. */
export async function makePurse(options: PurseOptions = {}): Promise<Purse> {
  const folder = options.folder ?? temporaryFolder()
  const time = { now: options.now ?? NOON }
  const clock = { now: () => time.now }
  const owner = makeKeyPair()
  const journal = makeKeyPair()
  const journalKey = { publicKey: Buffer.from(journal.publicKey, 'base64'), sign: signerOf(journal) }
  const path = join(folder, 'bursar.db')
  const opened = await openTestStore({ path, clock, journalKey })
  const { store } = opened
  const sandbox = options.rail ? null : await sandboxIssuer({ path: join(folder, 'issuer.db'), clock })
  const rail = options.rail ?? cardRail(sandbox!.issuer, sandbox!.network)
  const bursar: Bursar = {
    store,
    rails: { virtual_card: rail },
    clock,
    ids: systemIds,
    notify: { changed() {} },
    sellers: noSellers,
  }
  await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'test' })
  const agent = (await store.read.one('agents', { name: 'default' }))!
  const wallet = (await store.read.one('wallets', { name: 'sandbox' }))!
  const purse: Purse = {
    bursar,
    folder,
    path,
    time,
    owner,
    journalKey,
    caller: { agentId: agent.id, sessionId: options.sessionId ?? systemIds.make('session'), credentialId: null },
    authority: { ownerId: wallet.ownerId, channel: 'test', sign: signerOf(owner) },
    walletId: wallet.id,
    again: opened.again,
    async close() {
      await opened.close()
      sandbox?.close()
    },
  }
  open.push(purse)
  return purse
}

export const CARD: RequestInput = {
  type: 'virtual_card',
  amount: '300.00',
  currency: 'USD',
  usage_limit: 3,
  expires_in: '30d',
  purpose: 'Developer tools',
  constraints: { merchant_categories: ['software'] },
}

/** An approved card, by the host. */
export async function makeCard(purse: Purse, terms: Partial<RequestInput> = {}): Promise<InstrumentView> {
  const request = await requestInstrument(purse.bursar, purse.caller, { ...CARD, ...terms })
  const { digest } = await question(purse.bursar, request.request_id)
  const proof = hostProof(purse.authority.ownerId, digest, 'test')
  const view = (await approve(purse.bursar, request.request_id, proof, {})) as RequestView
  return view.instrument!
}

export const SHOP = { name: 'Acme Software', merchant_category: '5734', country: 'US' }

let purchases = 0

/** A purchase that is like no other, unless `purpose` says so. */
export function buy(purse: Purse, card: InstrumentView, amount: string, more: object = {}): Promise<PaymentView> {
  purchases += 1
  const input = { instrument_id: card.instrument_id, amount, payee: SHOP, purpose: `Purchase ${purchases}`, ...more }
  return pay(purse.bursar, purse.caller, input)
}

/** Every balance of the wallet, in units. Their sum is asserted by the database and by `journal verify`. */
export async function balances(purse: Purse) {
  return (await purse.bursar.store.read.one('accounts', { walletId: purse.walletId }))!
}
