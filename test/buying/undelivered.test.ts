import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BursarError } from '../../src/core/errors.ts'
import type { Sellers } from '../../src/ports/web.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { later, signed } from '../chain/scene.ts'
import { type Facilitator, startFacilitator } from '../sellers/facilitator.ts'
import { GOODS } from '../sellers/goods.ts'
import { type OfficialSeller, startHonoSeller } from '../sellers/official.ts'
import { fundedKey } from '../sellers/sender.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { lostReply, OVER_SECONDS, takesAndCuts } from './lost-reply.ts'
import { makeShop, sellers } from './shop.ts'

let chain: Chain
let facilitator: Facilitator
let official: OfficialSeller
beforeAll(async () => {
  chain = await startChain()
  facilitator = await startFacilitator(chain, await fundedKey(chain))
  official = await startHonoSeller({ chain, facilitator })
})
afterAll(async () => {
  await official?.close()
  await chain?.stop()
})

const DAY_SECONDS = 24 * 60 * 60

describe('what was paid and not delivered', () => {
  /** The seller answers, and the answer to the first payment does not arrive. */
  function losing(): () => Promise<Sellers> {
    let left = 1
    return async () => {
      const { web } = await sellers()
      const ask = async (visit: ReturnType<typeof web.visit>, ...args: Parameters<typeof visit.ask>) => {
        const answer = await visit.ask(...args)
        if (Object.hasOwn(args[0].headers, 'payment-signature') && left-- > 0)
          throw new BursarError('seller_unavailable', 'The reply is lost.')
        return answer
      }
      return { web: { visit: (rules) => ({ ask: (...args) => ask(web.visit(rules), ...args) }) }, x402 }
    }
  }

  it.each([
    ['at once', 0],
    ['long after it could be taken', OVER_SECONDS],
    ['almost a day later', DAY_SECONDS - 60],
  ])('is delivered by the same call %s, where the seller knows its payments', async (_, seconds) => {
    const shop = await makeShop(chain, { sellers: losing() })
    const settled = facilitator.calls.settle
    const first = await shop.fetch(`${official.url}/once`)
    expect([first.answer, first.payment?.status]).toEqual([undefined, 'captured'])
    later(seconds)
    const { answer, payment } = await shop.fetch(`${official.url}/once`)
    expect(answer?.body).toContain(GOODS)
    expect(payment).toMatchObject({ payment_id: first.payment?.payment_id, resource: { delivered: true } })
    expect([facilitator.calls.settle - settled, (await signed(shop)).length]).toEqual([1, 1])
  })

  it('is another purchase a day later', async () => {
    const made = await lostReply(chain, takesAndCuts)
    await made.shop.settle(made)
    later(DAY_SECONDS)
    const { answer, payment } = await made.shop.fetch(made.seller.stall.url)
    expect([answer?.body, payment?.payment_id === made.payment_id]).toEqual([GOODS, false])
    expect(await signed(made.shop)).toHaveLength(2)
  })
})
