import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TransferBooks } from '../../src/ports/chain.ts'
import type { Reader, Store } from '../../src/ports.ts'
import { counted, expectGivenBack, later, signed } from '../chain/scene.ts'
import { GOODS, UNITS } from '../sellers/goods.ts'
import { type Answer, sells } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { expectPaidOnce } from './lost-reply.ts'
import { attempts, bytesAt, offers, openSeller } from './seller.ts'
import { buy, makeShop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

/** Longer than whoever is about to sign is left to it. */
const LEFT_SECONDS = 6

/** Books in which nothing is signed before `go`. */
function waitingBooks(): { books: (books: TransferBooks) => TransferBooks; reached: Promise<void>; go(): void } {
  let reach = (): void => undefined
  let go = (): void => undefined
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  const books = (inner: TransferBooks): TransferBooks => ({
    ...inner,
    async sign(signature) {
      reach()
      await gone
      return inner.sign(signature)
    },
  })
  return { books, reached, go: () => go() }
}

/** A seller that answers nobody who pays before two of them have come. */
function soldOnceBothCame(): Answer {
  let come = (): void => undefined
  const both = new Promise<void>((resolve) => {
    come = resolve
  })
  return async (stall, exchange) => {
    if (stall.received.length >= 2) come()
    await both
    await sells(stall, exchange)
  }
}

describe('security: the same call', () => {
  it('eight times at once is one payment', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    const calls = Array.from({ length: 8 }, () => shop.fetch(seller.stall.url))
    const views = await Promise.all(calls)
    expect(new Set(views.map(({ payment }) => payment?.payment_id)).size).toBe(1)
    expect(views.some(({ answer }) => answer?.body === GOODS)).toBe(true)
    expect(await attempts(shop)).toBe(1)
    await expectPaidOnce({ shop, seller })
  })

  it('by two processes at once is one payment', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    const other = { purse: await shop.other(), inst: shop.inst }
    const views = await Promise.all([shop.fetch(seller.stall.url), buy(other, seller.stall.url)])
    expect(new Set(views.map(({ payment }) => payment?.payment_id)).size).toBe(1)
    expect(await attempts(shop)).toBe(1)
    await expectPaidOnce({ shop, seller })
  })

  it('for more than is left at once is refused for what is over', async () => {
    const shop = await makeShop(chain, { terms: { amount: '0.03' } })
    const seller = await openSeller(chain)
    const urls = Array.from({ length: 8 }, (_, i) => `${seller.stall.url}/${i}`)
    const views = await Promise.all(urls.map((url) => shop.fetch(url)))
    expect(views.filter(({ answer }) => answer?.body === GOODS)).toHaveLength(3)
    expect(views.filter(({ payment }) => payment?.refusal?.rule === 'instrument.amount')).toHaveLength(5)
    await Promise.all(views.map(({ payment }) => shop.settle(payment!)))
    expect(await chain.balance(seller.stall.payTo)).toBe(3n * UNITS)
  })
})

describe('a process that is about to sign', () => {
  it('is waited for by the same call elsewhere', async () => {
    const { books, reached, go } = waitingBooks()
    // Once the first has its goods, the other would send nothing any more.
    const [shop, seller] = [await makeShop(chain, { books }), await openSeller(chain, { paid: soldOnceBothCame() })]
    const first = shop.fetch(seller.stall.url)
    await reached
    const steps: (string | undefined)[] = []
    const store = (inner: Store): Store => ({
      ...inner,
      update: (key, change) => inner.update(key, change).finally(() => steps.push(key.paymentId)),
    })
    const other = { purse: await shop.other({ books: (inner) => inner, store }), inst: shop.inst }
    const second = buy(other, seller.stall.url)
    // It has its price, and has tried to take the purchase over.
    await expect.poll(() => steps.at(-1)).toBeDefined()
    expect([await signed(shop), seller.stall.received]).toEqual([[], []])
    go()
    const views = await Promise.all([first, second])
    expect(new Set(views.map(({ payment }) => payment?.payment_id)).size).toBe(1)
    // Both have sent what the first has signed.
    expect(views.map(({ answer }) => answer === undefined)).toEqual([false, false])
    expect(await counted(shop, 'purchase.quoted')).toBe(0)
    await expectPaidOnce({ shop, seller })
  })

  it('and has it delivered before the same call elsewhere can send it: that sends nothing', async () => {
    const { books, reached, go } = waitingBooks()
    const [shop, seller] = [await makeShop(chain, { books }), await openSeller(chain)]
    const first = shop.fetch(seller.stall.url)
    await reached
    // It sees what is signed when that is delivered, and not before.
    const store = (inner: Store): Store => {
      const one = (async (table: 'purchases', where: object) => {
        const row = await inner.read.one(table, where)
        return table === 'purchases' && row?.deliveredAt === null ? { ...row, header: null } : row
      }) as Reader['one']
      return { ...inner, read: Object.create(inner.read, { one: { value: one } }) as Reader }
    }
    const other = { purse: await shop.other({ books: (inner) => inner, store }), inst: shop.inst }
    const second = buy(other, seller.stall.url)
    await expect.poll(() => seller.stall.requests.length).toBe(2)
    go()
    expect((await first).answer?.body).toBe(GOODS)
    const { payment, answer } = await second
    expect([payment?.resource?.delivered, answer, seller.stall.received.length]).toEqual([true, undefined, 1])
    await expectPaidOnce({ shop, seller })
  })

  it('and never does is replaced by the same call elsewhere, at the price that is asked now', async () => {
    const { books, reached, go } = waitingBooks()
    const [shop, seller] = [await makeShop(chain, { books }), await openSeller(chain)]
    const first = shop.fetch(seller.stall.url)
    await reached
    later(LEFT_SECONDS)
    seller.becomes({ unpaid: offers({ amount: '9000' }) })
    const other = { purse: await shop.other({ books: (inner) => inner }), inst: shop.inst }
    const second = await buy(other, seller.stall.url)
    expect(second.answer?.body).toBe(GOODS)
    // It comes back to life: what is signed stays as it is, and is what it sends.
    go()
    const { payment } = await first
    expect(payment?.payment_id).toBe(second.payment?.payment_id)
    expect(bytesAt(seller.stall)).toHaveLength(1)
    expect((await signed(shop)).map(({ value }) => value)).toEqual([9_000n])
    expect((await shop.settle(payment!)).captured_amount).toBe('0.009000')
  })

  it('security: and never does is not replaced at a higher price: that is given back', async () => {
    const { books, reached, go } = waitingBooks()
    const [shop, seller] = [await makeShop(chain, { books }), await openSeller(chain)]
    const first = shop.fetch(seller.stall.url)
    await reached
    later(LEFT_SECONDS)
    seller.becomes({ unpaid: offers({ amount: '10001' }) })
    const other = { purse: await shop.other({ books: (inner) => inner }), inst: shop.inst }
    expect((await buy(other, seller.stall.url)).payment).toMatchObject({
      status: 'voided',
      refusal: { code: 'offer_changed' },
    })
    go()
    expect((await first).payment?.status).toBe('voided')
    expect([await signed(shop), seller.stall.received]).toEqual([[], []])
    await expectGivenBack(shop)
  })
})
