import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FetchInput } from '../../src/actions/agent/fetch-with-payment.ts'
import { later, pass, signed } from '../chain/scene.ts'
import { GOODS, UNITS } from '../sellers/goods.ts'
import { cuts } from '../sellers/hostile/wire.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { makeInstrument } from '../support/chain-purse.ts'
import { expectPaidOnce, lostReply, OVER_SECONDS, takesAndCuts } from './lost-reply.ts'
import { attempts, bytesAt, openSeller } from './seller.ts'
import { makeShop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

describe('security: a lost reply', () => {
  it('and the same call: the same bytes are sent again, and it is paid once', async () => {
    const made = await lostReply(chain, cuts)
    const { shop, seller, payment_id } = made
    expect(await shop.get({ payment_id })).toMatchObject({
      status: 'in_doubt',
      resource: { delivered: false, http_status: null },
    })
    const { answer, payment } = await shop.fetch(seller.stall.url)
    expect([answer?.body, payment?.payment_id, payment?.replayed]).toEqual([GOODS, payment_id, true])
    expect([seller.stall.received.length, await attempts(shop)]).toEqual([2, 1])
    await expectPaidOnce(made)
  })

  it('of a payment that was taken: the agent is told that it is paid and not delivered, however often it calls', async () => {
    const made = await lostReply(chain, takesAndCuts)
    const { shop, seller, payment_id } = made
    for (let times = 0; times < 3; times += 1) {
      const { payment, answer } = await shop.fetch(seller.stall.url)
      expect([payment?.payment_id, answer?.status]).toEqual([payment_id, 402])
      expect(payment).toMatchObject({
        status: 'captured',
        replayed: true,
        resource: { delivered: false, http_status: 402 },
      })
    }
    expect([seller.stall.received.length, seller.stall.requests.length]).toEqual([4, 5])
    await expectPaidOnce(made)
  })

  it.each<[string, Partial<FetchInput>]>([
    ['for another purpose', { purpose: 'Quite another report' }],
    ['for a larger max_amount', { max_amount: '99.00' }],
    ['for another task', { task_id: 'task-2' }],
    ['with the method said', { method: 'get' }],
    ['with its headers in another order', { headers: { b: '2', A: '1' } }],
  ])('and the same call %s: it is the same purchase', async (_, change) => {
    const headers = { a: '1', B: '2' }
    const made = await lostReply(chain, cuts, { headers })
    const { answer, payment } = await made.shop.fetch(`${made.seller.stall.url}#part`, { headers, ...change })
    expect([answer?.body, payment?.payment_id]).toEqual([GOODS, made.payment_id])
    await expectPaidOnce(made)
  })

  it.each<[string, string, Partial<FetchInput>]>([
    ['of another page', '/2', {}],
    ['with another query', '?page=2', {}],
    ['by another method', '', { method: 'DELETE' }],
    ['with a header more', '', { headers: { accept: 'text/plain' } }],
  ])('and a call %s: it is another purchase', async (_, path, change) => {
    const { shop, seller, payment_id } = await lostReply(chain, cuts)
    const { answer, payment } = await shop.fetch(`${seller.stall.url}${path}`, change)
    expect([answer?.body, payment?.replayed]).toEqual([GOODS, undefined])
    expect(payment?.payment_id).not.toBe(payment_id)
    expect(bytesAt(seller.stall)).toHaveLength(2)
    await seller.stall.settle(seller.stall.received[0])
  })

  it('and the same call with another instrument: it is another purchase', async () => {
    const { shop, seller, payment_id } = await lostReply(chain, cuts)
    const { instrument_id } = await makeInstrument(shop.purse)
    const { payment } = await shop.fetch(seller.stall.url, { instrument_id })
    expect(payment?.payment_id).not.toBe(payment_id)
    await seller.stall.settle(seller.stall.received[0])
  })

  it('of another body: both are what they were', async () => {
    const { shop, seller } = await lostReply(chain, cuts, { method: 'POST', body: 'one' })
    expect((await shop.fetch(seller.stall.url, { method: 'POST', body: 'two' })).payment?.replayed).toBeUndefined()
    expect((await shop.fetch(seller.stall.url, { method: 'POST', body: 'one' })).payment?.replayed).toBe(true)
    expect([bytesAt(seller.stall).length, (await signed(shop)).length]).toEqual([2, 2])
  })

  it('and time: once it can never be taken any more, the same call buys anew', async () => {
    const { shop, seller, payment_id } = await lostReply(chain, cuts)
    await pass(chain, OVER_SECONDS)
    expect((await shop.settle({ payment_id })).status).toBe('voided')
    const { answer, payment } = await shop.fetch(seller.stall.url)
    expect([answer?.body, payment?.payment_id === payment_id]).toEqual([GOODS, false])
    expect(bytesAt(seller.stall)).toHaveLength(2)
    expect(await chain.balance(seller.stall.payTo)).toBe(UNITS)
  })

  it('and time: while it may still be taken, nothing is signed anew, and nothing is sent any more', async () => {
    const { shop, seller, payment_id } = await lostReply(chain, cuts)
    later(OVER_SECONDS)
    const { payment } = await shop.fetch(seller.stall.url)
    expect([payment?.payment_id, payment?.status]).toEqual([payment_id, 'in_doubt'])
    expect([seller.stall.received.length, seller.stall.requests.length, (await signed(shop)).length]).toEqual([1, 2, 1])
    await pass(chain, OVER_SECONDS)
  })
})

describe('security: a smaller max_amount in the same call', () => {
  it('sends nothing that may still be taken, and shows how it stands', async () => {
    const made = await lostReply(chain, cuts)
    const { shop, seller, payment_id } = made
    const { payment, refusal } = await shop.fetch(seller.stall.url, { max_amount: '0.009999' })
    expect([payment?.payment_id, payment?.status, payment?.refusal, refusal]).toEqual([
      payment_id,
      'in_doubt',
      undefined,
      undefined,
    ])
    expect([seller.stall.received.length, await attempts(shop)]).toEqual([1, 1])
    expect((await shop.fetch(seller.stall.url, { max_amount: '0.01' })).answer?.body).toBe(GOODS)
    await expectPaidOnce(made)
  })

  it('sends again what is paid already', async () => {
    const made = await lostReply(chain, takesAndCuts)
    await made.shop.settle(made)
    made.seller.becomes({ paid: (_, { response }) => response.end(GOODS) })
    expect((await made.shop.fetch(made.seller.stall.url, { max_amount: '0.000001' })).answer?.body).toBe(GOODS)
    await expectPaidOnce(made)
  })
})

describe('what was delivered', () => {
  it('is bought anew by the same call, though the first is not on the chain yet', async () => {
    const shop = await makeShop(chain)
    const seller = await openSeller(chain, { paid: (stall, { response }) => stall.deliver(response, '') })
    const first = await shop.fetch(seller.stall.url)
    const second = await shop.fetch(seller.stall.url)
    expect([first, second].map(({ answer }) => answer?.body)).toEqual([GOODS, GOODS])
    expect(second.payment?.replayed).toBeUndefined()
    expect(bytesAt(seller.stall)).toHaveLength(2)
    for (const payment of seller.stall.received) await seller.stall.settle(payment)
  })
})
