import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type FetchInput, fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { webOf } from '../../src/web/web.ts'
import { openChainPurse, UNIT } from '../support/chain-purse.ts'
import { collected } from '../support/collected.ts'
import { dying } from './kill-dying.ts'
import { undelivered, unexplained } from './kill-scene.ts'
import { alive, yes } from './kill-story.ts'
import type { Answer } from './race-buyer.ts'
import { Field, type Stake } from './race-field.ts'

vi.setConfig({ testTimeout: 300_000 })

const PROCESSES = 4
/** By each process. */
const CALLS = 3
const UNITS = 100_000n
/** How long the seller waits for all to come; less than a buyer waits for a price, and for what it paid for. */
const PATIENCE_MS = { asked: 12_000, taken: 35_000 }
/** An agent calls again at most so often. */
const CALLS_MAX = 1_000
/** Longer than whoever is about to sign is left to it. */
const SOON_MS = 6_000

const web = webOf()
const sellers = async () => ({ web, x402 })

let field: Field
beforeAll(async () => {
  field = await Field.begin(PROCESSES)
})
afterAll(async () => {
  await field.end()
  await web.close()
})

/** Lets nobody through before all have come, or the first has waited long enough. */
function gate(patienceMs: number): () => Promise<void> {
  let came = 0
  let open: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return () => {
    came += 1
    if (came === PROCESSES * CALLS) open()
    if (came === 1) setTimeout(open, patienceMs).unref()
    return opened
  }
}

async function signatures({ purse }: Stake): Promise<number> {
  const events = await collected(purse.bursar.store.read.events(purse.wallet.id))
  return events.filter(({ type }) => type === 'transfer.signed').length
}

/** All headers that pay, as they are in the books and as the seller saw them. */
async function headers({ purse, seller }: Stake) {
  const stored = (await collected(purse.bursar.store.read.all('purchases'))).flatMap(({ header }) => header ?? [])
  return { stored, seen: seller.seen().map(({ header }) => `payment-signature: ${header}`) }
}

/** All got the goods for this payment, and all for the same bytes. */
async function expectOne(stake: Stake, answers: readonly Answer[]): Promise<void> {
  expect(answers.filter(({ http, delivered, code }) => http !== 200 || !delivered || code !== null)).toEqual([])
  expect(new Set(answers.map(({ paymentId }) => paymentId)).size).toBe(1)
  const { stored, seen } = await headers(stake)
  expect([seen.length, stored.length]).toEqual([answers.length, 1])
  expect(new Set(seen)).toEqual(new Set(stored))
}

async function expectPaidOnce(stake: Stake): Promise<void> {
  const { purse, seller } = stake
  await field.settled(stake)
  expect([await signatures(stake), seller.taken()]).toEqual([1, 1])
  expect((await alive(purse)).get('report')).toMatchObject([{ status: 'captured' }])
  expect([await undelivered(purse), await unexplained(purse, seller)]).toEqual([[], []])
}

const several = (input: FetchInput): FetchInput[] => Array.from({ length: CALLS }, () => input)

describe.each([
  ['without a key', {}],
  ['with the same key', { idempotency_key: 'order-7' }],
])('the same call, at the same time, from several processes, %s', (_, key) => {
  const wish = { max_amount: '1.00', purpose: 'The report', ...key }

  it('security: is one payment, signed once, and all send the same bytes', async () => {
    const stake = await field.newStake({ funds: 10n * UNIT })
    const { seller, instrument: instrument_id } = stake
    seller.moments.asked = gate(PATIENCE_MS.asked)
    seller.moments.taken = gate(PATIENCE_MS.taken)
    const input = { ...wish, instrument_id, url: seller.url('report', UNITS) }
    await expectOne(stake, await field.race(stake, () => several(input), CALLS))
    await expectPaidOnce(stake)
  })

  it('security: after a buyer died before it signed, is carried on with by one of them', async () => {
    const stake = await field.newStake({ funds: 10n * UNIT })
    const { folder, seller, aheadMs, instrument: instrument_id } = stake
    const input = { ...wish, instrument_id, url: seller.url('report', UNITS) }
    const { died, vault } = dying()
    const clock = { now: () => Date.now() + aheadMs }
    const dead = await openChainPurse(folder, field.chain, { clock, vault, sellers })
    void fetchWithPayment(dead.bursar, dead.caller, input)
    await died
    const [before] = (await alive(stake.purse)).get('report') ?? []
    seller.moments.asked = gate(PATIENCE_MS.asked)
    seller.moments.taken = gate(PATIENCE_MS.taken)
    const soon = { ...stake, aheadMs: aheadMs + SOON_MS }
    const answers = await field.race(soon, () => several(input), CALLS)
    await expectOne(stake, answers)
    expect(answers[0]?.paymentId).toBe(before?.id)
    await expectPaidOnce(stake)
    await dead.close()
  })

  it('security: while a human says yes in another, is what was approved, signed once', async () => {
    const stake = await field.newStake({ funds: 10n * UNIT })
    const { purse, seller, instrument: instrument_id } = stake
    const { bursar, authority, caller, wallet } = purse
    await setLimit(bursar, authority, wallet.id, {
      scope: 'wallet',
      window: 'payment',
      max_amount: '0.50',
      over: 'ask',
    })
    const input = { ...wish, instrument_id, url: seller.url('report', UNIT) }
    const { payment } = await fetchWithPayment({ ...bursar, sellers }, caller, input)
    expect([payment?.status, payment?.amount]).toEqual(['awaiting_approval', '1.000000'])
    seller.moments.taken = gate(PATIENCE_MS.taken)
    const answering = field.race(stake, () => several(input), CALLS, CALLS_MAX)
    await yes(purse, payment!.payment_id)
    const answers = await answering
    await expectOne(stake, answers)
    expect(answers[0]?.paymentId).toBe(payment!.payment_id)
    await expectPaidOnce(stake)
  })
})

it('security: calls with one key, whenever they come, are one payment, signed once', async () => {
  const stake = await field.newStake({ funds: 10n * UNIT })
  const { seller, instrument: instrument_id } = stake
  const wish = { max_amount: '1.00', purpose: 'The report', idempotency_key: 'order-7' }
  const input = { ...wish, instrument_id, url: seller.url('report', UNITS) }
  const answers = await field.race(stake, () => [...several(input), ...several(input)], CALLS)
  expect(new Set(answers.map(({ paymentId, delivered, code }) => `${paymentId} ${delivered} ${code}`)).size).toBe(1)
  const { stored, seen } = await headers(stake)
  expect([...new Set(seen)]).toEqual(stored)
  await expectPaidOnce(stake)
})
