import { afterAll, beforeAll, expect, it } from 'vitest'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { AGENT_SCOPES } from '../../src/core/types.ts'
import { restRoutes } from '../../src/http/rest.ts'
import { openSeller } from '../buying/seller.ts'
import { makeShop } from '../buying/shop.ts'
import { yes } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { asks } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { got } from './rest-site.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

/** A shop whose agent comes by REST, without a network between. */
async function shopping() {
  const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
  const { bursar, caller } = shop.purse
  const agent = {
    role: 'agent',
    id: caller.agentId,
    caller,
    scopes: AGENT_SCOPES,
    actors: [],
    expiresAt: null,
  } as const
  const app = restRoutes({ bursar, log: () => undefined } as never, async () => agent)
  const purchase = {
    instrument_id: shop.inst.instrument_id,
    url: seller.stall.url,
    max_amount: '1.00',
    purpose: 'A report',
  }
  const fetch = async (more: object = {}, headers: object = {}) => {
    const body = JSON.stringify({ ...purchase, ...more })
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }
    return got('POST', '/payments/fetch', await app.request('/payments/fetch', init))
  }
  return { shop, seller, fetch }
}

it('what is bought on the web is answered with the resource, and once', async () => {
  const { shop, seller, fetch } = await shopping()
  const price = await fetch({ max_amount: '0' })
  expect([price.status, price.body.price.amount, price.body.payment]).toEqual([200, '0.010000', undefined])
  const bought = await fetch({}, { 'idempotency-key': 'report-1' })
  expect([bought.status, bought.body.answer.status]).toEqual([200, 200])
  expect(bought.body.answer.body).toContain(GOODS)
  const again = await fetch({}, { 'idempotency-key': 'report-1' })
  expect([again.status, again.body.answer, again.headers.get('idempotency-replayed')]).toEqual([200, undefined, 'true'])
  expect(again.body.payment.payment_id).toBe(bought.body.payment.payment_id)
  await shop.settle(bought.body.payment)

  const dear = await fetch({ max_amount: '0.001' })
  expect([dear.status, dear.body.code, dear.body.payment.status]).toEqual([403, 'max_amount_exceeded', 'refused'])
  const inside = await fetch({ url: 'http://192.168.0.1/' })
  expect([inside.status, inside.body.code]).toEqual([403, 'url_not_allowed'])
  const broken = await fetch({ max_amount: '0', url: 'http://127.0.0.1:1/' })
  expect([broken.status, broken.body.code, broken.body.payment]).toEqual([502, 'seller_unavailable', undefined])
  seller.becomes({ unpaid: (_, { response }) => response.writeHead(404).end('nothing here') })
  const free = await fetch()
  expect([free.status, free.body.answer.status, free.body.payment]).toEqual([200, 404, undefined])
})

it('202 while it is not there: it waits for a human, or was paid and not delivered', async () => {
  const { shop, seller, fetch } = await shopping()
  const { bursar, authority, wallet } = shop.purse
  await setLimit(bursar, authority, wallet.id, { scope: 'wallet', window: 'payment', max_amount: '0.001', over: 'ask' })
  const asked = await fetch()
  expect([asked.status, asked.body.payment.status]).toEqual([202, 'awaiting_approval'])
  expect((await fetch()).body.payment.payment_id).toBe(asked.body.payment.payment_id)
  await yes(shop, asked.body.payment)
  seller.becomes({ paid: asks })
  const unpaid = await fetch()
  expect([unpaid.status, unpaid.body.payment.resource.delivered]).toEqual([202, false])
  seller.becomes({})
  const bought = await fetch()
  expect([bought.status, bought.body.payment.payment_id]).toEqual([200, asked.body.payment.payment_id])
  expect(bought.body.answer.body).toContain(GOODS)
  await shop.settle(bought.body.payment)
})
