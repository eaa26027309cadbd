import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freezeWallet, unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { recover } from '../../src/actions/recover.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { broadcasts, makeScene, pass, ruleOf, type Scene, type SceneOptions } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy
beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
})
beforeEach(() => {
  proxy.mend()
  proxy.calls.clear()
})
afterEach(() => chain.automine())
afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

const balance = (address: string) => chain.balance(address as Address)
const behindProxy = (options: SceneOptions = {}) => makeScene(chain, { nodes: [proxy.url], ...options })
const nonces = async (scene: Scene) => (await broadcasts(scene)).map(({ relayerNonce }) => relayerNonce)
const owner = ({ purse }: Scene) => ({ ownerId: purse.authority.ownerId, channel: 'test' })
const freeze = (scene: Scene) => freezeWallet(scene.purse.bursar, owner(scene), scene.purse.wallet.id)
const unfreeze = (scene: Scene) =>
  unfreezeWallet(scene.purse.bursar, scene.purse.authority, scene.purse.wallet.id).then(() => undefined)
const count = ({ purse }: Scene) =>
  chain.publicClient.getTransactionCount({ address: purse.relayerAddress as Address, blockTag: 'latest' })

/** While `act` runs, the node counts so many transactions. */
async function counting<T>(transactions: number, act: () => Promise<T>): Promise<T> {
  proxy.lie('eth_getTransactionCount', () => `0x${transactions.toString(16)}`)
  const result = await act()
  proxy.mend()
  return result
}

describe('security: a node that once counts transactions that there are not', () => {
  it.each([1_001, 1_000_000])('%i of them, after some were sent: nothing is sent, and then all goes on', async (n) => {
    const scene = await behindProxy({ impatient: true })
    const first = await scene.pay(stranger().address, '1.00')
    expect((await scene.settle(first)).status).toBe('captured')
    const shop = stranger().address
    const view = await counting(n, async () => {
      const waiting = await scene.pay(shop, '1.00')
      await recover(scene.purse.bursar)
      return waiting
    })
    expect([view.status, await nonces(scene)]).toEqual(['in_doubt', [0]])
    expect((await scene.settle(view)).status).toBe('captured')
    expect((await scene.settle(await scene.pay(shop, '1.00'))).status).toBe('captured')
    expect([await nonces(scene), await balance(shop)]).toEqual([[0, 1, 2], 2n * UNIT])
  })

  it('before anything was sent: that payment is void on proof, and all others go on', async () => {
    const scene = await behindProxy({ impatient: true })
    const [lost, shop] = [stranger().address, stranger().address]
    const view = await counting(1_000_000, () => scene.pay(lost, '1.00'))
    for (let times = 0; times < 2; times += 1)
      expect((await scene.settle(await scene.pay(shop, '1.00'))).status).toBe('captured')
    expect([await nonces(scene), await balance(shop)]).toEqual([[0, 1, 1_000_000], 2n * UNIT])
    await pass(chain, 301)
    expect(ruleOf(await scene.settle(view))).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
    // What is held for its fee stays so until the count is that far.
    scene.except.add('fees')
  })

  it('a few more than there are: what is missing is used up empty, and the payment arrives', async () => {
    const scene = await behindProxy({ impatient: true })
    const shop = stranger().address
    await scene.settle(await scene.pay(shop, '1.00'))
    const view = await counting(3, () => scene.pay(shop, '1.00'))
    expect(await nonces(scene)).toEqual([0, 3])
    expect((await scene.settle(view)).status).toBe('captured')
    expect((await broadcasts(scene)).map((row) => [row.relayerNonce, row.paymentId === null])).toEqual([
      ...[[0, false] as const, [1, true] as const, [2, true] as const, [3, false] as const],
    ])
    expect((await scene.settle(await scene.pay(shop, '1.00'))).status).toBe('captured')
    expect([await nonces(scene), await balance(shop)]).toEqual([[0, 1, 2, 3, 4], 3n * UNIT])
  })

  it('fewer than there are, when all is final: the same bytes go out, and nothing new is signed', async () => {
    const scene = await behindProxy({ impatient: true })
    await scene.settle(await scene.pay(stranger().address, '1.00'))
    await chain.mine(3)
    await scene.recover()
    await pass(chain, 400)
    const before = proxy.calls.get('eth_sendRawTransaction') ?? 0
    await counting(0, () => scene.recover())
    expect(proxy.calls.get('eth_sendRawTransaction')).toBeGreaterThan(before)
    expect(await nonces(scene)).toEqual([0])
  })
})

