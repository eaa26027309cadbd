import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freezeAll, unfreezeAll } from '../../src/actions/owner/freeze.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import type { Transfer } from '../../src/core/types.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { broadcasts, counted, lastEvent, makeScene, pass, type Scene, type SceneOptions, signed } from './scene.ts'
import { relay, stranger } from './transfers.ts'

/** The newest blocks that are not final. */
const SLOTS = 4

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ slotsInAnEpoch: SLOTS })
})
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as Address)
const wait = (scene: Scene) => scene.recover().then(() => scene.recover())

/** Its funds are so deep in the chain that no reorganization here touches them. */
async function deepScene(options: SceneOptions = {}): Promise<Scene> {
  const scene = await makeScene(chain, { ...options, funds: 0n })
  await chain.mint(scene.purse.address as Address, 1000n * UNIT)
  await chain.mine(2 * SLOTS + 1)
  await scene.recover()
  return scene
}

/** The purse settles all, and what it sent is final. */
async function expectPaidOnce(scene: Scene, paid: { payment_id: string }, shop: string): Promise<void> {
  await wait(scene)
  await chain.mine(2 * SLOTS + 1)
  await wait(scene)
  expect([(await scene.get(paid)).status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
  expect((await signed(scene)).map(({ status }) => status)).toEqual(['final'])
  expect([await counted(scene, 'payment.captured'), await counted(scene, 'payment.refunded')]).toEqual([1, 0])
}

describe.each([1, 2, 3])('security: a reorganization of %i blocks', (depth) => {
  it('before the capture: the same bytes are sent again, and it is paid once', async () => {
    const scene = await deepScene({ impatient: true, confirmations: [{ up_to: null, at: 'safe' }] })
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    await chain.mine(depth - 1)
    expect([(await scene.get(paid)).status, await balance(shop)]).toEqual(['in_doubt', 25n * UNIT])
    await chain.reorg(depth)
    expect(await balance(shop)).toBe(0n)
    await scene.recover()
    expect([(await scene.get(paid)).status, await balance(shop)]).toEqual(['in_doubt', 25n * UNIT])
    expect(await broadcasts(scene)).toHaveLength(1)
    await expectPaidOnce(scene, paid, shop)
  })

  it('after the capture: the same bytes are sent again, and it is paid once', async () => {
    const scene = await deepScene()
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    await chain.mine(depth - 1)
    expect(paid.status).toBe('captured')
    await chain.reorg(depth)
    expect(await balance(shop)).toBe(0n)
    // The hold is gone, so nothing else may be paid from what is not there: the books still count it as paid.
    expect((await scene.row(paid)).captured).toBe(25n * UNIT)
    await scene.recover()
    expect([await balance(shop), (await broadcasts(scene)).length]).toEqual([25n * UNIT, 1])
    await expectPaidOnce(scene, paid, shop)
  })

  it('that moves the transaction to another block leaves it paid', async () => {
    const scene = await deepScene()
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    await chain.mine(depth - 1)
    await chain.reorg(depth, { keepTransactions: true })
    expect(await balance(shop)).toBe(25n * UNIT)
    await expectPaidOnce(scene, paid, shop)
    expect(await broadcasts(scene)).toHaveLength(1)
  })

  it('after the capture, and gone for good: the money is credited again, the allowance is not', async () => {
    const scene = await deepScene()
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    await chain.mine(depth - 1)
    await chain.reorg(depth)
    await pass(chain, 301)
    await scene.recover()
    // Not before it is final that it never moves.
    expect((await scene.get(paid)).status).toBe('captured')
    await chain.mine(2 * SLOTS + 1)
    await wait(scene)
    await expectComeBack(scene, paid)
    expect(await balance(shop)).toBe(0n)
  })
})

describe('security: a captured transfer that the chain took back', () => {
  it('is sent again though everything is frozen: it is paid, and the books said so', async () => {
    const scene = await deepScene()
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    expect(paid.status).toBe('captured')
    const by = { ownerId: scene.purse.authority.ownerId, channel: 'test' }
    await freezeAll(scene.purse.bursar, by)
    await chain.reorg(1)
    await scene.recover()
    expect(await balance(shop)).toBe(25n * UNIT)
    await unfreezeAll(scene.purse.bursar, scene.purse.authority)
    await expectPaidOnce(scene, paid, shop)
  })

  it('is not sent again after its time, and later payments go on', async () => {
    const scene = await deepScene()
    const [shop, next] = [stranger().address, stranger().address]
    const paid = await scene.pay(shop, '25.00')
    await chain.reorg(1)
    await pass(chain, 301)
    await chain.mine(2 * SLOTS + 1)
    expect((await scene.pay(next, '1.00')).status).toBe('captured')
    await wait(scene)
    await expectComeBack(scene, paid, 1)
    expect([await balance(shop), await balance(next)]).toEqual([0n, UNIT])
  })

  it('after its fee was counted is sent again all the same', async () => {
    const scene = await deepScene()
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    await scene.recover()
    expect((await broadcasts(scene)).map(({ fee }) => fee !== null)).toEqual([true])
    await chain.reorg(1)
    await scene.recover()
    expect([await balance(shop), (await broadcasts(scene)).length]).toEqual([25n * UNIT, 1])
    await expectPaidOnce(scene, paid, shop)
    // A fee is counted once, and was another in the other block.
    scene.except.add('fees')
  })

  it('and that somebody else sent again is where that one put it', async () => {
    const scene = await deepScene()
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    await chain.reorg(1)
    const hash = await relay(chain, (await signed(scene))[0] as Transfer)
    await expectPaidOnce(scene, paid, shop)
    expect((await signed(scene))[0]?.txHash).toBe(hash)
    expect((await scene.get(paid)).receipt?.rail_ref).toBe(hash)
  })

  it('keeps the account and the books alike while it is on its way', async () => {
    const scene = await deepScene()
    const paid = await scene.pay(stranger().address, '25.00')
    await chain.automine(false)
    await chain.reorg(1)
    await wait(scene)
    expect((await scene.purse.bursar.store.read.one('wallets', { id: scene.purse.wallet.id }))?.status).toBe('active')
    await chain.automine()
    await wait(scene)
    expect((await scene.get(paid)).status).toBe('captured')
  })

  it('among several is followed one by one', async () => {
    const scene = await deepScene()
    const shops = Array.from({ length: 3 }, () => stranger().address)
    for (const shop of shops) expect((await scene.pay(shop, '5.00')).status).toBe('captured')
    await chain.reorg(2)
    expect(await Promise.all(shops.map(balance))).toEqual([5n * UNIT, 0n, 0n])
    await wait(scene)
    expect(await Promise.all(shops.map(balance))).toEqual([5n * UNIT, 5n * UNIT, 5n * UNIT])
    await chain.mine(2 * SLOTS + 1)
    await wait(scene)
    expect((await signed(scene)).map(({ status }) => status)).toEqual(['final', 'final', 'final'])
    expect(await broadcasts(scene)).toHaveLength(3)
  })
})

/** Refunded by the chain: credited once with its proof, and no allowance, use or limit given back. */
async function expectComeBack(scene: Scene, paid: { payment_id: string }, others = 0): Promise<void> {
  const { purse, inst } = scene
  const { read } = purse.bursar.store
  expect([(await scene.get(paid)).status, (await scene.get(paid)).refunded_amount]).toEqual(['refunded', '25.000000'])
  const transfer = (await read.one('transfers', { paymentId: paid.payment_id }))!
  const { unused } = (await lastEvent(scene, 'payment.refunded')) as { unused: { timestamp: number } }
  expect(unused.timestamp).toBeGreaterThanOrEqual(transfer.validBefore)
  expect(transfer).toMatchObject({ status: 'final', voidProof: unused.timestamp })
  const spent = BigInt(others) * UNIT
  expect((await read.one('accounts', { walletId: purse.wallet.id }))?.available).toBe(1000n * UNIT - spent)
  const instrument = (await read.one('instruments', { id: inst.instrument_id }))!
  expect(instrument.amount - instrument.remaining).toBe(25n * UNIT + spent)
  expect(instrument.usageConsumed).toBe(1 + others)
  await wait(scene)
  expect(await counted(scene, 'payment.refunded')).toBe(1)
  expect((await verifyStore(purse.bursar, journalNoteKey(purse.publicKey))).problems).toEqual([])
  scene.except.add('fees')
}
