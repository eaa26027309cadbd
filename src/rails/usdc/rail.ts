import { addressIn } from '../../core/account.ts'
import { assetId, networkOf } from '../../core/network.ts'
import type { Wallet } from '../../core/types.ts'
import type { TransferBooks, Vault } from '../../ports/chain.ts'
import type { Clock, Rail, RailRecord } from '../../ports.ts'
import { accountsOf } from './accounts.ts'
import type { Chain } from './chain.ts'
import { laneOf } from './lane.ts'
import { recordOf } from './record.ts'
import { type Site, siteOf } from './site.ts'

/** What the rail works with. */
export interface UsdcRail {
  /** By CAIP-2. */
  readonly chains: ReadonlyMap<string, Chain>
  readonly books: TransferBooks
  readonly vault: Vault
  readonly clock: Clock
}

/**
 * USDC by EIP-3009 `transferWithAuthorization`. The wallet's key signs one authorization for a payment, whose nonce is the
 * hash of the payment's id; a relayer brings it to the chain. Sending twice moves nothing twice, and what is reported is
 * what the chain's own logs show.
 */
export function usdcRail({ chains, books, vault, clock }: UsdcRail): Rail {
  const sites = new Map<string, Site>()
  for (const [id, chain] of chains)
    sites.set(id, siteOf({ chain, books, vault, clock, lane: laneOf(chain, books, vault, clock) }))
  const siteFor = ({ asset }: Pick<Wallet, 'asset'>): Site => {
    const site = asset === null ? undefined : sites.get(networkOf(asset))
    if (!site || site.chain.asset !== asset) throw new RangeError('The network of this wallet is not set up.')
    return site
  }
  const of = async (walletId: string): Promise<{ wallet: Wallet; site: Site }> => {
    const wallet = (await books.wallet(walletId)) as Wallet
    return { wallet, site: siteFor(wallet) }
  }
  return {
    serves: ({ mode, asset }) => {
      const chain = asset === null ? undefined : chains.get(networkOf(asset))
      return chain?.asset === asset && chain.network.testnet === (mode === 'sandbox')
    },
    async provision({ account }) {
      if (account === null) throw new RangeError('The wallet has no account.')
      const address = addressIn(account)
      return { railRef: account, display: `${address.slice(0, 6)}…${address.slice(-4)}` }
    },
    // bursar itself is who signs: there is nobody else to tell.
    setStatus: async () => undefined,
    async pay(terms) {
      const { wallet, site } = await of(terms.walletId)
      return site.pay(wallet, terms)
    },
    async find(paymentId) {
      const transfer = await books.transfer(paymentId)
      if (!transfer) return null
      const { wallet, site } = await of(transfer.walletId)
      return recordOf(transfer, await site.look(wallet, transfer))
    },
    refund: null,
    authorizations: {
      token(asset) {
        const network = chains.get(networkOf(asset))?.network
        return network && assetId(network.id, network.usdc) === asset ? network.usdc : null
      },
      async sign({ id, walletId }, proofOf) {
        const { wallet, site } = await of(walletId)
        await site.authorize(wallet, id, proofOf)
      },
    },
    async changes() {
      // What was captured may be taken back until it is final; what was not is looked after by its payment.
      const captured = (await books.open()).filter(({ txHash }) => txHash !== null)
      const records: { paymentId: string; record: RailRecord }[] = []
      const failures: unknown[] = []
      // One chain that cannot be reached keeps no other from being looked after.
      const each = (work: () => Promise<void>) => work().catch((error: unknown) => void failures.push(error))
      const visit = async ([id, site]: [string, Site]): Promise<void> => {
        const here = captured.filter(({ asset }) => networkOf(asset) === id)
        await each(async () => void records.push(...(here.length > 0 ? await site.watch(here) : [])))
        for (const relayer of await books.relayers())
          if (relayer.startsWith(`${id}:`)) await each(() => site.lane.advance(relayer))
      }
      await Promise.all([...sites].map(visit))
      if (failures.length > 0 && records.length === 0) throw new AggregateError(failures, 'Not all could be read.')
      return { records, cursor: null }
    },
    accounts: accountsOf((wallet) => siteFor(wallet).chain),
  }
}
