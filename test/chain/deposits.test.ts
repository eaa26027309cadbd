import { type Address, encodeFunctionData, type Hex, parseAbi, zeroAddress } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chainOf, type Chain as Reader } from '../../src/rails/usdc/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import * as Faults from './faults.ts'
import { isFoundOut, OTHER, says, YES } from './faults.ts'
import { contractWith, mined, networkOf, relay, signedTransfer, stranger } from './transfers.ts'

const MINT = parseAbi(['function mint(address to, uint256 value)'])
/** An account of the node's own that sends nothing else. */
const SOMEONE: Address = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const FAST = '0x174876e800'
const CALL_BYTES = 68

let chain: Chain
let proxy: NodeProxy
let reader: Reader
let thrice: Address

beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  reader = chainOf({ network: networkOf(chain), nodes: [proxy.url] })
  // Calls the token three times, each with the next 68 bytes of what it is called with: CALLDATACOPY, CALL, POP.
  const call = (at: number) => {
    const offset = (at * CALL_BYTES).toString(16).padStart(4, '0')
    return `604461${offset}6000376000600060446000600073${chain.token.slice(2)}5af150`
  }
  thrice = await contractWith(chain, `0x${call(0)}${call(1)}${call(2)}00`)
})

afterEach(() => proxy.mend())

afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

const minting = (to: Address, units: bigint) =>
  encodeFunctionData({ abi: MINT, functionName: 'mint', args: [to, units] })
const all = (...calls: Hex[]): Hex => `0x${calls.map((call) => call.slice(2)).join('')}`
const newest = () => reader.block('one_block')

async function seen(address: Address, from = 0) {
  return reader.deposits(address, from, await newest())
}

