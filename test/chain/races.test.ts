import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { PayInput } from '../../src/actions/agent/pay.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Payment } from '../../src/core/types.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type ChainPurse, fundChainPurse, makeInstrument, openChainPurse, send, UNIT } from '../support/chain-purse.ts'
import { bundled, Child } from '../support/children.ts'
import { settled } from './kill-scene.ts'
import { shopOf } from './kill-story.ts'
import type { Answer, Job } from './racer.ts'

vi.setConfig({ testTimeout: 300_000 })

const PROCESSES = 3
const AT_ONCE = 8
/** `BURSAR_RACE_SCALE=20` for a long campaign: that many times as many payments. */
const SCALE = Number(process.env.BURSAR_RACE_SCALE ?? 1)
const DAY_MS = 86_400_000
const MARGIN_MS = 600_000
/** No race meets midnight: shortly before it, it is the next day already. */
const AHEAD_MS = DAY_MS - (Date.now() % DAY_MS) < MARGIN_MS ? 2 * MARGIN_MS : 0
/** Longer than an authorization is good for. */
const LATER_MS = 6 * 60_000

const root = mkdtempSync(join(tmpdir(), 'bursar-race-'))
const folder = join(root, 'shared')
const all: Child[] = []
let script = ''
let chain: Chain
let racers: Child[] = []
let recoverer: Child
let purse: ChainPurse
let instrument_id = ''

const clockAhead = (ms: number) => ({ clock: { now: () => Date.now() + ms } })

function start(where: string, aheadMs: number): Child {
  const { network, token, url } = chain
  const child = new Child(script, [where, JSON.stringify({ network, token, url }), `${aheadMs}`])
  all.push(child)
  return child
}

beforeAll(async () => {
  // What is final is as far behind as it is while payments come in quickly.
  chain = await startChain({ slotsInAnEpoch: 8 })
  await chain.warp(AHEAD_MS / 1000)
  script = await bundled('test/chain/racer.ts')
  purse = await openChainPurse(folder, chain, clockAhead(AHEAD_MS))
  racers = Array.from({ length: PROCESSES }, () => start(folder, AHEAD_MS))
  recoverer = start(folder, AHEAD_MS)
  await fundChainPurse(purse, chain, BigInt(500 * SCALE) * UNIT)
  await chain.mine(20)
  const { bursar, authority, wallet } = purse
  await recover(bursar)
  // Room for half of what is tried, and for a part of one more payment.
  const max_amount = `${42 * SCALE}.30`
  await setLimit(bursar, authority, wallet.id, { scope: 'wallet', window: 'day', max_amount, over: 'deny' })
  instrument_id = (await makeInstrument(purse, { amount: `${400 * SCALE}.00` })).instrument_id
})
afterAll(async () => {
  await Promise.all(all.map((child) => child.stop()))
  await purse.close()
  await chain.stop()
  for (const gone of [root, dirname(script)]) rmSync(gone, { recursive: true, force: true })
})

/** Everything that failed. */
function recoverIn(child: Child): Promise<string[]> {
  return child.ask<string[]>({ recover: true } satisfies Job)
}

/** All processes begin at once, while another one recovers again and again. */
async function race(inputs: (process: number) => readonly PayInput[]): Promise<Answer[]> {
  let isOver = false
  const recovering = (async () => {
    const failures: string[] = []
    while (!isOver) failures.push(...(await recoverIn(recoverer)))
    return failures
  })()
  const answers = await Promise.all(
    racers.map((child, n) => child.ask<Answer[]>({ pay: inputs(n), atOnce: AT_ONCE } satisfies Job)),
  )
  isOver = true
  expect(await recovering).toEqual([])
  return answers.flat()
}

const several = (n: number, input: (i: number) => PayInput): PayInput[] => Array.from({ length: n }, (_, i) => input(i))

const count = (answers: readonly Answer[], what: string): number =>
  answers.filter(({ status, code }) => (code ?? status) === what).length

test('security: together they make one payment of one idempotency key, and all get it as the answer', async () => {
  const payee = { address: shopOf(purse, 'one') }
  const one = { instrument_id, amount: '0.30', payee, purpose: 'one order', idempotency_key: 'order-7' }
  const answers = await race(() => several(AT_ONCE, () => one))
  expect(new Set(answers.map(({ paymentId }) => paymentId)).size).toBe(1)
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
  expect(count(answers, 'error')).toBe(0)
  await settled(purse, chain)
  expect(await purse.bursar.store.read.list('payments', { instrumentId: instrument_id })).toMatchObject([
    { status: 'captured', captured: 300_000n },
  ])
})

