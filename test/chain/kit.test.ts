import { setTimeout as sleep } from 'node:timers/promises'
import * as viem from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type Chain, type ChainOptions, startChain } from '../support/chain.ts'

const KEY = generatePrivateKey()
const PAYER = privateKeyToAccount(KEY)
const SHOP = privateKeyToAccount(generatePrivateKey()).address
const TYPES = {
  TransferWithAuthorization: [
    ...['from', 'to'].map((name) => ({ name, type: 'address' })),
    ...['value', 'validAfter', 'validBefore'].map((name) => ({ name, type: 'uint256' })),
    { name: 'nonce', type: 'bytes32' },
  ],
  CancelAuthorization: [
    { name: 'authorizer', type: 'address' },
    { name: 'nonce', type: 'bytes32' },
  ],
}

let chain: Chain

async function started(options?: ChainOptions): Promise<Chain> {
  const other = await startChain(options)
  onTestFinished(() => other.stop())
  return other
}

beforeEach(async () => {
  chain = await startChain()
  await chain.mint(PAYER.address, 1_000n)
})
afterEach(() => chain.stop())

function domain() {
  return { name: 'USD Coin', version: '2', chainId: chain.publicClient.chain.id, verifyingContract: chain.token }
}

/** Another authorization at every call, over 100 units to the shop. */
function authorization(more: object = {}) {
  const nonce = generatePrivateKey()
  const terms = { from: PAYER.address, to: SHOP, value: 100n, validAfter: 0n, validBefore: 2n ** 40n, nonce }
  return { ...terms, ...more }
}

async function sign(message: ReturnType<typeof authorization>): Promise<viem.Hex> {
  return PAYER.signTypedData({ domain: domain(), types: TYPES, primaryType: 'TransferWithAuthorization', message })
}

/** Signed by the payer, sent by a stranger: whether it succeeded. */
async function relay(message: ReturnType<typeof authorization>): Promise<boolean> {
  const { r, s, yParity } = viem.parseSignature(await sign(message))
  return succeeded(await send('transferWithAuthorization', [...Object.values(message), 27 + yParity, r, s]))
}

async function send(functionName: string, args: readonly unknown[]): Promise<viem.Hex> {
  const data = viem.encodeFunctionData({ abi: chain.abi, functionName, args })
  const [from] = await chain.rpc<viem.Address[]>('eth_accounts')
  return chain.rpc('eth_sendTransaction', [{ from, to: chain.token, data }])
}

async function succeeded(hash: viem.Hex): Promise<boolean> {
  return (await chain.publicClient.waitForTransactionReceipt({ hash })).status === 'success'
}

/** The bytes of a transaction, and whether a block has it. */
const rawOf = (hash: viem.Hex) => chain.rpc<viem.Hex | null>('eth_getRawTransactionByHash', [hash])
const isMined = async (hash: viem.Hex) => (await chain.rpc('eth_getTransactionReceipt', [hash])) !== null

describe('the token, further', () => {
  it('moves nothing for terms that were not signed', async () => {
    const { r, s, yParity } = viem.parseSignature(await sign(authorization()))
    const args = [...Object.values(authorization({ value: 101n })), 27 + yParity, r, s]
    expect(await succeeded(await send('transferWithAuthorization', args))).toBe(false)
  })

  it('takes no authorization that was cancelled', async () => {
    const terms = authorization()
    const message = { authorizer: PAYER.address, nonce: terms.nonce }
    const signature = await PAYER.signTypedData({
      ...{ domain: domain(), types: TYPES, primaryType: 'CancelAuthorization', message },
    })
    const { r, s, yParity } = viem.parseSignature(signature)
    const hash = await send('cancelAuthorization', [PAYER.address, terms.nonce, 27 + yParity, r, s])
    expect([await succeeded(hash), await relay(terms)]).toEqual([true, false])
  })
})

describe('the chain, further', () => {
  it('says what it is, and stands beside others', async () => {
    const other = await started({ chainId: 8453 })
    expect([chain.network, other.network]).toEqual(['eip155:31337', 'eip155:8453'])
    expect(other.asset).toBe(`eip155:8453/erc20:${other.token}`)
    expect(viem.getAddress(other.token)).toBe(other.token)
    expect(await other.publicClient.getChainId()).toBe(8453)
    expect([await chain.balance(PAYER.address), await other.balance(PAYER.address)]).toEqual([1_000n, 0n])
  })

  it('keeps the transactions in a reorg when asked, in other blocks, and the clock goes on', async () => {
    await chain.mine(3)
    const minted = [await chain.mint(SHOP, 1n), await chain.mint(SHOP, 2n)]
    const { hash: head } = await chain.publicClient.getBlock()
    await chain.warp(1_000)
    const before = await chain.now()
    await chain.reorg(3, { keepTransactions: true })
    expect((await chain.publicClient.getBlock({ blockTag: 'safe' })).hash).not.toBe(head)
    expect(await Promise.all(minted.map(isMined))).toEqual([true, true])
    expect(await chain.balance(SHOP)).toBe(3n)
    await chain.mine()
    expect(await chain.now()).toBeGreaterThanOrEqual(before)
  })

  it('mines nothing by itself while it should not, and forgets what is dropped', async () => {
    await chain.automine(false)
    const [first, second] = [await chain.mint(SHOP, 1n), await chain.mint(SHOP, 2n)]
    await chain.dropPending(second)
    expect([await chain.balance(SHOP), await rawOf(second)]).toEqual([0n, null])
    await chain.mine()
    expect([await isMined(first), await isMined(second), await chain.balance(SHOP)]).toEqual([true, false, 1n])
    const third = await chain.mint(SHOP, 4n)
    await chain.automine()
    expect(await succeeded(third)).toBe(true)
    await chain.automine(false)
    await chain.mint(SHOP, 8n)
    await chain.dropPending()
    await chain.mine()
    expect(await chain.balance(SHOP)).toBe(5n)
  })

  it('mines at the pace that it is told', async () => {
    const slow = await started({ blockTimeSeconds: 1 })
    const begin = await slow.publicClient.getBlockNumber()
    await Promise.all([1n, 2n, 3n].map((units) => slow.mint(SHOP, units)))
    expect(await slow.balance(SHOP)).toBe(6n)
    await sleep(2_100)
    expect((await slow.publicClient.getBlockNumber()) - begin).toBeGreaterThanOrEqual(2n)
    await slow.automine(false)
    const height = await slow.publicClient.getBlockNumber()
    await sleep(1_500)
    expect(await slow.publicClient.getBlockNumber()).toBe(height)
  })

  it('sends what comes at once, one after another', async () => {
    await Promise.all(Array.from({ length: 20 }, () => chain.mint(SHOP, 1n)))
    expect(await chain.balance(SHOP)).toBe(20n)
  })

  it("takes a wallet's tokens without its key or its gas", async () => {
    await chain.takeAway(PAYER.address, 400n)
    expect(await chain.balance(PAYER.address)).toBe(600n)
    await expect(chain.takeAway(PAYER.address, 601n)).rejects.toThrow('reverted')
    expect(await chain.publicClient.getBalance({ address: PAYER.address })).toBe(0n)
  })

  it('moves its clock and its base fee', async () => {
    const before = await chain.now()
    await chain.setNextBaseFee(77n)
    await chain.warp(3_600)
    expect((await chain.now()) - before).toBeGreaterThanOrEqual(3_600)
    expect((await chain.publicClient.getBlock()).baseFeePerGas).toBe(77n)
  })
})
