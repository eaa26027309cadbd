import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { recover } from '../../src/actions/recover.ts'
import type { PaymentView } from '../../src/actions/wire.ts'
import { BursarError } from '../../src/core/errors.ts'
import type { Payment } from '../../src/core/types.ts'
import { type ByteProxy, byteProxy, type Way } from '../support/byte-proxy.ts'
import { wideWallet } from '../support/disk.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { keys, NodeProcess, nodeHere, nodePrograms } from './node-children.ts'
import type { Node } from './node-open.ts'
import { cardFrom, expectWhole } from './node-purse.ts'

/** How long the node that is cut off tries: the same code with a shorter patience. */
const WAIT_MS = 3_000
const POLL_MS = 20
/** What a node that is cut off may answer. */
const CLEAR = ['busy', 'outcome_unknown', 'rail_unavailable']

nodePrograms()

interface Scene {
  readonly database: TestDatabase
  /** A node with a good network, and one behind the proxy. */
  readonly well: Node
  readonly cut: Node
  readonly proxy: ByteProxy
  readonly wallet: string
  readonly card: string
}

async function scene(): Promise<Scene> {
  const database = await testDatabase()
  const well = await nodeHere(database.url)
  const proxy = await byteProxy(database.url)
  onTestFinished(() => proxy.stop())
  const cut = await nodeHere(proxy.through(database.url), { waitMs: WAIT_MS })
  const wallet = await wideWallet(well as never, 'EUR', '1000.00')
  const card = await cardFrom(well, 'EUR', '900.00')
  return { database, well, cut, proxy, wallet, card }
}

function buy({ bursar, agentId }: Node, instrument_id: string, key: string): Promise<PaymentView> {
  const input = { instrument_id, amount: '0.10', payee: { name: 'Shop' }, purpose: key, idempotency_key: key }
  return pay(bursar, { agentId, sessionId: key, credentialId: null }, input)
}

/** What a node that is cut off answers, which is an error of bursar's own that says so, or the truth. */
async function answerOf(answer: Promise<PaymentView>): Promise<string> {
  return answer.then(
    ({ status }) => status,
    (error: unknown) => (error instanceof BursarError ? error.code : `not a BursarError: ${error}`),
  )
}

async function until(met: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await met())) await sleep(POLL_MS)
}

/** Whatever was answered: one payment of each key, captured, once it is asked for again. */
async function expectPaidOnce({ database, well, cut, card, wallet }: Scene, all: readonly string[]): Promise<void> {
  for (const key of all)
    await until(async () => {
      await recover(well.bursar)
      return (await answerOf(buy(cut, card, key))) === 'captured'
    })
  const payments = (await well.bursar.store.read.list('payments', { walletId: wallet })) as readonly Payment[]
  expect(payments.map(({ idempotencyKey, captured }) => [idempotencyKey, captured]).toSorted()).toEqual(
    all.map((key) => [key, 10n]).toSorted(),
  )
  await expectWhole(well, database.adminUrl, keys())
}

describe('security: a node that is cut off from the database', { timeout: 180_000 }, () => {
  test('in silence, one way or both, says so within its bound, and goes on when it is over', async () => {
    const ways: readonly Way[][] = [['there', 'back'], ['there'], ['back']]
    // Most of it is waiting.
    await Promise.all(ways.map(silent))
  })

  test('while it has the locks of a wallet: the server takes them back, and others pay out of it', async () => {
    const at = await scene()
    const { well, cut, proxy, card } = at
    expect((await buy(cut, card, 'before')).status).toBe('captured')
    const trapped = proxy.swallowAnswer('bursar.lock')
    const lost = answerOf(buy(cut, card, 'lost'))
    await trapped
    proxy.drop()
    expect((await buy(well, card, 'well')).status).toBe('captured')
    expect(CLEAR).toContain(await lost)
    expect(await well.bursar.store.read.list('payments', { idempotencyKey: 'lost' })).toEqual([])
    proxy.pass()
    await expectPaidOnce(at, ['before', 'lost', 'well'])
  })

  test('when it commits: what was written is told as written, or that it is not known', async () => {
    await Promise.all([answerLost(), nodeLost()])
  })

  test('ends when it is told to, also while nothing gets through', async () => {
    const { database } = await scene()
    const proxy = await byteProxy(database.url)
    onTestFinished(() => proxy.stop())
    const node = await NodeProcess.start('cut', proxy.through(database.url), { waitMs: WAIT_MS })
    onTestFinished(() => node.stop('SIGKILL'))
    node.send({ kind: 'duty', everyMs: POLL_MS })
    await until(() => node.child.lines.some((line) => line.includes('"held":true')))
    proxy.drop()
    node.child.process.stdin!.end()
    await node.child.ended
    expect(node.child.process.exitCode).toBe(0)
  })
})

