import pg from 'pg'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { Attempts } from '../../src/store/postgres/attempts.ts'
import { roundsOf } from '../../src/store/postgres/rounds.ts'
import { testDatabase } from '../support/postgres.ts'
import { SHOP } from '../support/purse.ts'
import {
  availableOf,
  cent,
  makeCardOf,
  makePostgresPurse,
  makeWallet,
  type PostgresPurse,
  problemsOf,
} from './store-purse.ts'

describe('steps of one transaction', () => {
  it.each([
    ['nothing in common', [{ a: true }, { b: true }, { c: false }], [[0, 1, 2]]],
    [
      'a lock that all share',
      [
        { x: false, a: true },
        { x: false, b: true },
      ],
      [[0, 1]],
    ],
    ['one has alone what the other has', [{ x: true }, { x: false }], [[0], [1]]],
    ['one has what the other has alone', [{ x: false }, { x: true }], [[0], [1]]],
    ['one lock after the other', [{ a: true }, { a: true }, { a: true }], [[0], [1], [2]]],
    [
      'two after two',
      [{ a: true }, { b: true }, { a: true }, { b: true }],
      [
        [0, 1],
        [2, 3],
      ],
    ],
    ['one between', [{ a: true }, { a: true, b: true }, { b: true }], [[0], [1], [2]]],
    ['shared, alone, shared', [{ x: false }, { x: true }, { x: false }, { x: false }], [[0], [1], [2, 3]]],
    ['later alone than shared', [{ a: true }, { a: true, x: false }, { x: true }], [[0], [1], [2]]],
    [
      'shared before and after',
      [
        { a: true, x: false },
        { a: true, x: false },
        { x: false, b: true },
      ],
      [[0, 2], [1]],
    ],
    ['none', [], []],
  ])('are decided on side by side where neither touches what the other has alone: %s', (_, own, rounds) => {
    expect(roundsOf(own as Record<string, boolean>[])).toEqual(rounds)
  })
})

async function wallets(purse: PostgresPurse, count: number): Promise<string[]> {
  const made: string[] = []
  for (let n = 0; n < count; n++) made.push((await makeWallet(purse, `w${n}`)).walletId)
  return made
}

/** The transactions that wrote the newest event of each wallet. */
async function writersOf(url: string, walletIds: readonly string[]): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ xmin: string }>(
    'SELECT DISTINCT ON (journal) xmin::text FROM bursar.events WHERE journal = ANY ($1) ORDER BY journal, seq DESC',
    [walletIds],
  )
  await client.end()
  return new Set(rows.map(({ xmin }) => xmin))
}

