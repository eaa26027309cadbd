import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Payment } from '../../src/core/types.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { Audit } from '../support/audit.ts'
import { bundled, Child } from '../support/children.ts'
import { booksOf, type Disk, issuerOf, openDisk, wideWallet } from '../support/disk.ts'
import { sqliteBooks } from '../support/store.ts'
import { type Key, PURCHASES, story } from './story.ts'

/** Every how manieth point of the story is tried: `BURSAR_KILL_EVERY=1` for all of them. */
const EVERY = Number(process.env.BURSAR_KILL_EVERY ?? 17)
/** How often a process is killed at some random time. */
const ROUNDS = Number(process.env.BURSAR_KILL_ROUNDS ?? 4)
/** Longer than the rail may take to begin a payment, and than a human to answer about one. */
const LATER_MS = 16 * 60_000

const root = mkdtempSync(join(tmpdir(), 'bursar-kill-'))
let script = ''
beforeAll(async () => {
  script = await bundled('test/kill/victim.ts')
})
afterAll(() => {
  for (const gone of [root, dirname(script)]) rmSync(gone, { recursive: true, force: true })
})

const LIVE = ['authorized', 'in_doubt', 'captured', 'partially_refunded', 'refunded', 'awaiting_approval'] as const

/** The payments of each key that hold or moved money, or may yet. */
async function alive({ bursar }: Disk): Promise<Map<string, Payment[]>> {
  const found = (await bursar.store.read.list('payments', { status: LIVE })) as readonly Payment[]
  const byKey = new Map<string, Payment[]>()
  for (const payment of found)
    byKey.set(payment.idempotencyKey!, [...(byKey.get(payment.idempotencyKey!) ?? []), payment])
  return byKey
}

async function whole(disk: Disk, folder: string, settled: boolean): Promise<void> {
  const audit = new Audit(disk.bursar.store.read, disk.publicKey, sqliteBooks(booksOf(folder)), issuerOf(folder))
  expect(await audit.problems(settled)).toEqual([])
  await audit.close()
  expect((await verifyStore(disk.bursar, journalNoteKey(disk.publicKey))).problems).toEqual([])
}

/** Runs the story and kills it at this point; gives what the dead process had said, and the names of the points if it lived. */
async function killedAt(folder: string, point: number): Promise<{ said: Map<Key, string[]>; points: string[] }> {
  const child = new Child(script, [folder, 'story', String(point)])
  await child.ended
  expect(child.process.signalCode).toBe(point > 0 ? 'SIGKILL' : null)
  const words = child.lines.map((line) => line.split(' '))
  const points = child.lines.find((line) => line.startsWith('points '))?.slice('points '.length) ?? '[]'
  return { said: new Map(words.map(([key, ...rest]) => [key as Key, rest])), points: JSON.parse(points) as string[] }
}

/** What was left behind, taken up by another process at once or when all time limits have passed, and brought to its end. */
async function takeUp(folder: string, said: Map<Key, string[]>, afterMs: number): Promise<void> {
  const disk = await openDisk(folder, { clock: { now: () => Date.now() + afterMs } })
  try {
    if (afterMs === 0) await whole(disk, folder, false)
    for (const [key, [id, status]] of said)
      if (key in PURCHASES && status === 'captured')
        expect((await disk.bursar.store.read.one('payments', { id: id! }))?.captured).toBe(PURCHASES[key].taken)
    await recover(disk.bursar)
    await whole(disk, folder, true)
    const before = await alive(disk)
    const holding = [...before.values()].flat().filter(({ status }) => status === 'authorized' || status === 'in_doubt')
    // The network loses the first request; the next one finds its way.
    if (afterMs > 0) expect(holding).toEqual([])
    const after = new Map<string, string>()
    await story(disk, (key, view) => after.set(key, view.payment_id))
    await recover(disk.bursar)
    await whole(disk, folder, true)
    for (const [key, payments] of before) expect([after.get(key), payments.length]).toEqual([payments[0]!.id, 1])
    const moved = [...(await alive(disk))].map(
      ([key, payments]) => [key, payments.map(({ captured }) => captured)] as const,
    )
    expect(new Map(moved)).toEqual(new Map(Object.entries(PURCHASES).map(([key, { taken }]) => [key, [taken]])))
  } finally {
    await disk.close()
  }
}

