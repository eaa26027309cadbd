import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { undeliveredLine } from '../../src/mcp/undelivered.ts'
import { broadcasts, counted, expectGivenBack, later, pass, signed } from '../chain/scene.ts'
import { type Facilitator, startFacilitator } from '../sellers/facilitator.ts'
import { GOODS, UNITS } from '../sellers/goods.ts'
import { PAID_ANSWERS } from '../sellers/hostile/paid.ts'
import { cuts } from '../sellers/hostile/wire.ts'
import { type OfficialSeller, startExpressSeller } from '../sellers/official.ts'
import { fundedKey } from '../sellers/sender.ts'
import type { Answer } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { approved } from './asking.ts'
import { OVER_SECONDS, takesAndCuts } from './lost-reply.ts'
import { bytesAt, openSeller } from './seller.ts'
import { makeShop } from './shop.ts'

let chain: Chain
let proxy: NodeProxy
let facilitator: Facilitator
let official: OfficialSeller
beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  facilitator = await startFacilitator(chain, await fundedKey(chain))
  official = await startExpressSeller({ chain, facilitator })
})
afterEach(() => {
  proxy.mend()
  facilitator.settleLater(false)
})
afterAll(async () => {
  await official?.close()
  await proxy?.stop()
  await chain?.stop()
})

/** Longer than a purchase is left to whoever last tried to sign it. */
const CLAIMED_SECONDS = 6

/** Behind a node that a test can take away. */
const behindProxy = () => makeShop(chain, { nodes: [proxy.url] })

describe('a node that is away', () => {
  it('before anything is signed: nothing is, and all is given back', async () => {
    const [shop, { stall }] = [await behindProxy(), await openSeller(chain)]
    proxy.down()
    const { payment, answer } = await shop.fetch(stall.url)
    expect([payment?.status, answer, payment?.refusal?.code]).toEqual(['voided', undefined, 'rail_unavailable'])
    expect(payment?.refusal?.rule).toBe('rail.sign')
    expect(payment?.reason).toBe('It could not be signed now: the chain did not answer, or spending was stopped.')
    expect([await signed(shop), stall.received]).toEqual([[], []])
    await expectGivenBack(shop)
    proxy.mend()
    expect((await shop.fetch(stall.url)).answer?.body).toBe(GOODS)
  })

  it('before what a human approved is signed: it stays approved, and is paid when the node is back', async () => {
    const { shop, seller, asked, fetch } = await approved(chain, { nodes: [proxy.url] })
    proxy.down()
    const { payment, refusal } = await fetch()
    expect([payment?.payment_id, payment?.status, refusal?.code]).toEqual([
      asked.payment_id,
      'authorized',
      'rail_unavailable',
    ])
    expect([await signed(shop), seller.stall.received]).toEqual([[], []])
    proxy.mend()
    later(CLAIMED_SECONDS)
    expect((await fetch()).answer?.body).toBe(GOODS)
    expect([(await signed(shop)).length, await counted(shop, 'payment.awaiting_approval')]).toEqual([1, 1])
  })

  it.each<[string, Answer, string]>([
    ['takes the money', takesAndCuts, 'captured'],
    ['does not', cuts, 'voided'],
  ])('after the seller %s: it is in doubt, it is said why, and the chain decides later', async (_, paid, ends) => {
    const [shop, seller] = [await behindProxy(), await openSeller(chain)]
    seller.becomes({
      paid: (stall, exchange) => {
        proxy.down()
        return paid(stall, exchange)
      },
    })
    const { payment } = await shop.fetch(seller.stall.url)
    expect([payment?.status, payment?.resource?.delivered]).toEqual(['in_doubt', false])
    expect(payment?.reason).toBe('It may have been sent, and whoever knows what became of it could not be asked.')
    expect(undeliveredLine(payment!)).toContain('do not pay again')
    await pass(chain, OVER_SECONDS)
    await shop.recover().catch(() => undefined)
    // Long over by the clock: without a node nobody knows.
    expect((await shop.get(payment!)).status).toBe('in_doubt')
    proxy.mend()
    expect((await shop.settle(payment!)).status).toBe(ends)
  })

  it('is no reason to keep the resource back', async () => {
    const [shop, seller] = [await behindProxy(), await openSeller(chain)]
    seller.becomes({
      paid: async (stall, { response, payment }) => {
        proxy.down()
        stall.deliver(response, await stall.take(payment!))
      },
    })
    const { answer, payment } = await shop.fetch(seller.stall.url)
    expect([answer?.body, payment?.status]).toEqual([GOODS, 'authorized'])
    proxy.mend()
    expect((await shop.settle(payment!)).status).toBe('captured')
  })
})

