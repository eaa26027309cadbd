import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chainOf, type Chain as Token } from '../../src/rails/usdc/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import * as Faults from './faults.ts'
import { fails, isFoundOut, NO, OTHER, SECRET, says, throwsUnknown, YES } from './faults.ts'
import { networkOf, nextBlockAt, relay, type Signed, signedTransfer } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy
/** Of an honest node and one that is not. */
let token: Token

let moved: Signed
let open: Signed
let over: Signed

beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  token = chainOf({ network: networkOf(chain), nodes: [chain.url, `${proxy.url}/${SECRET}`] })
  over = await signedTransfer(chain)
  await nextBlockAt(chain, over.validBefore)
  await chain.mine()
  open = await signedTransfer(chain)
  moved = await signedTransfer(chain)
  await relay(chain, moved)
  await chain.mine(4)
})

afterEach(() => proxy.mend())

afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

const otherHash = (_: unknown, honest: unknown) => ({ ...(honest as object), hash: OTHER })
const newest = () => token.block('one_block')

describe('security: of two nodes, none is believed alone', () => {
  it.each([
    ['eth_getLogs', says([]), () => token.look(moved, 'one_block')],
    ['eth_getTransactionReceipt', Faults.receipt({ status: '0x0' }), () => token.look(moved, 'one_block')],
    ['eth_getBlockByNumber', otherHash, () => token.look(open, 'one_block')],
    ['eth_call', says(NO), () => token.look(moved, 'one_block')],
    ['eth_call', says(YES), () => token.look(over, 'finalized')],
    ['eth_call', says(YES), async () => token.balance(open.from, await newest())],
    ['eth_call', says(YES), async () => token.usedAt([open], await newest())],
    ['eth_call', says(YES), () => token.wouldMove({ ...open, value: 101n })],
    ['eth_call', fails('execution reverted'), () => token.wouldMove(open)],
    ['eth_getLogs', says([]), async () => token.deposits(moved.to, 0, await newest())],
    ['eth_getBlockByNumber', otherHash, () => token.block('safe')],
    ['eth_estimateGas', fails('execution reverted'), () => token.gasFor(open, open.to)],
    ['eth_chainId', says('0x1'), () => chainOf({ network: networkOf(chain), nodes: [chain.url, proxy.url] }).check()],
  ])('a lie in %s is found out: %#', async (method, lie, look) => {
    await isFoundOut(proxy, method, lie, look)
  })

  it('both must be there', async () => {
    const at = await newest()
    proxy.down()
    const looks: (() => Promise<unknown>)[] = [
      () => token.look(moved, 'one_block'),
      () => token.block('finalized'),
      () => token.balance(open.from, at),
      () => token.usedAt([moved], at),
      () => token.deposits(moved.to, 0, at),
      () => token.check(),
      () => token.count(open.from),
      () => token.fees(),
    ]
    for (const look of looks) await throwsUnknown(look)
    proxy.mend()
    for (const look of looks) await look()
  })

  it('the one that is behind says which block is the newest, the safe, the finalized one', async () => {
    const heads = () => Promise.all((['one_block', 'safe', 'finalized'] as const).map((at) => token.block(at)))
    const before = await heads()
    proxy.lag(2)
    expect((await heads()).map(({ number }) => number)).toEqual(before.map(({ number }) => number - 2))
    proxy.lag(1)
    const late = await signedTransfer(chain)
    const hash = await relay(chain, late)
    expect(await token.look(late, 'one_block')).toMatchObject({ kind: 'not_moved', unused: null })
    expect(await token.cost(hash)).toBeNull()
    await chain.mine()
    expect(await token.look(late, 'one_block')).toMatchObject({ kind: 'moved' })
    expect(await token.cost(hash)).toMatchObject({ ok: true })
  })

  it('what is asked of each is answered by the more careful one', async () => {
    const honest = await token.fees()
    proxy.lie('eth_maxPriorityFeePerGas', says(`0x${(honest.maxPriorityFeePerGas * 2n).toString(16)}`))
    proxy.lie('eth_getTransactionCount', says('0x63'))
    proxy.lie('eth_getBalance', says('0x1'))
    const { maxFeePerGas, maxPriorityFeePerGas } = await token.fees()
    expect(maxPriorityFeePerGas).toBe(honest.maxPriorityFeePerGas * 2n)
    expect(maxFeePerGas - maxPriorityFeePerGas).toBe(honest.maxFeePerGas - honest.maxPriorityFeePerGas)
    expect(await token.count(open.to)).toBe(0)
    expect(await token.nativeBalance('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266')).toBe(1n)
    proxy.lie('eth_estimateGas', says('0x100000'))
    expect(await token.gasFor(open, open.to)).toBe((0x100000n * 5n) / 4n)
  })
})
