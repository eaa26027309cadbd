import type { Address, Hex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { broadcasts, later, makeScene, signed } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterEach(() => chain.automine())
afterAll(() => chain.stop())

const countOf = (address: string) => chain.publicClient.getTransactionCount({ address: address as Address })
/** The node waits for the nonces before, and does not see that they are used. */
const useUp = (address: string, nonces: number) => chain.rpc('anvil_setNonce', [address, `0x${nonces.toString(16)}`])

it('what waits in the pool for what is on the chain already gets there with the next block, and all behind it', async () => {
  const sender = privateKeyToAccount(generatePrivateKey())
  await chain.give(sender.address, 10n ** 18n)
  const terms = {
    chainId: 31337,
    to: stranger().address,
    gas: 21_000n,
    maxFeePerGas: 10n ** 10n,
    type: 'eip1559',
  } as const
  const raw: Hex[] = []
  for (const nonce of [2, 3, 1, 5]) raw.push(await sender.signTransaction({ ...terms, nonce }))
  for (const one of raw) await chain.rpc('eth_sendRawTransaction', [one])
  await chain.mine()
  expect(await countOf(sender.address)).toBe(0)
  await useUp(sender.address, 1)
  await expect(chain.rpc('eth_sendRawTransaction', [raw[2]])).rejects.toThrow('already imported')
  await chain.rpc('anvil_mine')
  expect(await countOf(sender.address)).toBe(1)
  await chain.mine()
  expect(await countOf(sender.address)).toBe(4)
  // What is behind a gap waits as before.
  expect(await chain.rpc('txpool_status')).toEqual({ pending: '0x0', queued: '0x1' })
  await chain.dropPending()
})

it('security: what a node knows and never takes is offered for more after three minutes, under the same nonce', async () => {
  let nonce: number | null = 1
  const scene = await makeScene(chain, {
    impatient: true,
    reads: (reads) => ({ ...reads, count: async (address) => nonce ?? reads.count(address) }),
  })
  const shop = stranger().address
  await chain.automine(false)
  const paid = await scene.pay(shop, '25.00')
  await useUp(scene.purse.relayerAddress, 1)
  nonce = null
  const after = async (seconds: number): Promise<unknown[]> => {
    later(seconds)
    for (let times = 0; times < 2; times += 1) await scene.recover()
    await chain.rpc('anvil_mine')
    return [(await broadcasts(scene)).map(({ relayerNonce }) => relayerNonce), await chain.balance(shop)]
  }
  for (const seconds of [0, 170]) expect(await after(seconds)).toEqual([[1], 0n])
  expect(await after(20)).toEqual([[1, 1], 25n * UNIT])
  expect((await scene.settle(paid)).status).toBe('captured')
  expect([(await broadcasts(scene)).length, (await signed(scene)).length]).toEqual([2, 1])
})
