import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Caller, RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { Audit } from '../support/audit.ts'
import { bundled, Child } from '../support/children.ts'
import { booksOf, type Disk, issuerOf, openDisk, wideWallet } from '../support/disk.ts'
import { sqliteBooks } from '../support/store.ts'
import type { Answer, Call, Job } from './racer.ts'

const PROCESSES = 8
/** `BURSAR_RACE_SCALE=20` for a long campaign: that many times as many calls. */
const SCALE = Number(process.env.BURSAR_RACE_SCALE ?? 1)

const folder = mkdtempSync(join(tmpdir(), 'bursar-race-'))
const times: { race: string; calls: number; slowestMs: number }[] = []
let children: Child[] = []
let script = ''
let disk: Disk

beforeAll(async () => {
  script = await bundled('test/races/racer.ts')
  children = Array.from({ length: PROCESSES }, () => new Child(script, [folder]))
})
afterAll(async () => {
  await Promise.all(children.map((child) => child.stop()))
  await disk?.close()
  for (const gone of [folder, dirname(script)]) rmSync(gone, { recursive: true, force: true })
  process.stdout.write(
    `${times.map(({ race, calls, slowestMs }) => `${race}: ${calls} calls, slowest ${slowestMs.toFixed(0)} ms`).join('\n')}\n`,
  )
})

/** All processes begin at once, each with its own calls. */
async function race(name: string, calls: (child: number) => readonly Call[], atOnce = 8): Promise<Answer[]> {
  const answers = await Promise.all(
    children.map((child, n) => child.ask<Answer[]>({ calls: calls(n), atOnce } satisfies Job)),
  )
  const all = answers.flat()
  times.push({ race: name, calls: all.length, slowestMs: slowest(all) })
  return all
}

/** Recovery looks at everything there is: it is no call that anybody waits for. */
const slowest = (answers: readonly Answer[]): number =>
  answers.reduce((most, { call, ms }) => (call === 'recover' ? most : Math.max(most, ms)), 0)

const count = (answers: readonly Answer[], what: string): number =>
  answers.filter(({ status, code }) => (code === null ? status : code) === what).length

const N = (n: number): number => n * SCALE

async function card(walletCurrency: string, amount: string, more: object = {}, by?: Caller): Promise<string> {
  const { bursar, agentId, authority } = disk
  const terms = { type: 'virtual_card', amount, currency: walletCurrency, expires_in: '1d', purpose: 'a race', ...more }
  const { request_id } = await requestInstrument(
    bursar,
    by ?? { agentId, sessionId: 'parent', credentialId: null },
    terms,
  )
  const proof = hostProof(authority.ownerId, (await question(bursar, request_id)).digest, 'race')
  return ((await approve(bursar, request_id, proof, {})) as RequestView).instrument!.instrument_id
}

let purchases = 0

function buy(
  instrument_id: string,
  amount: string,
  more: { sessionId?: string; key?: string; purpose?: string } = {},
): Call {
  purchases += 1
  const { sessionId = 'shared', key, purpose = `Purchase ${purchases}` } = more
  const payee = { name: `Shop ${purchases % 7}`, merchant_category: '5734', country: 'US' }
  const named = key === undefined ? { payee } : { payee: { name: 'Shop' }, idempotency_key: key }
  return { call: 'pay', sessionId, input: { instrument_id, amount, purpose, ...named } }
}

const several = (n: number, call: (i: number) => Call): Call[] => Array.from({ length: n }, (_, i) => call(i))

