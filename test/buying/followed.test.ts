import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { followUp } from '../../src/actions/follow-up.ts'
import type { Store } from '../../src/ports.ts'
import { lastEvent } from '../chain/scene.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { openSeller } from './seller.ts'
import { makeShop } from './shop.ts'

let chain: Chain
let proxy: NodeProxy
beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
})
afterEach(() => proxy.mend())
afterAll(async () => {
  await proxy?.stop()
  await chain?.stop()
})

const forEver = new AbortController().signal

describe('a call that is followed', () => {
  it('ends when the chain shows the payment', async () => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const { payment } = await shop.fetch(stall.url)
    expect(payment?.status).toBe('authorized')
    await followUp(shop.purse.bursar, payment!.payment_id, forEver)
    expect((await shop.get(payment!)).status).toBe('captured')
  })

  it('looks again for what the seller settles after it answered', async () => {
    const shop = await makeShop(chain)
    const { stall } = await openSeller(chain, { paid: (other, { response }) => other.deliver(response, '') })
    const { payment } = await shop.fetch(stall.url)
    const following = followUp(shop.purse.bursar, payment!.payment_id, forEver)
    await expect.poll(async () => (await shop.get(payment!)).status).toBe('in_doubt')
    expect(await lastEvent(shop, 'payment.in_doubt')).toEqual({ reason: 'unconfirmed' })
    await stall.settle()
    await following
    expect((await shop.get(payment!)).status).toBe('captured')
  })

  it('is followed past a store that cannot be written', async () => {
    let broken = 0
    const full = async () => {
      broken += 1
      throw new Error('The disk is full.')
    }
    const isFull: { now?: true } = {}
    const store = (inner: Store): Store => ({
      ...inner,
      update: (key, change) => (isFull.now ? full() : inner.update(key, change)),
    })
    const [shop, { stall }] = [await makeShop(chain, { store }), await openSeller(chain)]
    const { payment } = await shop.fetch(stall.url)
    isFull.now = true
    const following = followUp(shop.purse.bursar, payment!.payment_id, forEver)
    await expect.poll(() => broken).toBe(1)
    delete isFull.now
    await following
    expect((await shop.get(payment!)).status).toBe('captured')
  })

  it('ends with the connection, and looks no more', async () => {
    const shop = await makeShop(chain)
    const { stall } = await openSeller(chain, { paid: (other, { response }) => other.deliver(response, '') })
    const { payment } = await shop.fetch(stall.url)
    await followUp(shop.purse.bursar, payment!.payment_id, AbortSignal.abort())
    expect((await shop.get(payment!)).status).toBe('authorized')
    await stall.settle()
  })

  it('is followed past a node that is away', async () => {
    const [shop, { stall }] = [await makeShop(chain, { nodes: [proxy.url] }), await openSeller(chain)]
    const { payment } = await shop.fetch(stall.url)
    proxy.down()
    const following = followUp(shop.purse.bursar, payment!.payment_id, forEver)
    await expect.poll(async () => (await shop.get(payment!)).status).toBe('in_doubt')
    proxy.mend()
    await following
    expect((await shop.get(payment!)).status).toBe('captured')
  })
})
