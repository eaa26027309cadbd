import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { unfreezeAll } from '../../src/actions/owner/freeze.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Caller } from '../../src/actions/wire.ts'
import { wideWallet } from '../support/disk.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { atOnce, count, isPaid, keys, type NodeProcess, nodePrograms, paid, startNodes } from './node-children.ts'
import { type Node, openNode } from './node-open.ts'
import type { Answer, Call } from './node-program.ts'
import { cardFrom, expectWhole, problemsOf } from './node-purse.ts'

const NODES = 4
/** How many calls of one node are in flight. */
const AT_ONCE = Number(process.env.BURSAR_TEST_AT_ONCE ?? 64)
const CALLS = NODES * AT_ONCE
/** And where the same is shown of something else. */
const FEW = AT_ONCE / 4

/** Longer than a payment may take to begin. */
const LATER_MS = 16 * 60_000

/** Each with a currency that it has to itself: an agent's card is of the oldest wallet. */
const STOPS = [
  { call: 'freeze', currency: 'RON' },
  { call: 'revoke', currency: 'BGN' },
  { call: 'freeze wallet', currency: 'THB' },
  { call: 'revoke credential', currency: 'ILS' },
  { call: 'freeze all', currency: 'MXN' },
] as const

let database: TestDatabase
let here: Node
let nodes: NodeProcess[] = []
let purchases = 0
let agents = 0

nodePrograms()
beforeAll(async () => {
  database = await testDatabase()
  here = await openNode(keys(), database.url)
  nodes = await startNodes(NODES, database.url)
})
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await here?.close()
  await database?.drop()
})

function buy(instrument_id: string, amount: string, by: Partial<Caller> = {}, more: object = {}): Call {
  purchases += 1
  const payee = { name: `Shop ${purchases % 7}`, merchant_category: '5734', country: 'US' }
  return { call: 'pay', input: { instrument_id, amount, payee, purpose: `Purchase ${purchases}`, ...more }, by }
}

const several = <T>(n: number, one: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => one(i))

/** Every attempt is in the journal of its wallet, authorized or refused, as it was answered. */
async function expectInJournal(walletId: string, answers: readonly Answer[]): Promise<void> {
  const kinds = new Map<string, string>()
  for await (const { body } of here.bursar.store.read.events(walletId)) {
    const { type, payment_id } = JSON.parse(body!) as { type: string; payment_id?: string }
    if (type === 'payment.authorized' || type === 'payment.refused') kinds.set(payment_id!, type)
  }
  const said = ({ status }: Answer) => (status === 'refused' ? 'payment.refused' : 'payment.authorized')
  expect(answers.map(({ id }) => kinds.get(id!))).toEqual(answers.map(said))
}

