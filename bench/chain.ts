import type { InstrumentView } from '../src/actions/wire.ts'
import type { Chain } from '../test/support/chain.ts'
import type { ChainPurse } from '../test/support/chain-purse.ts'
import { type BareViem, bareViem } from './bare-viem.ts'
import type { Figure } from './measure.ts'
import { median, perSecond, perSecondOf, progress, ratioOf } from './measure.ts'
import { temporaryFolder } from './purse.ts'
import { Shares } from './shares.ts'

const ROUNDS = 7
const PAYMENTS = 40
const CALLERS = [8, 32] as const

const SHOP = '0xa94f0b3e6c10d2bfd2dd1d2b81c3fbb0ba7b51e3'
/** A cent: thousands of them are under every limit that a wallet is born with. */
const CENT = { amount: '0.01', units: 10_000n }
const MONEY = 1_000_000_000n
/** wei: fees for all of it. */
const COINS = 10n ** 20n

interface Pair {
  readonly purse: ChainPurse
  readonly card: InstrumentView
  readonly bare: BareViem
  readonly shares: Shares
  pay(): Promise<void>
}

/** Payments in USDC on a real node in which every transaction gets a block at once, against viem alone on the same node. */
export async function chainPayments(): Promise<readonly Figure[]> {
  progress('payments in USDC')
  const { startChain } = await import('../test/support/chain.ts')
  const chain = await startChain()
  try {
    const pair = await makePair(chain)
    const figures = [await oneByOne(pair)]
    for (const callers of CALLERS) figures.push(await inFlight(pair, callers))
    const { bothBooks } = await import('../test/support/chain-purse.ts')
    const books = await bothBooks(pair.purse, chain)
    if (books.chain !== books.books) throw new Error(`The chain has ${books.chain}, the books say ${books.books}.`)
    await pair.purse.close()
    return [...figures, shareOf(pair.shares)]
  } finally {
    await chain.stop()
  }
}

async function makePair(chain: Chain): Promise<Pair> {
  const { fundChainPurse, makeInstrument, openChainPurse, send } = await import('../test/support/chain-purse.ts')
  const shares = new Shares()
  const purse = await openChainPurse(await temporaryFolder(), chain, shares.between)
  await fundChainPurse(purse, chain, MONEY)
  await chain.give(purse.relayerAddress as `0x${string}`, COINS)
  const card = await makeInstrument(purse)
  return {
    ...{ purse, card, shares, bare: await bareViem(chain, MONEY) },
    async pay() {
      const { status, refusal } = await send(purse, card, SHOP, CENT.amount)
      if (status !== 'captured') throw new Error(`A measured payment was ${status}: ${refusal?.rule}.`)
    },
  }
}

const against = (more: string) =>
  `rate of viem alone on the same chain: sign, ask, send, verify${more === '' ? '' : `; ${more}`}`

async function oneByOne({ bare, pay, shares }: Pair): Promise<Figure> {
  progress('  one after the other')
  const times = { ours: [] as number[], theirs: [] as number[] }
  const ratio = await ratioOf(
    ROUNDS,
    kept(times.ours, () => shares.during(PAYMENTS, () => perSecond(PAYMENTS, pay))),
    kept(times.theirs, () => perSecond(PAYMENTS, () => bare.pay(SHOP, CENT.units))),
  )
  return {
    name: 'payment in USDC, one after the other',
    against: against(''),
    ratio,
    target: null,
    note: `${milliseconds(times.ours)} against ${milliseconds(times.theirs)} ms each`,
  }
}

async function inFlight({ bare, pay }: Pair, callers: number): Promise<Figure> {
  progress(`  ${callers} in flight`)
  const rates = { ours: [] as number[], theirs: [] as number[] }
  const viem = async () => {
    let nonce = await bare.count()
    return perSecondOf(callers, 4 * PAYMENTS, () => bare.pay(SHOP, CENT.units, nonce++))
  }
  const ratio = await ratioOf(
    ROUNDS,
    kept(rates.ours, () => perSecondOf(callers, 4 * PAYMENTS, pay)),
    kept(rates.theirs, viem),
  )
  return {
    name: `payments in USDC, ${callers} in flight`,
    against: against('it counts the nonces itself'),
    ratio,
    target: null,
    note: `${median(rates.ours).toFixed(0)} against ${median(rates.theirs).toFixed(0)} a second`,
  }
}

function shareOf(shares: Shares): Figure {
  const { whole, chain, store, sign, questions, commits } = shares.perPayment()
  const parts = [`${commits.toFixed(1)} commits in ${store.toFixed(1)} ms`, `two signatures in ${sign.toFixed(1)} ms`]
  const own = `${(whole - chain).toFixed(1)} of ${whole.toFixed(1)} ms (${parts.join(', ')})`
  return {
    name: "payment in USDC, bursar's own part",
    against: 'all of its time, one after the other',
    ratio: (whole - chain) / whole,
    target: null,
    note: `${own}; the rest are ${questions.toFixed(1)} questions to the chain`,
  }
}

/** Keeps what was measured, too. */
function kept(values: number[], rate: () => Promise<number>): () => Promise<number> {
  return async () => {
    const value = await rate()
    values.push(value)
    return value
  }
}

function milliseconds(rates: readonly number[]): string {
  return (1000 / median(rates)).toFixed(1)
}
