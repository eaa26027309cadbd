import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ByteProxy, byteProxy } from '../support/byte-proxy.ts'
import { bouncer, testWithBouncer } from '../support/postgres-bouncer.ts'
import { cluster } from '../support/postgres-cluster.ts'
import { ask, bench, connected, newDatabase, paymentTerms, TestClock, testMerchant } from './card-fixture.ts'

async function proxied(url: string): Promise<ByteProxy> {
  const proxy = await byteProxy(url)
  onTestFinished(() => proxy.stop())
  return proxy
}

/** Waits until so many sessions wait for a lock in the database. */
async function waiting(client: pg.Client, least: number): Promise<void> {
  const count = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`
  while ((await client.query<{ n: number }>(count)).rows[0]!.n < least) await sleep(5)
}

describe('changes of nodes that write side by side', () => {
  test('a reader misses none that is committed after a later one', async () => {
    const place = await newDatabase()
    const at = await bench(place)
    const slow = await at.card()
    const quick = await at.card()
    await at.pay(slow, { paymentId: 'pay_slow', ...testMerchant('Never Captured') })
    const { cursor } = await at.rail.changes(null)
    const other = await connected(place.database.url)
    await other.query('BEGIN')
    const { rows } = await other.query('SELECT sandbox_cards.next_seq() AS seq')
    await at.pay(quick, { paymentId: 'pay_quick' })
    const reading = at.rail.changes(cursor)
    await waiting(await connected(place.database.adminUrl), 1)
    await other.query("UPDATE sandbox_cards.authorizations SET seq = $1 WHERE payment_id = 'pay_slow'", [rows[0].seq])
    await other.query('COMMIT')
    const { records, cursor: next } = await reading
    expect(records.map(({ paymentId }) => paymentId)).toEqual(['pay_slow', 'pay_quick'])
    expect(await at.rail.changes(next)).toEqual({ records: [], cursor: next })
  })

  test('readers find every payment of writers, while they write', async () => {
    const place = await newDatabase()
    const at = await bench(place)
    const reader = await bench(place)
    const cards = await Promise.all(Array.from({ length: 8 }, () => at.card()))
    let isWriting = true
    const reading = (async () => {
      const found: string[] = []
      for (let cursor: string | null = null; ; ) {
        const isLast = !isWriting
        const page = await reader.rail.changes(cursor)
        found.push(...page.records.map(({ paymentId }) => paymentId))
        cursor = page.cursor
        if (isLast && page.records.length === 0) return found
      }
    })()
    const terms = Array.from({ length: 160 }, (_, n) => paymentTerms(at.clock, cards[n % 8]!, { amount: 100n }))
    await Promise.all(terms.map((one) => at.rail.pay(one)))
    isWriting = false
    expect(new Set(await reading)).toEqual(new Set(terms.map(({ paymentId }) => paymentId)))
  })

  test('one card that is waited for holds no other up', async () => {
    const place = await newDatabase()
    const at = await bench(place)
    const [held, free] = [await at.card(), await at.card()]
    const other = await connected(place.database.url)
    await other.query('BEGIN')
    await other.query('SELECT FROM sandbox_cards.cards WHERE id = $1 FOR NO KEY UPDATE', [held.railRef])
    const paying = at.pay(held)
    await waiting(await connected(place.database.adminUrl), 1)
    expect(await at.pay(free, { paymentId: 'pay_free' })).toMatchObject({ state: 'closed' })
    expect((await at.rail.changes(null)).records).toMatchObject([{ paymentId: 'pay_free' }])
    await other.query('ROLLBACK')
    expect(await paying).toMatchObject({ state: 'closed' })
  })
})

describe('a database that is not always there', () => {
  test.each([
    ['on the way', 'swallow', true],
    ['on the way, with its answer', 'swallowAnswer', true],
    ['without a word', 'swallowAnswer', false],
  ] as const)('a payment whose commit is lost %s is made once', async (_, loss, isCut) => {
    const place = await newDatabase()
    const proxy = await proxied(place.database.url)
    const clock = new TestClock()
    const at = await bench(place, clock, proxy.through(place.database.url))
    const terms = paymentTerms(clock, await at.card())
    const lost: Promise<unknown>[] = []
    // The clock is read when it is looked for what is due, and then within the transaction that writes.
    let reads = 0
    const now = clock.ms
    clock.now = () => {
      reads += 1
      if (reads === 2) lost.push(proxy[loss]('COMMIT').then((line) => isCut && line.cut()))
      return now
    }
    expect(await at.rail.pay(terms)).toMatchObject({ state: 'closed', captured: 4900n })
    expect(lost).toHaveLength(1)
    await lost[0]
    expect(await ask(place, 'SELECT spent, payments FROM cards')).toEqual([{ spent: 4900, payments: 1 }])
  })

  test('what waits for a lock for too long has changed nothing', async () => {
    const place = await newDatabase()
    const at = await bench(place)
    const card = await at.card()
    const other = await connected(place.database.url)
    await other.query('BEGIN')
    await other.query('SELECT FROM sandbox_cards.cards FOR NO KEY UPDATE')
    await expect(at.pay(card)).rejects.toMatchObject({ code: '55P03' })
    await other.query('ROLLBACK')
    expect((await at.rail.changes(null)).records).toEqual([])
  })

  test('connections that are cut at any time leave whole books, and every payment is made once', async () => {
    const place = await newDatabase()
    const proxy = await proxied(place.database.url)
    const at = await bench(place, new TestClock(), proxy.through(place.database.url))
    const card = await at.card({ usageLimit: 20 })
    const terms = Array.from({ length: 40 }, () => paymentTerms(at.clock, card, { amount: 100n }))
    let isPaying = true
    const cutting = (async () => {
      for (let n = 0; n < 20 && isPaying; n += 1) {
        proxy.cut()
        await sleep(20)
      }
    })()
    const records = await Promise.all(terms.map((one) => at.rail.pay(one)))
    isPaying = false
    await cutting
    expect(records.filter(({ state }) => state === 'closed')).toHaveLength(20)
    expect(await ask(place, 'SELECT spent, payments FROM cards')).toEqual([{ spent: 2000, payments: 20 }])
    expect(await ask(place, 'SELECT count(*) AS n FROM authorizations')).toEqual([{ n: 40 }])
  })

  test('what was answered before the primary failed is there on the one that follows, and all else is made once', async () => {
    const servers = await cluster()
    const { url } = await servers.database()
    const hosts = [servers.standby!, servers.primary].map(({ port }) => `127.0.0.1:${port}`)
    const at = await bench({ path: null, database: null }, new TestClock(), url.replace(/@[^/]+/, `@${hosts.join()}`))
    const card = await at.card({ usageLimit: 60 })
    const terms = Array.from({ length: 80 }, () => paymentTerms(at.clock, card, { amount: 100n }))
    const answered = new Map<string, unknown>()
    let enough = () => {}
    const some = new Promise<void>((resolve) => {
      enough = resolve
    })
    const paying = terms.map(async (one) => {
      const record = await at.rail.pay(one).catch(() => null)
      if (record) answered.set(one.paymentId, record)
      if (answered.size === 10) enough()
    })
    await some
    await servers.killPrimary()
    const before = new Map(answered)
    await servers.promote()
    await Promise.all(paying)
    const records = await Promise.all(terms.map((one) => at.rail.pay(one)))
    for (const [n, { paymentId }] of terms.entries())
      if (before.has(paymentId)) expect(records[n]).toEqual(before.get(paymentId))
    expect(before.size).toBeLessThan(80)
    expect(records.filter(({ state }) => state === 'closed')).toHaveLength(60)
    expect((await at.rail.changes(null)).records).toHaveLength(80)
  })

  testWithBouncer('behind a PgBouncer in transaction mode, fifty payments at once never go over the card', async () => {
    const place = await newDatabase()
    const at = await bench(place, new TestClock(), (await bouncer(place.database.url)).url)
    const card = await at.card({ amount: 49_000n })
    const records = await Promise.all(Array.from({ length: 50 }, () => at.pay(card)))
    expect(records.filter(({ state }) => state === 'closed')).toHaveLength(10)
    expect((await at.rail.changes(null)).records).toHaveLength(50)
  })
})
