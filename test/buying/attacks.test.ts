import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { keyHashOf, rotateAgent } from '../../src/actions/owner/agents.ts'
import { freezeAll } from '../../src/actions/owner/freeze.ts'
import { question } from '../../src/actions/question.ts'
import type { Web } from '../../src/ports/web.ts'
import { pass, signed, yes } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { asks, sells } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { OVER_SECONDS, takesAndCuts } from './lost-reply.ts'
import { attempts, bytesAt, openSeller } from './seller.ts'
import { makeShop, type Shop, sellers } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

/** As a host calls that may give up. */
function call({ purse, inst }: Shop, url: string, gone: AbortSignal, more: object = {}) {
  const input = { instrument_id: inst.instrument_id, url, max_amount: '200.00', purpose: 'A report', ...more }
  return fetchWithPayment(purse.bursar, purse.caller, input, gone)
}

describe('security: a host that gives a call up', () => {
  it('before anything was decided has bought nothing', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    const gone = new AbortController()
    seller.becomes({
      unpaid: (stall, exchange) => {
        gone.abort()
        return asks(stall, exchange)
      },
    })
    expect((await call(shop, seller.stall.url, gone.signal)).refusal?.code).toBe('busy')
    expect([await attempts(shop), await signed(shop)]).toEqual([0, []])
  })

  it('while it is paid for gets it by the same call, and does not pay again', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    const gone = new AbortController()
    seller.becomes({
      paid: async (stall, exchange) => {
        gone.abort()
        await sells(stall, exchange)
      },
    })
    const first = await call(shop, seller.stall.url, gone.signal)
    expect(first.payment?.resource?.delivered).toBe(false)
    seller.becomes({ paid: (_stall, { response }) => response.end(GOODS) })
    const second = await call(shop, seller.stall.url, new AbortController().signal)
    expect(second.answer?.body).toBe(GOODS)
    expect(second.payment).toMatchObject({ payment_id: first.payment!.payment_id, replayed: true })
    await shop.settle(second.payment!)
    expect([bytesAt(seller.stall).length, seller.stall.taken.length, (await signed(shop)).length]).toEqual([1, 1, 1])
  })
})

it('security: calls that were made together are one purchase, however the seller times its prices', async () => {
  const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
  const waiting: (() => void)[] = []
  seller.becomes({
    // The second price comes once the first was paid and delivered.
    unpaid: async (stall, exchange) => {
      if (waiting.push(() => undefined) > 1)
        await new Promise<void>((resolve) => {
          waiting[1] = resolve
        })
      await asks(stall, exchange)
    },
  })
  const calls = [shop.fetch(seller.stall.url), shop.fetch(seller.stall.url)]
  const first = await Promise.race(calls)
  expect(first.answer?.body).toBe(GOODS)
  for (let tries = 0; tries < 200 && waiting.length < 2; tries += 1) await new Promise((done) => setTimeout(done, 5))
  waiting[1]?.()
  const views = await Promise.all(calls)
  expect(new Set(views.map(({ payment }) => payment?.payment_id)).size).toBe(1)
  await shop.settle(first.payment!)
  expect([seller.stall.taken.length, (await signed(shop)).length]).toEqual([1, 1])
})

it('security: another idempotency_key does not pay again for what was not delivered', async () => {
  const [shop, seller] = [await makeShop(chain), await openSeller(chain, { paid: takesAndCuts })]
  const views = []
  for (const idempotency_key of [undefined, 'retry-1', 'retry-2'])
    views.push(await shop.fetch(seller.stall.url, { idempotency_key }))
  expect(new Set(views.map(({ payment }) => payment?.payment_id)).size).toBe(1)
  await shop.settle(views[0]!.payment!)
  expect([bytesAt(seller.stall).length, seller.stall.taken.length]).toEqual([1, 1])
})

it('security: a replaced key of an agent gets nothing signed that was approved before', async () => {
  const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
  const { bursar, authority, caller } = shop.purse
  seller.becomes({ unpaid: (stall, { response }) => stall.ask(response, stall.quote({ amount: '110000000' })) })
  const never = new AbortController().signal
  const { payment } = await call(shop, seller.stall.url, never)
  expect(payment?.status).toBe('awaiting_approval')
  await yes(shop, payment!)
  await rotateAgent(bursar, authority, caller.agentId)
  const asked = seller.stall.requests.length
  const view = await call(shop, seller.stall.url, never)
  expect(view.refusal).toMatchObject({ code: 'spending_frozen', rule: 'agent.credential' })
  expect([await signed(shop), seller.stall.requests.length]).toEqual([[], asked])
  const { keyHash } = (await bursar.store.read.one('agents', { id: caller.agentId }))!
  expect(keyHash).not.toBe(keyHashOf(''))
  await pass(chain, 11 * 60)
})

it('security: a header that waits for its turn does not leave once all is frozen', async () => {
  let freeze = async () => {}
  const slow: Web = {
    visit(rules) {
      const visit = real.web.visit(rules)
      return {
        async ask(request, bounds) {
          if (request.headers['payment-signature'] !== undefined) await freeze()
          return visit.ask(request, bounds)
        },
      }
    },
  }
  const real = await sellers()
  const shop = await makeShop(chain, { sellers: async () => ({ ...real, web: slow }) })
  const seller = await openSeller(chain)
  freeze = () => freezeAll(shop.purse.bursar, shop.purse.authority)
  const view = await shop.fetch(seller.stall.url)
  expect(view.answer).toBe(undefined)
  expect(seller.stall.received).toEqual([])
  await pass(chain, OVER_SECONDS)
})

it('security: a human sees who asks, how often it was paid, and all that is sent', async () => {
  const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
  seller.becomes({ unpaid: (stall, { response }) => stall.ask(response, stall.quote({ amount: '110000000' })) })
  const body = '{"ship_to":"somebody else"}'
  const more = { method: 'POST', headers: { 'x-shop': 'gift "card"' }, body }
  const { payment } = await call(shop, seller.stall.url, new AbortController().signal, more)
  const facts = Object.fromEntries((await question(shop.purse.bursar, payment!.payment_id)).facts)
  expect(facts['Asked by']).toBe(`${JSON.stringify(seller.stall.origin)} (for the first time)`)
  expect(facts.Buys).toBe(JSON.stringify(`POST ${seller.stall.url}`))
  expect(facts['Sends headers']).toContain('gift')
  expect(facts.Sends).toContain(JSON.stringify(body))
  await pass(chain, 16 * 60)
})