describe.sequential(`security: ${NODES} nodes on one database, ${AT_ONCE} calls at once each`, {
  timeout: 240_000,
}, () => {
  test('empty one wallet to the unit and never over, and every attempt is in the journal', async () => {
    const fits = CALLS / 2
    const wallet = await wideWallet(here as never, 'CHF', ((fits * 70 + 69) / 100).toFixed(2))
    const cards = [await cardFrom(here, 'CHF', '90000.00'), await cardFrom(here, 'CHF', '90000.00')]
    const answers = await atOnce(nodes, (n) => several(AT_ONCE, (i) => buy(cards[(n + i) % 2]!, '0.70')))
    expect([paid(answers), count(answers, 'insufficient_funds')]).toEqual([fits, CALLS - fits])
    const account = await here.bursar.store.read.one('accounts', { walletId: wallet })
    expect(account!.available).toBe(69n)
    await expectInJournal(wallet, answers)
  })

  test('spend one instrument to the unit', async () => {
    const fits = (NODES * FEW) / 2
    await wideWallet(here as never, 'EUR', '100000.00')
    const one = await cardFrom(here, 'EUR', ((fits * 70 + 69) / 100).toFixed(2))
    const answers = await atOnce(nodes, () => several(FEW, () => buy(one, '0.70')))
    expect([paid(answers), count(answers, 'amount_exceeds_remaining')]).toEqual([fits, NODES * FEW - fits])
    expect((await here.bursar.store.read.one('instruments', { id: one }))!.remaining).toBe(69n)
  })

  test('reach one day limit exactly, that agents of one wallet share', async () => {
    const fits = (NODES * FEW) / 2
    const wallet = await wideWallet(here as never, 'SEK', '100000.00')
    const max = ((fits * 70 + 69) / 100).toFixed(2)
    await setLimit(here.bursar, here.authority, wallet, {
      scope: 'wallet',
      window: 'day',
      max_amount: max,
      over: 'deny',
    })
    const sharers = await Promise.all(several(NODES, () => agentWith('SEK')))
    const answers = await atOnce(nodes, (n) => several(FEW, () => buy(sharers[n]!.card, '0.70', sharers[n]!.by)))
    expect([paid(answers), count(answers, 'limit_exceeded')]).toEqual([fits, NODES * FEW - fits])
    await expectInJournal(wallet, answers)
  })

  test('spend what one credential may to the unit, over wallets and over all that it minted', async () => {
    await wideWallet(here as never, 'PLN', '100000.00')
    const fits = (NODES * FEW) / 2
    const budget = { max_amount: ((fits * 70 + 69) / 100).toFixed(2), currency: 'PLN' }
    const own = await agentWith('PLN', budget)
    const minted = await Promise.all(several(NODES, () => mintCredential(here.bursar, own.by, budget)))
    const by = (n: number): Caller => ({ ...own.by, credentialId: minted[n]!.credential_id })
    const answers = await atOnce(nodes, (n) => several(FEW, () => buy(own.card, '0.70', by(n))))
    expect([paid(answers), count(answers, 'amount_exceeds_remaining')]).toEqual([fits, NODES * FEW - fits])
    expect((await here.bursar.store.read.one('credentials', { id: own.by.credentialId! }))!.spent).toBe(
      BigInt(fits * 70),
    )
  })

  test('make one payment of one idempotency key, whether all name one wallet or several of one agent', async () => {
    await wideWallet(here as never, 'NOK', '100000.00')
    await wideWallet(here as never, 'DKK', '100000.00')
    const cards = [await cardFrom(here, 'NOK', '90000.00'), await cardFrom(here, 'DKK', '90000.00')]
    const same = { payee: { name: 'Shop' }, purpose: 'one order', idempotency_key: 'order-7' }
    const answers = await atOnce(nodes, () => several(8, () => buy(cards[0]!, '1.00', {}, same)))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect([paid(answers), answers.filter((one) => !one.replayed).length]).toEqual([NODES * 8, 1])
    const across = await atOnce(nodes, (n) =>
      several(8, () => buy(cards[n % 2]!, '1.00', {}, { ...same, idempotency_key: 'order-8' })),
    )
    const done = across.filter(isPaid)
    expect(new Set(done.map(({ id }) => id)).size).toBe(1)
    expect(count(across, 'idempotency_conflict')).toBe(NODES * 8 - done.length)
    const made = await here.bursar.store.read.list('payments', {
      idempotencyKey: 'order-8',
      status: ['captured', 'authorized', 'in_doubt'],
    })
    expect(made).toHaveLength(1)
  })

  test('ask no more than an agent may, over all of its wallets', async () => {
    const cards: string[] = []
    for (const currency of ['CZK', 'HUF']) {
      const wallet = await wideWallet(here as never, currency, '100000.00')
      cards.push(await cardFrom(here, currency, '90000.00'))
      await setLimit(here.bursar, here.authority, wallet, {
        scope: 'wallet',
        window: 'payment',
        max_amount: '5.00',
        over: 'ask',
      })
    }
    const answers = await atOnce(nodes, (n) => several(8, (i) => buy(cards[(n + i) % 2]!, '10.00')))
    expect([count(answers, 'awaiting_approval'), count(answers, 'too_many_asks')]).toEqual([3, NODES * 8 - 3])
  })

  test.each(STOPS)('authorize nothing after the answer to: $call', async ({ call, currency }) => {
    const wallet = await wideWallet(here as never, currency, '100000.00')
    const own = await agentWith(currency)
    const ids = { freeze: own.card, revoke: own.card, 'freeze wallet': wallet, 'freeze all': '' }
    const id = call === 'revoke credential' ? own.by.credentialId! : ids[call]
    const at = Number(process.hrtime.bigint()) / 1e6 + 50
    const all = await Promise.all(
      nodes.map((node, n) => {
        const calls = several(FEW, () => buy(own.card, '0.70', own.by))
        // In the middle of what the first node has to do, while the others go on.
        return node.calls(n === 0 ? [...calls.slice(0, 4), { call, id } as Call, ...calls.slice(4)] : calls, 4, at)
      }),
    )
    // However slow the first node was: one call begins after it on each of the others.
    const late = await Promise.all(nodes.slice(1).map((node) => node.calls([buy(own.card, '0.70', own.by)], 1)))
    const answers = [...all, ...late].flat()
    const stopped = answers.find((one) => one.call === call)!
    expect(stopped.code).toBe(null)
    const after = answers.filter(({ from }) => from > stopped.to)
    expect(after.length).toBeGreaterThanOrEqual(late.length)
    expect(after.map(({ status }) => status)).toEqual(after.map(() => 'refused'))
    expect(await authorizedAfterStop(wallet)).toEqual([])
    if (call === 'freeze all') await unfreezeAll(here.bursar, here.authority)
  })

  test('leave whole books behind, and nothing held once it is too late to begin what was stopped', async () => {
    await recover(here.bursar)
    expect(await problemsOf(here, database.adminUrl, keys())).toEqual([])
    const later = await openNode(keys(), database.url, { clock: { now: () => Date.now() + LATER_MS } })
    await expectWhole(later, database.adminUrl, keys())
    await later.close()
  })
})

/** An agent with a credential of its own and a card. */
async function agentWith(currency: string, budget: object = {}): Promise<{ by: Caller; card: string }> {
  agents += 1
  const { agent_id: agentId, credential_id: credentialId } = await addAgent(
    ...([here.bursar, here.authority, `racer-${agents}`, budget] as const),
  )
  const by = { agentId, credentialId, sessionId: `racer-${agents}` }
  return { by, card: await cardFrom(here, currency, '90000.00', by) }
}

/** Payments that stand in the wallet's journal as authorized after what stopped them. */
async function authorizedAfterStop(walletId: string): Promise<readonly string[]> {
  const types: string[] = []
  for await (const { body } of here.bursar.store.read.events(walletId))
    types.push((JSON.parse(body!) as { type: string }).type)
  const stop = types.findIndex((type) => ['instrument.frozen', 'instrument.revoked', 'wallet.frozen'].includes(type))
  return stop < 0 ? [] : types.slice(stop).filter((type) => type === 'payment.authorized')
}
