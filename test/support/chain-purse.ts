import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { pay } from '../../src/actions/agent/pay.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import type { OwnerAuthority } from '../../src/actions/owner/authority.ts'
import { type ConfirmationInput, limitRelayer } from '../../src/actions/owner/chain.ts'
import { setUp } from '../../src/actions/owner/setup.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import { transferBooks } from '../../src/actions/transfer/books.ts'
import { reconcile } from '../../src/actions/transfer/reconcile.ts'
import type { Caller, InstrumentView, PaymentView, RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { addressIn } from '../../src/core/account.ts'
import { type Network, ownNetwork } from '../../src/core/network.ts'
import type { Wallet } from '../../src/core/types.ts'
import type { TransferBooks, Vault } from '../../src/ports/chain.ts'
import type { Bursar, Clock, Rail, Store } from '../../src/ports.ts'
import { chainOf, type Chain as Reads } from '../../src/rails/usdc/chain.ts'
import { usdcRail } from '../../src/rails/usdc/rail.ts'
import { systemClock, systemIds } from '../../src/system.ts'
import { journalKeyFile, signerOf } from '../../src/vault/keys.ts'
import { PrivateKey } from '../../src/vault/private-key.ts'
import { payerOf, relaySignerOf } from '../../src/vault/signer.ts'
import type { Chain } from './chain.ts'
import { noSellers } from './sellers.ts'
import { openFolderStore } from './store.ts'

/** One USDC. */
export const UNIT = 1_000_000n

/** Where a chain is, for processes that did not start it. */
export type ChainPlace = Pick<Chain, 'network' | 'token' | 'url'>

export interface ChainPurseOptions {
  /** In place of the chain's own node. */
  readonly nodes?: readonly string[]
  readonly confirmations?: readonly ConfirmationInput[]
  readonly clock?: Clock
  readonly sessionId?: string
  /** What stands between the parts. */
  readonly store?: (store: Store) => Store
  readonly rail?: (rail: Rail) => Rail
  readonly reads?: (chain: Reads) => Reads
  readonly books?: (books: TransferBooks) => TransferBooks
  readonly vault?: (vault: Vault) => Vault
  readonly sellers?: Bursar['sellers']
}

/** A purse with a USDC wallet, in a folder that several processes may share. */
export interface ChainPurse {
  readonly bursar: Bursar
  readonly wallet: Wallet
  /** EIP-55. */
  readonly address: string
  readonly relayerAddress: string
  readonly network: Network
  readonly caller: Caller
  readonly authority: OwnerAuthority
  readonly publicKey: Buffer
  /** Of the file, where the store is SQLite's. */
  readonly path: string
  close(): Promise<void>
}

const same = <T>(one: T): T => one

/** The key of a role in a folder: always the same, for every process that opens it. */
function keyOf(folder: string, role: string): PrivateKey {
  return new PrivateKey(createHash('sha256').update(`${role} of ${folder}`).digest())
}

export async function openChainPurse(
  folder: string,
  chain: ChainPlace,
  options: ChainPurseOptions = {},
): Promise<ChainPurse> {
  const clock = options.clock ?? systemClock
  const journal = journalKeyFile(join(folder, 'journal.key'))
  const owner = journalKeyFile(join(folder, 'test-owner.key'))
  const publicKey = Buffer.from(journal.publicKey, 'base64')
  const path = join(folder, 'bursar.db')
  const opened = await openFolderStore(folder, { clock, journalKey: { publicKey, sign: signerOf(journal) } })
  const store = (options.store ?? same)(opened)
  const network = ownNetwork(chain.network, { address: chain.token, name: 'USD Coin', version: '2', decimals: 6 })
  const keys = { payer: keyOf(folder, 'wallet'), relayer: keyOf(folder, 'relayer') }
  const signing = { read: opened.read, clock, tokenOf: () => network.usdc }
  const vault: Vault = {
    payer: (account) => payerOf(signing, account, keys.payer),
    relayer: (account) => relaySignerOf(signing, account, keys.relayer),
  }
  const reads = (options.reads ?? same)(chainOf({ network, nodes: options.nodes ?? [chain.url] }))
  const rail = usdcRail({
    chains: new Map([[network.id, reads]]),
    books: (options.books ?? same)(transferBooks(store, clock)),
    vault: (options.vault ?? same)(vault),
    clock,
  })
  const rails = { usdc: (options.rail ?? same)(rail) }
  const bursar: Bursar = {
    store,
    rails,
    clock,
    ids: systemIds,
    notify: { changed() {} },
    sellers: options.sellers ?? noSellers,
  }
  await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'test' })
  const ownerId = (await store.read.one('wallets', { name: 'sandbox' }))!.ownerId
  const authority = { ownerId, channel: 'test', sign: signerOf(owner) }
  const account = (key: PrivateKey): string => `${network.id}:${key.address}`
  if (!(await store.read.one('wallets', { name: 'usdc' }))) {
    const place = { network, account: account(keys.payer), relayer: account(keys.relayer) }
    const { confirmations } = options
    await createWallet(bursar, authority, {
      ...{ name: 'usdc', currency: 'USDC', mode: 'sandbox' },
      chain: { ...place, ...(confirmations && { confirmations }) },
    })
    await limitRelayer(bursar, authority, place.relayer, '10')
  }
  const agentId = (await store.read.one('agents', { name: 'default' }))!.id
  return {
    ...{ bursar, network, authority, publicKey, path, address: keys.payer.address },
    relayerAddress: keys.relayer.address,
    wallet: (await store.read.one('wallets', { name: 'usdc' }))!,
    caller: { agentId, sessionId: options.sessionId ?? systemIds.make('session'), credentialId: null },
    close: () => opened.close(),
  }
}