describe('wallets that wait at the same time', () => {
  it('share commits, and each has what is its own', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const ids = await wallets(purse, 9)
    const before = await Promise.all(ids.map((id) => availableOf(purse, id)))
    // Three steps of each, one of which throws.
    const results = await Promise.allSettled(
      ids.flatMap((walletId) => [
        cent(purse.store, purse, walletId),
        purse.store.update({ walletId }, () => {
          throw new RangeError(walletId)
        }),
        cent(purse.store, purse, walletId),
      ]),
    )
    expect(results.map(({ status }) => status)).toEqual(ids.flatMap(() => ['fulfilled', 'rejected', 'fulfilled']))
    for (const [i, id] of ids.entries()) {
      expect(String((results[3 * i + 1] as PromiseRejectedResult).reason)).toBe(`RangeError: ${id}`)
      expect(await availableOf(purse, id)).toBe(before[i]! + 2n)
    }
    expect((await writersOf(url, ids)).size).toBeLessThan(ids.length)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('do not suffer from what the database refuses one of them', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const ids = await wallets(purse, 6)
    const actor = { role: 'human', id: purse.authority.ownerId } as const
    const results = await Promise.allSettled(
      ids.map((walletId, i) =>
        i === 2
          ? purse.store.update({ walletId }, () => ({
              facts: [{ actor, wallet_id: walletId, type: 'limit.removed', details: { limit_id: 'lim_none' } }],
              result: null,
            }))
          : cent(purse.store, purse, walletId),
      ),
    )
    expect(results.map(({ status }) => status)).toEqual(ids.map((_, i) => (i === 2 ? 'rejected' : 'fulfilled')))
    expect(await problemsOf(purse)).toEqual([])
  })

  it('do not wait for one that somebody else has', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const store = await purse.node({ connections: 4 })
    const [held = '', ...others] = await wallets(purse, 9)
    const holder = new pg.Client({ connectionString: url })
    await holder.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM bursar.heads WHERE journal = $1 FOR NO KEY UPDATE', [held])
    const make = vi.spyOn(Attempts.prototype, 'make')
    onTestFinished(() => make.mockRestore())
    const answered: string[] = []
    const note = (name: string) => () => void answered.push(name)
    const waiting = [1, 2, 3].map(() => cent(store, purse, held).then(note('held')))
    for (let turn = 0; turn < 4; turn++)
      await Promise.all(others.map((id) => cent(store, purse, id).then(note('other'))))
    expect(answered).toEqual(Array.from({ length: 4 * others.length }, () => 'other'))
    const beside = make.mock.calls.filter(
      ([queues]) => queues.length > 1 && queues.some(([step]) => step?.lane === held),
    )
    expect(beside.length).toBeLessThanOrEqual(1)
    await holder.query('COMMIT')
    await holder.end()
    await Promise.all(waiting)
    expect(answered.filter((name) => name === 'held')).toHaveLength(3)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('ask no more than three things of humans between them, of one agent', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const { caller } = purse
    const first = await makeCardOf(purse, caller, { amount: '500.00', usage_limit: undefined })
    // Bound to the agent, and so the one that its next card is of.
    const terms = {
      name: 'second',
      agentId: caller.agentId,
      mode: 'sandbox',
      currency: 'USD',
      timeZone: 'UTC',
    } as const
    const { wallet_id: walletId } = await createWallet(purse.bursar, purse.authority, terms)
    await fund(purse.bursar, purse.authority, walletId, '1000.00')
    const second = await makeCardOf(purse, caller, { amount: '500.00', usage_limit: undefined })
    expect(second.wallet_id).not.toBe(first.wallet_id)
    for (const id of [purse.walletId, walletId])
      await setLimit(purse.bursar, purse.authority, id, {
        ...{ scope: 'wallet', window: 'payment', over: 'ask', max_amount: '5.00' },
      })
    const views = await Promise.all(
      [first, second, first, second, first, second, first, second].map(({ instrument_id }, i) =>
        pay(purse.bursar, caller, { instrument_id, amount: '6.00', payee: SHOP, purpose: `asked ${i}` }),
      ),
    )
    const statuses = views.map(({ status }) => status).toSorted()
    expect(statuses).toEqual([...Array(3).fill('awaiting_approval'), ...Array(5).fill('refused')])
    expect(await problemsOf(purse)).toEqual([])
  })
})

describe('queues of one wallet, on a node that does not know yet that they are', () => {
  it('are decided on one after the other', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const card = await makeCardOf(purse, purse.caller)
    const before = await availableOf(purse)
    const store = await purse.node({ connections: 1 })
    const read = async (): Promise<bigint> =>
      store.update({ instrumentId: card.instrument_id }, ({ accounts }) => ({ facts: [], result: accounts!.available }))
    const [, seen] = await Promise.all([cent(store, purse), read()])
    expect(seen).toBe(before + 1n)
  })

  it('security: ask a human for what two cards spend together', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const cards: string[] = []
    for (const amount of ['100.00', '101.00'])
      cards.push((await makeCardOf(purse, purse.caller, { amount, usage_limit: undefined })).instrument_id)
    await setLimit(purse.bursar, purse.authority, purse.walletId, {
      ...{ scope: 'wallet', window: 'total', over: 'ask', max_amount: '10.00' },
    })
    const bursar = { ...purse.bursar, store: await purse.node({ connections: 1 }) }
    const views = await Promise.all(
      cards.map((instrument_id) =>
        pay(bursar, purse.caller, { instrument_id, amount: '6.00', payee: SHOP, purpose: 'a part' }),
      ),
    )
    expect(views.map(({ status }) => status).toSorted()).toEqual(['awaiting_approval', 'captured'])
    expect(await problemsOf(purse)).toEqual([])
  })
})
