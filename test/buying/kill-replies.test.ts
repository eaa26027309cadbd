import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PaymentView } from '../../src/actions/wire.ts'
import { expectGivenBack, later, pass, signed } from '../chain/scene.ts'
import { type Facilitator, startFacilitator } from '../sellers/facilitator.ts'
import { GOODS } from '../sellers/goods.ts'
import { type OfficialSeller, startHonoSeller } from '../sellers/official.ts'
import { fundedKey } from '../sellers/sender.ts'
import { openStall } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type HonestSeller, type Moment, openHonestSeller } from './kill-seller.ts'
import { makeShop, type Shop } from './shop.ts'

/** Longer than an authorization is good for, with the blocks that make it final. */
const LATER_SECONDS = 6 * 60
const UNITS = 10_000n

let chain: Chain
let facilitator: Facilitator
let official: OfficialSeller
let seller: HonestSeller
beforeAll(async () => {
  chain = await startChain()
  facilitator = await startFacilitator(chain, await fundedKey(chain))
  official = await startHonoSeller({ chain, facilitator })
  seller = await openHonestSeller(chain)
})
afterAll(async () => {
  await official?.close()
  await seller?.close()
  await chain?.stop()
})

/** The seller hangs up at this moment of its next paid request, and never again. */
function hangsUp(at: 'read' | 'taken'): void {
  const hangUp: Moment = () => {
    seller.moments[at] = undefined
    throw new Error('The seller hangs up.')
  }
  seller.moments[at] = hangUp
}

/** The headers that came for this page. */
function headers(page: string): readonly string[] {
  return seller.seen().flatMap((one) => (one.page === page ? [one.header] : []))
}

function stands({ payment_id, status, resource }: PaymentView) {
  return [payment_id, status, resource?.delivered, resource?.http_status]
}

const held = async ({ purse }: Shop) =>
  (await purse.bursar.store.read.one('accounts', { walletId: purse.wallet.id }))!.held

describe('a reply that never comes', () => {
  it('security: after the money was taken, is captured, and the same call brings the goods for the same bytes', async () => {
    const shop = await makeShop(chain)
    hangsUp('taken')
    const first = await shop.fetch(seller.url('taken', UNITS))
    expect(first.answer).toBeUndefined()
    const { payment_id } = first.payment!
    expect(stands(await shop.settle(first.payment!))).toEqual([payment_id, 'captured', false, null])
    const second = await shop.fetch(seller.url('taken', UNITS))
    expect(second.answer).toMatchObject({ status: 200, body: GOODS })
    expect(stands(second.payment!)).toEqual([payment_id, 'captured', true, 200])
    expect([headers('taken').length, new Set(headers('taken')).size, (await signed(shop)).length]).toEqual([2, 1, 1])
  })

  it('security: before the money was taken, holds it, and the same call sends the same bytes', async () => {
    const shop = await makeShop(chain)
    hangsUp('read')
    const first = await shop.fetch(seller.url('read', UNITS))
    const { payment_id } = first.payment!
    expect(stands(first.payment!)).toEqual([payment_id, 'in_doubt', false, null])
    expect([first.answer, await held(shop)]).toEqual([undefined, UNITS])
    const second = await shop.fetch(seller.url('read', UNITS), { purpose: 'In other words', max_amount: '0.50' })
    expect(second.answer).toMatchObject({ status: 200, body: GOODS })
    expect(second.payment?.payment_id).toBe(payment_id)
    expect(stands(await shop.settle(second.payment!))).toEqual([payment_id, 'captured', true, 200])
    expect([headers('read').length, new Set(headers('read')).size, (await signed(shop)).length]).toEqual([2, 1, 1])
  })

  it('security: nor is the money taken, gives it back once that is proven, and only then buys anew', async () => {
    const shop = await makeShop(chain)
    const stall = await openStall(
      {
        expected: { signs: true, ends: 'voided', delivers: false },
        paid: (_, { request }) => request.socket.destroy(),
      },
      { chain },
    )
    const { payment } = await shop.fetch(stall.url)
    await pass(chain, LATER_SECONDS - 120)
    const again = await shop.fetch(stall.url)
    expect([again.payment?.payment_id, again.payment?.status]).toEqual([payment!.payment_id, 'in_doubt'])
    // It is over by bursar's clock, and the chain has no final block that says so.
    later(120)
    await shop.recover()
    const over = await shop.fetch(stall.url)
    expect([over.payment?.payment_id, await held(shop), stall.received.length]).toEqual([payment!.payment_id, UNITS, 2])
    await chain.warp(120)
    await chain.mine(3)
    expect(await shop.settle(payment!)).toMatchObject({ status: 'voided' })
    await expectGivenBack(shop)
    await expect(stall.settle()).rejects.toThrow()
    const anew = await shop.fetch(stall.url)
    expect(anew.payment?.payment_id).not.toBe(payment!.payment_id)
    expect(new Set(stall.received.map(({ header }) => header)).size).toBe(2)
    await pass(chain, LATER_SECONDS)
    await stall.close()
  })

  it('security: from its facilitator, leaves the seller without it and the agent without a second payment', async () => {
    const shop = await makeShop(chain)
    facilitator.hooks.afterSettle = () => {
      throw new Error('The answer of the settlement is lost.')
    }
    const before = await chain.balance(official.payTo)
    const first = await shop.fetch(`${official.url}/report`)
    facilitator.hooks.afterSettle = undefined
    expect(first.answer?.status).not.toBe(200)
    const { payment_id } = first.payment!
    expect(await shop.settle(first.payment!)).toMatchObject({ status: 'captured', resource: { delivered: false } })
    for (let calls = 0; calls < 2; calls++) {
      const { answer, payment } = await shop.fetch(`${official.url}/report`)
      expect([answer?.status, payment?.payment_id, payment?.resource?.delivered]).toEqual([402, payment_id, false])
    }
    expect([(await chain.balance(official.payTo)) - before, (await signed(shop)).length]).toEqual([UNITS, 1])
  })
})

