import { domainSeparator, type Hex, keccak256, toFunctionSelector } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ownNetwork, type Token } from '../../src/core/network.ts'
import { chainOf, type Chain as Reader } from '../../src/rails/usdc/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { fails, SECRET, says, throwsUnknown } from './faults.ts'
import { cancel, networkOf, RELAYER, relay, signedTransfer, stranger } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy
let reader: Reader

beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
  reader = chainOf({ network: networkOf(chain), nodes: [`${proxy.url}/${SECRET}`] })
})

afterEach(() => {
  proxy.mend()
  proxy.calls.clear()
})

afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

describe('check', () => {
  const readerOf = (token: Partial<Token>, id: string = chain.network) =>
    chainOf({ network: ownNetwork(id, { ...networkOf(chain).usdc, ...token }), nodes: [proxy.url] })

  it('lets the chain through that the table names, and asks it once', async () => {
    const right = readerOf({})
    await Promise.all([right.check(), right.check()])
    await right.check()
    expect(proxy.calls.get('eth_chainId')).toBe(1)
  })

  it.each<[string, () => Reader]>([
    ['chain id', () => readerOf({}, 'eip155:31338')],
    ['contract', () => readerOf({ address: stranger().address })],
    ['name', () => readerOf({ name: 'USDC' })],
    ['version', () => readerOf({ version: '1' })],
    ['decimals', () => readerOf({ decimals: 18 })],
  ])('security: does not let through another %s', async (what, make) => {
    await expect(make().check()).rejects.toThrow(what)
  })

  it('security: does not let through a token that would take signatures for another address', async () => {
    const { name, version } = networkOf(chain).usdc
    const domain = { name, version, chainId: 31337, verifyingContract: stranger().address }
    proxy.lie('eth_call', ([call], honest) =>
      (call as { data: string }).data === toFunctionSelector('DOMAIN_SEPARATOR()')
        ? domainSeparator({ domain })
        : honest,
    )
    await expect(readerOf({}).check()).rejects.toThrow('address')
  })

  it('a contract that has none of it is not the token', async () => {
    proxy.lie('eth_call', fails('execution reverted'))
    await expect(readerOf({}).check()).rejects.toThrow('decimals')
  })

  it('does not remember that it failed', async () => {
    proxy.down()
    const right = readerOf({})
    await throwsUnknown(() => right.check())
    proxy.mend()
    await right.check()
  })
})

describe('what is asked of a node', () => {
  it('is asked again where it was busy, or the connection was cut', async () => {
    proxy.failOnce('eth_getBlockByNumber')
    await reader.block('one_block')
    proxy.dropReply('eth_getBlockByNumber')
    await reader.block('one_block')
    proxy.dropReply('eth_getBlockByNumber', 2)
    await throwsUnknown(() => reader.block('one_block'))
  })

  it('does not wait for a node that never answers', async () => {
    proxy.hang('eth_getBlockByNumber')
    await throwsUnknown(() => reader.block('one_block'))
  }, 15_000)

  it('security: no error shows what a node said, nor where it is', async () => {
    proxy.lie('eth_getBlockByNumber', fails(`Unauthorized: ${SECRET}`))
    await throwsUnknown(() => reader.block('one_block'))
    proxy.lie('eth_sendRawTransaction', fails(`Internal error: ${SECRET}`))
    expect(await reader.send('0x02')).toBe('refused')
    proxy.down()
    await throwsUnknown(() => reader.send('0x02'))
    await throwsUnknown(() => reader.nativeBalance(RELAYER))
  })

  it('needs a node', () => {
    expect(() => chainOf({ network: networkOf(chain), nodes: [] })).toThrow(RangeError)
  })
})

