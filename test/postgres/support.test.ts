import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { byteProxy } from '../support/byte-proxy.ts'
import { bundled, Child } from '../support/children.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { bouncer, testWithBouncer } from '../support/postgres-bouncer.ts'
import { type Cluster, cluster } from '../support/postgres-cluster.ts'
import { isRunning } from '../support/postgres-server.ts'

const ROUNDS = 2
const POLL_MS = 20
/** What another server is set to is not known here. */
const isElsewhere = process.env.BURSAR_TEST_POSTGRES_URL !== undefined

/** A connection that is cut may say so at any time. */
async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => void client.end())
  return client
}

function scalar(url: string, sql: string, values: unknown[] = []): Promise<unknown> {
  return asked(url, async (client) => Object.values((await client.query(sql, values)).rows[0])[0])
}

describe('a test database', () => {
  let before: string
  test('is the own one of whoever asks, and has three roles', async () => {
    const [one, two] = [await testDatabase(), await testDatabase()]
    expect(one.name).not.toBe(two.name)
    before = one.name
    await asked(one.adminUrl, (client) => client.query('CREATE TABLE public.here AS SELECT 1 AS one'))
    expect(await scalar(two.adminUrl, "SELECT to_regclass('public.here')")).toBeNull()
    const superuser = 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user'
    expect(await Promise.all([one.url, one.ownerUrl, one.adminUrl].map((url) => scalar(url, superuser)))).toEqual([
      false,
      false,
      true,
    ])
    const owner = 'SELECT pg_has_role(datdba, $1) FROM pg_database WHERE datname = current_database()'
    expect(await scalar(one.ownerUrl, owner, ['MEMBER'])).toBe(true)
    expect(await scalar(one.url, owner, ['MEMBER'])).toBe(false)
  })

  test('is gone after its test', async () => {
    const { adminUrl, name, drop } = await testDatabase()
    const inUse = await connected(adminUrl)
    expect(await scalar(adminUrl, 'SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)', [before])).toBe(false)
    await drop()
    await expect(inUse.query('SELECT 1')).rejects.toThrow()
    await expect(asked(adminUrl, async () => {})).rejects.toThrow(name)
  })

  test.skipIf(isElsewhere)('sorts as people do and has a strange zone, unless a statement says otherwise', async () => {
    const { url } = await testDatabase()
    expect(await scalar(url, `SELECT 'a' < 'B'`)).toBe(true)
    expect(await scalar(url, `SELECT 'a' COLLATE "C" < 'B'`)).toBe(false)
    expect(await scalar(url, 'SHOW timezone')).toBe('Pacific/Chatham')
  })

  test.skipIf(isElsewhere)('waits for the disk where it is asked to', async () => {
    const [quick, durable] = [await testDatabase(), await testDatabase({ server: 'durable' })]
    expect([await scalar(quick.url, 'SHOW fsync'), await scalar(durable.url, 'SHOW fsync')]).toEqual(['off', 'on'])
    expect(await scalar(quick.url, 'SHOW synchronous_commit')).toBe('on')
  })
})

test('a server ends with whoever started it, also when that is killed', async () => {
  const script = await bundled('test/support/postgres-abandoned.ts')
  onTestFinished(() => rmSync(dirname(script), { recursive: true, force: true }))
  const child = new Child(script, [])
  while (child.lines.length === 0) await sleep(POLL_MS)
  const { folder, pid, url } = JSON.parse(child.lines[0]!) as { folder: string; pid: number; url: string }
  expect([existsSync(folder), await scalar(url, 'SELECT 1')]).toEqual([true, 1])
  await child.stop('SIGKILL')
  while (existsSync(folder) || isRunning(pid)) await sleep(POLL_MS)
  await expect(asked(url, async () => {})).rejects.toThrow('ECONNREFUSED')
})