describe('a facilitator that settles late', () => {
  /** It says that it has settled, and has not. */
  async function early(): Promise<{ shop: Shop; payment: PaymentView }> {
    const shop = await makeShop(chain)
    facilitator.settleLater()
    const { answer, payment } = await shop.fetch(`${official.url}/report`)
    facilitator.settleLater(false)
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining(GOODS) })
    await shop.recover()
    expect(stands(await shop.get(payment!))).toEqual([payment!.payment_id, 'in_doubt', true, 200])
    expect(await held(shop)).toBe(UNITS)
    return { shop, payment: payment! }
  }

  it('security: after the answer is waited for with the money held, and captured then', async () => {
    const { shop, payment } = await early()
    await facilitator.settleOwed()
    expect(await shop.settle(payment)).toMatchObject({ status: 'captured', captured_amount: '0.010000' })
  })

  it('security: in the last second is captured, though the time is over by every clock of ours', async () => {
    const { shop, payment } = await early()
    later(LATER_SECONDS)
    await shop.recover()
    expect([(await shop.get(payment)).status, await held(shop)]).toEqual(['in_doubt', UNITS])
    const [settled] = await facilitator.settleOwed('last_second')
    expect(settled).toMatchObject({ success: true })
    expect(await shop.settle(payment)).toMatchObject({ status: 'captured', captured_amount: '0.010000' })
    await pass(chain, LATER_SECONDS)
    await shop.recover()
    expect(await shop.get(payment)).toMatchObject({ status: 'captured', refunded_amount: '0.000000' })
  })

  it('security: too late gets nothing: it was given up on proof', async () => {
    const { shop, payment } = await early()
    await pass(chain, LATER_SECONDS)
    expect(await shop.settle(payment)).toMatchObject({ status: 'voided' })
    await expectGivenBack(shop)
    expect(await facilitator.settleOwed()).toMatchObject([{ success: false }])
    await shop.recover()
    expect(await shop.get(payment)).toMatchObject({ status: 'voided', resource: { delivered: true } })
  })
})
