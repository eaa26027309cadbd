import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { counted, lastEvent, signed } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { redirects } from '../sellers/hostile/redirects.ts'
import { cuts } from '../sellers/hostile/wire.ts'
import { newAddress } from '../sellers/sender.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { collected } from '../support/collected.ts'
import { approved, costs, expectGivenUp } from './asking.ts'
import { offers, openSeller, type Ways } from './seller.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

describe('after the yes, when the seller', () => {
  it('asks for the same, that is paid', async () => {
    const { shop, seller, fetch } = await approved(chain)
    const { answer, payment } = await fetch()
    expect([answer?.body, payment?.replayed]).toEqual([GOODS, true])
    expect(seller.stall.received.map(({ authorization }) => authorization?.value)).toEqual(['60000000'])
    // The yes is good for ten minutes; what is signed is not.
    const [{ validBefore, signedAt } = { validBefore: Number.NaN, signedAt: 0 }] = await signed(shop)
    expect(validBefore - signedAt / 1000).toBeLessThanOrEqual(300)
  })

  it('asks for less, that is paid, and the rest is given back', async () => {
    const { shop, seller, asked, fetch } = await approved(chain)
    seller.becomes({ unpaid: costs('52000000') })
    expect((await fetch()).answer?.body).toBe(GOODS)
    expect(seller.stall.received.map(({ authorization }) => authorization?.value)).toEqual(['52000000'])
    expect((await shop.settle(asked)).captured_amount).toBe('52.000000')
    const { read } = shop.purse.bursar.store
    const { available, held } = (await read.one('accounts', { walletId: shop.purse.wallet.id }))!
    expect([available, held]).toEqual([948n * UNIT, 0n])
    expect((await read.one('instruments', { id: shop.inst.instrument_id }))?.remaining).toBe(248n * UNIT)
    const counters = (await collected(read.all('counters'))).map(({ amount, count }) => [amount, count])
    expect(new Set(counters.map(String))).toEqual(new Set([String([52n * UNIT, 1])]))
    expect(await lastEvent(shop, 'payment.captured')).toMatchObject({ released: '8.000000' })
  })

  it('security: asks for more, nothing is paid', async () => {
    const made = await approved(chain)
    made.seller.becomes({ unpaid: costs('60000001') })
    await expectGivenUp(made, await made.fetch('100.00'), 'offer_changed')
  })

  it('security: wants another account to be paid, nothing is paid', async () => {
    const made = await approved(chain)
    made.seller.becomes({ unpaid: offers({ amount: '60000000', payTo: newAddress() }) })
    await expectGivenUp(made, await made.fetch(), 'offer_changed')
  })

  it('security: wants another account to be paid less, nothing is paid; but the approved one is', async () => {
    const { seller, fetch, shop } = await approved(chain)
    const cheaper = { amount: '1', payTo: newAddress() }
    seller.becomes({ unpaid: offers(cheaper, { amount: '60000000' }) })
    expect((await fetch()).answer?.body).toBe(GOODS)
    expect((await signed(shop)).map(({ to, value }) => [to, value])).toEqual([[seller.stall.payTo, 60n * UNIT]])
  })

  it('security: leads to another origin with the same account, nothing is paid', async () => {
    const made = await approved(chain)
    const { stall } = await openSeller(chain, { unpaid: costs('60000000') }, made.seller.stall.payTo)
    made.seller.becomes({ unpaid: redirects(302, stall.url) })
    await expectGivenUp(made, await made.fetch(), 'offer_changed')
    expect(stall.received).toEqual([])
  })

  it('takes nothing that can be paid any more, nothing is paid', async () => {
    const made = await approved(chain)
    made.seller.becomes({ unpaid: offers({ scheme: 'haggle' }) })
    await expectGivenUp(made, await made.fetch(), 'offer_not_payable')
  })

  it('asks for nothing any more, its answer is passed on, and all is given back', async () => {
    const made = await approved(chain)
    made.seller.becomes({ unpaid: (_, { response }) => response.end('free now') })
    const view = await made.fetch()
    expect(view.answer).toMatchObject({ status: 200, body: 'free now' })
    await expectGivenUp(made, view, 'offer_changed')
  })

  it.each<[string, Ways]>([
    ['is away', { unpaid: cuts }],
    ['is busy', { unpaid: (_, { response }) => response.writeHead(503).end('busy') }],
    ['fails', { unpaid: (_, { response }) => response.writeHead(500).end() }],
    ['wants to be asked less often', { unpaid: (_, { response }) => response.writeHead(429).end() }],
    ['does not find it', { unpaid: (_, { response }) => response.writeHead(404).end() }],
  ])('%s for now, it stays approved, and is paid later', async (_, ways) => {
    const { shop, seller, asked, fetch } = await approved(chain)
    seller.becomes(ways)
    expect((await fetch()).payment).toMatchObject({ payment_id: asked.payment_id, status: 'authorized' })
    expect((await shop.row(asked)).held).toBe(60n * UNIT)
    seller.becomes({ unpaid: costs('60000000') })
    expect((await fetch()).answer?.body).toBe(GOODS)
    expect(await counted(shop, 'payment.awaiting_approval')).toBe(1)
  })
})
