import type { Address } from 'viem'
import { expect, onTestFinished } from 'vitest'
import type { FetchView } from '../../src/actions/wire.ts'
import { counted, signed } from '../chain/scene.ts'
import { PAID } from '../sellers/hostile/expected.ts'
import { type Answer, asks, type Behaviour, openStall, type Stall, sells } from '../sellers/stall.ts'
import type { Chain } from '../support/chain.ts'
import { collected } from '../support/collected.ts'
import type { Shop } from './shop.ts'

export type Ways = Pick<Behaviour, 'unpaid' | 'paid'>

/** A seller that is honest until a test says otherwise, until the end of that test. */
export interface Seller {
  readonly stall: Stall
  /** Answers like that from now on; honestly, where it is not said. */
  becomes(ways: Ways): void
}

export async function openSeller(chain: Chain, ways: Ways = {}, payTo?: Address): Promise<Seller> {
  let now = ways
  const behaviour: Behaviour = {
    expected: PAID,
    unpaid: (stall, exchange) => (now.unpaid ?? asks)(stall, exchange),
    paid: (stall, exchange) => (now.paid ?? sells)(stall, exchange),
  }
  const stall = await openStall(behaviour, { chain, ...(payTo && { payTo }) })
  onTestFinished(() => stall.close())
  return {
    stall,
    becomes(next) {
      now = next
    },
  }
}

/** Asks by these offers, each the honest one but for that in it. */
export function offers(...changes: readonly object[]): Answer {
  return (stall, { response }) => {
    const accepts = changes.flatMap((change) => stall.quote(change).accepts)
    stall.ask(response, { ...stall.quote(), accepts })
  }
}

/** The headers that pay, as they arrived, each once. */
export function bytesAt({ received }: Stall): readonly string[] {
  return [...new Set(received.map(({ header }) => header))]
}

/** The refusal of an attempt as the journals have it: `[code, rule]`; null where they have none. */
export async function refusedInJournal(
  { purse }: Pick<Shop, 'purse'>,
  paymentId: string,
): Promise<[string, string] | null> {
  const { read } = purse.bursar.store
  const journals = await Promise.all([purse.wallet.id, 'instance'].map((journal) => collected(read.events(journal))))
  const bodies = journals
    .flat()
    .filter(({ type }) => type === 'payment.refused')
    .map(({ body }) => JSON.parse(body!))
  const event = bodies.find(({ payment_id }) => payment_id === paymentId)
  return event ? [event.details.refusal.code, event.rule] : null
}

/** How many attempts there are in the journal of the wallet. */
export async function attempts(shop: Shop): Promise<number> {
  return counted(shop, 'payment.attempted')
}

/** It was refused for that, the journal says so, and nothing was signed for it. */
export async function expectRefused(
  shop: Shop,
  { payment, answer }: FetchView,
  code: string,
  rule: string,
): Promise<void> {
  expect([payment?.status, payment?.refusal?.code, payment?.refusal?.rule]).toEqual(['refused', code, rule])
  expect(await refusedInJournal(shop, payment!.payment_id)).toEqual([code, rule])
  expect(answer).toBeUndefined()
  expect((await signed(shop)).filter(({ paymentId }) => paymentId === payment?.payment_id)).toEqual([])
}
