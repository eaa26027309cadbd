import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chainOf } from '../../src/rails/usdc/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { networkOf } from './transfers.ts'

const GWEI = 1_000_000_000n

let chain: Chain
let proxy: NodeProxy
beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
})
beforeEach(() => proxy.mend())
afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

async function baseFee(wei: bigint): Promise<void> {
  await chain.setNextBaseFee(wei)
  await chain.mine()
}

function tip(wei: bigint): void {
  proxy.lie('eth_maxPriorityFeePerGas', () => `0x${wei.toString(16)}`)
}

describe('security: fees', () => {
  it('of nodes that are far apart are not offered; of others the highest', async () => {
    const both = chainOf({ network: networkOf(chain), nodes: [chain.url, proxy.url] })
    await baseFee(GWEI)
    tip(5n * GWEI)
    expect(await both.fees()).toEqual({ maxFeePerGas: 7n * GWEI, maxPriorityFeePerGas: 5n * GWEI })
    tip(6n * GWEI)
    await expect(both.fees()).rejects.toThrow('The nodes disagree.')
    proxy.mend()
    for (const baseFeePerGas of ['0x174876e800', '0x0']) {
      proxy.lie('eth_getBlockByNumber', (_, block) => ({ ...(block as object), baseFeePerGas }))
      tip(0n)
      await expect(both.fees()).rejects.toThrow('The nodes disagree.')
    }
  })

  it('of nodes whose tips are nothing beside the base fee are not far apart', async () => {
    const both = chainOf({ network: networkOf(chain), nodes: [chain.url, proxy.url] })
    await baseFee(100n * GWEI)
    tip(0n)
    expect(await both.fees()).toEqual({ maxFeePerGas: 201n * GWEI, maxPriorityFeePerGas: GWEI })
  })

  it('of a single node hold no tip beyond twice the base fee and what the network is good for', async () => {
    const network = { ...networkOf(chain), dailyFees: GWEI / 100n }
    const one = chainOf({ network, nodes: [proxy.url] })
    await baseFee(7n * GWEI)
    tip(1_000_000n * GWEI)
    expect(await one.fees()).toEqual({ maxFeePerGas: 28n * GWEI, maxPriorityFeePerGas: 14n * GWEI })
    await baseFee(GWEI / 1000n)
    expect((await one.fees()).maxPriorityFeePerGas / (GWEI / 10n)).toBe(30n)
  })

  it('are asked for all at once', async () => {
    const one = chainOf({ network: networkOf(chain), nodes: [proxy.url] })
    let asked = 0
    let release = (): void => undefined
    const all = new Promise<void>((resolve) => {
      release = resolve
    })
    const wait = async (_: unknown, honest: unknown) => {
      asked += 1
      if (asked === 2) release()
      await all
      return honest
    }
    proxy.lie('eth_getBlockByNumber', wait)
    proxy.lie('eth_maxPriorityFeePerGas', wait)
    expect((await one.fees()).maxPriorityFeePerGas).toBeGreaterThan(0n)
  })
})