describe('a byte proxy', () => {
  async function counter() {
    const { adminUrl } = await testDatabase()
    await asked(adminUrl, (client) => client.query('CREATE TABLE public.seen AS SELECT 0 AS n'))
    const proxy = await byteProxy(adminUrl)
    onTestFinished(() => proxy.stop())
    const client = await connected(proxy.through(adminUrl))
    const count = () => scalar(adminUrl, 'SELECT n FROM public.seen')
    return { proxy, client, count, url: proxy.through(adminUrl), adminUrl }
  }
  const ADD = 'BEGIN; UPDATE public.seen SET n = n + 1; COMMIT'

  test('passes what it gets', async () => {
    const { proxy, client, count } = await counter()
    await client.query(ADD)
    const long = 'x'.repeat(1_000_000)
    expect((await client.query('SELECT $1::text AS said', [long])).rows).toEqual([{ said: long }])
    expect([await count(), proxy.connections]).toEqual([1, 1])
  })

  test('cuts connections, and takes new ones', async () => {
    const { proxy, client, url, count } = await counter()
    const waiting = client.query('SELECT pg_sleep(600)')
    proxy.cut()
    await expect(waiting).rejects.toThrow()
    await asked(url, (again) => again.query(ADD))
    expect(await count()).toBe(1)
    proxy.down()
    await expect(asked(url, (again) => again.query(ADD))).rejects.toThrow()
    expect(await count()).toBe(1)
  })

  test('swallows the answer to a commit that landed', async () => {
    const { proxy, client, count, url } = await counter()
    const swallowed = proxy.swallowAnswer('COMMIT')
    await client.query('SELECT 1')
    const unanswered = client.query(ADD)
    const line = await swallowed
    expect(await count()).toBe(1)
    await asked(url, (other) => other.query(ADD))
    expect(await count()).toBe(2)
    line.cut()
    await expect(unanswered).rejects.toThrow()
  })

  test('swallows a commit that does not land', async () => {
    const { proxy, client, count, adminUrl } = await counter()
    const swallowed = proxy.swallow('COMMIT')
    await client.query('SELECT 1')
    const unanswered = client.query(ADD)
    const line = await swallowed
    expect(proxy.bytesLost.there).toBeGreaterThan(ADD.length)
    await scalar(adminUrl, 'SELECT pg_sleep(0.1)')
    line.cut()
    await expect(unanswered).rejects.toThrow()
    expect(await count()).toBe(0)
  })

  test('drops what comes from one side or both, and stays connected', async () => {
    const { proxy, client, count, url, adminUrl } = await counter()
    const other = await connected(url)
    const active =
      'SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'
    proxy.drop(['back'])
    const landed = client.query(ADD)
    while ((await count()) !== 1);
    proxy.drop(['there'])
    const lost = other.query(ADD)
    while (proxy.bytesLost.there === 0) await scalar(adminUrl, 'SELECT 1')
    proxy.pass()
    await asked(url, (third) => third.query(ADD))
    expect(await count()).toBe(2)
    expect(await scalar(adminUrl, active)).toBe(2)
    proxy.cut()
    await expect(landed).rejects.toThrow()
    await expect(lost).rejects.toThrow()
    expect(await count()).toBe(2)
  })

  test('holds what comes until it is honest again, and delays it', async () => {
    const { proxy, client, count, adminUrl } = await counter()
    proxy.hold()
    const held = client.query(ADD)
    await scalar(adminUrl, 'SELECT pg_sleep(0.1)')
    expect(await count()).toBe(0)
    proxy.pass()
    await held
    expect(await count()).toBe(1)
    proxy.delay(1)
    await client.query('SELECT 1')
    proxy.delay(600_000)
    const late = client.query(ADD)
    await scalar(adminUrl, 'SELECT pg_sleep(0.1)')
    expect(await count()).toBe(1)
    proxy.cut()
    await expect(late).rejects.toThrow()
  })
})

describe('a cluster', () => {
  let nodes: Cluster
  beforeAll(async () => {
    nodes = await cluster()
    return () => nodes.stop()
  })
  const write = (id: string) =>
    asked(nodes.primary.url(), (client) => client.query('INSERT INTO public.written VALUES ($1)', [id]))

  test('has a standby that a commit waits for', async () => {
    await asked(nodes.primary.url(), (client) => client.query('CREATE TABLE public.written (id text)'))
    await write('both')
    expect(await scalar(nodes.standby!.url(), 'SELECT pg_is_in_recovery()')).toBe(true)
    await nodes.killStandby()
    const client = await connected(nodes.primary.url())
    const pid = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
    const waiting = client.query("INSERT INTO public.written VALUES ('alone')")
    const event = () => scalar(nodes.primary.url(), 'SELECT wait_event FROM pg_stat_activity WHERE pid = $1', [pid])
    while ((await event()) !== 'SyncRep');
    expect(await scalar(nodes.primary.url(), 'SELECT count(*)::int FROM public.written')).toBe(1)
    await nodes.rejoin()
    await waiting
    expect(await scalar(nodes.primary.url(), 'SELECT count(*)::int FROM public.written')).toBe(2)
  })

  test('keeps what was answered, whichever node dies', { timeout: 180_000 }, async () => {
    const answered: string[] = []
    const ports = new Set<string>()
    for (let round = 0; round < ROUNDS; round += 1) {
      ports.add(new URL(nodes.primary.url()).port)
      const writers = [0, 1, 2].map(async () => {
        for (;;) {
          const id = randomUUID()
          await write(id)
          answered.push(id)
        }
      })
      const before = answered.length
      while (answered.length < before + 30) await scalar(nodes.primary.url(), 'SELECT pg_sleep(0.01)')
      const killed = nodes.killPrimary()
      await Promise.allSettled(writers)
      await killed
      await nodes.promote()
      const found = await asked(nodes.primary.url(), (client) => client.query('SELECT id FROM public.written'))
      const ids = new Set(found.rows.map(({ id }) => id))
      expect(answered.filter((id) => !ids.has(id))).toEqual([])
      await nodes.rejoin()
    }
    expect(ports.size).toBe(2)
    expect(nodes.url()).toContain([...ports].sort().join(',127.0.0.1:'))
  })
})

describe('PgBouncer', () => {
  testWithBouncer('gives the transactions of one client different connections', async () => {
    const { url } = await testDatabase()
    const through = await bouncer(url, { poolSize: 2 })
    const [one, other] = [await connected(through.url), await connected(through.url)]
    const pid = 'SELECT pg_backend_pid() AS pid'
    const first = (await one.query(pid)).rows[0].pid
    await other.query('BEGIN')
    expect((await other.query(pid)).rows[0].pid).toBe(first)
    expect((await one.query(pid)).rows[0].pid).not.toBe(first)
    await other.query('COMMIT')
  })
})