async function silent(ways: readonly Way[]): Promise<void> {
  const at = await scene()
  const { well, cut, proxy, card } = at
  expect((await buy(cut, card, 'before')).status).toBe('captured')
  proxy.drop(ways)
  const lost = ['lost-1', 'lost-2', 'lost-3']
  const answers = Promise.all(lost.map((key) => answerOf(buy(cut, card, key))))
  for (const key of ['well-1', 'well-2']) expect((await buy(well, card, key)).status).toBe('captured')
  for (const answer of await answers) expect(CLEAR).toContain(answer)
  expect(await well.bursar.store.read.list('payments', { status: ['captured'] })).toHaveLength(3)
  proxy.pass()
  // Connections of which something was lost stay silent: the node makes new ones.
  await expectPaidOnce(at, ['before', 'well-1', 'well-2', ...lost])
}

/** The answer of one connection, then what is sent over another: over a third it is found what became of it. */
async function answerLost(): Promise<void> {
  const at = await scene()
  const { cut, proxy, card } = at
  expect((await buy(cut, card, 'before')).status).toBe('captured')
  const heard = proxy.swallowAnswer('; COMMIT')
  const found = answerOf(buy(cut, card, 'found'))
  await heard
  expect(await found).toBe('captured')
  const lost = proxy.swallow('; COMMIT')
  const again = answerOf(buy(cut, card, 'again'))
  await lost
  // Nothing was written: it was run again, where there was time for that.
  const said = await again
  expect(['captured', 'busy']).toContain(said)
  const written = await at.well.bursar.store.read.list('payments', { idempotencyKey: 'again' })
  expect(written).toHaveLength(said === 'busy' ? 0 : 1)
  await expectPaidOnce(at, ['before', 'found', 'again'])
}

async function nodeLost(): Promise<void> {
  const at = await scene()
  const { well, cut, proxy, card } = at
  expect((await buy(cut, card, 'before')).status).toBe('captured')
  const heard = proxy.swallowAnswer('; COMMIT')
  const lost = answerOf(buy(cut, card, 'lost'))
  await heard
  proxy.drop()
  expect(await lost).toBe('outcome_unknown')
  const [written] = await well.bursar.store.read.list('payments', { idempotencyKey: 'lost' })
  expect(written).toMatchObject({ held: 10n })
  proxy.pass()
  await expectPaidOnce(at, ['before', 'lost'])
}

describe('the duty to bring the books up to date', { timeout: 180_000 }, () => {
  test('moves on from a node that is cut off, and from one that is killed, and comes to one node alone', async () => {
    const { database, well, cut, proxy } = await scene()
    const [own, other] = [cut, well].map(({ bursar }) => bursar.store.nodes.lead('recovery'))
    await until(() => own!.isHeld())
    for (let looks = 0; looks < 5; looks++) expect([other!.isHeld(), await sleep(POLL_MS)]).toEqual([false, undefined])
    proxy.drop()
    await until(() => other!.isHeld())
    expect(own!.isHeld()).toBe(false)
    const killed = await NodeProcess.start('killed', database.url)
    onTestFinished(() => killed.stop('SIGKILL'))
    killed.send({ kind: 'duty', everyMs: POLL_MS })
    await until(() => killed.child.lines.some((line) => line.includes('"held":false')))
    await other!.release()
    await until(() => killed.child.lines.some((line) => line.includes('"held":true')))
    proxy.pass()
    await killed.stop('SIGKILL')
    await until(() => own!.isHeld())
  })

  test('is safe to do by several at once: nothing is settled, refunded or told twice', async () => {
    const { database, well, cut, card } = await scene()
    const { agentId, bursar } = well
    const all = await Promise.all(
      ['Bursar Test: Lost Reply', 'Bursar Test: Lost Request', 'Bursar Test: Partial Capture'].flatMap((name) =>
        [1, 2, 3].map((n) => {
          const input = { instrument_id: card, amount: `${n}.00`, payee: { name }, purpose: `${name} ${n}` }
          return pay(bursar, { agentId, sessionId: 'leads', credentialId: null }, input)
        }),
      ),
    )
    expect(all.filter(({ status }) => status === 'in_doubt').length).toBeGreaterThan(0)
    for (let turn = 0; turn < 3; turn++) await Promise.all([well, cut, well, cut].map((node) => recover(node.bursar)))
    await expectWhole(well, database.adminUrl, keys())
    const doubled = await wordsTwice(well)
    expect(doubled).toEqual([])
  })
})

/** Events that say the same of one payment twice. */
async function wordsTwice({ bursar: { store } }: Node): Promise<readonly string[]> {
  const seen = new Set<string>()
  const twice: string[] = []
  for (const journal of await store.read.journals())
    for await (const { body } of store.read.events(journal)) {
      const { type, payment_id } = JSON.parse(body!) as { type: string; payment_id?: string }
      const word = `${type} ${payment_id}`
      if (/^payment\.(authorized|captured|voided|attempted)$/.test(type) && seen.has(word)) twice.push(word)
      seen.add(word)
    }
  return twice
}
