import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { fails } from './faults.ts'
import { broadcasts, makeScene } from './scene.ts'
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

describe('security: the only node', () => {
  const alone = () => ({ nodes: [proxy.url] })

  it.each([1, 2])('that takes a transaction and does not say so (%i times): it is paid once', async (times) => {
    const scene = await makeScene(chain, alone())
    const shop = stranger().address
    proxy.dropReply('eth_sendRawTransaction', times)
    const paid = await scene.pay(shop, '25.00')
    expect(['captured', 'in_doubt']).toContain(paid.status)
    expect((await scene.settle(paid)).status).toBe('captured')
    expect([await balance(shop), (await broadcasts(scene)).length]).toEqual([25n * UNIT, 1])
  })

  it.each(['already known', 'nonce too low', 'insufficient funds', 'rate limited', 'anything'])(
    'that takes a transaction and says %j: what the chain shows counts',
    async (words) => {
      const scene = await makeScene(chain, alone())
      const shop = stranger().address
      proxy.lie('eth_sendRawTransaction', fails(words))
      const paid = await scene.pay(shop, '25.00')
      expect([paid.status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
    },
  )

  it('that hangs holds the call up for about ten seconds, not for ever', async () => {
    const scene = await makeScene(chain, alone())
    const shop = stranger().address
    proxy.hang('eth_sendRawTransaction')
    const began = performance.now()
    const paid = await scene.pay(shop, '25.00')
    expect(performance.now() - began).toBeLessThan(14_000)
    expect([paid.status, (await scene.row(paid)).held]).toEqual(['in_doubt', 25n * UNIT])
    proxy.mend()
    expect((await scene.settle(paid)).status).toBe('captured')
    expect(await balance(shop)).toBe(25n * UNIT)
  })

  it('that fails now and then while it is waited for: the call waits on', async () => {
    const scene = await makeScene(chain, alone())
    await chain.automine(false)
    const paying = scene.pay(stranger().address, '25.00')
    await expect.poll(async () => (await broadcasts(scene)).length).toBe(1)
    for (let times = 0; times < 6; times += 1) proxy.failOnce('eth_getLogs')
    await chain.automine()
    await chain.mine()
    expect((await paying).status).toBe('captured')
  })

  it('that is away is not asked for ever: other purses of the process are not held up', async () => {
    const [scene, other] = [await makeScene(chain, alone()), await makeScene(chain)]
    proxy.down()
    const paid = await scene.pay(stranger().address, '25.00')
    expect(paid.status).toBe('in_doubt')
    expect((await other.pay(stranger().address, '25.00')).status).toBe('captured')
    proxy.down(false)
    expect((await scene.settle(paid)).status).toBe('captured')
  })
})
