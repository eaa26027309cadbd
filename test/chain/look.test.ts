import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chainOf, type Look, type Chain as Token } from '../../src/rails/usdc/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { block } from './faults.ts'
import { cancel, networkOf, nextBlockAt, relay, type Signed, signedTransfer } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy
let token: Token

beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  token = chainOf({ network: networkOf(chain), nodes: [proxy.url] })
})

afterEach(() => {
  proxy.mend()
  proxy.calls.clear()
})

afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

/** Blocks until one of this second is `finalized`, which is two blocks behind the latest. */
async function finalizeAt(second: number): Promise<void> {
  await nextBlockAt(chain, second)
  await chain.mine(3)
}

const notMoved = { kind: 'not_moved', unused: null }

describe('a transfer that moved', () => {
  it('is seen where it is, as soon as the chain stands behind it as far as asked', async () => {
    const transfer = await signedTransfer(chain)
    const txHash = await relay(chain, transfer)
    const receipt = await chain.publicClient.getTransactionReceipt({ hash: txHash })
    const inclusion = { tx_hash: txHash, block: Number(receipt.blockNumber), block_hash: receipt.blockHash }
    const moved: Look = { kind: 'moved', inclusion }

    expect(await token.look(transfer, 'one_block')).toEqual(moved)
    expect(await token.look(transfer, 'safe')).toMatchObject({ ...notMoved, block: { number: inclusion.block - 1 } })
    await chain.mine()
    expect(await token.look(transfer, 'safe')).toEqual(moved)
    expect(await token.look(transfer, 'finalized')).toMatchObject({
      ...{ ...notMoved, block: { number: inclusion.block - 1 } },
    })
    await chain.mine()
    expect(await token.look(transfer, 'finalized')).toEqual(moved)
  })

  it('is still seen after its time is over', async () => {
    const transfer = await signedTransfer(chain)
    await relay(chain, transfer)
    await finalizeAt(transfer.validBefore)
    for (const at of ['one_block', 'safe', 'finalized'] as const)
      expect(await token.look(transfer, at)).toMatchObject({ kind: 'moved' })
  })

  it('is not any more when a reorganization took it back, and is again when it was sent again', async () => {
    const transfer = await signedTransfer(chain)
    await relay(chain, transfer)
    const before = await token.look(transfer, 'one_block')
    await chain.reorg(1)
    expect(await token.look(transfer, 'one_block')).toMatchObject(notMoved)
    await relay(chain, transfer)
    const after = await token.look(transfer, 'one_block')
    expect(after).toMatchObject({ kind: 'moved' })
    expect(after).not.toEqual(before)
  })

  it('security: is of this asset and of no other', async () => {
    const transfer = await signedTransfer(chain)
    await expect(token.look({ ...transfer, asset: 'eip155:1/erc20:0x0' }, 'one_block')).rejects.toThrow(RangeError)
  })
})

describe('a transfer that did not move', () => {
  it('says up to which block', async () => {
    const transfer = await signedTransfer(chain)
    await chain.mine(4)
    const { number, hash, timestamp } = await chain.publicClient.getBlock()
    const block = { number: Number(number), hash, timestamp: Number(timestamp) }
    expect(await token.look(transfer, 'one_block')).toEqual({ ...notMoved, block })
    expect(await token.look(transfer, 'finalized')).toMatchObject({ block: { number: block.number - 2 } })
  })

  it('security: never will only when a finalized block is as late as validBefore', async () => {
    const transfer = await signedTransfer(chain)
    await nextBlockAt(chain, transfer.validBefore - 1)
    await chain.mine()
    await nextBlockAt(chain, transfer.validBefore)
    await chain.mine(2)
    // The newest blocks are past it; the finalized one is of the last second that still takes it.
    expect(await token.look(transfer, 'one_block')).toMatchObject(notMoved)
    expect(await token.look(transfer, 'safe')).toMatchObject(notMoved)
    expect(await token.look(transfer, 'finalized')).toMatchObject(notMoved)
    await chain.mine()
    const { number, hash, timestamp } = await chain.publicClient.getBlock({ blockTag: 'finalized' })
    expect(Number(timestamp)).toBe(transfer.validBefore)
    const unused = { block: Number(number), block_hash: hash, timestamp: transfer.validBefore }
    for (const at of ['one_block', 'safe', 'finalized'] as const)
      expect(await token.look(transfer, at)).toMatchObject({ kind: 'not_moved', unused })
  })

  it('security: has no proof when the authorization is taken as of the newest block', async () => {
    const transfer = await signedTransfer(chain)
    await finalizeAt(transfer.validBefore)
    let asked = 0
    proxy.lie('eth_call', (_, honest) => {
      asked += 1
      return asked === 1 ? honest : `0x${'1'.padStart(64, '0')}`
    })
    expect(await token.look(transfer, 'one_block')).toMatchObject(notMoved)
    expect(asked).toBe(2)
  })

  it('security: has no proof for blocks in which nobody looked for it', async () => {
    const transfer = await signedTransfer(chain)
    await finalizeAt(transfer.validBefore)
    const latest = Number(await chain.publicClient.getBlockNumber())
    proxy.lie('eth_getBlockByNumber', block('safe', { number: `0x${(latest - 3).toString(16)}` }))
    expect(await token.look(transfer, 'safe')).toMatchObject({ ...notMoved, block: { number: latest - 3 } })
  })

  it('is none of what was refused for lack of money', async () => {
    const transfer = await signedTransfer(chain, { value: 101n })
    await relay(chain, transfer)
    expect(await token.look(transfer, 'one_block')).toMatchObject(notMoved)
  })
})