async function killAndTakeUp(point: number): Promise<void> {
  const folder = mkdtempSync(join(root, 'story-'))
  const { said } = await killedAt(folder, point)
  const later = `${folder}-later`
  cpSync(folder, later, { recursive: true })
  // Node 24 copies a folder without its mode.
  chmodSync(later, 0o700)
  await takeUp(folder, said, 0)
  await takeUp(later, said, LATER_MS)
  for (const gone of [folder, later]) rmSync(gone, { recursive: true })
}

describe('a process that is killed', () => {
  test('security: at any point of a payment, an approval or a refund leaves nothing paid twice, lost or held for ever', {
    timeout: 600_000,
  }, async () => {
    const { points } = await killedAt(mkdtempSync(join(root, 'whole-')), 0)
    expect(points.length).toBeGreaterThan(100)
    const tried = points.flatMap((name, n) => (n % EVERY === 0 ? [{ point: n + 1, name }] : []))
    const failed: unknown[] = []
    for (const { point, name } of tried)
      await killAndTakeUp(point).catch((error) => failed.push({ point, name, error }))
    expect(failed).toEqual([])
    process.stdout.write(`killed at ${tried.length} of ${points.length} points, and taken up twice each\n`)
  })

  test('security: at any time, with many payments in flight that share their commits, too', {
    timeout: 600_000,
  }, async () => {
    const folder = mkdtempSync(join(root, 'random-'))
    const disk = await openDisk(folder)
    await wideWallet(disk, 'EUR', '100000.00')
    const card = await cardIn(disk, 'EUR')
    const begun = new Set<string>()
    const done = new Map<string, string>()
    for (let round = 0; round < ROUNDS; round++) {
      const child = new Child(script, [folder, 'buy', card, String(begun.size), String([1, 8, 64][round % 3])])
      while (child.lines.length === 0 && child.process.exitCode === null) await sleep(2)
      await sleep(Math.random() * 500)
      await child.stop('SIGKILL')
      for (const [what, key, id] of child.lines.map((line) => line.split(' '))) {
        if (what === 'begun') begun.add(key!)
        else if (what === 'done') done.set(key!, id!)
      }
      await whole(disk, folder, false)
    }
    await recover(disk.bursar)
    await whole(disk, folder, true)
    const before = await alive(disk)
    for (const [key, id] of done) expect(before.get(key)?.map((payment) => payment.id)).toEqual([id])
    for (const key of begun) {
      const input = { instrument_id: card, amount: '0.10', payee: { name: 'Shop' }, purpose: key, idempotency_key: key }
      const view = await pay(disk.bursar, { agentId: disk.agentId, sessionId: 'on and on', credentialId: null }, input)
      expect([view.status, view.payment_id]).toEqual(['captured', before.get(key)?.[0]?.id ?? view.payment_id])
    }
    expect([...(await alive(disk)).values()].map((payments) => payments.length)).toEqual([...begun].map(() => 1))
    await whole(disk, folder, true)
    await disk.close()
    process.stdout.write(
      `${ROUNDS} kills at random: ${begun.size} payments begun, ${begun.size - done.size} of them not acknowledged\n`,
    )
  })
})

async function cardIn({ bursar, agentId, authority }: Disk, currency: string): Promise<string> {
  const terms = { type: 'virtual_card', amount: '90000.00', currency, expires_in: '1d', purpose: 'on and on' }
  const { request_id } = await requestInstrument(bursar, { agentId, sessionId: 'parent', credentialId: null }, terms)
  const proof = hostProof(authority.ownerId, (await question(bursar, request_id)).digest, 'test')
  return ((await approve(bursar, request_id, proof, {})) as RequestView).instrument!.instrument_id
}
