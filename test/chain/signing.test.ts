import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chainOf, type Chain as Token } from '../../src/rails/usdc/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { OTHER, throwsUnknown, YES } from './faults.ts'
import { later, makeScene, type Scene, signed } from './scene.ts'
import { cancel, networkOf, relay, signedTransfer, stranger } from './transfers.ts'

const HOUR = 3_600

let chain: Chain
let proxy: NodeProxy
let token: Token
beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  token = chainOf({ network: networkOf(chain), nodes: [proxy.url] })
})
afterEach(() => proxy.mend())
afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

const balance = (address: string) => chain.balance(address as Address)

/** What the newest block is said to be when a payment is signed, and whether the network is one with real blocks. */
interface Said {
  number: number
  timestamp: number
  isReal: boolean
}

async function sceneWith(said: Said): Promise<Scene> {
  return makeScene(chain, {
    reads: (reads) => ({
      ...reads,
      get network() {
        return said.isReal ? { ...reads.network, id: 'eip155:84532' } : reads.network
      },
      async block(at) {
        const block = await reads.block(at)
        return { ...block, number: block.number + said.number, timestamp: block.timestamp + said.timestamp }
      },
    }),
  })
}

const honest = (): Said => ({ number: 0, timestamp: 0, isReal: false })

describe('security: what is signed while the time is in question', () => {
  it.each<[string, Partial<Said>, number]>([
    ['a newest block that is of an hour ago', { isReal: true, timestamp: -HOUR }, 0],
    ['a newest block that is of much later', { timestamp: 700 }, 0],
    ['a clock of bursar that is far ahead', { isReal: true }, 2 * HOUR],
  ])('is nothing with %s', async (_, wrong, seconds) => {
    const said = honest()
    const scene = await sceneWith(said)
    const shop = stranger().address
    Object.assign(said, wrong)
    later(seconds)
    const paid = await scene.pay(shop, '25.00')
    expect([paid.status, await signed(scene), (await scene.row(paid)).held]).toEqual(['in_doubt', [], 25n * UNIT])
    later(-seconds)
    Object.assign(said, honest())
    expect([(await scene.settle(paid)).status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
  })

  it.each<[string, Partial<Said>]>([
    ['real chain whose newest block is a little old', { isReal: true, timestamp: -HOUR / 2 }],
    ['development chain on which nothing happened for a day', { timestamp: -24 * HOUR }],
    ['chain that is a little ahead', { isReal: true, timestamp: 200 }],
  ])('is the payment on a %s', async (_, old) => {
    const said = honest()
    const scene = await sceneWith(said)
    Object.assign(said, old)
    const paid = await scene.pay(stranger().address, '25.00')
    expect([paid.status, (await signed(scene)).length]).toEqual(['captured', 1])
    Object.assign(said, honest())
  })
})

describe('security: a wrong head when it was signed', () => {
  it.each([200, 1_000_000])('that is %i blocks too high keeps no payment from being captured', async (number) => {
    const said = honest()
    const scene = await sceneWith(said)
    const shop = stranger().address
    Object.assign(said, { number })
    const paid = await scene.pay(shop, '25.00')
    Object.assign(said, honest())
    expect((await signed(scene))[0]?.fromBlock).toBeGreaterThan(Number(await chain.publicClient.getBlockNumber()))
    expect([paid.status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
  })

  it('that the chain has passed since: the use and the cancellation are seen all the same', async () => {
    const transfer = await signedTransfer(chain)
    const other = await signedTransfer(chain)
    const txHash = await relay(chain, transfer)
    await cancel(chain, other)
    await chain.mine(5)
    const fromBlock = Number(await chain.publicClient.getBlockNumber()) - 1
    const [used, canceled] = [
      { ...transfer, fromBlock },
      { ...other, fromBlock },
    ]
    for (const at of ['one_block', 'finalized'] as const) {
      expect(await token.look(used, at)).toMatchObject({ kind: 'moved', inclusion: { tx_hash: txHash } })
      expect(await token.look(canceled, at)).toMatchObject({ kind: 'not_moved' })
    }
    const head = await token.block('one_block')
    expect([...(await token.canceledAt([used, canceled], head))]).toEqual([canceled.paymentId])
  })

  it.each([
    ['for 50,000 blocks', (_: number) => 0x7fffffff, 25],
    ['for blocks of the hour before it', (block: number) => (block > 197_500 ? 0x7fffffff : 1), 2],
  ])('is looked for %s before it, and no further', async (_, timeOf, pieces) => {
    const transfer = await signedTransfer(chain, { fromBlock: 200_000, signedAt: 1_000_000_000_000 })
    const ranges: number[][] = []
    proxy.lie('eth_getBlockByNumber', ([asked]) => {
      const block = asked === 'latest' ? 200_010 : Number(asked)
      return { number: hex(block), hash: OTHER, timestamp: hex(timeOf(block)) }
    })
    proxy.lie('eth_call', () => YES)
    proxy.lie('eth_getLogs', ([filter]) => {
      const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string }
      ranges.push([Number(fromBlock), Number(toBlock)])
      return []
    })
    await throwsUnknown(() => token.look(transfer, 'one_block'))
    expect(ranges.slice(0, 2)).toEqual([
      [200_000, 200_010],
      [198_000, 199_999],
    ])
    expect(ranges).toHaveLength(1 + pieces)
    expect(ranges.at(-1)?.[0]).toBe(200_000 - pieces * 2_000)
  })
})

function hex(number: number): string {
  return `0x${number.toString(16)}`
}
