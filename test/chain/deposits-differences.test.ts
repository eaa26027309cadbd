import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { acceptDifference } from '../../src/actions/owner/chain.ts'
import { unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { reconcile } from '../../src/actions/transfer/reconcile.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { makeInstrument, send, UNIT } from '../support/chain-purse.ts'
import { counted, lastEvent, makeScene, ruleOf, type Scene, type SceneOptions } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ slotsInAnEpoch: 4 })
})
afterEach(() => chain.automine())
afterAll(() => chain.stop())

const status = async ({ purse }: Scene) =>
  (await purse.bursar.store.read.one('wallets', { id: purse.wallet.id }))?.status
const accounts = async ({ purse }: Scene) =>
  (await purse.bursar.store.read.one('accounts', { walletId: purse.wallet.id }))!
const accept = ({ purse }: Scene) => acceptDifference(purse.bursar, purse.authority, purse.wallet.id)
const unfreeze = ({ purse }: Scene) => unfreezeWallet(purse.bursar, purse.authority, purse.wallet.id)
const mint = ({ purse }: Scene, units: bigint) => chain.mint(purse.address as Address, units)
const take = ({ purse }: Scene, units: bigint) => chain.takeAway(purse.address as Address, units)

/** Its first funds are final: only what comes later can be taken back. */
async function deepScene(options: SceneOptions = {}): Promise<Scene> {
  const scene = await makeScene(chain, { ...options, funds: 0n })
  await mint(scene, 1000n * UNIT)
  await chain.mine(9)
  await scene.recover()
  expect((await accounts(scene)).available).toBe(1000n * UNIT)
  return scene
}

/** The wallet is frozen, says both numbers, and pays nothing. */
async function expectFrozen(scene: Scene, holds: string, books: string): Promise<void> {
  expect(await status(scene)).toBe('frozen')
  const { reason } = (await lastEvent(scene, 'wallet.frozen')) as { reason: string }
  expect(reason).toMatch(new RegExp(`holds ${holds} at block \\d+; the books say ${books}\\.`))
  const refused = await scene.pay(stranger().address, '1.00')
  expect(ruleOf(refused)).toEqual(['refused', 'spending_frozen', 'wallet.status'])
}

async function expectPaysAgain(scene: Scene): Promise<void> {
  await unfreeze(scene)
  await scene.recover()
  expect([await status(scene), (await scene.pay(stranger().address, '1.00')).status]).toEqual(['active', 'captured'])
}

describe('security: money that is gone', () => {
  it('freezes the wallet, and the books follow once its owner says so', async () => {
    const scene = await makeScene(chain)
    await take(scene, 400n * UNIT)
    await scene.recover()
    await expectFrozen(scene, '600.000000', '1000.000000')
    // Letting it go without a word helps nothing.
    await unfreeze(scene)
    await scene.recover()
    expect([await status(scene), await counted(scene, 'wallet.frozen')]).toEqual(['frozen', 2])
    await accept(scene)
    expect([await status(scene), (await accounts(scene)).available]).toEqual(['frozen', 600n * UNIT])
    await expectPaysAgain(scene)
  })

  it('because a deposit was taken back by the chain freezes the wallet once that is final', async () => {
    const scene = await deepScene()
    await mint(scene, 7n * UNIT)
    await scene.recover()
    expect((await accounts(scene)).available).toBe(1007n * UNIT)
    await chain.reorg(1)
    await scene.recover()
    // It may come back yet: anybody can send a coin in a block that will not last.
    expect(await status(scene)).toBe('active')
    await chain.mine(40)
    await scene.recover()
    await expectFrozen(scene, '1000.000000', '1007.000000')
    await accept(scene)
    await expectPaysAgain(scene)
  })

  it('beyond what is free is owed, and what comes in next pays it back first', async () => {
    const scene = await deepScene({ impatient: true, confirmations: [{ up_to: null, at: 'finalized' }] })
    const paid = await scene.pay(stranger().address, '100.00')
    await take(scene, 890n * UNIT)
    await chain.mine(9)
    expect((await scene.settle(paid)).status).toBe('captured')
    const held = await scene.pay(stranger().address, '1.00')
    expect(await status(scene)).toBe('frozen')
    expect(held.refusal?.code).toBe('spending_frozen')
    await accept(scene)
    await take(scene, 10n * UNIT)
    await accept(scene)
    expect(await accounts(scene)).toMatchObject({ available: 0n, held: 0n, external: 0n, overdrawn: 0n })
    await mint(scene, 5n * UNIT)
    await chain.mine(9)
    await scene.recover()
    expect(await accounts(scene)).toMatchObject({ available: 5n * UNIT, overdrawn: 0n })
  })

  it('while a payment holds it is owed, and the hold stays', async () => {
    const scene = await deepScene({ impatient: true })
    await chain.automine(false)
    const paid = await scene.pay(stranger().address, '100.00')
    await chain.dropPending()
    await chain.automine()
    await take(scene, 950n * UNIT)
    await reconcile(scene.purse.bursar, scene.purse.wallet.id, false)
    await accept(scene)
    expect(await accounts(scene)).toMatchObject({ available: 0n, held: 100n * UNIT, overdrawn: -50n * UNIT })
    await mint(scene, 70n * UNIT)
    await reconcile(scene.purse.bursar, scene.purse.wallet.id, false)
    expect(await accounts(scene)).toMatchObject({ available: 20n * UNIT, held: 100n * UNIT, overdrawn: 0n })
    await unfreeze(scene)
    expect((await scene.settle(paid)).status).toBe('captured')
    expect(await accounts(scene)).toMatchObject({ available: 20n * UNIT, held: 0n })
  })

  it('is not said to be gone where nothing is', async () => {
    const scene = await makeScene(chain)
    await expect(accept(scene)).rejects.toMatchObject({ code: 'wrong_state' })
    await scene.pay(stranger().address, '1.00')
    await expect(accept(scene)).rejects.toMatchObject({ code: 'wrong_state' })
    expect(await counted(scene, 'wallet.withdrawn')).toBe(0)
  })

  it('is written down once, however often it is looked at', async () => {
    const scene = await makeScene(chain)
    await take(scene, 1n)
    for (let times = 0; times < 2; times += 1) await scene.recover()
    expect([await counted(scene, 'wallet.frozen'), await status(scene)]).toEqual([1, 'frozen'])
    await accept(scene)
  })
})

