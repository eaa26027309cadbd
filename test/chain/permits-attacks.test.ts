import { type Address, concat, type Hex, numberToHex, size } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { PERMIT2, UPTO_PROXY } from '../../src/core/permit.ts'
import { chainOf } from '../../src/rails/usdc/chain.ts'
import { giveUp, placePermit2, sent, settling } from '../sellers/upto.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { throwsUnknown } from './faults.ts'
import { AT, type Desk, finalizeAt, inOneBlock, movedBy, openDesk } from './permits.ts'
import { contractWith, networkOf, stranger } from './transfers.ts'

let desk: Desk
let chain: Chain
beforeAll(async () => {
  desk = await openDesk()
  chain = desk.chain
})
afterEach(() => desk.proxy.mend())
afterAll(() => desk?.end())

describe('a permit that a contract settles', () => {
  it('is seen by the block in which it was used up, among others', async () => {
    const [one, other] = await desk.two({ facilitator: desk.batcher })
    await desk.batch([one, 11n])
    await chain.mine()
    await desk.batch([other, 12n])
    expect(await desk.token.look(one, 'one_block')).toMatchObject(movedBy(11n))
    expect(await desk.token.look(other, 'one_block')).toMatchObject(movedBy(12n))
  })

  it('security: is unknown where two may be meant, whatever the amounts', async () => {
    const [one, other] = await desk.two({ facilitator: desk.batcher })
    await desk.batch([one, 11n], [other, 12n])
    for (const transfer of [one, other]) await throwsUnknown(() => desk.token.look(transfer, 'one_block'))
    const head = await desk.token.block('one_block')
    await throwsUnknown(() => desk.token.settledAt([one], head))
  })

  it('is no other permit, though that one ends in the same block', async () => {
    const [one, other] = await desk.two({ facilitator: desk.batcher })
    await inOneBlock(
      chain,
      () => desk.batch([one, 11n]),
      () => giveUp(chain, other.payer, other),
    )
    expect(await desk.token.look(one, 'one_block')).toMatchObject(movedBy(11n))
    await throwsUnknown(() => desk.token.look(other, 'one_block'))
  })

  it('is not given up with one that has the same place in another word', async () => {
    const transfer = await desk.permit({ facilitator: desk.batcher })
    const beside = { ...transfer, nonce: numberToHex(BigInt(transfer.nonce) ^ 256n, { size: 32 }) }
    await inOneBlock(
      chain,
      () => desk.batch([transfer, 11n]),
      () => giveUp(chain, transfer.payer, beside),
    )
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject(movedBy(11n))
  })

  it('security: is unknown where it was used and taken back in one block', async () => {
    const transfer = await desk.permit({ facilitator: desk.batcher })
    await inOneBlock(
      chain,
      () => desk.batch([transfer, 11n]),
      () => giveUp(chain, transfer.payer, transfer),
    )
    await throwsUnknown(() => desk.token.look(transfer, 'one_block'))
  })

  it('security: is not taken for a later one, where a node named a wrong head when it was signed', async () => {
    const [one, other] = await desk.two({ facilitator: desk.batcher })
    await desk.batch([one, 11n])
    await chain.mine(3)
    const fromBlock = Number(await chain.publicClient.getBlockNumber())
    await desk.batch([other, 12n])
    expect(await desk.token.look({ ...one, fromBlock }, 'one_block')).toMatchObject(movedBy(11n))
  })

  it('security: is unknown where nodes do not have the states of those blocks any more', async () => {
    const transfer = await desk.permit({ facilitator: desk.batcher })
    await desk.batch([transfer, 11n])
    await chain.mine()
    const newest = (await desk.token.block('one_block')).hash
    desk.proxy.lie('eth_call', ([, at], honest) => {
      if ((at as { blockHash: string }).blockHash !== newest) throw new Error('That state is gone.')
      return honest
    })
    await throwsUnknown(() => desk.token.look(transfer, 'one_block'))
  })
})

describe('security: a call that only looks like the one that settled', () => {
  it('counts for nothing, at whatever contract', async () => {
    // It does what it likes, which is to settle another permit, for as much as it was asked to settle of this one.
    const decoy = await contractWith(chain, '0x')
    const payer = stranger()
    const to = stranger().address
    const transfer = await desk.permit({ to }, payer)
    const other = await desk.permit({ to, facilitator: decoy }, payer)
    await chain.rpc('anvil_setCode', [decoy, calling(UPTO_PROXY, settling(other, 5n))])
    await desk.take(transfer, 20n)
    await sent(chain, desk.settler, decoy, settling(transfer, 5n))
    expect(await chain.balance(to)).toBe(25n)
    expect(await desk.token.look(transfer, 'one_block')).toMatchObject(movedBy(20n))
    expect(await desk.token.look(other, 'one_block')).toMatchObject(movedBy(5n))
  })
})

