import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { setUp } from '../../src/actions/owner/setup.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import type { InstrumentView, RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Fact } from '../../src/core/event.ts'
import type { Bursar, Store } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import type { PostgresOptions } from '../../src/store/postgres/index.ts'
import { openPostgres } from '../../src/store/postgres/index.ts'
import { journalNoteKey } from '../../src/store/shared/journals.ts'
import { systemIds } from '../../src/system.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import { CARD, NOON, type Purse, temporaryFolder } from '../support/purse.ts'
import { noSellers } from '../support/sellers.ts'

export interface PostgresPurse extends Omit<Purse, 'path'> {
  readonly store: Store
  /** Opens the same database once more, as another node would; closed at the test's end. */
  node(options?: Partial<PostgresOptions>): Promise<Store>
}

/** A real purse on PostgreSQL: the card sandbox, an owner, the agent `default` and 1,000.00 USD. */
export async function makePostgresPurse(url: string, more: Partial<PostgresOptions> = {}): Promise<PostgresPurse> {
  const folder = temporaryFolder()
  const time = { now: NOON }
  const clock = { now: () => time.now }
  const owner = makeKeyPair()
  const journal = makeKeyPair()
  const journalKey = { publicKey: Buffer.from(journal.publicKey, 'base64'), sign: signerOf(journal) }
  const open: Store[] = []
  const node = async (options: Partial<PostgresOptions> = {}): Promise<Store> => {
    const store = await openPostgres({ url, clock, journalKey, ...more, ...options })
    open.push(store)
    return store
  }
  const store = await node()
  const sandbox = await sandboxIssuer({ path: join(folder, 'issuer.db'), clock })
  onTestFinished(async () => {
    for (const one of open) await one.close()
    sandbox.close()
  })
  const rails = { virtual_card: cardRail(sandbox.issuer, sandbox.network) }
  const bursar: Bursar = { store, rails, clock, ids: systemIds, notify: { changed() {} }, sellers: noSellers }
  await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'test' })
  const agent = await store.read.one('agents', { name: 'default' })
  const wallet = await store.read.one('wallets', { name: 'sandbox' })
  return {
    ...{ bursar, store, node, folder, time, owner, journalKey, walletId: wallet!.id },
    caller: { agentId: agent!.id, sessionId: systemIds.make('session'), credentialId: null },
    authority: { ownerId: wallet!.ownerId, channel: 'test', sign: signerOf(owner) },
    again: () => node(),
    close: () => store.close(),
  }
}

/** An approved card of a wallet, by the host. */
export async function makeCardOf(
  purse: PostgresPurse,
  caller: Purse['caller'],
  more: object = {},
): Promise<InstrumentView> {
  const request = await requestInstrument(purse.bursar, caller, { ...CARD, ...more })
  const { digest } = await question(purse.bursar, request.request_id)
  const proof = hostProof(purse.authority.ownerId, digest, 'test')
  const view = (await approve(purse.bursar, request.request_id, proof, {})) as RequestView
  return view.instrument!
}

/** Another wallet with money, and an agent that it is of. */
export async function makeWallet(
  purse: PostgresPurse,
  name: string,
): Promise<{ walletId: string; caller: Purse['caller'] }> {
  const agent = await addAgent(purse.bursar, purse.authority, name)
  const input = { name, agentId: agent.agent_id, mode: 'sandbox', currency: 'USD', timeZone: 'UTC' }
  const { wallet_id: walletId } = await createWallet(purse.bursar, purse.authority, input)
  await fund(purse.bursar, purse.authority, walletId, '10000.00')
  const [credential] = await purse.store.read.list('credentials', { agentId: agent.agent_id })
  const caller = { agentId: agent.agent_id, sessionId: systemIds.make('session'), credentialId: credential!.id }
  return { walletId, caller }
}

/** What is wrong with the journals and their reading. What a test adds to the schema is its own. */
export async function problemsOf(purse: PostgresPurse): Promise<readonly unknown[]> {
  const { problems } = await verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey))
  return problems.filter(({ journal }) => journal !== 'schema')
}

/** Puts one cent into the wallet, in one step over `store`. @returns how often it was decided */
export async function cent(store: Store, purse: PostgresPurse, walletId = purse.walletId): Promise<number> {
  let decided = 0
  await store.update({ walletId }, () => {
    decided += 1
    return { facts: [centFact(purse, walletId)], result: null }
  })
  return decided
}

export function centFact(purse: PostgresPurse, walletId = purse.walletId): Fact {
  const actor = { role: 'human', id: purse.authority.ownerId } as const
  const movements = [{ kind: 'fund', debit: 'external', credit: 'available', amount: '0.01' }] as const
  const details = { source: 'test', movements }
  return { type: 'wallet.funded', actor, wallet_id: walletId, amount: '0.01', currency: 'USD', details } as Fact
}

/** What a wallet may spend, in units. */
export async function availableOf(purse: PostgresPurse, walletId = purse.walletId): Promise<bigint> {
  return (await purse.store.read.one('accounts', { walletId }))!.available
}
