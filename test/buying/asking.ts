import { expect } from 'vitest'
import { setLimit } from '../../src/actions/owner/limit.ts'
import type { FetchView, PaymentView } from '../../src/actions/wire.ts'
import { expectGivenBack, signed, yes } from '../chain/scene.ts'
import type { Chain } from '../support/chain.ts'
import { offers, openSeller, type Seller } from './seller.ts'
import { makeShop, type Shop, type ShopOptions } from './shop.ts'

export interface Asking {
  readonly shop: Shop
  readonly seller: Seller
  /** The same call, again. */
  fetch(max_amount?: string): Promise<FetchView>
  readonly asked: PaymentView
}

/** A purchase of 60.00 that waits for a human: over 50.00 is. */
export async function asking(chain: Chain, options: ShopOptions = {}): Promise<Asking> {
  const [shop, seller] = [await makeShop(chain, options), await openSeller(chain, { unpaid: costs('60000000') })]
  const { bursar, authority, wallet } = shop.purse
  await setLimit(bursar, authority, wallet.id, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
  const fetch = (max_amount = '60.00') => shop.fetch(seller.stall.url, { max_amount })
  return { shop, seller, fetch, asked: (await fetch()).payment! }
}

/** As {@link asking}, and a human has said yes. */
export async function approved(chain: Chain, options: ShopOptions = {}): Promise<Asking> {
  const made = await asking(chain, options)
  expect((await yes(made.shop, made.asked)).status).toBe('authorized')
  return made
}

/** Asks for so many units. */
export function costs(amount: string) {
  return offers({ amount })
}

/** The purchase is over, for that reason; nothing was signed, and all that it held is free. */
export async function expectGivenUp({ shop, asked }: Asking, { payment }: FetchView, code: string): Promise<void> {
  expect([payment?.payment_id, payment?.status, payment?.refusal?.code]).toEqual([asked.payment_id, 'voided', code])
  expect(await signed(shop)).toEqual([])
  await expectGivenBack(shop)
}
