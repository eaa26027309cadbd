import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import type { ChainPurse } from '../support/chain-purse.ts'
import { alive, MEANWHILE, Scene, settled } from './kill-scene.ts'
import { instrument, shopOf } from './kill-story.ts'

/** Every how manieth of all the kills is done: `BURSAR_KILL_EVERY=1` for all of them. */
const EVERY = Number(process.env.BURSAR_KILL_EVERY ?? 613)
/** How many points further a recovery gets each time before it is killed again. */
const STEP = Math.max(1, Math.ceil(EVERY / 6))
/** How often a process is killed at some random time. */
const ROUNDS = Number(process.env.BURSAR_KILL_ROUNDS ?? 3)
const LONG = { timeout: 7_200_000 }

let scene: Scene
beforeAll(async () => {
  scene = await Scene.begin()
})
afterAll(() => scene.end())

test('security: a process that is killed at any point pays nothing twice, and loses nothing', LONG, async () => {
  const { points } = await scene.kill(await scene.newFolder(), 'story', 0)
  expect(points.length).toBeGreaterThan(300)
  const all = points.flatMap((name, n) => MEANWHILE.map((meanwhile) => ({ point: n + 1, name, meanwhile })))
  const tried = all.filter((_, n) => n % EVERY === 0)
  const failed: unknown[] = []
  for (const one of tried) {
    const folder = await scene.newFolder()
    const { said } = await scene.kill(folder, 'story', one.point)
    await scene.pass(one.meanwhile)
    await scene.takeUp(folder, said).catch((error) => failed.push({ ...one, error }))
  }
  expect(failed).toEqual([])
  process.stdout.write(`killed ${tried.length} of ${all.length} times at a point of the story\n`)
})

test('security: a recovery that is killed again and again does no harm, and gets there', LONG, async () => {
  const { points } = await scene.kill(await scene.newFolder(), 'story', 0)
  const last = points.lastIndexOf('after books.broadcast') + 1
  let deaths = 0
  for (const meanwhile of MEANWHILE) {
    const folder = await scene.newFolder()
    const { said } = await scene.kill(folder, 'story', last)
    await scene.pass(meanwhile)
    await scene.chain.automine(false)
    for (let point = 1, lived = false; !lived; point += STEP) {
      lived = (await scene.kill(folder, 'recover', point)).lived
      deaths += lived ? 0 : 1
      await scene.chain.mine()
    }
    await scene.chain.automine()
    await scene.takeUp(folder, said)
  }
  process.stdout.write(`killed ${deaths} times while it recovered\n`)
})

test('security: a process that is killed at any time, with eight payments in flight, too', LONG, async () => {
  const folder = await scene.newFolder()
  const purse = await scene.open(folder)
  const card = await instrument(purse)
  const blocks = everySoOften(() => scene.chain.mine())
  const begun = new Set<string>()
  const done = new Map<string, string>()
  for (let round = 0; round < ROUNDS; round++) {
    const child = scene.send(folder, 'buy', { instrument: card, first: begun.size, atOnce: 8 })
    while (child.lines.length === 0 && child.process.exitCode === null) await sleep(2)
    await sleep(200 + Math.random() * (round % 2 === 0 ? 1_000 : 2_500))
    await child.stop('SIGKILL')
    if (round % 2 === 1) await scene.chain.dropPending()
    for (const [what, key = '', id = '', status] of child.lines.map((line) => line.split(' '))) {
      if (what === 'begun') begun.add(key)
      else if (status === 'captured') done.set(key, id)
    }
  }
  await blocks.stop()
  await scene.chain.automine()
  await settled(purse, scene.chain)
  const before = await alive(purse)
  for (const [key, id] of done) expect(before.get(key)?.map((payment) => payment.id)).toEqual([id])
  for (const key of begun) {
    const view = await again(purse, card, key)
    expect([view.status, view.payment_id]).toEqual(['captured', before.get(key)?.[0]?.id ?? view.payment_id])
  }
  expect([...(await alive(purse)).values()].map((payments) => payments.length)).toEqual([...begun].map(() => 1))
  await settled(purse, scene.chain)
  await purse.close()
  process.stdout.write(`${ROUNDS} kills at random: ${begun.size} payments begun, ${done.size} told to be captured\n`)
})

/** The same call as the process that was killed has made. */
function again(purse: ChainPurse, instrument_id: string, key: string) {
  const payee = { address: shopOf(purse, `shop ${Number(key.slice('key-'.length)) % 5}`) }
  return pay(purse.bursar, purse.caller, { instrument_id, amount: '0.10', payee, purpose: key, idempotency_key: key })
}

function everySoOften(work: () => Promise<void>): { stop(): Promise<void> } {
  let isOn = true
  const loop = (async () => {
    for (; isOn; await sleep(40)) await work()
  })()
  return {
    stop() {
      isOn = false
      return loop
    },
  }
}