describe('deposits', () => {
  it('are what came in after one block, up to another, from wherever', async () => {
    const transfer = await signedTransfer(chain)
    const payer = transfer.from as Address
    const payee = transfer.to as Address
    const [minted] = await seen(payer)
    expect(minted).toMatchObject({ position: 0, amount: 100n, from: zeroAddress })
    const txHash = await relay(chain, transfer)
    const { number } = await newest()
    expect(await seen(payee)).toEqual([{ txHash, position: 1, amount: 25n, from: payer, block: number }])
    expect(await seen(payer)).toEqual([minted])
    expect(await seen(payer, minted?.block)).toEqual([])
    expect(await seen(payer, (minted?.block ?? 0) - 1)).toEqual([minted])
    await chain.mint(payer, 7n)
    expect(await seen(payer, number)).toMatchObject([{ amount: 7n, block: number + 1 }])
    expect(await seen(payer, number + 50)).toEqual([])
  })

  it('end with the block that is asked for', async () => {
    const { address } = stranger()
    await chain.mint(address, 1n)
    const end = await newest()
    await chain.mint(address, 2n)
    expect(await reader.deposits(address, 0, end)).toMatchObject([{ amount: 1n }])
  })

  it('of one transaction are told apart, and stay so when it gets into another block', async () => {
    const { address } = stranger()
    const other = stranger().address
    const before = (await newest()).number
    const hash = await mined(chain, all(minting(address, 5n), minting(other, 6n), minting(address, 5n)), thrice)
    const raw = await chain.rpc<Hex>('eth_getRawTransactionByHash', [hash])
    const first = await seen(address)
    expect(first).toMatchObject([
      { txHash: hash, position: 0, amount: 5n },
      { txHash: hash, position: 2, amount: 5n },
    ])

    await chain.reorg(1)
    expect(await seen(address)).toEqual([])
    await chain.mine(2)
    await chain.automine(false)
    const early = { from: SOMEONE, to: chain.token, data: minting(address, 9n) }
    await chain.rpc('eth_sendTransaction', [{ ...early, maxFeePerGas: FAST, maxPriorityFeePerGas: FAST }])
    await chain.rpc('eth_sendRawTransaction', [raw])
    await chain.mine()
    await chain.automine()
    const [nine, ...again] = await seen(address)
    expect(nine).toMatchObject({ position: 0, amount: 9n })
    expect(again).toEqual(first.map((deposit) => ({ ...deposit, block: before + 4 })))
    const { logs } = await chain.publicClient.getTransactionReceipt({ hash })
    expect(logs[0]?.logIndex).toBe(1)
  })

  it('security: are none of nothing, nor of what failed, nor of what the token did not write', async () => {
    const { address } = stranger()
    await chain.mint(address, 0n)
    const failing = await signedTransfer(chain, { to: address, value: 101n })
    await relay(chain, failing)
    expect(await seen(address)).toEqual([])
  })

  it.each<[string, string, Parameters<NodeProxy['lie']>[1]]>([
    ['the receipt is not there', 'eth_getTransactionReceipt', says(null)],
    ['the receipt says that it failed', 'eth_getTransactionReceipt', Faults.receipt({ status: '0x0' })],
    ['the receipt is of another block', 'eth_getTransactionReceipt', Faults.receipt({ blockHash: OTHER })],
    ['the receipt has no logs', 'eth_getTransactionReceipt', Faults.receipt({ logs: [] })],
    ['the receipt has another amount', 'eth_getTransactionReceipt', Faults.receiptLog(0, () => ({ data: YES }))],
    ['the log is of another payee', 'eth_getLogs', Faults.logs(Faults.otherTopic(2))],
    ['the log is of another token', 'eth_getLogs', Faults.logs(() => ({ address: SOMEONE }))],
    ['the log is of another block', 'eth_getLogs', Faults.logs(() => ({ blockHash: OTHER }))],
    ['the amount is none', 'eth_getLogs', Faults.logs(() => ({ data: '0x' }))],
  ])('security: are unknown when %s', async (_, method, lie) => {
    const { address } = stranger()
    await chain.mint(address, 5n)
    await isFoundOut(proxy, method, lie, () => seen(address))
  })

  it.each(['fromBlock', 'toBlock'] as const)(
    'security: are unknown when the logs were asked for without %s',
    async (part) => {
      const { address } = stranger()
      for (const units of [1n, 2n, 3n]) await chain.mint(address, units)
      const { number } = await newest()
      const { hash } = await chain.publicClient.getBlock({ blockNumber: BigInt(number - 1) })
      const middle = () => reader.deposits(address, number - 2, { number: number - 1, hash })
      expect(await middle()).toMatchObject([{ amount: 2n }])
      await isFoundOut(proxy, 'eth_getLogs', Faults.without(chain, part), middle)
    },
  )

  it('security: are unknown when their block is not in the chain', async () => {
    const { address } = stranger()
    await chain.mint(address, 5n)
    const { number } = await newest()
    await chain.mine()
    const lie = Faults.block(number, { hash: OTHER })
    await isFoundOut(proxy, 'eth_getBlockByNumber', lie, () => seen(address))
  })

  it('security: are unknown when the logs were asked for without topics', async () => {
    const { address } = stranger()
    const calls = all(minting(address, 5n), minting(stranger().address, 6n), minting(address, 7n))
    await mined(chain, calls, thrice)
    await isFoundOut(proxy, 'eth_getLogs', Faults.without(chain, 'topics'), () => seen(address))
  })

  it('are asked for in pieces of 2,000 blocks', async () => {
    const { address } = stranger()
    await chain.mint(address, 5n)
    const ranges: number[][] = []
    proxy.lie('eth_getLogs', ([filter], honest) => {
      const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string }
      ranges.push([Number(fromBlock), Number(toBlock)])
      return honest ?? []
    })
    // Blocks that nobody mined are enough to ask for.
    proxy.lie('eth_getBlockByNumber', Faults.block(4_500, { number: '0x1194', hash: OTHER, timestamp: '0x1' }))
    expect(await reader.deposits(address, 0, { number: 4_500, hash: OTHER })).toMatchObject([{ amount: 5n }])
    expect(ranges).toEqual([
      [1, 2_000],
      [2_001, 4_000],
      [4_001, 4_500],
    ])
  })
})
