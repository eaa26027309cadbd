import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Payment } from '../../src/core/types.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { Audit } from '../support/audit.ts'
import { booksOf, type Disk, issuerOf, openDisk, wideWallet } from '../support/disk.ts'
import { addMember, type Member } from '../support/served.ts'
import { sqliteBooks } from '../support/store.ts'
import { Host, KINDS, type Paid } from './serve-host.ts'
import { Standing } from './serve-standing.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
/** `BURSAR_SERVE_AGENTS=200 BURSAR_SERVE_KILLS=9` for the large version. */
const AGENTS = Number(process.env.BURSAR_SERVE_AGENTS ?? 24)
const PURCHASES = Number(process.env.BURSAR_SERVE_PURCHASES ?? 6)
const KILLS = Number(process.env.BURSAR_SERVE_KILLS ?? 2)

const home = mkdtempSync(join(tmpdir(), 'bursar-serve-'))
let disk: Disk
let standing: Standing
let wallet: string
let hosts: Host[] = []

/** As many agents, each with its own credential and card, and its host: of every kind of client in turn. */
beforeAll(async () => {
  disk = await openDisk(home)
  wallet = await wideWallet(disk, 'EUR', '100000.00')
  const members: Member[] = []
  for (let n = 0; n < AGENTS; n++) members.push(await addMember(disk, 'EUR'))
  standing = await Standing.start(MAIN, home)
  hosts = members.map((member, n) => new Host(standing, KINDS[n % KINDS.length]!, member))
  await Promise.all(hosts.map((host) => host.connect()))
}, 180_000)
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()))
  await standing?.stop('SIGTERM')
  await disk?.close()
  rmSync(home, { recursive: true, force: true })
})

async function limitDay(amount: string): Promise<void> {
  const limit = { scope: 'wallet', window: 'day', max_amount: amount, over: 'deny' }
  await setLimit(disk.bursar, disk.authority, wallet, limit)
}

const held = () => disk.bursar.store.read.list('payments', { status: ['authorized', 'in_doubt'] })

async function whole(): Promise<void> {
  await recover(disk.bursar)
  expect(await held()).toEqual([])
  const audit = new Audit(disk.bursar.store.read, disk.publicKey, sqliteBooks(booksOf(home)), issuerOf(home))
  expect(await audit.problems(true)).toEqual([])
  await audit.close()
  expect((await verifyStore(disk.bursar, journalNoteKey(disk.publicKey))).problems).toEqual([])
}

/** What came of each purchase, by what the agent called it. */
async function purchases(): Promise<Map<string, Payment[]>> {
  const byTask = new Map<string, Payment[]>()
  for (const payment of (await disk.bursar.store.read.list('payments', { walletId: wallet })) as readonly Payment[])
    byTask.set(payment.taskId!, [...(byTask.get(payment.taskId!) ?? []), payment])
  return byTask
}

describe.sequential(`bursar serve, ${AGENTS} agents at once`, () => {
  test('security: a day limit that they share is reached exactly, and nothing else is refused or fails', async () => {
    const each = 4
    const paid = 3 * AGENTS - 1
    await limitDay((paid * 0.7 + 0.5).toFixed(2))
    const outcomes = await Promise.all(
      hosts.map(async (host) => {
        const codes: string[] = []
        for (let n = 0; n < each; n++) {
          const { status, refusal } = await host.pay(`${host.member.agentId} shared ${n}`, '0.70')
          codes.push(refusal?.code ?? status)
          expect(await host.call('check_budget', {})).toHaveProperty('instruments')
          expect(await host.call('list_payments', { limit: 5 })).toHaveProperty('payments')
        }
        return codes
      }),
    )
    const count = (what: string) => outcomes.flat().filter((one) => one === what).length
    expect([count('captured'), count('limit_exceeded')]).toEqual([paid, each * AGENTS - paid])
    await limitDay('1000000.00')
    await whole()
  })

  test('security: killed again and again, told to end, and started again: nothing is lost, paid twice or held', {
    timeout: 240_000,
  }, async () => {
    const told = new Map<string, Paid[]>()
    const working = hosts.map(async (host): Promise<void> => {
      for (let n = 0; n < PURCHASES; n++) {
        const task = `${host.member.agentId} ${n}`
        told.set(task, await host.buy(task, '0.70'))
        standing.count()
      }
    })
    // A kill after each part of the purchases, and in the middle of them one gentle end.
    const signals = Array.from({ length: KILLS + 1 }, (_, n) => (n === KILLS >> 1 ? 'SIGTERM' : 'SIGKILL'))
    for (const [n, signal] of signals.entries()) {
      const part = Math.floor((AGENTS * PURCHASES * (n + 1)) / (signals.length + 1))
      await Promise.race([standing.counted(part), Promise.all(working)])
      const code = await standing.stop(signal)
      // Who is told to end finishes what it has begun, and says so.
      if (signal === 'SIGTERM') expect([code, await held()]).toEqual([0, []])
      await standing.restart()
    }
    await Promise.all(working)
    await whole()
    const made = await purchases()
    for (const [task, answers] of told) {
      const payments = made.get(task) ?? []
      expect(payments.map(({ status, captured }) => [status, captured])).toEqual([['captured', 70n]])
      // Whatever it was told on the way was of that one payment.
      expect(new Set(answers.map(({ payment_id }) => payment_id))).toEqual(new Set([payments[0]!.id]))
    }
    const lost = hosts.reduce((sum, host) => sum + host.lost, 0)
    const again = [...told.values()].filter((answers) => answers.some(({ replayed }) => replayed)).length
    process.stdout.write(
      `${AGENTS} agents, ${told.size} purchases, ${KILLS} kills and one gentle end: ${lost} calls without an answer, ${again} of them had paid\n`,
    )
  })
})