describe.sequential(`${PROCESSES} processes on one purse`, () => {
  test('may all open the empty folder at once: one of them makes it, and none fails', async () => {
    const created = await Promise.all(children.map((child) => child.ask<boolean>(null)))
    expect(created.filter(Boolean)).toHaveLength(1)
    disk = await openDisk(folder)
    expect(disk.created).toBe(false)
    expect(await disk.bursar.store.read.list('owners', {})).toHaveLength(1)
  })

  describe.sequential('security: together', () => {
    afterEach(async () => {
      await recover(disk.bursar)
      const audit = new Audit(disk.bursar.store.read, disk.publicKey, sqliteBooks(booksOf(folder)), issuerOf(folder))
      expect(await audit.problems(true)).toEqual([])
      await audit.close()
      expect((await verifyStore(disk.bursar, journalNoteKey(disk.publicKey))).problems).toEqual([])
    })

    test('they spend one instrument to the unit and never over', async () => {
      await wideWallet(disk, 'EUR', '100000.00')
      const one = await card('EUR', `${N(100)}.00`)
      const answers = await race('one instrument', () => several(N(30), () => buy(one, '0.70')))
      const fits = Math.floor(N(10_000) / 70)
      expect([count(answers, 'captured'), count(answers, 'amount_exceeds_remaining')]).toEqual([fits, N(240) - fits])
      expect(await disk.bursar.store.read.one('instruments', { id: one })).toMatchObject({
        remaining: BigInt(N(10_000) - fits * 70),
      })
    })

    test('they take one use count exactly', async () => {
      await wideWallet(disk, 'GBP', '100000.00')
      const one = await card('GBP', '10000.00', { usage_limit: N(37) })
      const answers = await race('one use count', () => several(N(20), () => buy(one, '0.70')))
      expect([count(answers, 'captured'), count(answers, 'usage_limit_reached')]).toEqual([N(37), N(123)])
      expect(await disk.bursar.store.read.one('instruments', { id: one })).toMatchObject({ status: 'limit_reached' })
    })

    test('they empty one wallet to the unit over several instruments', async () => {
      const wallet = await wideWallet(disk, 'CHF', `${N(50)}.00`)
      const cards = [await card('CHF', '90000.00'), await card('CHF', '90000.00'), await card('CHF', '90000.00')]
      const answers = await race('one wallet', (n) => several(N(20), (i) => buy(cards[(n + i) % 3]!, '0.70')))
      const fits = Math.floor(N(5_000) / 70)
      expect([count(answers, 'captured'), count(answers, 'insufficient_funds')]).toEqual([fits, N(160) - fits])
      expect(await disk.bursar.store.read.one('accounts', { walletId: wallet })).toMatchObject({
        available: BigInt(N(5_000) - fits * 70),
        held: 0n,
      })
    })

    test('they reach a day limit, and a count over a session, exactly', async () => {
      const wallet = await wideWallet(disk, 'SEK', '100000.00')
      const one = await card('SEK', '90000.00')
      const limit = (input: object) => setLimit(disk.bursar, disk.authority, wallet, input as never)
      await limit({ scope: 'wallet', window: 'day', max_amount: `${N(40)}.00`, over: 'deny' })
      const days = await race('one day limit', (n) => several(N(12), () => buy(one, '0.70', { sessionId: `own ${n}` })))
      const fits = Math.floor(N(4_000) / 70)
      expect([count(days, 'captured'), count(days, 'limit_exceeded')]).toEqual([fits, N(96) - fits])
      await limit({ scope: 'wallet', window: 'day', max_amount: '1000000.00', over: 'deny' })
      await limit({ scope: 'session', window: 'session', max_amount: '90000.00', max_count: N(23), over: 'deny' })
      const counted = await race('one count', () => several(N(8), () => buy(one, '0.10', { sessionId: 'common' })))
      expect([count(counted, 'captured'), count(counted, 'limit_exceeded')]).toEqual([N(23), N(41)])
    })

    test('sub-agents spend what one credential may to the unit, over all that it minted', async () => {
      await wideWallet(disk, 'PLN', '100000.00')
      const { bursar, authority } = disk
      const max = { max_amount: `${N(50)}.00`, currency: 'PLN' }
      const made = await addAgent(bursar, authority, 'many', max)
      const own = { agentId: made.agent_id, sessionId: 'own', credentialId: made.credential_id }
      const one = await card('PLN', '90000.00', {}, own)
      const minted = await Promise.all(children.map(() => mintCredential(bursar, own, max)))
      const answers = await race('one credential', (n) => {
        const by = { agentId: own.agentId, credentialId: minted[n]!.credential_id }
        return several(N(12), () => ({ ...buy(one, '0.70'), by }) as Call)
      })
      const fits = Math.floor(N(5_000) / 70)
      expect([count(answers, 'captured'), count(answers, 'amount_exceeds_remaining')]).toEqual([fits, N(96) - fits])
      const spent = await bursar.store.read.list('credentials', { agentId: own.agentId })
      const total = spent.filter(({ parentId }) => parentId !== null).reduce((sum, one) => sum + one.spent, 0n)
      expect([total, spent.find(({ parentId }) => parentId === null)?.spent]).toEqual([
        BigInt(fits * 70),
        BigInt(fits * 70),
      ])
    })

    test('they make one payment of one idempotency key, and all get it as the answer', async () => {
      await wideWallet(disk, 'NOK', '100000.00')
      const one = await card('NOK', '90000.00')
      const answers = await race('one key', () =>
        several(N(8), () => buy(one, '1.00', { key: 'order-7', purpose: 'one order' })),
      )
      expect(new Set(answers.map(({ paymentId }) => paymentId)).size).toBe(1)
      expect([answers.filter(({ replayed }) => !replayed).length, count(answers, 'error')]).toEqual([1, 0])
      expect(await disk.bursar.store.read.one('instruments', { id: one })).toMatchObject({ usageConsumed: 1 })
    })

    test('they approve each waiting payment once, and no more than the limits that deny leave room for', async () => {
      const wallet = await wideWallet(disk, 'DKK', '100000.00')
      const one = await card('DKK', '90000.00')
      const { bursar, authority, agentId } = disk
      await setLimit(bursar, authority, wallet, { scope: 'wallet', window: 'payment', max_amount: '5.00', over: 'ask' })
      await setLimit(bursar, authority, wallet, { scope: 'wallet', window: 'day', max_amount: '20.00', over: 'deny' })
      const asked = several(3, () => buy(one, '10.00', { sessionId: 'waiting' })) as (Call & { call: 'pay' })[]
      const waiting = await Promise.all(
        asked.map(({ input }) => pay(bursar, { agentId, sessionId: 'waiting', credentialId: null }, input)),
      )
      expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 'awaiting_approval'))
      const answers = await race('approvals', () =>
        waiting.map(({ payment_id }) => ({ call: 'approve', id: payment_id })),
      )
      expect([count(answers, 'captured'), count(answers, 'limit_exceeded'), count(answers, 'not_pending')]).toEqual([
        2, 1, 21,
      ])
    })

    test('they do all of it at once, and the books stay whole', async () => {
      const wallet = await wideWallet(disk, 'PLN', '3000.00')
      const cards = [
        await card('PLN', `${N(60)}.00`),
        await card('PLN', '5000.00', { usage_limit: N(50) }),
        await card('PLN', '5000.00'),
      ]
      await setLimit(disk.bursar, disk.authority, wallet, {
        scope: 'payee',
        window: 'week',
        max_amount: `${N(40)}.00`,
        over: 'deny',
      })
      await setLimit(disk.bursar, disk.authority, wallet, {
        scope: 'wallet',
        window: 'payment',
        max_amount: '9.00',
        over: 'ask',
      })
      const first = await race('to begin with', () => several(N(4), () => buy(cards[2]!, '2.00')))
      const paid = first.filter(({ status }) => status === 'captured')
      const mixed = (n: number, i: number): Call => {
        const one = cards[(n + i) % 3]!
        if (i % 16 === 5) return { call: 'refund', id: paid[(n * 3 + i) % paid.length]!.paymentId!, amount: '0.30' }
        if (i % 16 === 9) return { call: n % 2 ? 'freeze' : 'unfreeze', id: cards[0]! }
        if (i % 16 === 14) return { call: 'recover' }
        return buy(one, ['0.70', '1.10', '9.50', '3.00'][i % 4]!, { sessionId: `own ${n}` })
      }
      const answers = await race('everything', (n) => several(N(32), (i) => mixed(n, i)))
      const odd = answers.filter(
        ({ status, code }) => status === 'error' && !['wrong_state', 'rail_unavailable'].includes(code!),
      )
      expect(odd).toEqual([])
      const waiting = answers.filter(({ status }) => status === 'awaiting_approval').map(({ paymentId }) => paymentId!)
      const ended = await race('approve or cancel', (n) =>
        waiting.map((id) => ({ call: n % 2 ? 'approve' : 'cancel', id })),
      )
      expect(ended.filter(({ code }) => code === 'busy' || code === 'outcome_unknown')).toEqual([])
    })
  })
})
