import { expect } from 'vitest'
import type { FetchInput } from '../../src/actions/agent/fetch-with-payment.ts'
import { signed } from '../chain/scene.ts'
import { UNITS } from '../sellers/goods.ts'
import { cuts } from '../sellers/hostile/wire.ts'
import type { Payment } from '../sellers/payment.ts'
import type { Answer } from '../sellers/stall.ts'
import type { Chain } from '../support/chain.ts'
import { bytesAt, openSeller, type Seller } from './seller.ts'
import { makeShop, type Shop, type ShopOptions } from './shop.ts'

/** Longer than anything that is signed is good for. */
export const OVER_SECONDS = 400

/** A purchase whose reply was lost. */
export interface Lost {
  readonly shop: Shop
  /** Honest by now. */
  readonly seller: Seller
  readonly payment_id: string
}

/** @param paid what the seller does with the payment, whose reply does not arrive */
export async function lostReply(
  chain: Chain,
  paid: Answer,
  more: Partial<FetchInput> = {},
  options: ShopOptions = {},
): Promise<Lost> {
  const [shop, seller] = [await makeShop(chain, options), await openSeller(chain, { paid })]
  const { payment } = await shop.fetch(seller.stall.url, more)
  seller.becomes({})
  return { shop, seller, payment_id: payment!.payment_id }
}

export const takesAndCuts: Answer = async (stall, exchange) => {
  await stall.take(exchange.payment as Payment)
  cuts(stall, exchange)
}

/** One authorization was signed and shown to the seller, whose money it is. */
export async function expectPaidOnce({ shop, seller: { stall } }: Pick<Lost, 'shop' | 'seller'>): Promise<void> {
  const [transfer, ...others] = await signed(shop)
  expect([bytesAt(stall).length, others]).toEqual([1, []])
  expect((await shop.settle({ payment_id: transfer!.paymentId })).status).toBe('captured')
  expect(await shop.chain.balance(stall.payTo)).toBe(UNITS)
}
