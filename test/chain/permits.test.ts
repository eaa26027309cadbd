import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { giveUp } from '../sellers/upto.ts'
import type { Chain } from '../support/chain.ts'
import { AT, type Desk, finalizeAt, inOneBlock, movedBy, NOT_MOVED, openDesk } from './permits.ts'
import { nextBlockAt, stranger } from './transfers.ts'

let desk: Desk
let chain: Chain
beforeAll(async () => {
  desk = await openDesk()
  chain = desk.chain
})
afterEach(() => desk.proxy.mend())
afterAll(() => desk?.end())

describe('a permit', () => {
  it.each([1n, 24n, 25n])(
    'of which %i was taken is seen where it is, as soon as the chain stands behind it',
    async (units) => {
      const transfer = await desk.permit()
      const txHash = await desk.take(transfer, units)
      const receipt = await chain.publicClient.getTransactionReceipt({ hash: txHash })
      const place = { tx_hash: txHash, block: Number(receipt.blockNumber), block_hash: receipt.blockHash }
      const moved = { kind: 'moved', inclusion: { ...place, value: `${units}` } }
      expect(await desk.token.look(transfer, 'one_block')).toEqual(moved)
      expect(await desk.token.look(transfer, 'finalized')).toMatchObject(NOT_MOVED)
      await chain.mine(2)
      for (const at of AT) expect(await desk.token.look(transfer, at)).toEqual(moved)
      await finalizeAt(chain, transfer.validBefore)
      for (const at of AT) expect(await desk.token.look(transfer, at)).toEqual(moved)
    },
  )

  it('is seen by its call alone: the states of earlier blocks are not asked for', async () => {
    const [transfer, other] = await desk.two()
    await desk.take(transfer, 7n)
    await desk.take(other, 8n)
    await chain.mine(3)
    const newest = (await desk.token.block('one_block')).hash
    desk.proxy.lie('eth_call', ([, at], honest) => {
      if ((at as { blockHash: string }).blockHash !== newest) throw new Error('That state is gone.')
      return honest
    })
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject(movedBy(7n))
    expect(await desk.token.look(other, 'one_block')).toMatchObject(movedBy(8n))
  })

  it('is one of several of the same payer and payee, also in one block', async () => {
    const [one, other] = await desk.two()
    await inOneBlock(
      chain,
      () => desk.take(one, 3n),
      () => desk.take(other, 3n),
      () => mined0(one.to),
    )
    for (const transfer of [one, other]) expect(await desk.token.look(transfer, 'one_block')).toMatchObject(movedBy(3n))
    const hashes = await Promise.all([one, other].map((transfer) => desk.token.look(transfer, 'one_block')))
    expect(new Set(hashes.map((look) => (look.kind === 'moved' ? look.inclusion.tx_hash : null))).size).toBe(2)
  })

  it('is good in the second of its deadline, and not in the next', async () => {
    const [inTime, late] = await desk.two()
    await inOneBlock(
      chain,
      () => nextBlockAt(chain, inTime.validBefore - 1),
      () => desk.take(inTime, 4n),
    )
    await inOneBlock(
      chain,
      () => nextBlockAt(chain, late.validBefore),
      () => desk.take(late, 5n),
    )
    expect(await desk.token.look(inTime, 'one_block')).toMatchObject(movedBy(4n))
    expect(await desk.token.look(late, 'one_block')).toMatchObject(NOT_MOVED)
    expect(await chain.balance(late.to as Address)).toBe(4n)
  })

  it('security: never will only when a finalized block is after the second of its deadline', async () => {
    const transfer = await desk.permit()
    await nextBlockAt(chain, transfer.validBefore - 1)
    await chain.mine()
    await nextBlockAt(chain, transfer.validBefore)
    await chain.mine(2)
    // The finalized block is of the last second that still takes it.
    for (const at of AT) expect(await desk.token.look(transfer, at)).toMatchObject(NOT_MOVED)
    await chain.mine()
    const unused = { timestamp: transfer.validBefore }
    for (const at of AT) expect(await desk.token.look(transfer, at)).toMatchObject({ kind: 'not_moved', unused })
  })

  it('that the payer took back has moved nothing, and never will once its time is over', async () => {
    const [transfer, other] = await desk.two()
    await desk.take(other, 6n)
    await giveUp(chain, transfer.payer, transfer)
    await chain.mine(3)
    for (const at of AT) expect(await desk.token.look(transfer, at)).toMatchObject(NOT_MOVED)
    expect(await desk.token.settledAt([transfer, other], await desk.token.block('one_block'))).toEqual(
      new Map([
        [transfer.paymentId, 0n],
        [other.paymentId, 6n],
      ]),
    )
    await finalizeAt(chain, transfer.validBefore)
    for (const at of AT)
      expect(await desk.token.look(transfer, at)).toMatchObject({
        kind: 'not_moved',
        unused: { timestamp: expect.any(Number) },
      })
  })

  it('security: that the payer took back is not over before that is final', async () => {
    const transfer = await desk.permit()
    await finalizeAt(chain, transfer.validBefore)
    await giveUp(chain, transfer.payer, transfer)
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject(NOT_MOVED)
    await chain.mine(2)
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject({ unused: { block: expect.any(Number) } })
  })

  it('security: that was used before the payer took it back has moved', async () => {
    const [one, other] = await desk.two({ facilitator: desk.batcher })
    await desk.batch([one, 6n])
    await desk.batch([other, 7n])
    for (const transfer of [one, other]) await giveUp(chain, transfer.payer, transfer)
    expect(await desk.token.look(one, 'one_block')).toMatchObject(movedBy(6n))
    expect(await desk.token.look(other, 'one_block')).toMatchObject(movedBy(7n))
  })

  it('of which nothing was taken has moved nothing, though it is used up', async () => {
    const [transfer, other] = await desk.two()
    await desk.take(other, 6n)
    await desk.take(transfer, 0n)
    await finalizeAt(chain, transfer.validBefore)
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject({
      kind: 'not_moved',
      unused: { block: expect.any(Number) },
    })
  })

  it('is seen where a node named a wrong head when it was signed', async () => {
    const transfer = await desk.permit()
    const gone = await desk.permit()
    const txHash = await desk.take(transfer, 9n)
    await giveUp(chain, gone.payer, gone)
    await chain.mine(5)
    const fromBlock = Number(await chain.publicClient.getBlockNumber()) - 1
    expect(await desk.token.look({ ...transfer, fromBlock }, 'one_block')).toMatchObject({
      inclusion: { tx_hash: txHash },
    })
    expect(await desk.token.look({ ...gone, fromBlock }, 'one_block')).toMatchObject(NOT_MOVED)
  })

  it('is not seen any more when a reorganization took it back, and may be of another amount then', async () => {
    const transfer = await desk.permit()
    await desk.take(transfer, 9n)
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject(movedBy(9n))
    await chain.reorg(1)
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject(NOT_MOVED)
    await desk.take(transfer, 2n)
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject(movedBy(2n))
  })
})

/** A transfer of nothing to somebody, which anybody may write. */
function mined0(to: string): Promise<Hex> {
  const abi = parseAbi(['function transferFrom(address from, address to, uint256 value)'])
  const data = encodeFunctionData({ abi, functionName: 'transferFrom', args: [stranger().address, to as Address, 0n] })
  return desk.settler.send(chain.token, data, 200_000n)
}
