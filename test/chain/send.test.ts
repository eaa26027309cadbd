import { type Hex, keccak256 } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { nodesOf, type Sent } from '../../src/rails/usdc/nodes.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { fails, throwsUnknown } from './faults.ts'
import { stranger } from './transfers.ts'

let chain: Chain
let proxy: NodeProxy

beforeAll(async () => {
  chain = await startChain()
  proxy = await startProxy(chain.url)
})

afterEach(async () => {
  proxy.mend()
  await chain.automine()
})

afterAll(async () => {
  await proxy.stop()
  await chain.stop()
})

const sender = stranger()
/** A transaction to itself. */
const signed = (nonce: number, gwei: bigint) =>
  sender.signTransaction({
    ...{ type: 'eip1559', chainId: 31337, to: sender.address, gas: 21_000n, nonce },
    ...{ maxFeePerGas: gwei * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n },
  })

describe('send', () => {
  it('says what became of it, in words of its own', async () => {
    const nodes = nodesOf([proxy.url])
    expect(await nodes.send(await signed(0, 10n))).toBe('refused')
    await chain.give(sender.address, 10n ** 18n)
    await chain.automine(false)
    const raw = await signed(0, 10n)
    expect(await nodes.send(raw)).toBe('taken')
    expect(await nodes.send(raw)).toBe('known')
    expect(await nodes.send(await signed(0, 9n))).toBe('underpriced')
    await chain.mine()
    expect((await chain.publicClient.getTransactionReceipt({ hash: keccak256(raw) })).status).toBe('success')
    expect(await nodes.send(raw)).toBe('nonce_used')
    expect(await nodes.send('0x02')).toBe('refused')
  })

  it.each<[Sent, string]>([
    ['known', 'already known'],
    ['known', 'ALREADY_EXISTS: already known'],
    ['known', 'AlreadyKnown'],
    ['known', 'Known transaction'],
    ['nonce_used', 'nonce too low: address 0x00, tx: 1 state: 2'],
    ['nonce_used', 'OldNonce, Current nonce: 2, nonce of rejected tx: 1'],
    ['nonce_used', 'Nonce too low'],
    ['underpriced', 'replacement transaction underpriced'],
    ['underpriced', 'transaction underpriced: tip needed 1, tip permitted 0'],
    ['underpriced', 'max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 2'],
    ['underpriced', 'FeeTooLow, EffectivePriorityFeePerGas too low'],
    ['underpriced', 'Gas price below configured minimum gas price'],
    ['refused', 'insufficient funds for gas * price + value: balance 0'],
    ['refused', 'intrinsic gas too low'],
  ])('security: it is %s by %j, and no node says more to us', async (word, message) => {
    proxy.lie('eth_sendRawTransaction', fails(message))
    expect(await nodesOf([proxy.url]).send('0x02')).toBe(word)
  })

  it('goes to every node, and is taken when one takes it', async () => {
    // Mined, it would be `nonce_used` when it comes once more.
    await chain.automine(false)
    const raw = await signed(await chain.publicClient.getTransactionCount({ address: sender.address }), 10n)
    proxy.lie('eth_sendRawTransaction', fails('nonce too low'))
    // Both are the same chain: where one was slow, it has it already.
    expect(['taken', 'known']).toContain(await nodesOf([proxy.url, chain.url]).send(raw))
    expect(proxy.calls.get('eth_sendRawTransaction')).toBeGreaterThan(0)
    expect(await nodesOf([proxy.url, chain.url]).send('0x02')).toBe('nonce_used')
    await chain.mine()
  })

  it('is taken when one node takes it and the other is down, and unknown when both are', async () => {
    await chain.automine(false)
    const raw = await signed(await chain.publicClient.getTransactionCount({ address: sender.address }), 10n)
    proxy.down()
    // Both are the same chain: where one was slow, it has it already.
    expect(['taken', 'known']).toContain(await nodesOf([proxy.url, chain.url]).send(raw))
    await throwsUnknown(() => nodesOf([proxy.url, proxy.url]).send(raw))
    await chain.mine()
  })

  it('is unknown when the node was only busy', async () => {
    proxy.failOnce('eth_sendRawTransaction')
    proxy.failOnce('eth_sendRawTransaction')
    await throwsUnknown(() => nodesOf([proxy.url]).send('0x02'))
    expect(proxy.calls.get('eth_sendRawTransaction')).toBeGreaterThan(1)
  })

  it('knows its own transaction when the first answer was lost', async () => {
    await chain.automine(false)
    const raw = await signed(await chain.publicClient.getTransactionCount({ address: sender.address }), 10n)
    proxy.dropReply('eth_sendRawTransaction')
    expect(await nodesOf([proxy.url]).send(raw)).toBe('known')
    await chain.mine()
    expect((await chain.publicClient.getTransactionReceipt({ hash: keccak256(raw as Hex) })).status).toBe('success')
  })
})