describe('what is so at a block', () => {
  it('is what it was then', async () => {
    const transfer = await signedTransfer(chain)
    const stopped = await signedTransfer(chain)
    const before = await reader.block('one_block')
    await relay(chain, transfer)
    await cancel(chain, stopped)
    const after = await reader.block('one_block')
    const all = [transfer, stopped, await signedTransfer(chain)]
    expect(await reader.usedAt(all, before)).toEqual(new Set())
    expect(await reader.usedAt(all, after)).toEqual(new Set([transfer.paymentId, stopped.paymentId]))
    expect(await reader.usedAt([], after)).toEqual(new Set())
    expect(await reader.balance(transfer.from, before)).toBe(100n)
    expect(await reader.balance(transfer.from, after)).toBe(75n)
    expect(await reader.balance(transfer.to, after)).toBe(25n)
  })

  it('is nothing in a block before the token was there', async () => {
    const { number, hash } = await chain.publicClient.getBlock({ blockNumber: 0n })
    expect(await reader.balance(RELAYER, { number: Number(number), hash })).toBe(0n)
  })

  it('security: is unknown when the chain has another block there', async () => {
    const transfer = await signedTransfer(chain)
    await relay(chain, transfer)
    const gone = await reader.block('one_block')
    await chain.reorg(1)
    await throwsUnknown(() => reader.balance(transfer.from, gone))
    await throwsUnknown(() => reader.usedAt([transfer], gone))
    await throwsUnknown(() => reader.usedAt([], gone))
    await throwsUnknown(() => reader.deposits(transfer.to, 0, gone))
  })
})

describe('what would be', () => {
  it('moves with enough money, from and to accounts that may, while the token is not paused', async () => {
    const transfer = await signedTransfer(chain)
    expect(await reader.wouldMove(transfer)).toBe(true)
    expect(await reader.wouldMove({ ...transfer, value: 101n })).toBe(false)
    for (const account of [transfer.from, transfer.to] as Hex[]) {
      await chain.blacklist(account)
      expect(await reader.wouldMove(transfer)).toBe(false)
      expect(await reader.gasFor(transfer, RELAYER)).toBeNull()
      await chain.blacklist(account, false)
    }
    await chain.pause()
    expect(await reader.wouldMove(transfer)).toBe(false)
    await chain.pause(false)
    proxy.lie('eth_call', says(`0x${'0'.repeat(64)}`))
    expect(await reader.wouldMove(transfer)).toBe(false)
    proxy.lie('eth_call', fails('header not found'))
    await throwsUnknown(() => reader.wouldMove(transfer))
  })

  it('takes gas, as much as it takes and a quarter more', async () => {
    const transfer = await signedTransfer(chain)
    const gas = await reader.gasFor(transfer, RELAYER)
    const { gasUsed } = await chain.publicClient.getTransactionReceipt({ hash: await relay(chain, transfer) })
    expect(Number(gas)).toBeGreaterThan(Number(gasUsed) * 1.2)
    expect(Number(gas)).toBeLessThan(Number(gasUsed) * 1.5)
    expect(await reader.gasFor(transfer, RELAYER)).toBeNull()
    proxy.down()
    await throwsUnknown(() => reader.gasFor(transfer, RELAYER))
  })
})

describe('fees', () => {
  it('are twice the base fee, and the tip', async () => {
    await chain.setNextBaseFee(7_000_000_000n)
    await chain.mine()
    const tip = BigInt(await chain.rpc<Hex>('eth_maxPriorityFeePerGas'))
    const maxFeePerGas = 14_000_000_000n + tip
    expect(await reader.fees()).toEqual({ maxFeePerGas, maxPriorityFeePerGas: tip })
  })

  it('that were paid are what the relayer has less, and what the chain below took', async () => {
    const transfer = await signedTransfer(chain)
    const before = await reader.nativeBalance(RELAYER)
    const count = await reader.count(RELAYER)
    const hash = await relay(chain, transfer)
    const cost = await reader.cost(hash)
    expect(cost).toEqual({ fee: before - (await reader.nativeBalance(RELAYER)), ok: true })
    expect(await reader.count(RELAYER)).toBe(count + 1)
    proxy.lie('eth_getTransactionReceipt', (_, honest) => ({ ...(honest as object), l1Fee: '0x64' }))
    expect(await reader.cost(hash)).toEqual({ fee: (cost?.fee ?? 0n) + 100n, ok: true })
    proxy.mend()
    expect(await reader.cost(await relay(chain, transfer))).toMatchObject({ ok: false })
    expect(await reader.cost(keccak256('0x01'))).toBeNull()
  })
})
