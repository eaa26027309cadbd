import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chainOf, type Chain as Token } from '../../src/rails/usdc/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type Lie, type NodeProxy, startProxy } from '../support/node-proxy.ts'
import * as Faults from './faults.ts'
import { isFoundOut, NO, OTHER, type RawLog, SECRET, says, YES } from './faults.ts'
import { cancel, contractWith, mined, networkOf, nextBlockAt, relay, type Signed, signedTransfer } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy
/** Of one node that may lie. */
let token: Token

let moved: Signed
let open: Signed
let over: Signed
let canceled: Signed
/** The block of the one that moved. */
let used = -1

beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  token = chainOf({ network: networkOf(chain), nodes: [`${proxy.url}/${SECRET}`] })
  over = await signedTransfer(chain)
  canceled = await signedTransfer(chain)
  await cancel(chain, canceled)
  await nextBlockAt(chain, Math.max(over.validBefore, canceled.validBefore))
  await chain.mine()
  open = await signedTransfer(chain)
  moved = await signedTransfer(chain)
  await relay(chain, moved)
  used = Number(await chain.publicClient.getBlockNumber())
  await chain.mine(4)
})

afterEach(() => proxy.mend())

afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

const foundOut = (method: string, lie: Lie, look: () => Promise<unknown>) => isFoundOut(proxy, method, lie, look)
const other = () => ({ address: open.from })

/** The receipt of a transfer has the log of the use first, then that of the money. */
const RECEIPTS: readonly [string, Lie][] = [
  ['is not there', says(null)],
  ['is no receipt', says('0x')],
  ['says that it failed', Faults.receipt({ status: '0x0' })],
  ['is of another block', Faults.receipt({ blockHash: OTHER })],
  ['is of a later block', (_, honest) => ({ ...(honest as object), blockNumber: '0xffff' })],
  ['has no logs', Faults.receipt({ logs: [] })],
  ['has the use by another authorizer', Faults.receiptLog(0, Faults.otherTopic(1))],
  ['has the use of another nonce', Faults.receiptLog(0, Faults.otherTopic(2))],
  ['has the use at another contract', Faults.receiptLog(0, other)],
  ['has the money from another payer', Faults.receiptLog(1, Faults.otherTopic(1))],
  ['has the money to another payee', Faults.receiptLog(1, Faults.otherTopic(2))],
  ['has another amount', Faults.receiptLog(1, () => ({ data: YES }))],
  ['has the money of another token', Faults.receiptLog(1, other)],
]

const LOGS: readonly [string, Lie][] = [
  ['are not there', says([])],
  ['are no list', says({})],
  ['are there twice', (_, honest) => [...(honest as RawLog[]), ...(honest as RawLog[])]],
  ['were removed', Faults.logs(() => ({ removed: true }))],
  ['are of another contract', Faults.logs(other)],
  ['are of another authorizer', Faults.logs(Faults.otherTopic(1))],
  ['are of another nonce', Faults.logs(Faults.otherTopic(2))],
  ['are of later blocks than were asked for', Faults.logs(() => ({ blockNumber: '0xffff' }))],
]

