import { homeWithWallet, type Scene, startScene } from '../cli/chain-fixture.ts'
import { owner } from '../cli/fixture.ts'
import { type Facilitator, startFacilitator } from '../sellers/facilitator.ts'
import { type OfficialSeller, startExpressSeller } from '../sellers/official.ts'
import { fundedKey } from '../sellers/sender.ts'
import { type Behaviour, openStall, type Stall } from '../sellers/stall.ts'
import { type Host, type Kind, type Result, startHost } from './host.ts'

/** A chain, and whoever sells on it. */
export interface Market extends Scene {
  /** Honest, by the official packages, with a new account. */
  opens(): Promise<OfficialSeller>
  /** One that lies as it is told. */
  lies(behaviour: Behaviour): Promise<Stall>
}

export async function startMarket(): Promise<Market> {
  const scene = await startScene()
  const { chain } = scene
  const facilitator: Facilitator = await startFacilitator(chain, await fundedKey(chain))
  const open: { close(): Promise<void> }[] = []
  const opened = <Seller extends { close(): Promise<void> }>(seller: Seller): Seller => {
    open.push(seller)
    return seller
  }
  return {
    ...scene,
    opens: async () => opened(await startExpressSeller({ chain, facilitator })),
    lies: async (behaviour) => opened(await openStall(behaviour, { chain })),
    async stop() {
      await Promise.all(open.map((seller) => seller.close()))
      await scene.stop()
    },
  }
}

/** A home with the wallet `shopping`: 80 USDC, sellers on this machine allowed, and over 0.05 its user is asked. */
async function homeToShopFrom(market: Market): Promise<{ home: string; account: `0x${string}` }> {
  const { home, account } = await homeWithWallet(market)
  await owner(home, 'wallet', 'fund', 'shopping')
  await market.chain.mint(account, 80_000_000n)
  await owner(home, 'wallet', 'fund', 'shopping')
  await owner(home, 'wallet', 'allow', 'shopping', 'loopback')
  const perPayment = ['--scope', 'wallet', '--window', 'payment', '--max-amount', '0.05', '--over', 'ask']
  await owner(home, 'limit', 'set', 'shopping', ...perPayment)
  return { home, account }
}

const TERMS = { type: 'usdc', amount: '60.00', currency: 'USDC', expires_in: '1d', purpose: 'Reports' }
const OPEN = ['authorized', 'in_doubt']

/** An agent with an instrument, in a host whose user says yes to all. */
export interface Shopper {
  readonly home: string
  /** Of its wallet. */
  readonly account: `0x${string}`
  readonly host: Host
  /** For up to 1.00 unless said otherwise. */
  buy(url: string, more?: object, by?: Host): Promise<Result>
  /** An instrument with these terms of its own. */
  asksFor(terms: object): Promise<{ readonly instrument_id: string }>
  /** The payment, once the chain has said what became of it. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  settled(payment_id: string, by?: Host): Promise<any>
}

export async function startShopper(market: Market, kind: Kind): Promise<Shopper> {
  const { home, account } = await homeToShopFrom(market)
  const host = await startHost(kind, 'form', home)
  const asksFor = async (terms: object) => {
    const { structuredContent } = await host.call('request_instrument', { ...TERMS, ...terms })
    return { instrument_id: structuredContent.instrument.instrument_id }
  }
  const instrument = await asksFor({})
  return {
    ...{ home, account, host, asksFor },
    buy: (url, more = {}, by = host) =>
      by.call('fetch_with_payment', { ...instrument, url, max_amount: '1.00', purpose: 'The report', ...more }),
    async settled(payment_id, by = host) {
      for (;;) {
        const { structuredContent } = await by.call('get_payment', { payment_id, wait_seconds: 25 })
        if (!OPEN.includes(structuredContent.status)) return structuredContent
      }
    },
  }
}