describe('security: a transaction whose fee was counted, and that the chain took back', () => {
  it('past its time: its nonce is used up empty though nothing else waits, and payments go on', async () => {
    const scene = await behindProxy()
    const [shop, next] = [stranger().address, stranger().address]
    await scene.pay(shop, '25.00')
    await scene.recover()
    expect((await broadcasts(scene)).map(({ fee }) => fee !== null)).toEqual([true])
    await chain.reorg(1)
    await pass(chain, 301)
    await scene.recover()
    await scene.recover()
    expect(
      (await broadcasts(scene)).map((row) => [row.relayerNonce, row.paymentId === null, row.fee !== null]),
    ).toEqual([...[[0, false, true] as const, [0, true, true] as const]])
    expect([await count(scene), await balance(shop)]).toEqual([1, 0n])
    expect((await scene.pay(next, '1.00')).status).toBe('captured')
    scene.except.add('fees')
  })

  it('past its time: the next payment gets through by itself', async () => {
    const scene = await behindProxy()
    const [shop, next] = [stranger().address, stranger().address]
    await scene.pay(shop, '25.00')
    await scene.recover()
    await chain.reorg(1)
    await pass(chain, 301)
    expect((await scene.pay(next, '1.00')).status).toBe('captured')
    expect([await nonces(scene), await balance(shop), await balance(next)]).toEqual([[0, 0, 1], 0n, UNIT])
    scene.except.add('fees')
  })

  it('in its time, but stopped before it was captured: it is not sent again, and its nonce is used up empty', async () => {
    const scene = await behindProxy({ impatient: true, confirmations: [{ up_to: null, at: 'safe' }] })
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    await scene.recover()
    expect([(await scene.get(paid)).status, (await broadcasts(scene))[0]?.fee !== null]).toEqual(['in_doubt', true])
    await freeze(scene)
    await chain.reorg(1)
    await scene.recover()
    const [first, empty, ...more] = await broadcasts(scene)
    expect([empty?.relayerNonce, empty?.paymentId, more]).toEqual([first?.relayerNonce, null, []])
    expect([await count(scene), await balance(shop)]).toEqual([1, 0n])
    await pass(chain, 301)
    expect((await scene.settle(paid)).status).toBe('voided')
    await unfreeze(scene)
    scene.except.add('fees')
  })

  it('only seemed to be gone: nothing takes its place', async () => {
    const scene = await behindProxy({ impatient: true, confirmations: [{ up_to: null, at: 'safe' }] })
    const paid = await scene.pay(stranger().address, '25.00')
    await scene.recover()
    expect([(await scene.get(paid)).status, (await broadcasts(scene))[0]?.fee !== null]).toEqual(['in_doubt', true])
    await freeze(scene)
    // Read just before the transaction was taken; and then once more.
    let asked = 0
    proxy.lie('eth_getTransactionCount', (_, honest) => (asked++ % 2 === 0 ? '0x0' : honest))
    await scene.recover()
    expect(asked).toBeGreaterThan(0)
    proxy.mend()
    expect(await broadcasts(scene)).toHaveLength(1)
    await unfreeze(scene)
  })

  it('costs one question when nothing happened, and none before anything was sent', async () => {
    const scene = await behindProxy()
    await scene.recover()
    expect(proxy.calls.get('eth_getTransactionCount')).toBe(undefined)
    await scene.pay(stranger().address, '1.00')
    await scene.recover()
    const asked = () => ['eth_getTransactionCount', 'eth_maxPriorityFeePerGas'].map((one) => proxy.calls.get(one) ?? 0)
    const [counts = 0, tips = 0] = asked()
    await scene.recover()
    expect(asked()).toEqual([counts + 1, tips])
  })
})
