import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { acceptDifference } from '../../src/actions/owner/chain.ts'
import type { Transfer } from '../../src/core/types.ts'
import type { Sent } from '../../src/rails/usdc/nodes.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import {
  broadcasts,
  counted,
  expectGivenBack,
  lastEvent,
  later,
  makeScene,
  pass,
  ruleOf,
  type Scene,
  type SceneOptions,
  signed,
} from './scene.ts'
import { relay, stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterEach(async () => {
  await chain.automine()
  await chain.pause(false)
})
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as Address)

/** A scene in which something happens after a transfer is signed and stored, and before its transaction gets to a node. */
function between(happens: (scene: Scene) => Promise<void>, options: SceneOptions = {}): Promise<Scene> {
  let done = false
  const made = makeScene(chain, {
    impatient: true,
    ...options,
    reads: (reads) => ({
      ...reads,
      async send(raw): Promise<Sent> {
        const first = !done
        done = true
        if (first) await happens(await made)
        return reads.send(raw)
      },
    }),
  })
  return made
}

describe('what the token would not let move', () => {
  it.each<
    [string, (scene: Scene, shop: Address) => Promise<unknown>, (scene: Scene, shop: Address) => Promise<unknown>]
  >([
    ['a payee on the blacklist', (_, shop) => chain.blacklist(shop), (_, shop) => chain.blacklist(shop, false)],
    [
      'a wallet on the blacklist',
      ({ purse }) => blacklist(purse.address),
      ({ purse }) => blacklist(purse.address, false),
    ],
    ['a token that is paused', () => chain.pause(), () => chain.pause(false)],
    ['a balance that is gone', ({ purse }) => take(purse.address), accept],
  ])('%s: is voided at once, nothing is signed and everything is given back', async (_, stop, undo) => {
    const scene = await makeScene(chain)
    const shop = stranger().address
    await stop(scene, shop)
    const paid = await scene.pay(shop, '25.00')
    expect(ruleOf(paid)).toEqual(['voided', 'rail_declined', 'chain.transfer_refused'])
    expect([await signed(scene), await broadcasts(scene)]).toEqual([[], []])
    await expectGivenBack(scene)
    await undo(scene, shop)
  })

  it.each<
    [string, (scene: Scene, shop: Address) => Promise<unknown>, (scene: Scene, shop: Address) => Promise<unknown>]
  >([
    ['a payee on the blacklist', (_, shop) => chain.blacklist(shop), (_, shop) => chain.blacklist(shop, false)],
    ['a token that is paused', () => chain.pause(), () => chain.pause(false)],
  ])('security: %s after it was signed: is held until it is proven that it never moves', async (_, stop, undo) => {
    const shop = stranger().address
    const scene = await between(async (made) => void (await stop(made, shop)))
    const paid = await scene.pay(shop, '25.00')
    expect([paid.status, (await signed(scene)).length]).toEqual(['in_doubt', 1])
    await expectHeldUntilProof(scene, paid, shop)
    await undo(scene, shop)
  })

  it('security: a balance that is gone after it was signed: is held until the proof', async () => {
    const shop = stranger().address
    const scene = await between(({ purse }) => take(purse.address))
    const paid = await scene.pay(shop, '25.00')
    expect(paid.status).toBe('in_doubt')
    await give(scene.purse.address)
    // There again in time, it moves: once.
    expect([(await scene.settle(paid)).status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
    await accept(scene)
  })

  it('moves when it is let through again in time, with the one signature there is', async () => {
    const shop = stranger().address
    const scene = await between(() => chain.pause().then(() => undefined))
    const paid = await scene.pay(shop, '25.00')
    const before = await signed(scene)
    await chain.pause(false)
    expect([(await scene.settle(paid)).status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
    expect((await signed(scene)).map(({ signature }) => signature)).toEqual(before.map(({ signature }) => signature))
  })
})

describe('security: a transfer whose time passes', () => {
  it('in the mempool never moves, and is given back on proof alone', async () => {
    const scene = await makeScene(chain, { impatient: true })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    expect([paid.status, await lastEvent(scene, 'payment.in_doubt')]).toEqual(['in_doubt', { reason: 'unconfirmed' }])
    // The purse's own clock proves nothing: the chain's does.
    await scene.recover()
    expect((await scene.get(paid)).status).toBe('in_doubt')
    await expectHeldUntilProof(scene, paid, shop)
  })

  it('moves in the last second, though the clocks here say that it is too late', async () => {
    const scene = await makeScene(chain, { impatient: true })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    const [transfer] = (await signed(scene)) as [Transfer]
    await chain.rpc('evm_setNextBlockTimestamp', [transfer.validBefore - 1])
    await chain.mine()
    await scene.recover()
    expect([(await scene.get(paid)).status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
  })

  it('is not voided by a block that is too late and not final', async () => {
    const scene = await makeScene(chain, { impatient: true })
    await chain.automine(false)
    const paid = await scene.pay(stranger().address, '25.00')
    await chain.dropPending()
    later(301)
    await chain.warp(301)
    for (const finality of ['latest', 'safe']) {
      await scene.recover()
      expect([finality, (await scene.get(paid)).status]).toEqual([finality, 'in_doubt'])
      await chain.mine()
    }
    await scene.recover()
    expect(ruleOf(await scene.get(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
    await expectGivenBack(scene)
  })
})

describe('security: somebody else sends it', () => {
  it('first: it is paid once, and captured where it is', async () => {
    const scene = await between(async (made) => void (await relay(chain, (await signed(made))[0] as Transfer)))
    const shop = stranger().address
    const paid = await scene.pay(shop, '25.00')
    const [ours] = await broadcasts(scene)
    expect([paid.status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
    expect(paid.receipt?.rail_ref).not.toBe(ours?.txHash)
    await scene.recover()
    expect(await balance(shop)).toBe(25n * UNIT)
  })

  it('while ours waits: ours moves nothing more, and its nonce is used up', async () => {
    const scene = await makeScene(chain, { impatient: true })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    await chain.dropPending()
    await chain.automine()
    await relay(chain, (await signed(scene))[0] as Transfer)
    expect([(await scene.settle(paid)).status, await balance(shop)]).toEqual(['captured', 25n * UNIT])
    expect(await broadcasts(scene)).toHaveLength(1)
    const next = await scene.pay(stranger().address, '1.00')
    expect((await scene.settle(next)).status).toBe('captured')
  })
})

/** Not given back while it could move; then voided with the block that proves it, and everything is as before. */
async function expectHeldUntilProof(scene: Scene, paid: { payment_id: string }, shop: string): Promise<void> {
  const { read } = scene.purse.bursar.store
  const held = async () => (await read.one('accounts', { walletId: scene.purse.wallet.id }))?.held
  const [transfer] = (await signed(scene)) as [Transfer]
  expect([(await scene.get(paid)).status, await held()]).toEqual(['in_doubt', 25n * UNIT])
  await chain.dropPending()
  // The last blocks that are in time are final.
  await chain.rpc('evm_setNextBlockTimestamp', [transfer.validBefore - 5])
  await chain.mine(4)
  await scene.recover()
  expect([(await scene.get(paid)).status, await held()]).toEqual(['in_doubt', 25n * UNIT])
  await pass(chain, 300)
  await scene.recover()
  const view = scene.get(paid)
  expect(ruleOf(await view)).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
  const { unused } = (await lastEvent(scene, 'payment.voided')) as { unused: { timestamp: number; block: number } }
  expect(unused.timestamp).toBeGreaterThanOrEqual(transfer.validBefore)
  expect((await signed(scene))[0]).toMatchObject({ status: 'final', voidProof: unused.timestamp, txHash: null })
  expect([await counted(scene, 'payment.voided'), await balance(shop)]).toEqual([1, 0n])
  await expectGivenBack(scene)
}

function blacklist(address: string, on = true): Promise<unknown> {
  return chain.blacklist(address as Address, on)
}

async function take(address: string): Promise<void> {
  await chain.takeAway(address as Address, 1000n * UNIT)
}

async function give(address: string): Promise<void> {
  await chain.mint(address as Address, 1000n * UNIT)
}

/** The owner says that it was taken out by hand. */
async function accept({ purse }: Scene): Promise<void> {
  await acceptDifference(purse.bursar, purse.authority, purse.wallet.id)
}
