import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Claim } from '../../src/ports.ts'
import { byteProxy } from '../support/byte-proxy.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { NOON } from '../support/purse.ts'
import { makePostgresPurse } from './store-purse.ts'

const NAME = 'f'.repeat(64)

function claimOf(key: string, more: Partial<Claim> = {}): Claim {
  const room = { keys: 100, bytes: 1_000, allBytes: 10_000 }
  const times = { busyUntil: NOON + 1_000, expiresAt: NOON + 10_000 }
  return { caller: 'a', key, asked: 'f'.repeat(64), holder: randomUUID(), ...times, room, ...more }
}

/** What is remembered, by a node whose network is as bad as a test wants it. */
async function behindProxy(waitMs = 20_000) {
  const database = await testDatabase()
  const purse = await makePostgresPurse(database.url)
  const proxy = await byteProxy(database.url)
  onTestFinished(() => proxy.stop())
  const { kept } = await purse.node({ url: proxy.through(database.url), waitMs })
  return { database, purse, proxy, kept }
}

describe('what is remembered where a connection is lost', () => {
  it.each(['swallowAnswer', 'swallow'] as const)('is asked for again, and is once what it was (%s)', async (way) => {
    const { purse, proxy, kept } = await behindProxy()
    const lost = async <R>(name: string, work: () => Promise<R>): Promise<R> => {
      const trapped = proxy[way](name)
      const done = work()
      ;(await trapped).cut()
      return done
    }
    const mine = claimOf('k')
    expect(await lost('keep_name', () => kept.first(NAME, NOON + 1_000))).toBe(true)
    expect(await lost('claim_call', () => kept.claim(mine))).toEqual({ state: 'mine' })
    expect(await purse.store.kept.claim(claimOf('k'))).toMatchObject({ state: 'busy' })
    await lost('drop_call', () => kept.drop(mine))
    const next = claimOf('k')
    expect(await kept.claim(next)).toEqual({ state: 'mine' })
    await lost('keep_call', () => kept.keep(next, '"1"'))
    expect(await lost('claim_call', () => kept.claim(claimOf('k')))).toMatchObject({ state: 'done', answer: '"1"' })
    expect(await kept.first(NAME, NOON + 1_000)).toBe(false)
  })

  it('security: is refused where no primary answers', async () => {
    const { proxy, kept } = await behindProxy(300)
    proxy.down()
    const refused = { code: 'rail_unavailable' }
    await expect(kept.claim(claimOf('k'))).rejects.toMatchObject(refused)
    await expect(kept.first(NAME, NOON + 1_000)).rejects.toMatchObject(refused)
    proxy.pass()
    expect(await kept.claim(claimOf('k'))).toEqual({ state: 'mine' })
  })
})

describe('what many remember at once', () => {
  it('is counted to the byte, and its room is kept, in whichever order they come', async () => {
    const { url, adminUrl } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const nodes = [purse.store, await purse.node(), await purse.node()]
    const room = { keys: 8, bytes: 300, allBytes: 700 }
    const worked = async (i: number): Promise<void> => {
      const { kept } = nodes[i % nodes.length]!
      const mine = claimOf(`k${i}`, { caller: `c${i % 5}`, room, expiresAt: NOON + 10_000 + i })
      const { state } = await kept.claim(mine)
      if (state === 'mine') await (i % 7 === 0 ? kept.drop(mine) : kept.keep(mine, 'x'.repeat(1 + ((i * 37) % 100))))
    }
    for (let i = 0; i < 120; i += 15) await Promise.all(Array.from({ length: 15 }, (_, n) => worked(i + n)))
    // One after the other puts right what those who wrote at once could not see of each other.
    for (let i = 120; i < 126; i++) await worked(i)
    const { rows } = await asked(adminUrl, (client) =>
      client.query(
        `SELECT (SELECT sum(bytes)::int FROM bursar.kept_room) AS counted, sum(bytes)::int AS held,
           (SELECT max(keys)::int FROM (SELECT count(*) AS keys FROM bursar.kept_calls GROUP BY caller) c) AS keys,
           (SELECT max(bytes)::int FROM (SELECT sum(bytes) AS bytes FROM bursar.kept_calls GROUP BY caller) c) AS most
         FROM bursar.kept_calls`,
      ),
    )
    const [{ counted, held, keys, most }] = rows
    expect(counted).toBe(held)
    expect([held <= 700, held > 400, keys <= 8, most <= 300]).toEqual([true, true, true, true])
  })

  it.each(['', 'ANALYZE'])(
    'is found by its keys and indexes alone, whatever a plan was made for (%s)',
    async (known) => {
      const { url, adminUrl } = await testDatabase()
      const purse = await makePostgresPurse(url)
      const node = await purse.node({ connections: 1 })
      const room = { keys: 2, bytes: 50, allBytes: 60 }
      const calls = async (from: string) => {
        for (let i = 0; i < 8; i++) {
          const mine = claimOf(`${from} ${i}`, { room, caller: `${i % 3}` })
          await node.kept.claim(mine)
          await node.kept.keep(mine, 'x'.repeat(40))
          await node.kept.first(`${from}${i}`.padStart(64, '0'), NOON + 1_000)
          await node.kept.drop(mine)
        }
      }
      // Plans are made for next to nothing, and kept.
      await calls('a')
      await asked(adminUrl, (client) => client.query(`${MANY}; ${known}`))
      const before = await readOf(adminUrl)
      await calls('b')
      // A connection tells what it did when it ends.
      await node.close()
      await expect.poll(async () => (await readOf(adminUrl)) - before, { timeout: 20_000 }).toBeGreaterThan(50)
      expect((await readOf(adminUrl)) - before).toBeLessThan(1_500)
      expect(await usedOf(adminUrl)).toEqual(
        ['by_caller', 'by_end', 'answered', 'by_end'].map((index) => [index, true]),
      )
    },
  )
})

/** Calls and names of others, few of which have an answer. */
const MANY = `
  INSERT INTO bursar.kept_calls SELECT 'other ' || i % 100, i, repeat('f', 64), repeat('1', 36), 0, ${NOON - 1} + i, 0, ''
  FROM generate_series(1, 20000) i;
  INSERT INTO bursar.kept_names SELECT lpad('other ' || i, 64), repeat('1', 36), ${NOON + 1} + i FROM generate_series(1, 20000) i`

/** How many rows and entries of indexes were read of what is remembered. */
function readOf(url: string): Promise<number> {
  return asked(url, async (client) => {
    const { rows } = await client.query<{ read: number }>(
      `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('kept_calls', 'kept_names'))::int
         + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN ('kept_calls', 'kept_names'))::int AS read`,
    )
    return rows[0]!.read
  })
}

/** The indexes that are no keys, calls' first, and whether each was taken by the last eight calls as well. */
function usedOf(url: string): Promise<unknown[]> {
  return asked(url, async (client) => {
    const { rows } = await client.query<{ name: string; used: boolean }>(
      `SELECT indexrelname AS name, idx_scan >= 8 AS used FROM pg_stat_user_indexes
       WHERE relname IN ('kept_calls', 'kept_names') AND indexrelname !~ 'pkey$' ORDER BY indexrelid`,
    )
    return rows.map(({ name, used }) => [name.replace(/^kept_(calls|names)_/, ''), used])
  })
}
