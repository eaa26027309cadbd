import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { revokeAgent, rotateAgent } from '../../src/actions/owner/agents.ts'
import {
  freezeAll,
  freezeInstrument,
  freezeWallet,
  revokeInstrument,
  unfreezeAll,
  unfreezeInstrument,
  unfreezeWallet,
} from '../../src/actions/owner/freeze.ts'
import type { Caller } from '../../src/actions/wire.ts'
import type { TransferBooks, Vault } from '../../src/ports/chain.ts'
import { expectGivenBack, later, pass, signed } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { cuts } from '../sellers/hostile/wire.ts'
import { asks } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { expectPaidOnce, lostReply, OVER_SECONDS, takesAndCuts } from './lost-reply.ts'
import { bytesAt, openSeller, refusedInJournal } from './seller.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

type Act = (shop: Shop) => Promise<unknown>

/** What an owner stops, and how that is lifted, where it can be. */
const STOPS: readonly (readonly [string, Act, Act | null])[] = [
  [
    'everything',
    ({ purse }) => freezeAll(purse.bursar, purse.authority),
    ({ purse }) => unfreezeAll(purse.bursar, purse.authority),
  ],
  [
    'the wallet',
    ({ purse }) => freezeWallet(purse.bursar, purse.authority, purse.wallet.id),
    ({ purse }) => unfreezeWallet(purse.bursar, purse.authority, purse.wallet.id),
  ],
  [
    'the instrument',
    ({ purse, inst }) => freezeInstrument(purse.bursar, purse.authority, inst.instrument_id),
    ({ purse, inst }) => unfreezeInstrument(purse.bursar, purse.authority, inst.instrument_id),
  ],
  [
    'the instrument for good',
    ({ purse, inst }) => revokeInstrument(purse.bursar, purse.authority, inst.instrument_id),
    null,
  ],
  ['the agent for good', ({ purse }) => revokeAgent(purse.bursar, purse.authority, purse.caller.agentId), null],
]

describe.each(STOPS)('security: an owner who stops %s', (_, stop, lift) => {
  it('while the seller says its price signs nothing', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    seller.becomes({
      unpaid: async (stall, exchange) => {
        await stop(shop)
        asks(stall, exchange)
      },
    })
    const { payment } = await shop.fetch(seller.stall.url)
    expect(payment?.status).toBe('refused')
    expect((await refusedInJournal(shop, payment!.payment_id))?.[0]).toMatch(/^(spending|instrument)_(frozen|revoked)$/)
    expect([await signed(shop), seller.stall.received]).toEqual([[], []])
  })

  it('while it is about to be signed signs nothing, and what was held is given back', async () => {
    const made: { shop?: Shop } = {}
    const vault = (inner: Vault): Vault => ({
      ...inner,
      async payer(account) {
        const payer = await inner.payer(account)
        if (made.shop) await stop(made.shop)
        return payer
      },
    })
    const shop = await makeShop(chain, { vault })
    made.shop = shop
    const { stall } = await openSeller(chain)
    const { payment } = await shop.fetch(stall.url)
    expect([payment?.status, payment?.refusal?.rule]).toEqual(['voided', 'rail.sign'])
    expect([await signed(shop), stall.received]).toEqual([[], []])
    await expectGivenBack(shop)
  })

  it('when it is signed and has not left keeps it here', async () => {
    const made: { shop?: Shop } = {}
    const books = (inner: TransferBooks): TransferBooks => ({
      ...inner,
      async sign(signature) {
        const transfer = await inner.sign(signature)
        if (made.shop) await stop(made.shop)
        return transfer
      },
    })
    const shop = await makeShop(chain, { books })
    made.shop = shop
    const { stall } = await openSeller(chain)
    const { payment } = await shop.fetch(stall.url)
    expect([payment?.status, (await signed(shop)).length, stall.received]).toEqual(['in_doubt', 1, []])
    if (lift) {
      delete made.shop
      await lift(shop)
      expect((await shop.fetch(stall.url)).answer?.body).toBe(GOODS)
      return
    }
    await pass(chain, OVER_SECONDS)
    expect((await shop.settle(payment!)).status).toBe('voided')
  })

  it('when its reply was lost keeps it from being sent again', async () => {
    const made = await lostReply(chain, cuts)
    const { shop, seller, payment_id } = made
    await stop(shop)
    const before = seller.stall.requests.length
    const { payment, answer } = await shop.fetch(seller.stall.url)
    expect([payment?.payment_id, payment?.status, answer]).toEqual([payment_id, 'in_doubt', undefined])
    expect(seller.stall.requests).toHaveLength(before)
    if (lift) {
      await lift(shop)
      expect((await shop.fetch(seller.stall.url)).answer?.body).toBe(GOODS)
      await expectPaidOnce(made)
      return
    }
    await pass(chain, OVER_SECONDS)
  })

  it('when it is paid already asks nobody for it until that is lifted', async () => {
    const made = await lostReply(chain, takesAndCuts)
    const { shop, seller } = made
    await shop.settle(made)
    await stop(shop)
    seller.becomes({ paid: (_stall, { response }) => response.end(GOODS) })
    const asked = seller.stall.requests.length
    expect((await shop.fetch(seller.stall.url)).answer).toBe(undefined)
    expect(seller.stall.requests).toHaveLength(asked)
    if (lift) {
      await lift(shop)
      expect((await shop.fetch(seller.stall.url)).answer?.body).toBe(GOODS)
    }
    await expectPaidOnce(made)
  })
})

describe('security: what is signed and has not left stays here', () => {
  /** Signs, and then that happens. */
  async function signedAnd(happens: (shop: Shop) => unknown, caller: (shop: Shop) => Caller, gone?: AbortSignal) {
    const made: { shop?: Shop } = {}
    const books = (inner: TransferBooks): TransferBooks => ({
      ...inner,
      async sign(signature) {
        const transfer = await inner.sign(signature)
        if (made.shop) await happens(made.shop)
        return transfer
      },
    })
    const shop = await makeShop(chain, { books })
    made.shop = shop
    const { stall } = await openSeller(chain)
    const input = { instrument_id: shop.inst.instrument_id, url: stall.url, max_amount: '1.00', purpose: 'A report' }
    const { payment } = await fetchWithPayment(shop.purse.bursar, caller(shop), input, gone)
    expect([payment?.status, (await signed(shop)).length, stall.received]).toEqual(['in_doubt', 1, []])
    await pass(chain, OVER_SECONDS)
    expect((await shop.settle(payment!)).status).toBe('voided')
  }

  it('where the host gives the call up', async () => {
    const host = new AbortController()
    await signedAnd(
      () => host.abort(),
      ({ purse }) => purse.caller,
      host.signal,
    )
  })

  it("where the agent's key is replaced", async () => {
    await signedAnd(
      ({ purse }) => rotateAgent(purse.bursar, purse.authority, purse.caller.agentId),
      ({ purse }) => ({ ...purse.caller, keyHash: null }),
    )
  })
})

it('an instrument that expires keeps nobody from what was paid for', async () => {
  const made = await lostReply(chain, takesAndCuts, {}, { terms: { expires_in: '1h' } })
  const { shop, seller } = made
  await shop.settle(made)
  later(2 * 60 * 60)
  seller.becomes({ paid: (_stall, { response }) => response.end(GOODS) })
  expect((await shop.fetch(seller.stall.url)).answer?.body).toBe(GOODS)
  expect((await shop.fetch(`${seller.stall.url}/2`)).payment?.refusal?.code).toBe('instrument_expired')
  expect(bytesAt(seller.stall)).toHaveLength(1)
})
