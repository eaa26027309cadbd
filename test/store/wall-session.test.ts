import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { type Seed, seed } from './wall.ts'
import { ALLOWED } from './wall-cases.ts'
import { PostgresAttacker } from './wall-postgres.ts'

let seeded: Seed
let database: TestDatabase
let wall: PostgresAttacker

beforeAll(async () => {
  seeded = await seed()
  database = await testDatabase()
  wall = await PostgresAttacker.open(database.adminUrl, seeded)
})

afterAll(async () => {
  await wall?.client.end()
  await database?.drop()
  seeded?.dispose()
})

const GAP = { bad: `INSERT INTO events VALUES ('new', 7, 'x', '{}', zeroblob(32))` }
const RULE = 'bursar: a journal only grows at its end'

describe('security: no session of PostgreSQL passes the walls by', () => {
  it('not as a replica, which takes a superuser', async () => {
    const replica = { ...GAP, before: 'SET LOCAL session_replication_role = replica' }
    expect(await wall.try(replica)).toBe(RULE)
    expect(await wall.try({ ...replica, bad: 'DELETE FROM events' })).toBe('bursar: an event is never deleted')
  })

  it('not with operators and functions of its own that come first', async () => {
    const before = `CREATE SCHEMA mine;
      CREATE FUNCTION mine.never(bigint, bigint) RETURNS boolean LANGUAGE sql RETURN false;
      CREATE OPERATOR mine.<> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = mine.never);
      CREATE FUNCTION mine.seven(bigint) RETURNS bigint LANGUAGE sql RETURN 7;
      CREATE AGGREGATE mine.max (bigint) (SFUNC = int8larger, STYPE = bigint);
      SET LOCAL search_path = mine, bursar, sqlite, pg_catalog`
    expect(
      await wall.try({
        ...GAP,
        bad: `INSERT INTO events SELECT 'x', 0, 'x', '{}', zeroblob(32) WHERE 1::bigint <> 2`,
        before,
      }),
    ).toBe(null)
    expect(await wall.try({ ...GAP, before })).toBe(RULE)
  })

  it('not with tables, types and functions that go by the same names for as long as it lasts', async () => {
    const before = `CREATE TEMP TABLE limits (id text); CREATE TEMP TABLE instance (frozen boolean);
      CREATE DOMAIN pg_temp.jsonb AS text; SET LOCAL search_path = pg_temp, bursar, sqlite, pg_catalog`
    const over = 'UPDATE bursar.counters SET amount = amount + 10000000'
    expect(await wall.try({ bad: over, before })).toBe('bursar: over a limit')
  })

  it('not with a copy of rows by COPY, nor by a change within another statement', async () => {
    const within = `WITH gone AS (DELETE FROM events RETURNING *) SELECT count(*) FROM gone`
    expect(await wall.try({ bad: within })).toBe('bursar: an event is never deleted')
    const both = `WITH first AS (INSERT INTO events VALUES ('new', 1, 'x', '{}', zeroblob(32)) RETURNING *)
      INSERT INTO events SELECT 'new', 0, 'x', '{}', zeroblob(32) FROM first`
    expect(await wall.try({ bad: both })).toBe(RULE)
  })
})

/** What no UPDATE passes, even one that leaves everything as it is. */
const NEVER = ['answers', 'deposits', 'entries', 'events', 'heads', 'owners', 'texts']
/** Ends of things, after which some of their columns never change. */
const ENDED = [
  `UPDATE agents SET status = 'revoked' WHERE id = :other`,
  'UPDATE limits SET removed_at = 1',
  `UPDATE approvals SET status = 'denied', answered_at = :now WHERE status = 'waiting'`,
  `UPDATE requests SET status = 'denied' WHERE status = 'pending'`,
  `UPDATE instruments SET status = 'revoked'`,
  'UPDATE passkeys SET revoked_at = :now',
  'UPDATE invitations SET used_at = :now WHERE used_at IS NULL',
  'UPDATE credentials SET revoked_at = :now',
].join('; ')

describe('an UPDATE that names every column and changes none', () => {
  it('passes where anything may ever change, and nowhere else', async () => {
    const { rows } = await wall.client.query<{ place: string; columns: string[] }>(
      `SELECT c.relname AS place, (SELECT json_agg(quote_ident(a.attname)) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns FROM pg_class c
       WHERE c.relnamespace = 'bursar'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_version'`,
    )
    const asked = `UPDATE approvals SET owners = 2 WHERE subject_id = :pending;
      INSERT INTO answers SELECT id, :owner, '{}', :now FROM approvals WHERE subject_id = :pending`
    const said: [string, boolean, boolean][] = []
    for (const { place, columns } of rows) {
      const bad = `UPDATE ${place} SET ${columns.map((column) => `${column} = ${column}`).join(', ')}`
      const first = { bad, before: asked, without: ['approvals_keep_their_terms'] }
      const last = { ...first, before: `${asked}; ${ENDED}` }
      said.push([place, (await wall.try(first)) === null, (await wall.try(last)) === null])
    }
    const passes = (place: string) => !NEVER.includes(place)
    expect(said).toEqual(rows.map(({ place }) => [place, passes(place), passes(place)]))
    expect(said.length).toBe(32)
  })
})