describe('a facilitator that says that it has settled', () => {
  it.each([
    ['and settles later', 'now'],
    ['and settles in the last second', 'last_second'],
  ] as const)('%s: the money is held until then, and it was paid', async (_, when) => {
    const shop = await makeShop(chain)
    facilitator.settleLater()
    const { answer, payment } = await shop.fetch(`${official.url}/text`)
    expect(answer?.body).toBe(GOODS)
    await shop.recover()
    expect([(await shop.get(payment!)).status, (await shop.row(payment!)).held]).toEqual(['in_doubt', UNITS])
    const [settled] = await facilitator.settleOwed(when)
    expect(settled?.success).toBe(true)
    await pass(chain, OVER_SECONDS)
    expect((await shop.settle(payment!)).status).toBe('captured')
  })

  it('and never does: the money is held until it never can, and it was not paid', async () => {
    const shop = await makeShop(chain)
    facilitator.settleLater()
    const { payment } = await shop.fetch(`${official.url}/text`)
    const [{ validBefore } = { validBefore: 0 }] = await signed(shop)
    await chain.rpc('evm_setNextBlockTimestamp', [validBefore - 1])
    await chain.mine(1)
    later(OVER_SECONDS)
    await shop.recover()
    expect([(await shop.get(payment!)).status, (await shop.row(payment!)).held]).toEqual(['in_doubt', UNITS])
    await chain.rpc('evm_setNextBlockTimestamp', [validBefore])
    await chain.mine(1)
    await shop.recover()
    // Not final yet.
    expect((await shop.get(payment!)).status).toBe('in_doubt')
    await chain.mine(2)
    await shop.recover()
    expect(await shop.get(payment!)).toMatchObject({ status: 'voided', resource: { delivered: true } })
    expect([...(await facilitator.settleOwed())].map(({ success }) => success)).toEqual([false])
    await expectGivenBack(shop)
  })

  it('to an account that the token refuses: it was not paid', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    await chain.blacklist(seller.stall.payTo)
    const { payment, answer } = await shop.fetch(seller.stall.url)
    expect([answer?.status, payment?.status]).toEqual([402, 'in_doubt'])
    await pass(chain, OVER_SECONDS)
    expect((await shop.settle(payment!)).status).toBe('voided')
  })
})

describe('a payment that somebody else brings to the chain', () => {
  it('is paid, whatever the seller makes of it, and the agent is told not to pay again', async () => {
    const { paid } = PAID_ANSWERS['asks again because somebody else sent the authorization']
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain, { paid })]
    const { payment, answer } = await shop.fetch(stall.url)
    expect([answer?.status, payment?.status]).toEqual([402, 'captured'])
    expect(undeliveredLine(payment!)).toMatch(/^Paid, not delivered; do not pay again\. .* moved 0\.010000 USDC/)
    expect((await shop.fetch(stall.url)).payment?.payment_id).toBe(payment?.payment_id)
    expect([bytesAt(stall).length, await chain.balance(stall.payTo)]).toEqual([1, UNITS])
  })
})

describe('security: a reorganization after the capture', () => {
  it('that takes it back: bursar sends nothing, and once it never can be taken the money is back', async () => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const { payment } = await shop.fetch(stall.url)
    await shop.settle(payment!)
    expect((await shop.get(payment!)).status).toBe('captured')
    await chain.reorg(1)
    await shop.recover()
    await shop.recover()
    expect([(await shop.get(payment!)).status, await broadcasts(shop), await chain.balance(stall.payTo)]).toEqual([
      'captured',
      [],
      0n,
    ])
    await pass(chain, OVER_SECONDS)
    await shop.recover()
    expect([(await shop.get(payment!)).status, await broadcasts(shop)]).toEqual(['refunded', []])
    expect((await shop.purse.bursar.store.read.one('accounts', { walletId: shop.purse.wallet.id }))?.available).toBe(
      1000n * UNIT,
    )
  })

  it('after which the seller takes it again: it is paid once', async () => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const { payment } = await shop.fetch(stall.url)
    await shop.settle(payment!)
    await chain.reorg(1)
    await shop.recover()
    await stall.settle(stall.received[0])
    await pass(chain, OVER_SECONDS)
    await shop.recover()
    expect((await shop.get(payment!)).status).toBe('captured')
    expect([
      await counted(shop, 'payment.captured'),
      await counted(shop, 'payment.refunded'),
      await broadcasts(shop),
    ]).toEqual([1, 0, []])
  })
})
