import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { send, UNIT } from '../support/chain-purse.ts'
import { type Lie, type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { NO, type RawReceipt, YES } from './faults.ts'
import { broadcasts, lastEvent, makeScene, pass, ruleOf, type Scene, signed } from './scene.ts'
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

const balance = (address: string) => chain.balance(address as Address)
/** Behind an honest node and one that does what a test wants. */
const both = () => ({ nodes: [chain.url, proxy.url], impatient: true })
const status = async ({ purse }: Scene) =>
  (await purse.bursar.store.read.one('wallets', { id: purse.wallet.id }))?.status
/** What of the recovery cannot be done waits for the nodes. */
const tries = (scene: Scene) => scene.recover().catch(() => undefined)

/** What the token answers to one question, in place of what it would; of balances and authorizations. */
function answers(selector: string, result: string): Lie {
  return ([call], honest) => ((call as { data: string }).data.startsWith(selector) ? result : honest)
}
const AUTHORIZATION_STATE = '0xe94a0102'
const BALANCE_OF = '0x70a08231'

describe('security: one node of two that lies', () => {
  it('that it was paid captures nothing', async () => {
    const scene = await makeScene(chain, both())
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    await chain.dropPending()
    const [sent] = await broadcasts(scene)
    const [transfer] = await signed(scene)
    const pad = (address = '') => `0x${address.slice(2).toLowerCase().padStart(64, '0')}`
    const block = await chain.publicClient.getBlock()
    const place = {
      blockHash: block.hash,
      blockNumber: `0x${block.number.toString(16)}`,
      transactionHash: sent?.txHash,
    }
    const log = { address: chain.token, ...place, data: '0x', logIndex: '0x0', removed: false }
    const used = '0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5'
    const logs = [{ ...log, topics: [used, pad(transfer?.from), transfer?.nonce] }]
    proxy.lie('eth_call', answers(AUTHORIZATION_STATE, YES))
    proxy.lie('eth_getLogs', () => logs)
    proxy.lie('eth_getTransactionReceipt', () => ({
      ...place,
      status: '0x1',
      logs,
      gasUsed: '0x1',
      effectiveGasPrice: '0x1',
    }))
    await tries(scene)
    expect([(await scene.get(paid)).status, (await scene.row(paid)).held]).toEqual(['in_doubt', 25n * UNIT])
    proxy.mend()
    await chain.automine()
    expect((await scene.settle(paid)).status).toBe('captured')
    expect(await balance(shop)).toBe(25n * UNIT)
  })

  it.each<[string, () => void]>([
    ['that it is unused', () => proxy.lie('eth_call', answers(AUTHORIZATION_STATE, NO))],
    ['that there is no log of it', () => proxy.lie('eth_getLogs', () => [])],
    [
      'that both are so',
      () => [proxy.lie('eth_getLogs', () => []), proxy.lie('eth_call', answers(AUTHORIZATION_STATE, NO))],
    ],
    [
      'that it failed',
      () => proxy.lie('eth_getTransactionReceipt', (_, honest) => ({ ...(honest as RawReceipt), status: '0x0' })),
    ],
    [
      'of a later time',
      () => proxy.lie('eth_getBlockByNumber', (_, honest) => ({ ...(honest as object), timestamp: '0xffffffff' })),
    ],
  ])('%s voids nothing that was paid', async (_, lie) => {
    const scene = await makeScene(chain, both())
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    await chain.mine()
    await pass(chain, 301)
    lie()
    for (let times = 0; times < 2; times += 1) await tries(scene)
    // Where the honest node alone is enough to see it, it may be captured. It is never given back.
    expect(['in_doubt', 'captured']).toContain((await scene.get(paid)).status)
    expect([await balance(shop), await status(scene)]).toEqual([25n * UNIT, 'active'])
    proxy.mend()
    expect((await scene.settle(paid)).status).toBe('captured')
  })

  it.each([
    ['less', `0x${'5'.padStart(64, '0')}`],
    ['more', `0x${'f'.repeat(12).padStart(64, '0')}`],
  ])('of a balance that is %s freezes nothing and credits nothing', async (_, result) => {
    const scene = await makeScene(chain, both())
    proxy.lie('eth_call', answers(BALANCE_OF, result))
    await expect(scene.recover()).rejects.toThrow('Some of the recovery failed.')
    expect(await status(scene)).toBe('active')
    expect(await lastEvent(scene, 'wallet.frozen')).toBe(null)
  })

  it('of a deposit credits nothing', async () => {
    const scene = await makeScene(chain, both())
    const hash = await chain.mint(scene.purse.address as Address, 7n * UNIT)
    proxy.lie('eth_getLogs', (__, honest) =>
      (honest as { data: string }[]).map((log) => ({ ...log, data: `0x${'7'.repeat(10).padStart(64, '0')}` })),
    )
    await expect(scene.recover()).rejects.toThrow('Some of the recovery failed.')
    proxy.mend()
    proxy.lie('eth_getLogs', () => [])
    await expect(scene.recover()).rejects.toThrow('Some of the recovery failed.')
    const available = async () =>
      (await scene.purse.bursar.store.read.one('accounts', { walletId: scene.purse.wallet.id }))?.available
    expect([await available(), await status(scene)]).toEqual([1000n * UNIT, 'active'])
    proxy.mend()
    await scene.recover()
    expect(await available()).toBe(1007n * UNIT)
    expect(await lastEvent(scene, 'wallet.funded')).toMatchObject({ deposit: { tx_hash: hash } })
  })

  it('that it is of another chain is asked nothing more, and nothing is signed', async () => {
    const scene = await makeScene(chain, { nodes: [chain.url, proxy.url] })
    const other = await scene.other()
    proxy.lie('eth_chainId', () => '0x1')
    const paid = await send({ ...scene.purse, bursar: other.bursar }, scene.inst, stranger().address, '1.00')
    expect([paid.status, await signed(scene)]).toEqual(['in_doubt', []])
    proxy.mend()
    expect((await scene.settle(paid)).status).toBe('captured')
  })
})

describe('security: one node of two that is away', () => {
  it('before the call: it is in doubt and held, nothing is signed; back, it is paid once', async () => {
    const scene = await makeScene(chain, both())
    const shop = stranger().address
    proxy.down()
    const paid = await scene.pay(shop, '25.00')
    expect([paid.status, await lastEvent(scene, 'payment.in_doubt')]).toEqual(['in_doubt', { reason: 'no_answer' }])
    expect([await signed(scene), (await scene.row(paid)).held]).toEqual([[], 25n * UNIT])
    await tries(scene)
    expect(await signed(scene)).toEqual([])
    proxy.down(false)
    expect((await scene.settle(paid)).status).toBe('captured')
    expect(await balance(shop)).toBe(25n * UNIT)
  })

  it('while it is on its way: is held, and never voided without it', async () => {
    const scene = await makeScene(chain, both())
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    proxy.down()
    await chain.mine()
    await pass(chain, 301)
    for (let times = 0; times < 2; times += 1) await tries(scene)
    expect([(await scene.get(paid)).status, (await scene.row(paid)).held]).toEqual(['in_doubt', 25n * UNIT])
    proxy.down(false)
    expect((await scene.settle(paid)).status).toBe('captured')
  })

  it('until it is too late to sign: is void without it, since nothing was', async () => {
    const scene = await makeScene(chain, both())
    proxy.down()
    const paid = await scene.pay(stranger().address, '25.00')
    await pass(chain, 301)
    await tries(scene)
    expect(ruleOf(await scene.get(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_expired'])
    expect(await signed(scene)).toEqual([])
    proxy.down(false)
  })
})

describe('security: one node of two that is behind', () => {
  it('captures only what it has, too, and sends nothing twice', async () => {
    const scene = await makeScene(chain, both())
    const shop = stranger().address
    proxy.lag(2)
    const paid = await scene.pay(shop, '25.00')
    expect([paid.status, await balance(shop)]).toEqual(['in_doubt', 25n * UNIT])
    for (let block = 0; block < 2; block += 1) {
      await tries(scene)
      expect([block, (await scene.get(paid)).status]).toEqual([block, 'in_doubt'])
      await chain.mine()
    }
    await tries(scene)
    expect([(await scene.get(paid)).status, (await broadcasts(scene)).length]).toEqual(['captured', 1])
    expect([await balance(shop), await status(scene)]).toEqual([25n * UNIT, 'active'])
    proxy.mend()
  })

  it('voids nothing until it is past the end too', async () => {
    const scene = await makeScene(chain, both())
    await chain.automine(false)
    const paid = await scene.pay(stranger().address, '25.00')
    await chain.dropPending()
    proxy.lag(6)
    await pass(chain, 301)
    await chain.dropPending()
    await tries(scene)
    expect((await scene.get(paid)).status).toBe('in_doubt')
    await chain.dropPending()
    await chain.mine(6)
    await tries(scene)
    expect(ruleOf(await scene.get(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
  })
})