describe('what a purchase asks for', () => {
  const url = async (text: string) =>
    (await wall.client.query('SELECT bursar.url_of($1) AS url', [text])).rows[0].url as string | null

  it.each(['a\u0000b', '\ud83d', 'a\\\\u0000', '😀', '\\', '"url":"x"'])(
    'is read whatever its body begins with: %j',
    async (start) => {
      const text = JSON.stringify({ url: 'https://a.example/1', body: { start } })
      expect(await url(text)).toBe('https://a.example/1')
    },
  )

  it('is never read as the URL of another origin', async () => {
    expect(await url('{"url":"https://a.ex\\u0000ample/"}')).toBe('https://a.ex?ample/')
    expect(await url('{"url":"https://a.example/","\\u0075rl":"https://b.example/"}')).toBe('https://b.example/')
    expect(await wall.client.query(`SELECT bursar.url_of('no JSON')`).catch(({ message }) => message)).toBe(
      'invalid input syntax for type json',
    )
  })
})

/** What a function asks the tables: each of its SELECTs that is not within another one. */
function queriesIn(source: string): string[] {
  const queries: string[] = []
  for (let from = 0; ; ) {
    const at = source.slice(from).search(/\bSELECT\b/)
    if (at === -1) return queries
    let end = from + at
    for (let depth = 0; depth > 0 || !/[;)]/.test(source[end] ?? ';'); end++)
      depth += source[end] === '(' ? 1 : source[end] === ')' ? -1 : 0
    queries.push(source.slice(from + at, end).replace(/\bINTO \w+/, ''))
    from = end
  }
}

describe('the walls of PostgreSQL', () => {
  it.each([
    ['enable_seqscan', 'as for large tables'],
    ['enable_indexscan, enable_bitmapscan, enable_indexonlyscan', 'as for small tables'],
    ['enable_nestloop', 'as for many rows'],
  ])('let pass what the rules allow without %s: %s', async (without) => {
    // What is compiled is only what is said to be dear, and a plan without a kind of step is.
    await wall.client.query('DISCARD PLANS; SET jit = off; ANALYZE')
    for (const setting of without.split(', ')) await wall.client.query(`SET ${setting} = off`)
    const said: unknown[] = []
    for (const one of ALLOWED) said.push([one.bad, one.before, await wall.try(one)])
    for (const setting of without.split(', ')) await wall.client.query(`RESET ${setting}`)
    expect(said).toEqual(ALLOWED.map(({ bad, before }) => [bad, before, null]))
  })

  it('are passed by keys and indexes alone', async () => {
    const { rows } = await wall.client.query<{ name: string; place: string; source: string }>(
      `SELECT p.proname AS name, c.relname AS place, p.prosrc AS source FROM pg_trigger t
       JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
       WHERE p.pronamespace = 'bursar'::regnamespace AND p.proname <> 'refuse' AND NOT t.tgisinternal`,
    )
    await wall.client.query('SET enable_seqscan = off')
    const slow: string[] = []
    let looked = 0
    for (const { name, place, source } of rows) {
      // The row that is written, as a value that the planner knows nothing of.
      const value = (_: string, row: string, column: string) =>
        `((SELECT ${row}_row FROM (SELECT NULL::bursar.${place} AS ${row}_row) r)).${column}`
      for (const query of queriesIn(source)) {
        looked += 1
        const asked = query.replace(/\b(NEW|OLD)\.("?\w+"?)/g, value).replace(/\bg\.constraints\b/g, "'{}'::jsonb")
        const sql = `EXPLAIN (COSTS OFF) ${asked.replace(/\bTG_OP\b/g, "'INSERT'")}`
        const plan = await wall.client.query<{ 'QUERY PLAN': string }>(sql)
        const scans = plan.rows.map((row) => /Seq Scan on (\w+)/.exec(row['QUERY PLAN'])?.[1])
        slow.push(...scans.filter((table) => table && table !== 'instance').map((table) => `${name}: ${table}`))
      }
    }
    expect(looked).toBeGreaterThan(60)
    await wall.client.query('RESET enable_seqscan')
    expect(rows.length).toBeGreaterThan(35)
    expect(slow).toEqual([])
  })

  it('are the same after a dump and a restore', async () => {
    const { client } = wall
    await client.query('BEGIN')
    try {
      const before = (await client.query<Printed>(PRINTED)).rows
      for (const { again } of before) await client.query(again)
      expect((await client.query<Printed>(PRINTED)).rows).toEqual(before)
      expect(before.length).toBeGreaterThan(300)
    } finally {
      await client.query('ROLLBACK')
    }
  })
})

interface Printed {
  readonly name: string
  readonly printed: string
  /** Makes it again from what is printed. */
  readonly again: string
}

/** What stands in the schema as PostgreSQL prints it, which is how it is dumped. */
const PRINTED = `
SELECT t.tgname AS name, pg_get_triggerdef(t.oid) AS printed,
  regexp_replace(pg_get_triggerdef(t.oid), '^CREATE', 'CREATE OR REPLACE') AS again
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'bursar'::regnamespace AND NOT t.tgisinternal
UNION ALL SELECT conname, pg_get_constraintdef(oid), format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s',
  conrelid::regclass, conname, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'bursar'::regnamespace AND contype = 'c'
UNION ALL SELECT relname, pg_get_viewdef(oid), format('CREATE OR REPLACE VIEW %s AS %s', oid::regclass, pg_get_viewdef(oid))
FROM pg_class WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'v'
UNION ALL SELECT i.relname, pg_get_indexdef(i.oid), format('DROP INDEX %s; %s', i.oid::regclass, pg_get_indexdef(i.oid))
FROM pg_class i JOIN pg_index x ON x.indexrelid = i.oid
WHERE i.relnamespace = 'bursar'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.oid)
UNION ALL SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), pg_get_functiondef(p.oid)
FROM pg_proc p WHERE pronamespace = 'bursar'::regnamespace
ORDER BY 1, 2`