test('security: together they reach a day limit to the unit, over one wallet and one relayer', async () => {
  const buy = (n: number, i: number): PayInput => {
    const payee = { address: shopOf(purse, `shop ${(n + i) % 7}`) }
    return { instrument_id, amount: '0.70', payee, purpose: `Purchase ${n} ${i}` }
  }
  const answers = await race((n) => several(40 * SCALE, (i) => buy(n, i)))
  const fits = 60 * SCALE
  expect(count(answers, 'limit_exceeded')).toBe(answers.length - fits)
  const went = answers.filter(({ code }) => code === null)
  expect(went.filter(({ status }) => status !== 'captured' && status !== 'in_doubt')).toEqual([])
  await settled(purse, chain)
  const paid = (await purse.bursar.store.read.list('payments', {
    status: 'captured',
    amount: 700_000n,
  })) as readonly Payment[]
  expect(paid.map(({ id }) => id).sort()).toEqual(went.map(({ paymentId }) => paymentId).sort())
  expect(paid).toHaveLength(fits)
  const slowest = Math.max(...answers.map(({ ms }) => ms)).toFixed(0)
  const late = count(answers, 'in_doubt')
  process.stdout.write(`${answers.length} calls, ${late} of them in doubt at first, the slowest ${slowest} ms\n`)
})

test('security: together they sign what nobody has signed yet, each payment once', async () => {
  const own = join(root, 'unsigned')
  const funded = await openChainPurse(own, chain, clockAhead(AHEAD_MS))
  await fundChainPurse(funded, chain, 100n * UNIT)
  const one = await makeInstrument(funded)
  const cutOff = await openChainPurse(own, chain, { ...clockAhead(AHEAD_MS), nodes: ['http://127.0.0.1:9'] })
  const to = shopOf(funded, 'one')
  const views = await Promise.all(Array.from({ length: 2 * AT_ONCE }, () => send(cutOff, one, to, '0.50')))
  expect(views.filter(({ status }) => status !== 'in_doubt')).toEqual([])
  await cutOff.close()
  const failures = await Promise.all(Array.from({ length: PROCESSES }, () => recoverIn(start(own, AHEAD_MS))))
  expect(failures.flat()).toEqual([])
  await settled(funded, chain)
  expect(await funded.bursar.store.read.list('payments', { status: 'captured' })).toHaveLength(views.length)
  await funded.close()
})

test('security: together they replace what a relayer can bring on no more', async () => {
  const own = join(root, 'replaced')
  const before = await openChainPurse(own, chain, clockAhead(AHEAD_MS))
  await fundChainPurse(before, chain, 100n * UNIT)
  const card = await makeInstrument(before)
  const sender = start(own, AHEAD_MS)
  const pays = several(AT_ONCE, (i) => ({
    ...{ instrument_id: card.instrument_id, amount: '0.50', payee: { address: shopOf(before, 'one') } },
    purpose: `Purchase ${i}`,
  }))
  await chain.automine(false)
  void sender.ask({ pay: pays, atOnce: AT_ONCE } satisfies Job).catch(() => undefined)
  const relayer = before.wallet.relayer as string
  while ((await before.bursar.store.read.list('broadcasts', { relayer })).length < AT_ONCE) await sleep(5)
  await sender.stop('SIGKILL')
  await before.close()
  await chain.dropPending()
  await chain.automine()

  const late = AHEAD_MS + LATER_MS
  const recoverers = Array.from({ length: PROCESSES }, () => start(own, late))
  // Open, and looking, before there is a race.
  const failures = await Promise.all(recoverers.map((child) => recoverIn(child)))
  await chain.warp(LATER_MS / 1000)
  await chain.mine(16)
  failures.push(...(await Promise.all(recoverers.map((child) => recoverIn(child)))))
  const after = await openChainPurse(own, chain, clockAhead(late))
  await settled(after, chain)
  expect(await after.bursar.store.read.list('payments', { status: 'voided' })).toHaveLength(AT_ONCE)
  expect(failures.flat()).toEqual([])
  await after.close()
})
