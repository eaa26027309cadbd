import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { limitRelayer } from '../../src/actions/owner/chain.ts'
import { recover } from '../../src/actions/recover.ts'
import type { PaymentView } from '../../src/actions/wire.ts'
import type { Payment } from '../../src/core/types.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type ChainPurse, fundChainPurse, makeInstrument, openChainPurse, UNIT } from '../support/chain-purse.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { settled } from './kill-scene.ts'
import { shopOf } from './kill-story.ts'

vi.setConfig({ testTimeout: 300_000 })

const DOWN_MS = 10_000
/** Longer than an authorization is good for. */
const LATER_SECONDS = 6 * 60
const AT_ONCE = 6

/** One purse, whose node may be as bad as can be, and agents that pay out of it. */
interface Scene {
  readonly chain: Chain
  readonly proxy: NodeProxy
  readonly purse: ChainPurse
  /** How far the purse's clock is before the chain's. */
  readonly clock: { aheadMs: number }
  /** In the order in which they were asked for; and answered. */
  readonly begun: Promise<PaymentView>[]
  readonly answers: PaymentView[]
  buy(): Promise<PaymentView>
  /** Several agents, each of which buys, waits and buys again while `meanwhile` goes on. */
  underLoad(pauseMs: number, meanwhile: () => Promise<void>): Promise<void>
  /** All that was begun has moved, whatever was known of it at first; nothing that was told was wrong. */
  allMoved(): Promise<void>
}