describe('security: what a node says must be one story', () => {
  it.each(RECEIPTS)('a look throws when the receipt %s', async (_, lie) => {
    await foundOut('eth_getTransactionReceipt', lie, () => token.look(moved, 'finalized'))
  })

  it.each(LOGS)('a look throws when the logs %s', async (_, lie) => {
    await foundOut('eth_getLogs', lie, () => token.look(moved, 'one_block'))
  })

  it('a look throws when the logs are those of another transfer like this one', async () => {
    const { from, to, value, payer } = moved
    const twin = await signedTransfer(chain, { from, to, value }, payer)
    await relay(chain, twin)
    const lie: Lie = ([filter]) => {
      const { topics, ...where } = filter as { topics: unknown[] }
      return chain.rpc('eth_getLogs', [{ ...where, topics: [...topics.slice(0, 2), twin.nonce] }])
    }
    await foundOut('eth_getLogs', lie, () => token.look(moved, 'one_block'))
  })

  it('a look throws when the block of the use is not in the chain', async () => {
    const lie = Faults.block(used, { hash: OTHER })
    await foundOut('eth_getBlockByNumber', lie, () => token.look(moved, 'one_block'))
  })

  it('a look throws when the state denies what the logs show', async () => {
    await foundOut('eth_call', says(NO), () => token.look(moved, 'one_block'))
    await foundOut('eth_call', says(NO), () => token.look(canceled, 'one_block'))
  })

  it('a look throws when the state shows what the logs deny', async () => {
    await foundOut('eth_call', says(YES), () => token.look(open, 'one_block'))
    await foundOut('eth_call', says(YES), () => token.look(over, 'finalized'))
    await foundOut('eth_getLogs', says([]), () => token.look(canceled, 'finalized'))
  })

  it.each([['0x'], [OTHER], ['0x1'], [`${YES}00`], [null]])('a look throws when the state is %s', async (answer) => {
    await foundOut('eth_call', says(answer), () => token.look(open, 'one_block'))
  })

  it('a look throws when a contract that is not the token refuses to say its state', async () => {
    await foundOut('eth_call', Faults.fails('execution reverted'), () => token.look(open, 'one_block'))
  })

  it('a cancellation proves nothing when its receipt is not there', async () => {
    expect(await token.look(canceled, 'finalized')).toMatchObject({ unused: { timestamp: expect.any(Number) } })
    await foundOut('eth_getTransactionReceipt', says(null), () => token.look(canceled, 'finalized'))
  })

  it('a look throws when the newest block is below the finalized one', async () => {
    const lie = Faults.block('latest', { number: '0x1' })
    await foundOut('eth_getBlockByNumber', lie, () => token.look(open, 'finalized'))
  })

  it.each([
    ['latest', {}],
    ['latest', { number: null }],
    ['finalized', { hash: '0x12' }],
    ['finalized', { timestamp: 'soon' }],
  ])('a look throws when the %s block is no block: %j', async (tag, change) => {
    const lie = Object.keys(change).length > 0 ? Faults.block(tag, change) : says(null)
    await foundOut('eth_getBlockByNumber', lie, () => token.look(open, 'finalized'))
  })

  it('a balance throws when the block has another hash by now, also for a node that does not look', async () => {
    const at = await token.block('one_block')
    expect(await token.balance(open.from, at)).toBe(100n)
    await foundOut('eth_getBlockByNumber', Faults.block(at.number, { hash: OTHER }), () => token.balance(open.from, at))
    await foundOut('eth_call', says('0x'), () => token.balance(open.from, at))
  })
})

describe('security: logs of a look-alike', () => {
  /** Of what a transfer writes: AuthorizationUsed and Transfer. */
  async function selectors(): Promise<string[]> {
    const { transactions } = await chain.publicClient.getBlock({ blockNumber: BigInt(used) })
    const { logs } = await chain.publicClient.getTransactionReceipt({ hash: transactions[0]! })
    return logs.map(({ topics }) => topics[0]!)
  }

  /** A contract that writes both of what it is called with: from, to, value, nonce. */
  async function lookAlike(): Promise<`0x${string}`> {
    const [use = '', transfer = ''] = await selectors()
    // PUSH1 at, CALLDATALOAD; PUSH32 selector; LOG3 with no data, then with the 32 bytes of the value.
    const load = (at: string) => `60${at}35`
    const useLog = `${load('60')}${load('00')}7f${use.slice(2)}60006000a3`
    const transferLog = `${load('40')}600052${load('20')}${load('00')}7f${transfer.slice(2)}60206000a3`
    return contractWith(chain, `0x${useLog}${transferLog}00`)
  }

  it('do not count', async () => {
    const { from, to, value, nonce } = open
    const words = [from, to, `0x${value.toString(16)}`, nonce].map((one) => one.slice(2).padStart(64, '0'))
    const hash = await mined(chain, `0x${words.join('')}`, await lookAlike())
    const { logs } = await chain.publicClient.getTransactionReceipt({ hash })
    expect(logs.map(({ topics }) => topics[0])).toEqual(await selectors())
    expect(await token.look(open, 'one_block')).toMatchObject({ kind: 'not_moved' })
    const at = await token.block('one_block')
    expect(await token.deposits(to, 0, at)).toEqual([])
    await foundOut('eth_getLogs', Faults.without(chain, 'address'), () => token.deposits(to, 0, at))
  })
})
