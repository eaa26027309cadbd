import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import type { ChainPurse } from '../support/chain-purse.ts'
import { type Home, MEANWHILE, type Meanwhile, Scene, undelivered, unexplained } from './kill-scene.ts'
import { alive, PAGES, type Page } from './kill-story.ts'

/** Every how manieth of all the kills is done: `BURSAR_KILL_EVERY=1` for all of them. 0: a few that matter most. */
const EVERY = Number(process.env.BURSAR_KILL_EVERY ?? 0)
/** How often a process is killed at some random time. */
const ROUNDS = Number(process.env.BURSAR_KILL_ROUNDS ?? 2)
const LONG = { timeout: 7_200_000 }

/** Between what is signed, what is stored, what leaves, and what comes back. */
const NOTABLE: readonly (readonly [string, Meanwhile])[] = [
  ['within the step that writes purchase.quoted', 'soon'],
  ['before the header leaves', 'late'],
  ['after the header left', 'soon'],
  ['within the step that writes purchase.answered', 'soon'],
]

interface Kill {
  /** From 1. */
  readonly point: number
  readonly name: string
  readonly meanwhile: Meanwhile
}

let scene: Scene
/** What a story comes by that is told to its end. */
let points: readonly string[] = []
beforeAll(async () => {
  scene = await Scene.begin()
  const home = await scene.newHome()
  const whole = await scene.kill(home, 'story', 0)
  expect(whole.lived).toBe(true)
  points = whole.points
  await scene.takeUp(home, whole.said)
})
afterAll(() => scene.end())

test('security: a buyer that is killed at any point pays nothing twice, and gets what it paid for', LONG, async () => {
  expect(points.length).toBeGreaterThan(200)
  for (const side of ['before the header leaves', 'after the header left'])
    expect(points.filter((name) => name === side).length).toBeGreaterThanOrEqual(PAGES.length)
  const all = points.flatMap((name, n) => MEANWHILE.map((meanwhile): Kill => ({ point: n + 1, name, meanwhile })))
  const tried = EVERY === 0 ? NOTABLE.map((one) => middle(all, one)) : all.filter((_, n) => n % EVERY === 0)
  const failed: unknown[] = []
  for (const one of tried) {
    const home = await scene.newHome()
    const { said } = await scene.kill(home, 'story', one.point)
    await scene.pass(home, one.meanwhile)
    await scene.takeUp(home, said).catch((error) => failed.push({ ...one, error }))
  }
  expect(failed).toEqual([])
  process.stdout.write(`killed ${tried.length} of ${all.length} times at a point of the story\n`)
})

function middle(all: readonly Kill[], [name, meanwhile]: readonly [string, Meanwhile]): Kill {
  const found = all.filter((one) => one.name === name && one.meanwhile === meanwhile)
  return found[Math.floor(found.length / 2)]!
}

test('security: a recovery that is killed again and again does no harm, and gets there', LONG, async () => {
  // All but the last purchase are delivered and not seen on the chain; that one is signed and has not left.
  const last = points.lastIndexOf('before the header leaves') + 1
  let deaths = 0
  for (const meanwhile of EVERY === 0 ? (['late'] as const) : MEANWHILE) {
    const home = await scene.newHome()
    const { said } = await scene.kill(home, 'story', last)
    await scene.pass(home, meanwhile)
    for (let point = EVERY === 0 ? 40 : 1, lived = false; !lived; point += Math.max(EVERY, 1)) {
      lived = (await scene.kill(home, 'recover', point)).lived
      deaths += lived ? 0 : 1
      if (EVERY === 0 && deaths === 2) break
    }
    await scene.takeUp(home, said)
  }
  process.stdout.write(`killed ${deaths} times while it recovered\n`)
})

test('security: a buyer that is killed while its seller takes the money, or does not, pays once', LONG, async () => {
  const pages: readonly Page[] = EVERY === 0 ? ['plain'] : ['keyed', 'plain', 'final', 'at-once-2', 'asked']
  const cases = pages.flatMap((page) => [
    { page, at: 'read', takes: true, meanwhile: 'soon' } as const,
    { page, at: 'read', takes: false, meanwhile: 'late' } as const,
    ...(EVERY === 0
      ? []
      : ([
          { page, at: 'read', takes: true, meanwhile: 'late' },
          { page, at: 'read', takes: false, meanwhile: 'soon' },
          { page, at: 'taken', takes: true, meanwhile: 'soon' },
          { page, at: 'taken', takes: true, meanwhile: 'late' },
        ] as const)),
  ])
  for (const { page, at, takes, meanwhile } of cases) {
    const home = await scene.newHome()
    const { said, lived } = await scene.killAtSeller(home, at, page, takes)
    expect(lived).toBe(false)
    await scene.pass(home, meanwhile)
    await scene.takeUp(home, said)
  }
  process.stdout.write(`killed ${cases.length} times while the seller had the payment in its hands\n`)
})

test('security: a buyer that is killed at any time, with eight purchases in flight, too', LONG, async () => {
  const home = await scene.newHome()
  const begun = new Set<string>()
  const done = new Map<string, string>()
  for (let round = 0; round < ROUNDS; round++) {
    const child = scene.send(home, 'buy', { first: begun.size, atOnce: 8 })
    while (child.lines.length === 0 && child.process.exitCode === null) await sleep(2)
    await sleep(300 + Math.random() * 1_500)
    await child.stop('SIGKILL')
    await scene.pass(home, round % 4 === 3 ? 'late' : 'soon')
    for (const [what, page = '', id = '', delivered] of child.lines.map((line) => line.split(' '))) {
      if (what === 'begun') begun.add(page)
      else if (delivered === 'true') done.set(page, id)
    }
  }
  const purse = await scene.open(home.folder)
  await scene.recovered(purse)
  for (const page of begun) await again(purse, home, page)
  await scene.settled(purse)
  const paid = await alive(purse)
  expect(new Map([...paid].map(([page, payments]) => [page, payments.length]))).toEqual(
    new Map([...begun].map((page) => [page, 1])),
  )
  for (const [page, id] of done) expect(paid.get(page)?.[0]?.id).toBe(id)
  expect([await undelivered(purse), await unexplained(purse, home.seller), home.seller.taken()]).toEqual([
    [],
    [],
    begun.size,
  ])
  await purse.close()
  await home.seller.close()
  process.stdout.write(`${ROUNDS} kills at random: ${begun.size} purchases begun, ${done.size} told to be delivered\n`)
})

/** The same call as the process that was killed has made, where that one's was not delivered. */
async function again(purse: ChainPurse, { place, seller }: Home, page: string): Promise<void> {
  const input = { instrument_id: place.instrument, max_amount: '1.00', purpose: page, url: seller.url(page, 10_000n) }
  const { read } = purse.bursar.store
  const known = ((await alive(purse)).get(page) ?? []).map(({ id }) => id)
  for (const paymentId of known) if ((await read.one('purchases', { paymentId }))!.deliveredAt !== null) return
  const { payment, answer } = await fetchWithPayment(purse.bursar, purse.caller, input)
  expect([answer?.status, payment?.payment_id]).toEqual([200, known[0] ?? payment?.payment_id])
}
