// A process that buys and is killed: by itself at one exact point of what it does, or by its parent at any time.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { recover } from '../../src/actions/recover.ts'
import type { TransferBooks } from '../../src/ports/chain.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import type { Chain as Reads } from '../../src/rails/usdc/chain.ts'
import { webOf } from '../../src/web/web.ts'
import { CONFIRMATIONS, withBlocks } from '../chain/kill-story.ts'
import { type ChainPlace, type ChainPurse, openChainPurse } from '../support/chain-purse.ts'
import { Points } from './kill-points.ts'
import { type Place, story } from './kill-story.ts'

/** What a victim is told to do, in a line of JSON. */
export interface Orders {
  readonly folder: string
  readonly chain: ChainPlace
  readonly place: Place
  readonly job: 'story' | 'recover' | 'buy'
  /** How far its clock is before the system's. */
  readonly aheadMs: number
  /** At which point it ends itself; 0: at none. */
  readonly killAt: number
  /** To `buy`: from which number on, how many at the same time, and where, before the number and the price. */
  readonly first: number
  readonly atOnce: number
  readonly shop: string
}

// It is there, with all that it loads, before it is needed.
const [line] = (await once(createInterface({ input: process.stdin }), 'line')) as [string]
process.stdin.destroy()
const orders = JSON.parse(line) as Orders
const points = new Points(orders.killAt)
const web = webOf()

const say = (...words: string[]): void => void process.stdout.write(`${words.join(' ')}\n`)

const BOOKS: readonly (keyof TransferBooks)[] = ['sign', 'finalized']
const READS: readonly (keyof Reads)[] = ['block', 'look', 'usedAt']

async function open(isPointed: boolean): Promise<ChainPurse> {
  const { folder, chain, aheadMs } = orders
  const common = {
    confirmations: CONFIRMATIONS,
    clock: { now: () => Date.now() + aheadMs },
    sessionId: 'a day',
    sellers: async () => ({ web, x402 }),
  }
  if (!isPointed) return openChainPurse(folder, chain, common)
  points.inCommits()
  const sellers = points.inWeb({ web, x402 })
  return openChainPurse(folder, chain, {
    ...common,
    sellers: async () => sellers,
    store: (store) => points.inStore(store),
    books: (books) => points.around('books', books, BOOKS),
    vault: (vault) => points.inVault(vault),
    reads: (reads) => points.around('chain', withBlocks(reads, chain), READS),
  })
}

async function pointedJob(job: (purse: ChainPurse) => Promise<unknown>): Promise<void> {
  // Pauses between looks keep no process alive.
  const alive = setInterval(() => undefined, 60_000)
  const purse = await open(true)
  await job(purse)
  say('points', JSON.stringify(points.names))
  clearInterval(alive)
  await purse.close()
  await web.close()
}

/** Buys `first`, `first + 1`, … for ever; says each page before and after. */
async function buyOn(): Promise<void> {
  const { bursar, caller } = await open(false)
  const { place, shop } = orders
  let next = orders.first
  const buyer = async (): Promise<never> => {
    for (;;) {
      const page = `page-${next++}`
      say('begun', page)
      const input = { instrument_id: place.instrument, max_amount: '1.00', purpose: page }
      const { payment } = await fetchWithPayment(bursar, caller, { ...input, url: `${shop}/${page}/10000` })
      say('done', page, payment!.payment_id, String(payment!.resource?.delivered))
    }
  }
  await Promise.all(Array.from({ length: orders.atOnce }, buyer))
}

if (orders.job === 'buy') await buyOn()
else if (orders.job === 'recover') await pointedJob(({ bursar }) => recover(bursar))
else
  await pointedJob((purse) =>
    story(purse, orders.place, (page, view) =>
      say(page, view.payment_id, view.status, String(view.resource?.delivered)),
    ),
  )
