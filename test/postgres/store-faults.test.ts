import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { byteProxy } from '../support/byte-proxy.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { availableOf, cent, makePostgresPurse, type PostgresPurse, problemsOf } from './store-purse.ts'

/** A purse, and a node on its database whose network is as bad as a test wants it. */
async function behindProxy(options: { waitMs?: number } = {}) {
  const database = await testDatabase()
  const purse = await makePostgresPurse(database.url)
  const proxy = await byteProxy(database.url)
  onTestFinished(() => proxy.stop())
  const store = await purse.node({ url: proxy.through(database.url), ...options })
  await cent(store, purse)
  const before = await availableOf(purse)
  return { database, purse, proxy, store, gained: async () => (await availableOf(purse)) - before }
}

const TERMINATE =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end().catch(() => undefined))
  return client
}

async function until(met: () => Promise<boolean>): Promise<void> {
  while (!(await met())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const isWaiting = async (client: pg.Client, count = 1): Promise<boolean> => {
  const { rows } = await client.query(
    "SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  )
  return rows[0].waiting >= count
}

describe('a step whose connection is lost', () => {
  it('is run on another one when it had not begun', async () => {
    const { database, purse, store, gained } = await behindProxy()
    await asked(database.adminUrl, (client) => client.query(TERMINATE))
    expect(await cent(store, purse)).toBe(1)
    expect(await gained()).toBe(1n)
  })

  it('is run again when it had its locks, and its server was told to end it', async () => {
    const { database, purse, proxy, store, gained } = await behindProxy()
    const trapped = proxy.swallowAnswer('bursar.lock')
    const done = cent(store, purse)
    const line = await trapped
    await asked(database.adminUrl, (client) => client.query(TERMINATE))
    line.cut()
    await done
    expect(await gained()).toBe(1n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('is run again, with those that shared its transaction, when it was written and not committed', async () => {
    const { purse, proxy, store, gained } = await behindProxy()
    const trapped = proxy.swallowAnswer('bursar.write')
    const done = Promise.all([cent(store, purse), cent(store, purse)])
    ;(await trapped).cut()
    expect((await done).every((decided) => decided > 1)).toBe(false)
    expect(await gained()).toBe(2n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('has its answer when it was committed, and is not run again', async () => {
    const { purse, proxy, store, gained } = await behindProxy()
    const trapped = proxy.swallowAnswer('; COMMIT')
    const done = cent(store, purse)
    ;(await trapped).cut()
    expect(await done).toBe(1)
    expect(await gained()).toBe(1n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('is run again when its COMMIT never arrived', async () => {
    const { purse, proxy, store, gained } = await behindProxy()
    const trapped = proxy.swallow('; COMMIT')
    const done = cent(store, purse)
    ;(await trapped).cut()
    expect(await done).toBe(2)
    expect(await gained()).toBe(1n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('is run again when its server is told to end it while it commits', async () => {
    const { database, purse, store, gained } = await behindProxy()
    const admin = await connected(database.adminUrl)
    // The commit waits for whoever has this lock.
    await admin.query(`
      CREATE FUNCTION public.waits() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON bursar.events DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION public.waits();
      SELECT pg_advisory_lock(42)`)
    const watcher = await connected(database.adminUrl)
    const done = cent(store, purse)
    await until(() => isWaiting(watcher))
    await watcher.query(`${TERMINATE} AND wait_event_type = 'Lock'`)
    await admin.query('SELECT pg_advisory_unlock(42)')
    await done
    expect(await gained()).toBe(1n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('does not know when nobody can tell', async () => {
    const { purse, proxy, store, gained } = await behindProxy({ waitMs: 600 })
    const trapped = proxy.swallowAnswer('; COMMIT')
    const done = cent(store, purse)
    await trapped
    proxy.down()
    await expect(done).rejects.toMatchObject({ code: 'outcome_unknown' })
    expect(await gained()).toBe(1n)
    proxy.pass()
    await cent(store, purse)
    expect(await gained()).toBe(2n)
  })

  it('is busy when no server can be reached, and nothing was written', async () => {
    const { purse, proxy, store, gained } = await behindProxy({ waitMs: 400 })
    proxy.down()
    await expect(cent(store, purse)).rejects.toMatchObject({ code: 'busy' })
    proxy.pass()
    expect(await gained()).toBe(0n)
  })
})

describe('a step that the database gives up', () => {
  it('is run again after a deadlock', async () => {
    const database = await testDatabase()
    const admin = await connected(database.adminUrl)
    await admin.query(`ALTER DATABASE ${database.name} SET deadlock_timeout = '20ms'`)
    const purse = await makePostgresPurse(database.url)
    const [gate, watcher] = [await connected(database.adminUrl), await connected(database.adminUrl)]
    await gate.query('SELECT pg_advisory_lock(3)')
    // It will not be the one that is given up.
    await admin.query("SET deadlock_timeout = '1h'; BEGIN; SELECT pg_advisory_xact_lock(2)")
    await watcher.query(`
      CREATE SEQUENCE public.tries; GRANT USAGE ON SEQUENCE public.tries TO PUBLIC;
      CREATE FUNCTION public.meets() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('public.tries') > 1 THEN RETURN NEW; END IF;
        LOOP EXIT WHEN pg_try_advisory_xact_lock(3); PERFORM pg_sleep(0.01); END LOOP;
        PERFORM pg_advisory_xact_lock(2);
        RETURN NEW;
      END $$;
      CREATE TRIGGER meets BEFORE INSERT ON bursar.events FOR EACH ROW EXECUTE FUNCTION public.meets()`)
    const before = await availableOf(purse)
    const done = cent(purse.store, purse)
    await until(async () => (await watcher.query('SELECT is_called FROM public.tries')).rows[0].is_called)
    const met = admin.query('SELECT 1 FROM bursar.heads WHERE journal = $1 FOR UPDATE', [purse.walletId])
    await until(() => isWaiting(watcher))
    await gate.query('SELECT pg_advisory_unlock(3)')
    await met
    await admin.query('COMMIT')
    expect(await done).toBe(2)
    expect(await availableOf(purse)).toBe(before + 1n)
    const deadlocks = 'SELECT deadlocks::int AS count FROM pg_stat_database WHERE datname = current_database()'
    await until(async () => (await watcher.query(deadlocks)).rows[0].count === 1)
  })

  it('is run again after a serialization failure, and not after a refusal', async () => {
    const database = await testDatabase()
    const purse = await makePostgresPurse(database.url)
    const before = await availableOf(purse)
    await asked(database.adminUrl, (client) =>
      client.query(`
        CREATE SEQUENCE public.tries; GRANT USAGE ON SEQUENCE public.tries TO PUBLIC;
        CREATE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE n bigint := nextval('public.tries'); BEGIN
          IF n <= 2 THEN RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF;
          IF n = 4 THEN RAISE EXCEPTION 'never' USING ERRCODE = '23514'; END IF;
          RETURN NEW; END $$;
        CREATE TRIGGER fails BEFORE INSERT ON bursar.events FOR EACH ROW EXECUTE FUNCTION public.fails()`),
    )
    expect(await cent(purse.store, purse)).toBe(3)
    await expect(cent(purse.store, purse)).rejects.toThrow('never')
    expect(await cent(purse.store, purse)).toBe(1)
    expect(await availableOf(purse)).toBe(before + 2n)
    expect(await problemsOf(purse)).toEqual([])
  })
})

describe('wallets do not wait for each other', () => {
  it('pays out of one while others are locked by somebody, as many as there are connections', async () => {
    const database = await testDatabase()
    const purse = await makePostgresPurse(database.url, { connections: 5 })
    const admin = await connected(database.adminUrl)
    const others = await walletsBeside(purse, 4)
    await admin.query('BEGIN')
    await admin.query('SELECT 1 FROM bursar.heads WHERE journal = ANY ($1) FOR UPDATE', [others])
    const before = await availableOf(purse)
    const waiting = others.flatMap((walletId) => [
      cent(purse.store, purse, walletId),
      cent(purse.store, purse, walletId),
    ])
    await cent(purse.store, purse)
    expect(await availableOf(purse)).toBe(before + 1n)
    await admin.query('ROLLBACK')
    await Promise.all(waiting)
    for (const walletId of others) expect(await availableOf(purse, walletId)).toBe(2n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('is busy after the bound, and has written nothing', async () => {
    const database = await testDatabase()
    const purse = await makePostgresPurse(database.url, { waitMs: 700 })
    const before = await availableOf(purse)
    const admin = await connected(database.adminUrl)
    await admin.query('BEGIN')
    await admin.query('SELECT 1 FROM bursar.heads WHERE journal = $1 FOR UPDATE', [purse.walletId])
    await expect(cent(purse.store, purse)).rejects.toMatchObject({ code: 'busy' })
    await admin.query('ROLLBACK')
    expect(await availableOf(purse)).toBe(before)
    expect(await cent(purse.store, purse)).toBe(1)
  })
})

async function walletsBeside(purse: PostgresPurse, count: number): Promise<readonly string[]> {
  const { createWallet } = await import('../../src/actions/owner/wallets.ts')
  const made: string[] = []
  for (let i = 0; i < count; i++) {
    const input = { name: `beside ${i}`, mode: 'sandbox', currency: 'USD' }
    made.push((await createWallet(purse.bursar, purse.authority, input)).wallet_id)
  }
  return made
}