/** Code that calls a contract with this, whatever it is called with. */
function calling(to: Address | string, data: Hex): Hex {
  const length = numberToHex(size(data), { size: 2 })
  // CODECOPY of what follows the 44 bytes of this; CALL; STOP.
  const head = concat([
    '0x61',
    length,
    '0x61',
    '0x002c',
    '0x5f39',
    '0x5f5f',
    '0x61',
    length,
    '0x5f5f73',
    to as Hex,
    '0x5af100',
  ])
  return concat([head, numberToHex(0, { size: 44 - size(head) }), data])
}

describe('security: what is unknown of a permit', () => {
  const word = (bits: bigint) => numberToHex(bits, { size: 32 })

  it.each([
    ['that a node says is used up and is nowhere used', () => word(2n ** 256n - 1n)],
    ['without an answer of Permit2', () => '0x'],
  ])('is one %s', async (_, lie) => {
    const transfer = await desk.permit()
    desk.proxy.lie('eth_call', lie)
    await throwsUnknown(() => desk.token.look(transfer, 'one_block'))
  })

  it('is one that was taken and that a node says is free: it is given up for nothing', async () => {
    const transfer = await desk.permit()
    await desk.take(transfer, 5n)
    await finalizeAt(chain, transfer.validBefore)
    desk.proxy.lie('eth_call', () => word(0n))
    for (const at of AT) await throwsUnknown(() => desk.token.look(transfer, at))
  })

  it.each<[string, string, (honest: never) => unknown]>([
    ['whose transaction is not there', 'eth_getTransactionByHash', () => null],
    ['whose transaction has no data', 'eth_getTransactionByHash', (honest) => ({ ...(honest as object), input: 7 })],
    ['whose logs are of another amount', 'eth_getLogs', (honest) => others(honest)],
    ['whose receipt failed', 'eth_getTransactionReceipt', (honest) => ({ ...(honest as object), status: '0x0' })],
    ['whose receipt has no logs', 'eth_getTransactionReceipt', (honest) => ({ ...(honest as object), logs: [] })],
  ])('is one %s', async (_, method, lie) => {
    const transfer = await desk.permit()
    await desk.take(transfer, 5n)
    desk.proxy.lie(method, (_asked, honest) => lie(honest as never))
    await throwsUnknown(() => desk.token.look(transfer, 'one_block'))
  })

  function others(logs: readonly object[]): readonly object[] {
    return logs.map((log) => ({ ...log, data: word(6n) }))
  }

  it('is one whose call was for another amount than its log', async () => {
    const transfer = await desk.permit()
    await desk.take(transfer, 5n)
    desk.proxy.lie('eth_getTransactionByHash', (_, honest) => ({
      ...(honest as object),
      input: settling(transfer, 6n),
    }))
    await throwsUnknown(() => desk.token.look(transfer, 'one_block'))
  })

  it('is one of which two nodes say two things', async () => {
    const both = chainOf({ network: networkOf(chain), nodes: [chain.url, desk.proxy.url] })
    const transfer = await desk.permit()
    await desk.take(transfer, 5n)
    expect(await both.look(transfer, 'one_block')).toMatchObject(movedBy(5n))
    desk.proxy.lie('eth_getTransactionByHash', (_, honest) => ({
      ...(honest as object),
      input: settling(transfer, 6n),
    }))
    await throwsUnknown(() => both.look(transfer, 'one_block'))
    desk.proxy.mend()
    desk.proxy.lie('eth_call', () => word(0n))
    await throwsUnknown(() => both.look(transfer, 'one_block'))
  })
})

describe('security: a chain without Permit2 as it is known', () => {
  it.each([
    ['Permit2', PERMIT2, '0x'],
    ['Permit2', PERMIT2, '0x5f5f5260205ff3'],
    ['the proxy', UPTO_PROXY, '0x'],
    ['the proxy', UPTO_PROXY, '0x5f5f5260205ff3'],
  ])('has %s at %s and something else there (%s)', async (_, address, code) => {
    const other = await startChain()
    onTestFinished(() => other.stop())
    const reads = chainOf({ network: networkOf(other), nodes: [other.url] })
    await placePermit2(other)
    await other.rpc('anvil_setCode', [address, code])
    await expect(reads.checkPermits()).rejects.toThrow('differs')
    await placePermit2(other)
    await reads.checkPermits()
  })
})