describe('a canceled transfer', () => {
  it('never moves, which is proven as late as for any other', async () => {
    const transfer = await signedTransfer(chain)
    await cancel(chain, transfer)
    await relay(chain, transfer)
    expect(await token.look(transfer, 'one_block')).toMatchObject(notMoved)
    await finalizeAt(transfer.validBefore)
    expect(await token.look(transfer, 'one_block')).toMatchObject({
      ...{ kind: 'not_moved', unused: { timestamp: transfer.validBefore } },
    })
  })

  it('may be canceled when its time is over', async () => {
    const transfer = await signedTransfer(chain)
    await finalizeAt(transfer.validBefore)
    await cancel(chain, transfer)
    expect(await token.look(transfer, 'one_block')).toMatchObject(notMoved)
    await chain.mine(2)
    const unused = { timestamp: expect.any(Number) }
    for (const at of ['one_block', 'finalized'] as const)
      expect(await token.look(transfer, at)).toMatchObject({ kind: 'not_moved', unused })
  })
})

describe('over thousands of blocks', () => {
  const ranges: [from: number, to: number][] = []
  let late: Signed
  let early: Signed
  let canceled: Signed

  beforeAll(async () => {
    early = await signedTransfer(chain)
    canceled = await signedTransfer(chain)
    late = await signedTransfer(chain, { validBefore: (await chain.now()) + 1_000_000 })
    await relay(chain, early)
    await nextBlockAt(chain, early.validBefore)
    for (let hundreds = 0; hundreds < 21; hundreds += 1) await chain.mine(100)
    await relay(chain, late)
    await cancel(chain, canceled)
    await chain.mine(2)
  }, 180_000)

  function watch(): void {
    ranges.length = 0
    proxy.lie('eth_getLogs', ([filter], honest) => {
      const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string }
      ranges.push([Number(fromBlock), Number(toBlock)])
      return honest
    })
  }

  it('asks for at most 2,000 of them at once, and for all', async () => {
    watch()
    expect(await token.look(late, 'finalized')).toMatchObject({ kind: 'moved' })
    const { number } = await token.block('finalized')
    expect(ranges).toEqual([
      [late.fromBlock, late.fromBlock + 1_999],
      [late.fromBlock + 2_000, number],
    ])
  })

  it('asks no further than the authorization goes', async () => {
    watch()
    expect(await token.look(early, 'finalized')).toMatchObject({ kind: 'moved' })
    expect(ranges).toHaveLength(1)
  })

  it('asks as far as the authorization goes', async () => {
    await finalizeAt(late.validBefore)
    expect(await token.look(late, 'finalized')).toMatchObject({ kind: 'moved' })
  })

  it('finds a cancellation long after that', async () => {
    const unused = { timestamp: expect.any(Number) }
    expect(await token.look(canceled, 'finalized')).toMatchObject({ kind: 'not_moved', unused })
    expect(await token.look(canceled, 'one_block')).toMatchObject({ kind: 'not_moved', unused })
  })
})
