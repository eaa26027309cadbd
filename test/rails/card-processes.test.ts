import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { PaymentTerms } from '../../src/ports.ts'
import { ask, bench, PLACES, type Place, paymentTerms, TestClock } from './card-fixture.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'bursar-card-process-'))
const script = join(folder, 'card-process.cjs')

// Node 20 cannot run TypeScript itself.
beforeAll(() =>
  build({
    entryPoints: [here('./card-process.ts')],
    outfile: script,
    ...{ bundle: true, platform: 'node', format: 'cjs', external: ['better-sqlite3', 'pg'], logLevel: 'error' },
  }),
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Payer {
  readonly child: ChildProcess
  /** What it printed, one payment and its state a line. */
  readonly lines: string[]
  readonly ready: Promise<unknown>
  readonly ended: Promise<unknown>
  send(terms: readonly PaymentTerms[]): void
}

function payer({ path, database }: Place, clock: TestClock): Payer {
  const env = { ...process.env, NODE_PATH: here('../../node_modules') }
  const child = spawn(process.execPath, [script, path ?? database!.url, String(clock.now())], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  const output = createInterface({ input: child.stdout })
  const ready = once(output, 'line')
  output.on('line', (line) => lines.push(line))
  const send = (terms: readonly PaymentTerms[]) => {
    child.stdin.end(`${JSON.stringify(terms, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}\n`)
  }
  return { child, lines, ready, ended: once(child, 'close'), send }
}

async function wholeBooks(place: Place): Promise<void> {
  if (place.path !== null) {
    expect(await ask(place, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(await ask(place, 'PRAGMA foreign_key_check')).toEqual([])
  }
  const taken = 'a.authorized - a.released + a.forced'
  const sums = await ask(
    place,
    `SELECT c.spent, c.payments, coalesce(sum(${taken}), 0) AS sum, count(*) FILTER (WHERE ${taken} > 0) AS n
    FROM cards c LEFT JOIN authorizations a ON a.card_id = c.id GROUP BY c.id`,
  )
  for (const { spent, payments, sum, n } of sums) expect([spent, payments]).toEqual([Number(sum), n])
  const half = `SELECT a.payment_id FROM authorizations a WHERE status = 'pending' AND NOT EXISTS
    (SELECT 1 FROM schedule s WHERE s.payment_id = a.payment_id)`
  expect(await ask(place, half)).toEqual([])
}

describe.each(PLACES)('several processes on one card in $name', ({ places }) => {
  const newPlace = places()

  test('security: together they never go over its count or its amount, and none meets an error', async () => {
    const at = await bench(await newPlace())
    const counted = await at.card({ usageLimit: 37 })
    const capped = await at.card({ amount: 20_000n })
    const shared = paymentTerms(at.clock, await at.card(), { paymentId: 'pay_shared' })
    const payers = Array.from({ length: 4 }, () => payer(at.place, at.clock))
    await Promise.all(payers.map(({ ready }) => ready))
    for (const { send } of payers)
      send([
        shared,
        ...Array.from({ length: 25 }, () => paymentTerms(at.clock, counted, { amount: 100n })),
        ...Array.from({ length: 25 }, () => paymentTerms(at.clock, capped, { amount: 700n })),
      ])
    await Promise.all(payers.map(({ ended }) => ended))
    expect(payers.map(({ child }) => child.exitCode)).toEqual([0, 0, 0, 0])
    expect(payers.map(({ lines }) => lines.length)).toEqual([52, 52, 52, 52])
    const { records } = await at.rail.changes(null)
    const closed = records.filter(({ record }) => record.state === 'closed').map(({ record }) => record.captured)
    expect(closed.filter((amount) => amount === 100n)).toHaveLength(37)
    expect(closed.filter((amount) => amount === 700n)).toHaveLength(28)
    expect(closed.filter((amount) => amount === 4900n)).toHaveLength(1)
    expect(records).toHaveLength(201)
    await wholeBooks(at.place)
  })

  test('all may open it for the first time at once', async () => {
    const place = await newPlace()
    const clock = new TestClock()
    const payers = Array.from({ length: 4 }, () => payer(place, clock))
    await Promise.all(payers.map(({ ready }) => ready))
    for (const { send } of payers) send([])
    await Promise.all(payers.map(({ ended }) => ended))
    expect(payers.map(({ child }) => child.exitCode)).toEqual([0, 0, 0, 0])
    await wholeBooks(place)
  })

  test('security: one that is killed in the middle leaves whole books, and its payments are made once', async () => {
    const at = await bench(await newPlace())
    const card = await at.card({ amount: 100_000_000n })
    // More than a process makes before it is killed.
    const count = at.place.path === null ? 400 : 3000
    const terms = Array.from({ length: count }, () => paymentTerms(at.clock, card, { amount: 100n }))
    const { child, ready, ended, send } = payer(at.place, at.clock)
    await ready
    send(terms)
    while ((await at.rail.changes(null)).records.length === 0) await setImmediate()
    child.kill('SIGKILL')
    await ended
    expect(child.signalCode).toBe('SIGKILL')
    await wholeBooks(at.place)
    const records = await Promise.all(terms.map((one) => at.rail.pay(one)))
    expect(records.every(({ captured }) => captured === 100n)).toBe(true)
    expect(await at.pay(card, { amount: 100_000_000n - BigInt(count) * 100n })).toMatchObject({ state: 'closed' })
    expect(await at.pay(card, { amount: 1n })).toMatchObject({ declineCode: 'spending_controls' })
    await wholeBooks(at.place)
  })
})
