import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { listPayments } from '../../src/actions/agent/read.ts'
import type { FetchView } from '../../src/actions/wire.ts'
import { fetchAnswer } from '../../src/mcp/fetch-answers.ts'
import type { Web } from '../../src/ports/web.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { webOf } from '../../src/web/web.ts'
import { pass, signed } from '../chain/scene.ts'
import { GOODS, UNITS } from '../sellers/goods.ts'
import { MARK } from '../sellers/hostile/words.ts'
import { HOSTILE } from '../sellers/hostile.ts'
import { type Behaviour, type Expected, openStall, type Stall } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { collected } from '../support/collected.ts'
import { bytesAt } from './seller.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

type Row = readonly [name: string, behaviour: Behaviour]
const ROWS: readonly Row[] = Object.entries(HOSTILE)
const UNSIGNED = ROWS.filter(([, { expected }]) => !expected.signs)
const SIGNED = ROWS.filter(([, { expected }]) => expected.signs)
/** Moves on the clock of its chain: what comes after it is too late. */
const LAST_SECOND = 'cuts the connection and takes the money in the last second'

/** Ten times what an honest seller asks for. */
const MAX = '0.10'
const AT_ONCE = 8
/** For those that keep a buyer waiting. */
const PATIENCE_MS = 2_000
/** Longer than anything that is signed is good for. */
const OVER_SECONDS = 400

/** Words of the kit's injections, and of no other text. */
const SPOKEN = new RegExp(`${MARK.slice(0, 10)}|approve_request|owner agreed|evil|owned;|pay again \\W`, 'i')

/** Buys from all of them with one purse, as the web is: but with little time for the slow, and a resolver of its own. */
async function makeHurriedShop(rows: readonly Row[]): Promise<{ shop: Shop; stalls: ReadonlyMap<string, Stall> }> {
  const stalls = new Map<string, Stall>()
  const slow = new Map<string, Behaviour>()
  const lookup = async () => [{ address: '127.0.0.1' }, { address: '93.184.216.34' }]
  const web = webOf({ lookup })
  onTestFinished(() => web.close())
  const hurried: Web = {
    visit(rules) {
      const visit = web.visit(rules)
      const isSlow = ({ origin }: URL, pays: boolean) => slow.has(origin) && slow.get(origin)?.expected.signs === pays
      return {
        ask: (request, bounds) => {
          const pays = Object.keys(request.headers).some((name) => name.startsWith('payment-'))
          return visit.ask(request, isSlow(new URL(request.url), pays) ? { ...bounds, withinMs: PATIENCE_MS } : bounds)
        },
      }
    },
  }
  for (const [name, behaviour] of rows) {
    const stall = await openStall(behaviour, { chain })
    onTestFinished(() => stall.close())
    stalls.set(name, stall)
    if (behaviour.slow) slow.set(stall.origin, behaviour)
  }
  return { shop: await makeShop(chain, { sellers: async () => ({ web: hurried, x402 }) }), stalls }
}

