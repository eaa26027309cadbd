import type { Config, Home } from '../config.ts'
import { USDC } from '../core/asset.ts'
import { assetId } from '../core/network.ts'
import type { Wallet } from '../core/types.ts'
import type { ChainAccess } from '../ports/chain.ts'
import type { Accounts, Authorizations, Rail, Rails, Store } from '../ports.ts'
import { systemClock } from '../system.ts'
import { errorFields, type Log } from '../telemetry.ts'
import { readNetworks } from './networks.ts'

/** Every rail that there is, none of them loaded before it is used: an agent's host waits for `bursar mcp`. */
export function lazyRails(config: Config, store: Store, log: Log): { rails: Rails; close(): Promise<void> } {
  const cards = sandboxCards(config)
  return { rails: { virtual_card: cards.rail, usdc: usdc(config, store, log) }, close: cards.close }
}

/** The sandbox's card network. Its books are opened by the first payment or card. */
function sandboxCards(config: Config): { rail: Rail; close(): Promise<void> } {
  const loaded = once(async () => {
    const { cardRail } = await import('../rails/card/rail.ts')
    const { issuer, network, close } = await openCards(config)
    return { rail: cardRail(issuer, network), close }
  })
  const rail = async () => (await loaded.get()).rail
  return {
    rail: {
      ...lazyRail(rail),
      serves: ({ mode, asset }) => mode === 'sandbox' && asset === null,
      refund: async (paymentId, refundId, amount) => {
        const { refund } = await rail()
        if (!refund) throw new TypeError('The card network gives refunds.')
        return refund(paymentId, refundId, amount)
      },
      authorizations: null,
      accounts: null,
    },
    close: async () => (await loaded.begun())?.close(),
  }
}

/** In a file of its own; or in the database, where nodes on many machines share one. */
async function openCards({ home, database }: Pick<Config, 'home' | 'database'>) {
  if (database.kind === 'file') {
    const { sandboxIssuer } = await import('../rails/card/sandbox/sandbox.ts')
    return sandboxIssuer({ path: home.cards, clock: systemClock })
  }
  const { sharedSandboxIssuer } = await import('../rails/card/sandbox/sandbox-postgres.ts')
  const { hostUrls } = await import('../store/postgres/hosts.ts')
  return sharedSandboxIssuer({ urls: hostUrls(database.url), clock: systemClock })
}

/** USDC on the networks that the owner set up. The chains' code loads when a wallet on one of them is looked at or pays. */
function usdc(config: Config, store: Store, log: Log): Rail {
  const networks = networksOf(config.home, log)
  const loaded = once(() => loadUsdc(config, store, networks()))
  const rail = loaded.get
  const accounts = async () => (await rail()).accounts as Accounts
  return {
    ...lazyRail(rail),
    serves: ({ mode, asset }) => {
      const access = asset === null ? null : accessOf(networks(), asset)
      return access !== null && access.network.testnet === (mode === 'sandbox')
    },
    refund: null,
    authorizations: {
      token: (asset) => accessOf(networks(), asset)?.network.usdc ?? null,
      sign: async (payment, proofOf) => ((await rail()).authorizations as Authorizations).sign(payment, proofOf),
    },
    async changes(cursor) {
      const [wallet] = (await store.read.list('wallets', { currency: USDC }, { limit: 1 })) as readonly Wallet[]
      if (!wallet) return { records: [], cursor: null }
      return (await rail()).changes(cursor)
    },
    accounts: {
      head: async (wallet) => (await accounts()).head(wallet),
      opening: async (wallet) => (await accounts()).opening(wallet),
      settled: async (wallet, ...args) => (await accounts()).settled(wallet, ...args),
      statement: async (wallet, ...args) => (await accounts()).statement(wallet, ...args),
    },
  }
}

async function loadUsdc({ home, vaultPassphraseFile }: Config, store: Store, networks: readonly ChainAccess[]) {
  const { usdcRail } = await import('../rails/usdc/rail.ts')
  const { chainOf } = await import('../rails/usdc/chain.ts')
  const { vaultOf } = await import('../vault/signer.ts')
  const { vaultPassphrases } = await import('../vault/passphrase.ts')
  const { transferBooks } = await import('../actions/transfer/books.ts')
  const vault = vaultOf({
    folder: home.accounts,
    passphrases: () => vaultPassphrases({ file: vaultPassphraseFile, home: home.directory }),
    read: store.read,
    clock: systemClock,
    tokenOf: (asset) => accessOf(networks, asset)?.network.usdc ?? null,
  })
  return usdcRail({
    chains: new Map(networks.map((access) => [access.network.id, chainOf(access)])),
    books: transferBooks(store, systemClock),
    vault,
    clock: systemClock,
  })
}

/** Read once. Where they cannot be read, there are none: no wallet on a chain pays, and all others do. */
function networksOf(home: Home, log: Log): () => readonly ChainAccess[] {
  let networks: readonly ChainAccess[] | undefined
  const read = () => {
    try {
      return readNetworks(home)
    } catch (error) {
      log.warn('the networks cannot be read', errorFields(error))
      return []
    }
  }
  return () => {
    networks ??= read()
    return networks
  }
}

function accessOf(networks: readonly ChainAccess[], asset: string): ChainAccess | null {
  return networks.find(({ network }) => assetId(network.id, network.usdc) === asset) ?? null
}

function lazyRail(rail: () => Promise<Rail>): Omit<Rail, 'serves' | 'refund' | 'authorizations' | 'accounts'> {
  return {
    provision: async (terms) => (await rail()).provision(terms),
    setStatus: async (railRef, status) => (await rail()).setStatus(railRef, status),
    pay: async (terms) => (await rail()).pay(terms),
    find: async (paymentId) => (await rail()).find(paymentId),
    changes: async (cursor) => (await rail()).changes(cursor),
  }
}

/** Made when it is first asked for; what could not be made is tried again. */
function once<T>(make: () => Promise<T>): { get(): Promise<T>; begun(): Promise<T> | undefined } {
  let made: Promise<T> | undefined
  return {
    get() {
      made ??= make().catch((error) => {
        made = undefined
        throw error
      })
      return made
    },
    begun: () => made,
  }
}
