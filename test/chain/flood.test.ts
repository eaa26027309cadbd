import type { Address } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Transfer } from '../../src/core/types.ts'
import type { TransferBooks, Vault } from '../../src/ports/chain.ts'
import { chainOf, type Chain as Token } from '../../src/rails/usdc/chain.ts'
import { usdcRail } from '../../src/rails/usdc/rail.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { OTHER, throwsUnknown } from './faults.ts'
import { makeScene } from './scene.ts'
import { networkOf, relay, signedTransfer, stranger } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy
let token: Token
beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  token = chainOf({ network: networkOf(chain), nodes: [proxy.url] })
})
afterEach(() => {
  vi.useRealTimers()
  proxy.mend()
})
afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

/** Nodes give so many logs at once, or none. */
function atMost(logs: number): void {
  proxy.lie('eth_getLogs', (_, honest) => {
    if ((honest as unknown[]).length > logs) throw new Error('query returned more than 10000 results')
    return honest
  })
}

/** Or of so many blocks. */
function ofAtMost(blocks: number): void {
  proxy.lie('eth_getLogs', ([filter], honest) => {
    const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string }
    if (Number(toBlock) - Number(fromBlock) >= blocks) throw new Error('block range is too wide')
    return honest
  })
}

describe('security: transfers of nothing that somebody floods an account with', () => {
  it('hide no deposit', async () => {
    const { address } = stranger()
    const from = (await token.block('one_block')).number
    await chain.mint(address, 5n)
    for (let times = 0; times < 20; times += 1) await chain.mint(address, 0n)
    await chain.mint(address, 6n)
    atMost(2)
    const head = await token.block('one_block')
    expect(await token.deposits(address, from, head)).toMatchObject([{ amount: 5n }, { amount: 6n }])
  })

  it('make a deposit unknown where one block has more than a node gives', async () => {
    const { address } = stranger()
    await chain.mint(address, 5n)
    atMost(0)
    const head = await token.block('one_block')
    await throwsUnknown(() => token.deposits(address, 0, head))
  })

  it('credit the wallet with what came in and nothing else', async () => {
    const scene = await makeScene(chain, { nodes: [proxy.url], funds: 10n })
    const { bursar, address, wallet } = scene.purse
    for (let times = 0; times < 10; times += 1) await chain.mint(address as Address, 0n)
    await chain.mint(address as Address, 7n * UNIT)
    atMost(3)
    await scene.recover()
    expect((await bursar.store.read.one('accounts', { walletId: wallet.id }))?.available).toBe(17n * UNIT)
    expect((await bursar.store.read.one('wallets', { id: wallet.id }))?.status).toBe('active')
  })
})

describe('nodes that give logs of a few blocks only', () => {
  it('show what moved', async () => {
    const transfer = await signedTransfer(chain)
    await chain.mine(30)
    await relay(chain, transfer)
    await chain.mine(3)
    ofAtMost(4)
    expect(await token.look(transfer, 'one_block')).toMatchObject({ kind: 'moved' })
    const head = await token.block('one_block')
    expect(await token.deposits(transfer.to, transfer.fromBlock, head)).toMatchObject([{ amount: 25n }])
  })

  it('are given up when none is answered for', async () => {
    const transfer = await signedTransfer(chain)
    proxy.calls.clear()
    ofAtMost(0)
    await throwsUnknown(() => token.look({ ...transfer, fromBlock: 0 }, 'one_block'))
    expect(proxy.calls.get('eth_getLogs')).toBeLessThanOrEqual(12)
  })
})

describe('security: what an account sends to itself', () => {
  it('is no deposit', async () => {
    const key = generatePrivateKey()
    const { address } = privateKeyToAccount(key)
    await chain.mint(address, 9n)
    await chain.give(address, 10n ** 18n)
    await chain.transfer(key, address, 4n)
    expect(await token.deposits(address, 0, await token.block('one_block'))).toMatchObject([{ amount: 9n }])
  })
})

describe('many transfers that are not final', () => {
  const made = (count: number): Transfer[] =>
    Array.from({ length: count }, (_, i) => ({
      ...{ paymentId: `pay_${i}`, walletId: 'wal_1', asset: chain.asset, from: OTHER, to: OTHER, value: 1n },
      ...{ validBefore: 1, nonce: OTHER, signature: '0x', fromBlock: 0, signedAt: 0, status: 'open' },
      ...{ txHash: OTHER, block: 1, voidProof: null, kind: 'eip3009', facilitator: null, moved: null },
    }))

  const block = { number: 10, hash: OTHER, timestamp: 10 }
  const unused = { block: 10, block_hash: OTHER, timestamp: 10 }

  function railOf(open: () => readonly Transfer[], look: (transfer: Transfer) => Promise<void>) {
    const reads = {
      ...{ network: networkOf(chain), asset: chain.asset, check: async () => undefined, block: async () => block },
      usedAt: async () => new Set<string>(),
      async look(transfer: Transfer) {
        await look(transfer)
        return { kind: 'not_moved', block, unused }
      },
    } as unknown as Token
    const books = { open, relayers: () => [] } as unknown as TransferBooks
    return usdcRail({ chains: new Map([[chain.network, reads]]), books, vault: {} as Vault, clock: Date })
  }

  it('are looked at by turns, 64 in each and 8 at once, whatever fails', async () => {
    const looked: string[] = []
    let [under, most] = [0, 0]
    const open = made(100)
    const rail = railOf(
      () => open,
      async ({ paymentId }) => {
        looked.push(paymentId)
        under += 1
        most = Math.max(most, under)
        await new Promise(setImmediate)
        under -= 1
        if (paymentId === 'pay_3') throw new Error('It cannot be looked at.')
      },
    )
    const ids = open.map(({ paymentId }) => paymentId)
    expect((await rail.changes(null)).records).toHaveLength(63)
    expect([looked.splice(0), most]).toEqual([ids.slice(0, 64), 8])
    // One that is final waits no more, a new one waits for its turn.
    open.pop()
    open.unshift({ ...(open[0] as Transfer), paymentId: 'pay_new' })
    await rail.changes(null)
    expect(looked.splice(0)).toEqual([...ids.slice(64, 99), ...ids.slice(0, 29)])
    await rail.changes(null)
    expect(looked.splice(0)).toEqual([...ids.slice(29, 64), 'pay_new', ...ids.slice(64, 92)])
  })

  it('are told as far as they were looked at when the time is over', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const open = made(64)
    const looked: string[] = []
    const rail = railOf(
      () => open,
      async ({ paymentId }) => {
        looked.push(paymentId)
        if (looked.length % 8 === 0) vi.advanceTimersByTime(7_000)
      },
    )
    expect((await rail.changes(null)).records).toHaveLength(24)
    expect(looked.splice(0)).toHaveLength(24)
    await rail.changes(null)
    expect(looked[0]).toBe('pay_24')
  })
})