async function inTurns(rows: readonly Row[], work: (row: Row) => Promise<void>): Promise<void> {
  const waiting = [...rows]
  const lane = async () => {
    for (let row = waiting.shift(); row; row = waiting.shift()) await work(row)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

/** What an agent is told, without what is marked as the seller's. */
function ownWords(view: FetchView): string {
  const { answer, price, ...rest } = view
  const own = {
    ...rest,
    ...(answer && { answer: { ...answer, body: '' } }),
    ...(price && { price: { ...price, seller_says: '' } }),
  }
  // What comes after the first part is the body, marked as such.
  return JSON.stringify([own, fetchAnswer(view).content[0]])
}

/** As {@link ownWords}, for all that can be asked for afterwards, and for what is written down. */
async function written({ purse }: Shop): Promise<string> {
  const { read } = purse.bursar.store
  const journals = await Promise.all(['instance', purse.wallet.id].map((journal) => collected(read.events(journal))))
  const events = journals.flat().map(({ body }) => body)
  const texts = (await collected(read.texts())).map(({ text }) => text)
  return JSON.stringify([await listPayments(purse.bursar, purse.caller, { limit: 100 }), events, texts])
}

function bodyOf({ answer }: FetchView): string {
  return Buffer.from(answer?.body ?? '', answer?.encoding ?? 'utf8').toString()
}

it('security: nothing is signed for any of those for whom a careful buyer does not sign', async () => {
  const { shop, stalls } = await makeHurriedShop(UNSIGNED)
  const found: Record<string, object> = {}
  await inTurns(UNSIGNED, async ([name, { expected }]) => {
    const stall = stalls.get(name) as Stall
    const view = await shop.fetch(stall.url, { max_amount: MAX })
    const { answer, payment } = view
    found[name] = {
      // An answer that asks for nothing is passed on.
      unpaid: payment ? payment.status === 'refused' : answer !== undefined,
      ...(refusalOf(expected) && { refusal: payment?.refusal?.code }),
      arrived: [...stall.received, ...stall.leaked],
      spoke: SPOKEN.test(ownWords(view)),
    }
  })
  const expected = UNSIGNED.map(([name, behaviour]) => {
    const refusal = refusalOf(behaviour.expected)
    return [name, { unpaid: true, ...(refusal && { refusal }), arrived: [], spoke: false }]
  })
  expect(found).toEqual(Object.fromEntries(expected))
  expect(await signed(shop)).toEqual([])
  expect(await chain.balance(shop.payer.address)).toBe(1000n * UNIT)
  expect(await written(shop)).not.toMatch(SPOKEN)
})

it('security: every other takes the one decided amount at most, however often the agent calls', async () => {
  const { shop, stalls } = await makeHurriedShop(SIGNED)
  const found: Record<string, object> = {}
  const paid = new Map<string, { payment_id: string }>()
  await inTurns(SIGNED, async ([name, { slow }]) => {
    const stall = stalls.get(name) as Stall
    const fetch = () => shop.fetch(stall.url, { max_amount: MAX })
    const first = await fetch()
    // What was delivered is done with: the next call buys again.
    const again = first.payment?.resource?.delivered || slow ? [] : [await fetch(), await fetch()]
    const views = [first, ...again]
    const ids = new Set(views.map(({ payment }) => payment?.payment_id))
    paid.set(name, first.payment as { payment_id: string })
    found[name] = {
      payments: ids.size,
      delivers: bodyOf(first).includes(GOODS),
      spoke: views.some((view) => SPOKEN.test(ownWords(view))),
    }
  })
  await settleAll(stalls)
  await pass(chain, OVER_SECONDS)
  for (const [name, view] of paid) {
    const { status } = await shop.settle(view)
    const stall = stalls.get(name) as Stall
    const { from, to, value } = stall.received[0]?.authorization ?? {}
    Object.assign(found[name]!, {
      ends: status,
      ...{ headers: bytesAt(stall).length, signed: [from, to, value], leaked: stall.leaked.length },
      took: await chain.balance(stall.payTo),
    })
  }
  const expected = SIGNED.map(([name, behaviour]) => [name, expectedOf(shop, behaviour, stalls.get(name) as Stall)])
  expect(found).toEqual(Object.fromEntries(expected))
  expect(await signed(shop)).toHaveLength(SIGNED.length)
  for (const { validBefore, signedAt } of await signed(shop))
    expect(validBefore - signedAt / 1000).toBeLessThanOrEqual(300)
  expect(await written(shop)).not.toMatch(SPOKEN)
})

function refusalOf(expected: Expected): string | undefined {
  return expected.signs ? undefined : expected.refusal
}

/** Those that take it late, in the order in which their time comes. */
async function settleAll(stalls: ReadonlyMap<string, Stall>): Promise<void> {
  const late = SIGNED.filter(([, { expected }]) => expected.signs && expected.ends === 'captured_late')
  const inOrder = late.toSorted(([a], [b]) => Number(a === LAST_SECOND) - Number(b === LAST_SECOND))
  for (const [name] of inOrder) await stalls.get(name)?.settle()
}

function expectedOf(shop: Shop, { expected }: Behaviour, { payTo }: Stall): object {
  if (!expected.signs) throw new RangeError('Nothing is signed for it.')
  const isTaken = expected.ends !== 'voided'
  return {
    ...{ payments: 1, headers: 1, leaked: 0, spoke: false, delivers: expected.delivers },
    signed: [shop.payer.address, payTo, `${UNITS}`],
    ends: isTaken ? 'captured' : 'voided',
    took: isTaken ? UNITS : 0n,
  }
}
