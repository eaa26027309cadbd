import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InstrumentView } from '../src/actions/wire.ts'
import type { OfficialBuyer } from '../test/sellers/official-buyer.ts'
import type { Chain } from '../test/support/chain.ts'
import type { ChainPurse } from '../test/support/chain-purse.ts'
import type { Figure } from './measure.ts'
import { median, perSecond, perSecondOf, progress, ratioOf } from './measure.ts'
import { temporaryFolder } from './purse.ts'

const ROUNDS = 7
const PURCHASES = 60
const SETTLED = 20
const CALLERS = 16
const SHOP = '0xa94f0b3e6c10d2bfd2dd1d2b81c3fbb0ba7b51e3'
/** A hundredth of a cent: thousands of them are under every limit that a wallet is born with. */
const PRICE = 100n
const MONEY = 1_000_000_000n

interface Pair {
  readonly chain: Chain
  readonly purse: ChainPurse
  readonly card: InstrumentView
  readonly official: OfficialBuyer
  readonly close: () => Promise<void>
}

/** Purchases by x402 against the official client without any control, at the same seller. */
export async function purchases(): Promise<readonly Figure[]> {
  progress('purchases by x402')
  const { startChain } = await import('../test/support/chain.ts')
  const chain = await startChain()
  const pair = await makePair(chain)
  try {
    return [await buyersShare(pair), ...(await settled(pair))]
  } finally {
    await pair.close()
    await chain.stop()
  }
}

async function makePair(chain: Chain): Promise<Pair> {
  const { fundChainPurse, makeInstrument, openChainPurse } = await import('../test/support/chain-purse.ts')
  const { officialBuyer } = await import('../test/sellers/official-buyer.ts')
  const { setAllowances } = await import('../src/actions/owner/wallets.ts')
  const { webOf } = await import('../src/web/web.ts')
  const { x402 } = await import('../src/protocols/x402/index.ts')
  const web = webOf()
  const purse = await openChainPurse(await temporaryFolder(), chain, { sellers: async () => ({ web, x402 }) })
  await fundChainPurse(purse, chain, MONEY)
  await setAllowances(purse.bursar, purse.authority, purse.wallet.id, ['loopback'])
  const close = async () => {
    await web.close()
    await purse.close()
  }
  return { chain, purse, card: await makeInstrument(purse), official: await officialBuyer(chain, MONEY), close }
}

/** Ours and theirs, each time for something else: who asks again for the same gets the same. */
function buyersAt({ purse, card, official }: Pair, url: string) {
  let count = 0
  const next = () => {
    count += 1
    return `${url}?n=${count}`
  }
  return {
    async ours() {
      const { fetchWithPayment } = await import('../src/actions/agent/fetch-with-payment.ts')
      const input = { instrument_id: card.instrument_id, url: next(), max_amount: '1', purpose: 'A report' }
      const { answer, payment } = await fetchWithPayment(purse.bursar, purse.caller, input)
      if (answer?.status !== 200 || !payment) throw new Error(`A measured purchase failed: ${payment?.refusal?.rule}.`)
    },
    async theirs() {
      const response = await official.fetch(next())
      await response.text()
      if (response.status !== 200) throw new Error('A measured purchase of the official client failed.')
    },
  }
}

/** Against a seller in a process of its own that settles nothing, so that what is left is what the buyer does. */
async function buyersShare(pair: Pair): Promise<Figure> {
  progress('  the buyer alone')
  const { seller, url } = await startBareSeller(pair.chain)
  try {
    const { ours, theirs } = buyersAt(pair, `${url}/report`)
    const times = { ours: [] as number[], theirs: [] as number[] }
    const ratio = await ratioOf(ROUNDS, each(times.ours, ours), each(times.theirs, theirs), 'ms')
    return {
      name: 'x402 paid request, the buyer alone, one after the other',
      against: 'time of `@x402/fetch` without any control, the same seller, which settles nothing',
      ratio,
      target: '<= 1.5',
      note: `${median(times.ours).toFixed(2)} against ${median(times.theirs).toFixed(2)} ms`,
    }
  } finally {
    seller.stdin?.end()
  }
}

/** The milliseconds of one, over several. */
function each(times: number[], work: () => Promise<void>): () => Promise<number> {
  return async () => {
    const time = 1000 / (await perSecond(PURCHASES, work))
    times.push(time)
    return time
  }
}

async function startBareSeller({ network, token }: Chain): Promise<{ seller: ChildProcess; url: string }> {
  const extra = { name: 'USD Coin', version: '2' }
  const terms = {
    scheme: 'exact',
    network,
    asset: token,
    amount: `${PRICE}`,
    payTo: SHOP,
    maxTimeoutSeconds: 60,
    extra,
  }
  const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bench', 'bare-seller.mjs')
  const env = { ...process.env, BENCH_TERMS: JSON.stringify(terms) }
  const seller = spawn(process.execPath, [path], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(seller.stdout, 'data')) as [Buffer]
  return { seller, url: line.toString().trim() }
}

/** End to end: an official seller whose facilitator puts each payment on the chain before it answers. */
async function settled(pair: Pair): Promise<readonly Figure[]> {
  const { startFacilitator } = await import('../test/sellers/facilitator.ts')
  const { startExpressSeller } = await import('../test/sellers/official.ts')
  const { fundedKey } = await import('../test/sellers/sender.ts')
  const { chain } = pair
  const facilitator = await startFacilitator(chain, await fundedKey(chain))
  const seller = await startExpressSeller({ chain, facilitator, units: PRICE })
  try {
    const { ours, theirs } = buyersAt(pair, `${seller.url}/report`)
    const figures: Figure[] = []
    for (const callers of [1, CALLERS]) {
      progress(`  with a seller that settles, ${callers} in flight`)
      const rates = { ours: [] as number[], theirs: [] as number[] }
      const of = (values: number[], work: () => Promise<void>) => async () => {
        const rate = await perSecondOf(callers, callers === 1 ? SETTLED : 4 * SETTLED, work)
        values.push(rate)
        return rate
      }
      figures.push({
        name: `x402 paid requests with an official seller, ${callers === 1 ? 'one after the other' : `${callers} in flight`}`,
        against: 'rate of `@x402/fetch` without any control, the same seller in the same process',
        ratio: await ratioOf(ROUNDS, of(rates.ours, ours), of(rates.theirs, theirs)),
        target: null,
        note: `${median(rates.ours).toFixed(0)} against ${median(rates.theirs).toFixed(0)} a second`,
      })
    }
    await expectSettled(pair)
    return figures
  } finally {
    await seller.close()
  }
}

/** What the seller took is what the books say, once they have looked. */
async function expectSettled({ chain, purse }: Pair): Promise<void> {
  const { recover } = await import('../src/actions/recover.ts')
  const { bothBooks } = await import('../test/support/chain-purse.ts')
  await chain.mine(3)
  await recover(purse.bursar)
  const books = await bothBooks(purse, chain)
  if (books.chain !== books.books) throw new Error(`The chain has ${books.chain}, the books say ${books.books}.`)
}
