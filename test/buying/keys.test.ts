import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pass } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { cuts } from '../sellers/hostile/wire.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { expectPaidOnce, lostReply, OVER_SECONDS, takesAndCuts } from './lost-reply.ts'
import { attempts, openSeller, refusedInJournal } from './seller.ts'
import { makeShop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

describe('an idempotency_key', () => {
  const KEY = { idempotency_key: 'order-17' }

  it('is the same purchase while nothing is delivered', async () => {
    const made = await lostReply(chain, cuts, KEY)
    const { answer, payment } = await made.shop.fetch(made.seller.stall.url, KEY)
    expect([answer?.body, payment?.payment_id]).toEqual([GOODS, made.payment_id])
    await expectPaidOnce(made)
  })

  it('security: is still the same once it was delivered: nobody is asked, and nothing is paid', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    const first = await shop.fetch(seller.stall.url, KEY)
    const { requests } = seller.stall
    const before = requests.length
    const again = await shop.fetch(seller.stall.url, KEY)
    expect(again.answer).toBeUndefined()
    expect(again.payment).toMatchObject({
      payment_id: first.payment?.payment_id,
      replayed: true,
      resource: { delivered: true },
    })
    expect([requests.length, await attempts(shop)]).toEqual([before, 1])
    await expectPaidOnce({ shop, seller })
  })

  it.each([
    ['is under way', cuts],
    ['was paid', takesAndCuts],
  ])('security: for other terms is refused while the first %s, and on record', async (_, paid) => {
    const { shop, seller, payment_id } = await lostReply(chain, paid, KEY)
    const before = seller.stall.requests.length
    const { payment } = await shop.fetch(`${seller.stall.url}/2`, KEY)
    expect(await refusedInJournal(shop, payment!.payment_id)).toEqual(['idempotency_conflict', 'idempotency_key'])
    expect([payment?.payment_id === payment_id, seller.stall.requests.length]).toEqual([false, before])
    if (paid === cuts) await seller.stall.settle()
  })

  it('is free again once nothing came of it', async () => {
    const { shop, seller, payment_id } = await lostReply(chain, cuts, KEY)
    await pass(chain, OVER_SECONDS)
    await shop.settle({ payment_id })
    expect((await shop.fetch(`${seller.stall.url}/2`, KEY)).answer?.body).toBe(GOODS)
  })
})