describe('a deposit that the chain moved', () => {
  it('security: to another block is credited once', async () => {
    const scene = await deepScene()
    await mint(scene, 7n * UNIT)
    await scene.recover()
    await chain.reorg(1, { keepTransactions: true })
    await scene.recover()
    await chain.mine(9)
    await scene.recover()
    expect([(await accounts(scene)).available, await status(scene)]).toEqual([1007n * UNIT, 'active'])
    expect(await counted(scene, 'wallet.funded')).toBe(2)
  })

  it('away before it counted is not missed', async () => {
    const scene = await deepScene({ confirmations: [{ up_to: null, at: 'finalized' }] })
    await mint(scene, 7n * UNIT)
    await scene.recover()
    await chain.reorg(1)
    await chain.mine(9)
    await scene.recover()
    expect([(await accounts(scene)).available, await status(scene)]).toEqual([1000n * UNIT, 'active'])
  })
})

describe('a difference that is not there', () => {
  it.each([1, 2])('and shows in %i looks freezes nothing', async (times) => {
    let wrong = 0
    const scene = await makeScene(chain, {
      reads: (reads) => ({
        ...reads,
        async balance(address, at) {
          wrong -= 1
          return (await reads.balance(address, at)) - (wrong >= 0 ? 1n : 0n)
        },
      }),
    })
    wrong = times
    const seen = await reconcile(scene.purse.bursar, scene.purse.wallet.id, false)
    expect([seen.chain, seen.books, await status(scene)]).toEqual(['1000.000000', '1000.000000', 'active'])
  })

  it('security: never freezes a wallet with twenty payments in flight and deposits between them', async () => {
    const scene = await deepScene()
    const other = await scene.other()
    let isOver = false
    const looking = [scene.purse, other].map(async ({ bursar, wallet }) => {
      while (!isOver) await reconcile(bursar, wallet.id, false)
    })
    const purses = [scene.purse, { ...scene.purse, bursar: other.bursar }]
    const paying = Array.from({ length: 20 }, (_, i) => send(purses[i % 2]!, scene.inst, stranger().address, '3.00'))
    await mint(scene, 2n * UNIT)
    const paid = await Promise.all(paying)
    await mint(scene, 2n * UNIT)
    isOver = true
    await Promise.all(looking)
    expect(await lastEvent(scene, 'wallet.frozen')).toBe(null)
    for (const one of paid) expect(ruleOf(await scene.settle(one))).toEqual(['captured', undefined, undefined])
    await scene.recover()
    expect([await counted(scene, 'wallet.frozen'), (await accounts(scene)).available]).toEqual([0, 944n * UNIT])
  })

  it('security: is none where the chain moved what the books do not count yet', async () => {
    const scene = await deepScene({ impatient: true, confirmations: [{ up_to: null, at: 'finalized' }] })
    const paid = await scene.pay(stranger().address, '100.00')
    await chain.mine()
    const { chain: holds, books } = await reconcile(scene.purse.bursar, scene.purse.wallet.id, false)
    expect([(await scene.get(paid)).status, holds, books]).toEqual(['in_doubt', '900.000000', '900.000000'])
    expect([await status(scene), (await accounts(scene)).held]).toEqual(['active', 100n * UNIT])
    await chain.mine(9)
    expect((await scene.settle(paid)).status).toBe('captured')
  })

  it('security: freezes no other wallet', async () => {
    const [scene, other] = [await makeScene(chain), await makeScene(chain)]
    await take(scene, UNIT)
    await scene.recover()
    await other.recover()
    expect([await status(scene), await status(other)]).toEqual(['frozen', 'active'])
    const inst = await makeInstrument(other.purse)
    expect((await send(other.purse, inst, stranger().address, '1.00')).status).toBe('captured')
    await accept(scene)
  })
})
