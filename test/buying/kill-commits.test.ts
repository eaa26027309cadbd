import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { setLimit } from '../../src/actions/owner/limit.ts'
import type { FetchView } from '../../src/actions/wire.ts'
import { BursarError } from '../../src/core/errors.ts'
import type { EventType } from '../../src/core/event.ts'
import type { Store } from '../../src/ports.ts'
import { counted, later, signed, yes } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { ON_POSTGRES } from '../support/store.ts'
import { dying } from './kill-dying.ts'
import { type HonestSeller, openHonestSeller } from './kill-seller.ts'
import { buy, makeShop, type Shop } from './shop.ts'

type Fault = (commit: () => void) => void

const WELL: Fault = (commit) => commit()
/** It was written, and the answer was lost: what a failed fsync or a full disk may do. */
const LOST: Fault = (commit) => {
  commit()
  throw new Error('disk I/O error')
}
const FAILED: Fault = () => {
  throw new Error('disk I/O error')
}

/** What the next COMMITs do, one each. Those after them go well. */
const faults: Fault[] = []
const { prepare } = Database.prototype
/** Longer than whoever is about to sign is left to it. */
const SOON_SECONDS = 6
/** Longer than an authorization is good for. */
const LATER_SECONDS = 6 * 60
const UNITS = 10_000n
const CALLS_MAX = 8

let chain: Chain
let seller: HonestSeller
beforeAll(async () => {
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql) as Database.Statement<[]>
    if (sql !== 'COMMIT') return statement
    return { run: () => (faults.shift() ?? WELL)(() => void statement.run()) }
  } as never
  chain = await startChain()
  seller = await openHonestSeller(chain)
})
afterEach(() => void faults.splice(0))
afterAll(async () => {
  Database.prototype.prepare = prepare
  await seller?.close()
  await chain?.stop()
})

/** The code of what it throws, or what it gives. */
function attempted<T>(work: Promise<T>): Promise<T | { readonly code: string }> {
  return work.catch(({ code }: { code?: string }) => ({ code: code ?? 'a bug' }))
}

/** An agent that calls again until it has what it wants, and a human who says yes. Gives what it was told on the way. */
async function insist(shop: Shop, page: string, units = UNITS): Promise<string[]> {
  const told: string[] = []
  for (let calls = 0; calls < CALLS_MAX; calls++) {
    const view: Partial<FetchView> & { code?: string } = await attempted(shop.fetch(seller.url(page, units)))
    const { code, payment, answer } = view
    told.push(code ?? `${answer?.status ?? '-'} ${payment?.status ?? '-'} ${payment?.refusal?.code ?? '-'}`)
    if (answer?.status === 200) return told
    if (payment?.status === 'awaiting_approval') await attempted(yes(shop, payment))
    else later(SOON_SECONDS)
  }
  throw new Error(`It never came: ${told.join(', ')}.`)
}

/** Of this page: how often the seller was sent something that pays, and how many different such things. */
function sent(page: string): readonly [number, number] {
  const headers = seller.seen().flatMap((one) => (one.page === page ? [one.header] : []))
  return [headers.length, new Set(headers).size]
}

async function live({ purse }: Shop) {
  return purse.bursar.store.read.list('payments', { status: ['authorized', 'in_doubt', 'captured'] })
}