/** Coins for fees, and this much USDC that bursar has seen come in. */
export async function fundChainPurse(purse: ChainPurse, chain: Chain, units: bigint): Promise<void> {
  await chain.give(purse.relayerAddress as `0x${string}`, 10n ** 18n)
  // Whatever was there before is the opening balance: what comes after is a deposit.
  await reconcile(purse.bursar, purse.wallet.id, true)
  await chain.mint(purse.address as `0x${string}`, units)
  await chain.mine(3)
  await reconcile(purse.bursar, purse.wallet.id, true)
}

export const USDC_TERMS: RequestInput = {
  type: 'usdc',
  amount: '300.00',
  currency: 'USDC',
  expires_in: '30d',
  purpose: 'Data for the report',
}

export async function makeInstrument(
  { bursar, caller, authority }: ChainPurse,
  terms: Partial<RequestInput> = {},
): Promise<InstrumentView> {
  const request = await requestInstrument(bursar, caller, { ...USDC_TERMS, ...terms })
  const { digest } = await question(bursar, request.request_id)
  const view = await approve(bursar, request.request_id, hostProof(authority.ownerId, digest, 'test'), {})
  return (view as RequestView).instrument!
}

let purchases = 0

/** A transfer that is like no other, unless `purpose` says so. */
export function send(
  purse: ChainPurse,
  { instrument_id }: Pick<InstrumentView, 'instrument_id'>,
  to: string,
  amount: string,
  more: object = {},
): Promise<PaymentView> {
  purchases += 1
  const input = { instrument_id, amount, payee: { address: to }, purpose: `Transfer ${purchases}`, ...more }
  return pay(purse.bursar, purse.caller, input)
}

/** The wallet's account by the chain and by the books, in units. They are the same once everything has settled. */
export async function bothBooks(purse: ChainPurse, chain: Chain): Promise<{ chain: bigint; books: bigint }> {
  const { external } = (await purse.bursar.store.read.one('accounts', { walletId: purse.wallet.id }))!
  return { chain: await chain.balance(addressIn(purse.wallet.account as string) as `0x${string}`), books: -external }
}
