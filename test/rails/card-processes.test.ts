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
import { bench, newPath, paymentTerms, raw, TestClock } from './card-fixture.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'bursar-card-process-'))
const script = join(folder, 'card-process.cjs')

// Node 20 cannot run TypeScript itself.
beforeAll(() =>
  build({
    entryPoints: [here('./card-process.ts')],
    outfile: script,
    ...{ bundle: true, platform: 'node', format: 'cjs', external: ['better-sqlite3'], logLevel: 'error' },
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

function payer(path: string, clock: TestClock): Payer {
  const env = { ...process.env, NODE_PATH: here('../../node_modules') }
  const child = spawn(process.execPath, [script, path, String(clock.now())], {
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

function wholeBooks(path: string): void {
  const db = raw(path)
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(db.pragma('foreign_key_check')).toEqual([])
  const sums = `SELECT c.spent, c.payments, total(a.authorized - a.released + a.forced) AS sum,
    count(*) FILTER (WHERE a.authorized - a.released + a.forced > 0) AS n
    FROM cards c LEFT JOIN authorizations a ON a.card_id = c.id GROUP BY c.id`
  for (const { spent, payments, sum, n } of db.prepare(sums).all() as Record<string, number>[])
    expect([spent, payments]).toEqual([sum, n])
  const half = `SELECT count(*) FROM authorizations a WHERE status = 'pending' AND NOT EXISTS
    (SELECT 1 FROM schedule s WHERE s.payment_id = a.payment_id)`
  expect(db.prepare(half).pluck().get()).toBe(0)
}

describe('several processes on one card', () => {
  test('security: together they never go over its count or its amount, and none meets an error', async () => {
    const at = await bench(newPath())
    const counted = await at.card({ usageLimit: 37 })
    const capped = await at.card({ amount: 20_000n })
    const shared = paymentTerms(at.clock, await at.card(), { paymentId: 'pay_shared' })
    const payers = Array.from({ length: 4 }, () => payer(at.path, at.clock))
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
    wholeBooks(at.path)
  })

  test('all may make the file at once', async () => {
    const path = newPath()
    const clock = new TestClock()
    const payers = Array.from({ length: 4 }, () => payer(path, clock))
    await Promise.all(payers.map(({ ready }) => ready))
    for (const { send } of payers) send([])
    await Promise.all(payers.map(({ ended }) => ended))
    expect(payers.map(({ child }) => child.exitCode)).toEqual([0, 0, 0, 0])
    wholeBooks(path)
  })

  test('security: one that is killed in the middle leaves whole books, and its payments are made once', async () => {
    const at = await bench(newPath())
    const card = await at.card({ amount: 100_000_000n })
    const terms = Array.from({ length: 3000 }, () => paymentTerms(at.clock, card, { amount: 100n }))
    const { child, ready, ended, send } = payer(at.path, at.clock)
    await ready
    send(terms)
    while ((await at.rail.changes(null)).records.length === 0) await setImmediate()
    child.kill('SIGKILL')
    await ended
    expect(child.signalCode).toBe('SIGKILL')
    wholeBooks(at.path)
    const records = await Promise.all(terms.map((one) => at.rail.pay(one)))
    expect(records.every(({ captured }) => captured === 100n)).toBe(true)
    expect(await at.pay(card, { amount: 100_000_000n - 300_000n })).toMatchObject({ state: 'closed' })
    expect(await at.pay(card, { amount: 1n })).toMatchObject({ declineCode: 'spending_controls' })
    wholeBooks(at.path)
  })
})