// Of SQLite; what PostgreSQL does is in test/postgres/store-faults.test.ts.
describe.skipIf(ON_POSTGRES)('an error from COMMIT', () => {
  it('security: at any step of a purchase leads to one payment, signed once, and to what it pays for', async () => {
    const shop = await makeShop(chain)
    const cases = [0, 1, 2].flatMap((at) => [LOST, FAILED].map((fault) => ({ at, fault })))
    for (const [n, { at, fault }] of cases.entries()) {
      const before = (await signed(shop)).length
      faults.push(...Array.from({ length: at }, () => WELL), fault)
      await insist(shop, `plain-${n}`)
      expect([n, faults.length, (await live(shop)).length, (await signed(shop)).length - before]).toEqual([
        n,
        0,
        n + 1,
        1,
      ])
      expect([n, sent(`plain-${n}`)[1]]).toEqual([n, 1])
    }
    expect(seller.taken()).toBe(cases.length)
  })

  it('security: at any step of one that a human is asked for is no second question, payment or signature', async () => {
    const shop = await makeShop(chain)
    const { bursar, authority, wallet } = shop.purse
    await setLimit(bursar, authority, wallet.id, {
      scope: 'wallet',
      window: 'payment',
      max_amount: '0.50',
      over: 'ask',
    })
    const taken = seller.taken()
    const cases = [0, 1, 2, 3, 4].flatMap((at) => [LOST, FAILED].map((fault) => ({ at, fault })))
    for (const [n, { at, fault }] of cases.entries()) {
      const before = (await signed(shop)).length
      faults.push(...Array.from({ length: at }, () => WELL), fault)
      await insist(shop, `asked-${n}`, 600_000n)
      expect([n, faults.length, (await live(shop)).length, (await signed(shop)).length - before]).toEqual([
        n,
        0,
        n + 1,
        1,
      ])
      expect([n, sent(`asked-${n}`)[1]]).toEqual([n, 1])
    }
    expect(seller.taken() - taken).toBe(cases.length)
  })

  it('security: where what could not be signed cannot be given up either, leaves it held, and says so', async () => {
    const shop = await makeShop(chain)
    faults.push(WELL, FAILED, FAILED)
    const told = await insist(shop, 'twice')
    expect(told).toEqual(['- authorized -', '200 authorized -'])
    expect([(await live(shop)).length, (await signed(shop)).length, sent('twice')]).toEqual([1, 1, [1, 1]])
  })

  it('security: that is lost where it is signed sends what was stored', async () => {
    const shop = await makeShop(chain)
    faults.push(WELL, LOST)
    expect(await insist(shop, 'signed')).toEqual(['200 authorized -'])
    expect(sent('signed')).toEqual([1, 1])
  })
})

/** A shop whose store throws this when it is to write such a fact, so many times. */
function failing(type: EventType, times: number, error: Error): (store: Store) => Store {
  let left = times
  return (store) => ({
    ...store,
    update: (key, decide) =>
      store.update(key, (snapshot) => {
        const change = decide(snapshot)
        if (left === 0 || !change.facts.some((fact) => fact.type === type)) return change
        left -= 1
        throw error
      }),
  })
}

describe('an answer that cannot be put on record', () => {
  it.each([
    ['busy', new BursarError('busy', 'The database is busy with other processes.')],
    ['full', Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })],
  ])(
    'security: is given to the agent all the same, and the same call sends the same bytes (%s)',
    async (page, error) => {
      const shop = await makeShop(chain, { store: failing('purchase.answered', 1, error) })
      const { answer, payment } = await shop.fetch(seller.url(page, UNITS))
      expect(answer).toMatchObject({ status: 200, body: GOODS })
      expect(payment).toMatchObject({ status: 'authorized', resource: { delivered: false } })
      const again = await shop.fetch(seller.url(page, UNITS))
      expect(again.payment).toMatchObject({ payment_id: payment!.payment_id, resource: { delivered: true } })
      expect([sent(page), (await signed(shop)).length, await counted(shop, 'purchase.answered')]).toEqual([
        [2, 1],
        1,
        1,
      ])
    },
  )
})

describe('a purchase whose buyer died before it was signed', () => {
  async function dies(shop: Shop, page: string): Promise<void> {
    const { died, vault } = dying()
    void buy({ purse: await shop.other({ vault }), inst: shop.inst }, seller.url(page, UNITS))
    await died
  }

  it('security: is not signed any more once its time is over, and bought anew by the next call', async () => {
    const shop = await makeShop(chain)
    await dies(shop, 'stale')
    later(LATER_SECONDS)
    const over = await shop.fetch(seller.url('stale', UNITS))
    expect([over.payment?.status, over.payment?.refusal?.rule]).toEqual(['voided', 'payment.valid_until'])
    expect([(await signed(shop)).length, sent('stale')]).toEqual([0, [0, 0]])
    const anew = await shop.fetch(seller.url('stale', UNITS))
    expect([anew.answer?.status, anew.payment?.payment_id === over.payment?.payment_id]).toEqual([200, false])
  })
})
