import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Payment } from '../../src/core/types.ts'
import { move } from '../../src/store/move/index.ts'
import { openPostgres } from '../../src/store/postgres/index.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { journalKeyFile, signerOf } from '../../src/vault/keys.ts'
import type { Answer, Call, Job } from '../races/racer.ts'
import { bundled, Child } from '../support/children.ts'
import { booksOf, type Disk, openDisk, wideWallet } from '../support/disk.ts'
import { emptyDatabase, side } from './move-purse.ts'

const PROCESSES = 8
const CALLS = 6
/** More than any of them gets to before the purse is moved. */
const JOBS_MAX = 400

const folder = mkdtempSync(join(tmpdir(), 'bursar-move-'))
let script = ''
let disk: Disk
const children: Child[] = []

beforeAll(async () => {
  script = await bundled('test/races/racer.ts')
  disk = await openDisk(folder)
  for (let n = 0; n < PROCESSES; n++) children.push(new Child(script, [folder]))
})
afterAll(async () => {
  await Promise.all(children.map((child) => child.stop()))
  await disk?.close()
  for (const gone of [folder, dirname(script)]) rmSync(gone, { recursive: true, force: true })
})

let purchases = 0

function buy(instrument_id: string, n: number): Call {
  purchases += 1
  const payee = { name: `Shop ${purchases}`, merchant_category: '5734', country: 'US' }
  const input = { instrument_id, amount: '0.01', payee, purpose: `${purchases}`, idempotency_key: `key-${purchases}` }
  return { call: 'pay', sessionId: `run-${n}`, input }
}

async function card(): Promise<string> {
  const { bursar, agentId, authority } = disk
  const caller = { agentId, sessionId: 'parent', credentialId: null }
  const terms = { type: 'virtual_card', amount: '5000.00', currency: 'EUR', expires_in: '1d', purpose: 'a race' }
  const { request_id } = await requestInstrument(bursar, caller, terms)
  const proof = hostProof(authority.ownerId, (await question(bursar, request_id)).digest, 'race')
  return ((await approve(bursar, request_id, proof, {})) as RequestView).instrument!.instrument_id
}

describe('a purse that is moved while eight processes pay', () => {
  it('has every payment that was acknowledged, once, and none after the mark', async () => {
    await wideWallet(disk, 'EUR', '9000.00')
    const id = await card()
    const answers: Answer[] = []
    const late: Answer[] = []
    const until = { isMarked: false }
    let begun = 0
    let first = () => {}
    const allPaid = new Promise<void>((resolve) => {
      first = () => {
        begun += 1
        if (begun === PROCESSES) resolve()
      }
    })
    const working = children.map(async (child, n) => {
      for (let jobs = 0; jobs < JOBS_MAX; jobs++) {
        const { isMarked } = until
        const job: Job = { calls: Array.from({ length: CALLS }, () => buy(id, n)), atOnce: 4 }
        const found = await child.ask<Answer[]>(job)
        answers.push(...found)
        if (isMarked) return void late.push(...found)
        if (jobs === 0) first()
      }
    })
    await allPaid
    const url = await emptyDatabase()
    const key = journalNoteKey(disk.publicKey)
    const reached = (point: string) => {
      if (point === 'marked') until.isMarked = true
    }
    const moved = await move({ source: await side(booksOf(folder)), target: await side(url), key, reached })
    await Promise.all(working)

    // What was asked for after the mark was refused, in words that say what to do, by every process.
    expect(late.length).toBe(PROCESSES * CALLS)
    expect(new Set(late.map(({ code }) => code))).toEqual(new Set(['config_invalid']))
    const told = answers.filter(({ code }) => code === null)
    expect(told.filter(({ status }) => status === 'captured').length).toBeGreaterThanOrEqual(PROCESSES * CALLS)
    // The mark came between a payment's beginning and its end: it is under way.
    expect(told.filter(({ status }) => status !== 'captured' && status !== 'authorized')).toEqual([])
    const refused = answers.filter(({ code }) => code !== null)
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['config_invalid']))

    const pair = journalKeyFile(join(folder, 'journal.key'))
    const journalKey = { publicKey: disk.publicKey, sign: signerOf(pair) }
    const store = await openPostgres({ url, clock: disk.bursar.clock, journalKey })
    try {
      const payments = (await store.read.list('payments', { instrumentId: id })) as readonly Payment[]
      const there = new Map(payments.map((payment) => [payment.id, payment.status]))
      expect(told.filter(({ paymentId, status }) => there.get(paymentId as string) !== status)).toEqual([])
      expect(new Set(payments.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(payments.length)
      expect(moved.rows.payments).toBe(payments.length)
      const left = await disk.bursar.store.read.list('payments', { instrumentId: id })
      expect(left.map((payment) => payment.id)).toEqual(payments.map((payment) => payment.id))
      // What was under way is brought to its end by whoever starts with the other database.
      const bursar = { ...disk.bursar, store }
      await recover(bursar)
      const open = await store.read.list('payments', { instrumentId: id, status: ['authorized', 'in_doubt'] })
      expect(open).toEqual([])
      expect((await verifyStore(bursar, key)).problems).toEqual([])
    } finally {
      await store.close()
    }
  }, 180_000)
})
