import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Transfer } from '../../src/core/types.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { counted, later, makeScene, ruleOf, type Scene, signed } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy
beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
})
afterEach(async () => {
  proxy.mend()
  await chain.automine()
})
afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

const balance = (address: string) => chain.balance(address as Address)
const onProxy = () => makeScene(chain, { nodes: [proxy.url], impatient: true })
const tries = (scene: Scene) => scene.recover().catch(() => undefined)

/** Every block is said to be of this much later. */
function ahead(seconds: number): void {
  proxy.lie('eth_getBlockByNumber', (_, honest) => {
    const block = honest as { timestamp: string }
    return { ...block, timestamp: `0x${(Number(block.timestamp) + seconds).toString(16)}` }
  })
}

describe('security: a node whose clock is far ahead', () => {
  it('voids nothing that may still move', async () => {
    const scene = await onProxy()
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    ahead(100_000)
    for (let times = 0; times < 2; times += 1) await tries(scene)
    expect([(await scene.get(paid)).status, (await scene.row(paid)).held]).toEqual(['in_doubt', 25n * UNIT])
    proxy.mend()
    await chain.automine()
    expect([(await scene.settle(paid)).status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
    expect(await counted(scene, 'payment.voided')).toBe(0)
  })

  it('gives nothing back that was captured and may move again', async () => {
    const scene = await onProxy()
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    expect((await scene.settle(paid)).status).toBe('captured')
    await chain.automine(false)
    await chain.reorg(1)
    await chain.mine(4)
    ahead(100_000)
    for (let times = 0; times < 2; times += 1) await tries(scene)
    expect([(await scene.get(paid)).status, await counted(scene, 'payment.refunded')]).toEqual(['captured', 0])
    proxy.mend()
    await chain.automine()
    await scene.recover()
    expect(await balance(shop)).toBe(25n * UNIT)
    // A fee that a reorganization took back stays counted.
    scene.except.add('fees')
  })

  it('voids to the second when the clock of bursar says so, too', async () => {
    const scene = await onProxy()
    await chain.automine(false)
    const paid = await scene.pay(stranger().address, '25.00')
    const [transfer] = (await signed(scene)) as [Transfer]
    await chain.dropPending()
    await chain.warp(100_000)
    await chain.mine(3)
    const left = () => transfer.validBefore - scene.purse.bursar.clock.now() / 1000
    later(left() - 5)
    await tries(scene)
    expect((await scene.get(paid)).status).toBe('in_doubt')
    later(left() + 0.001)
    await tries(scene)
    expect(ruleOf(await scene.get(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
  })
})

describe('security: a rail that declines what it has signed', () => {
  it('is not believed without a proof: the money is held, and paid once', async () => {
    let declines = true
    const nothing = { authorized: 0n, captured: 0n, refunded: 0n }
    const scene = await makeScene(chain, {
      rail: (rail) => ({
        ...rail,
        async pay(terms) {
          const record = await rail.pay({ ...terms, waitMs: 0 })
          return declines ? { ...nothing, railRef: 'none', state: 'declined', declineCode: 'transfer_refused' } : record
        },
      }),
    })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    await scene.recover()
    expect([(await scene.row(paid)).status, (await scene.row(paid)).held, (await signed(scene)).length]).toEqual([
      'authorized',
      25n * UNIT,
      1,
    ])
    declines = false
    await chain.automine()
    await chain.mine(3)
    expect((await scene.settle(paid)).status).toBe('captured')
    expect(await balance(shop)).toBe(25n * UNIT)
  })
})