async function inScene(act: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-down-'))
  const chain = await startChain({ slotsInAnEpoch: 4 })
  const proxy = await startProxy(chain.url)
  const clock = { aheadMs: 0 }
  const options = { nodes: [proxy.url], clock: { now: () => Date.now() + clock.aheadMs } }
  const purse = await openChainPurse(folder, chain, options)
  try {
    await act(await sceneOf(chain, proxy, purse, clock))
  } finally {
    await purse.close()
    await proxy.stop()
    await chain.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function sceneOf(chain: Chain, proxy: NodeProxy, purse: ChainPurse, clock: Scene['clock']): Promise<Scene> {
  await fundChainPurse(purse, chain, 100n * UNIT)
  const { instrument_id } = await makeInstrument(purse, { amount: '90.00' })
  const begun: Promise<PaymentView>[] = []
  const answers: PaymentView[] = []
  const buy = async (): Promise<PaymentView> => {
    const n = begun.length
    const payee = { address: shopOf(purse, `shop ${n % 5}`) }
    begun.push(pay(purse.bursar, purse.caller, { instrument_id, amount: '0.10', payee, purpose: `Purchase ${n}` }))
    const view = (await begun[n]) as PaymentView
    answers.push(view)
    return view
  }
  return {
    ...{ chain, proxy, purse, clock, begun, answers, buy },
    async underLoad(pauseMs, meanwhile) {
      let isOn = true
      const agent = async (): Promise<void> => {
        for (; isOn; await sleep(pauseMs)) await buy()
      }
      const agents = Array.from({ length: AT_ONCE }, agent)
      await meanwhile()
      isOn = false
      await Promise.all(agents)
    },
    async allMoved() {
      const { read } = purse.bursar.store
      for (const { payment_id, status } of answers.filter((one) => one.status === 'captured'))
        expect([(await read.one('payments', { id: payment_id }))?.status, status]).toEqual(['captured', 'captured'])
      expect(answers.filter(({ status }) => status !== 'captured' && status !== 'in_doubt')).toEqual([])
      await settled(purse, chain)
      expect((await read.list('payments', { status: 'captured' })).map(({ id }) => id)).toEqual(
        answers.map(({ payment_id }) => payment_id).sort((a, b) => (a < b ? 1 : -1)),
      )
    },
  }
}

/** This many of the relayer's transactions wait for a block. */
async function haveArrived({ chain, purse }: Scene, count: number): Promise<void> {
  const address = purse.relayerAddress as `0x${string}`
  while ((await chain.publicClient.getTransactionCount({ address, blockTag: 'pending' })) < count) await sleep(5)
}

const inDoubt = (answers: readonly PaymentView[]): number =>
  answers.filter(({ status }) => status === 'in_doubt').length

describe.concurrent('security: while agents pay', () => {
  test('a node that is away for a while is answered for by "in doubt", and what was in doubt is settled', () =>
    inScene(async ({ proxy, purse, begun, answers, underLoad, allMoved }) => {
      let [first, end] = [0, 0]
      await underLoad(300, async () => {
        await sleep(1_000)
        proxy.down()
        first = begun.length
        await sleep(DOWN_MS)
        while (begun.length <= first + 2 * AT_ONCE) await sleep(20)
        end = begun.length
        await expect(recover(purse.bursar)).rejects.toThrow(AggregateError)
        proxy.down(false)
        await sleep(500)
      })
      // The last of them may have met the node as it came back.
      const whileDown = await Promise.all(begun.slice(first, end - AT_ONCE))
      expect(whileDown.length).toBeGreaterThan(AT_ONCE)
      expect(whileDown.filter(({ status }) => status !== 'in_doubt')).toEqual([])
      await allMoved()
      process.stdout.write(`${answers.length} payments, ${inDoubt(answers)} in doubt while the node was away\n`)
    }))

  test('answers that are lost after something was sent, and after something was read, make no payment twice', () =>
    inScene(async ({ proxy, answers, underLoad, allMoved }) => {
      const methods = ['eth_call', 'eth_getLogs', 'eth_getTransactionReceipt', 'eth_estimateGas']
      await underLoad(50, async () => {
        for (let n = 0; n < 24; n++) {
          proxy.dropReply('eth_sendRawTransaction', n % 3)
          proxy.dropReply(methods[n % methods.length] as string, n % 2 === 0 ? 1 : 3)
          await sleep(100)
        }
      })
      proxy.mend()
      expect(answers.length).toBeGreaterThan(AT_ONCE)
      await allMoved()
      process.stdout.write(`${answers.length} payments, ${inDoubt(answers)} in doubt after lost answers\n`)
    }))

  test('a node that answers late leaves payments in doubt, which are settled when it is itself again', () =>
    inScene(async ({ proxy, answers, buy, allMoved }) => {
      await buy()
      proxy.delay(2_500)
      await Promise.all(Array.from({ length: AT_ONCE }, buy))
      proxy.mend()
      expect(inDoubt(answers.slice(1))).toBe(AT_ONCE)
      await allMoved()
    }))

  test('a chain that forgets what waits for a block gets all of it again', () =>
    inScene(async ({ chain, answers, underLoad, allMoved }) => {
      await chain.automine(false)
      await underLoad(50, async () => {
        for (let n = 0; n < 30; n++) {
          if (n % 6 === 5) await chain.dropPending()
          else await chain.mine()
          await sleep(100)
        }
        await chain.automine()
      })
      expect(answers.length).toBeGreaterThan(AT_ONCE)
      await allMoved()
      process.stdout.write(`${answers.length} payments, ${inDoubt(answers)} in doubt on a chain that forgot\n`)
    }))
})

test('what may not be offered a higher price for goes out again as it was, when the chain forgot it', () =>
  inScene(async (scene) => {
    const { chain, proxy, purse, clock, buy } = scene
    await chain.automine(false)
    const waiting = buy()
    await haveArrived(scene, 1)
    proxy.down()
    const { payment_id, status } = await waiting
    expect(status).toBe('in_doubt')
    await chain.dropPending()
    await chain.automine()
    proxy.down(false)
    await limitRelayer(purse.bursar, purse.authority, purse.wallet.relayer as string, '0.000000001')
    clock.aheadMs = 200_000
    await recover(purse.bursar)
    await recover(purse.bursar)
    expect((await purse.bursar.store.read.one('payments', { id: payment_id }))?.status).toBe('captured')
    await settled(purse, chain)
  }))

describe.concurrent('security: the time of payments is over while the node is away', () => {
  /** Two payments that wait for a block, and one that was never signed. */
  async function caught(scene: Scene): Promise<[Payment[], Payment]> {
    const { chain, proxy, purse, clock, buy } = scene
    await chain.automine(false)
    const waiting = [buy(), buy()]
    await haveArrived(scene, 2)
    proxy.down()
    const views = [...(await Promise.all(waiting)), await buy()]
    expect(views.map(({ status }) => status)).toEqual(['in_doubt', 'in_doubt', 'in_doubt'])
    clock.aheadMs += LATER_SECONDS * 1000
    await expect(recover(purse.bursar)).rejects.toThrow(AggregateError)
    const found = await Promise.all(views.map(({ payment_id }) => stateOf(purse, payment_id)))
    return [found.slice(0, 2), found[2]!]
  }

  async function stateOf({ bursar }: ChainPurse, id: string): Promise<Payment> {
    return (await bursar.store.read.one('payments', { id })) as Payment
  }

  const statuses = async (purse: ChainPurse, payments: readonly Payment[]) =>
    Promise.all(payments.map(async ({ id }) => (await stateOf(purse, id)).status))

  test('what was never signed is given up; what was taken meanwhile is captured, however late it is seen', () =>
    inScene(async (scene) => {
      const { chain, proxy, purse } = scene
      const [sent, unsigned] = await caught(scene)
      expect([await statuses(purse, sent), unsigned.status]).toEqual([['in_doubt', 'in_doubt'], 'voided'])
      await chain.mine()
      proxy.down(false)
      await chain.warp(LATER_SECONDS)
      await chain.automine()
      await recover(purse.bursar)
      expect(await statuses(purse, sent)).toEqual(['captured', 'captured'])
      await settled(purse, chain)
    }))

  test('what was signed stays in doubt until the chain itself proves that it is too late', () =>
    inScene(async (scene) => {
      const { chain, proxy, purse } = scene
      const [sent] = await caught(scene)
      proxy.down(false)
      await chain.dropPending()
      await chain.automine()
      for (let n = 0; n < 3; n++) {
        await recover(purse.bursar)
        await chain.mine(8)
      }
      expect(await statuses(purse, sent)).toEqual(['in_doubt', 'in_doubt'])
      await chain.warp(LATER_SECONDS)
      await recover(purse.bursar)
      // The newest block is late enough, a finalized one not yet.
      expect(await statuses(purse, sent)).toEqual(['in_doubt', 'in_doubt'])
      await chain.mine(8)
      await recover(purse.bursar)
      expect(await statuses(purse, sent)).toEqual(['voided', 'voided'])
      await settled(purse, chain)
    }))
})
