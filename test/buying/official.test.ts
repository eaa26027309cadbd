import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Facilitator, startFacilitator } from '../sellers/facilitator.ts'
import { GOODS } from '../sellers/goods.ts'
import { type OfficialSeller, startExpressSeller, startHonoSeller } from '../sellers/official.ts'
import { fundedKey } from '../sellers/sender.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { makeShop } from './shop.ts'

let chain: Chain
let facilitator: Facilitator
let express: OfficialSeller
let hono: OfficialSeller
beforeAll(async () => {
  chain = await startChain()
  facilitator = await startFacilitator(chain, await fundedKey(chain))
  express = await startExpressSeller({ chain, facilitator })
  hono = await startHonoSeller({ chain, facilitator })
})
afterAll(async () => {
  await express?.close()
  await hono?.close()
  await chain?.stop()
})

describe('an honest seller by the official packages', () => {
  it.each([['express'], ['hono']])('%s is paid once, by what it asked for, and delivers', async (kind) => {
    const seller = kind === 'express' ? express : hono
    const shop = await makeShop(chain)
    const view = await shop.fetch(`${seller.url}/report`)
    expect(view.answer).toMatchObject({ status: 200, content_type: expect.stringContaining('application/json') })
    expect(view.answer?.body).toContain(GOODS)
    expect(view.payment).toMatchObject({ amount: '0.010000', payee: { origin: seller.url, address: seller.payTo } })
    const settled = await shop.settle(view.payment!)
    expect(settled).toMatchObject({ status: 'captured', resource: { delivered: true, http_status: 200 } })
    expect(await chain.balance(seller.payTo)).toBe(10_000n)
  })
})
