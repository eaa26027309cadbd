import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

/** What PostgreSQL says to who may not. */
const NOT_ALLOWED = '42501'
const UNCHANGING = ['owners', 'entries', 'events', 'deposits', 'answers']
/** What is only remembered goes again. */
const GOING = ['kept_calls', 'kept_names']

let database: TestDatabase
let owner: pg.Client
let node: pg.Client
let names: { tables: string[]; node: string; owner: string }

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
}

beforeAll(async () => {
  database = await testDatabase()
  owner = await connected(database.ownerUrl)
  node = await connected(database.url)
  const { rows } = await owner.query<{ relname: string }>(
    `SELECT relname FROM pg_class WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r' ORDER BY 1`,
  )
  const user = async (client: pg.Client) => (await client.query('SELECT current_user AS name')).rows[0].name as string
  names = { tables: rows.map(({ relname }) => relname), node: await user(node), owner: await user(owner) }
})

afterAll(async () => {
  await node?.end()
  await owner?.end()
  await database?.drop()
})

/** The code of what the database says, or null when it does it. Nothing stays. */
async function codeOf(client: pg.Client, sql: string): Promise<string | null> {
  await client.query('BEGIN')
  try {
    await client.query(sql)
    return null
  } catch (error) {
    return (error as pg.DatabaseError).code ?? 'none'
  } finally {
    await client.query('ROLLBACK')
  }
}

/** What a role may do with each table, as letters: select, insert, update, delete, truncate, references, trigger. */
async function allowed(role: string): Promise<Record<string, string>> {
  const kinds = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
  const letters = kinds
    .map((kind) => `CASE WHEN has_table_privilege($1, c.oid, '${kind}') THEN '${kind} ' ELSE '' END`)
    .join(' || ')
  const { rows } = await owner.query<{ relname: string; may: string }>(
    `SELECT relname, trim(${letters}) AS may FROM pg_class c
     WHERE relnamespace = 'bursar'::regnamespace AND relkind IN ('r', 'v')`,
    [role],
  )
  return Object.fromEntries(rows.map(({ relname, may }) => [relname, may]))
}

function expected(): Record<string, string> {
  const may = (table: string) =>
    `SELECT INSERT${UNCHANGING.includes(table) ? '' : ' UPDATE'}${GOING.includes(table) ? ' DELETE' : ''}`
  return {
    ...Object.fromEntries(names.tables.map((table) => [table, may(table)])),
    schema_version: 'SELECT',
  }
}

describe('security: a role with what bursar.grant_to gives', () => {
  it('reads and appends everywhere, changes only what changes at all, deletes what is only remembered, and does nothing else', async () => {
    expect(names.tables.length).toBe(33)
    expect(await allowed(names.node)).toEqual(expected())
  })

  it('is refused by the database itself when it tries', async () => {
    const tries = [
      ...UNCHANGING.map(
        (table) => `UPDATE bursar.${table} SET ${table === 'answers' ? 'narrowed = narrowed' : 'journal = journal'}`,
      ),
      ...names.tables.flatMap((table) => [
        ...(GOING.includes(table) ? [] : [`DELETE FROM bursar.${table}`]),
        `TRUNCATE bursar.${table} CASCADE`,
        `DROP TABLE bursar.${table} CASCADE`,
        `ALTER TABLE bursar.${table} DISABLE TRIGGER ALL`,
        `ALTER TABLE bursar.${table} DISABLE TRIGGER USER`,
        `ALTER TABLE bursar.${table} ADD COLUMN x int`,
      ]),
    ].filter((sql) => !/UPDATE bursar\.(owners|deposits) SET journal/.test(sql))
    tries.push('UPDATE bursar.owners SET name = name', 'UPDATE bursar.deposits SET amount = amount')
    for (const sql of tries) expect([sql, await codeOf(node, sql)]).toEqual([sql, NOT_ALLOWED])
  })

  it.each([
    ['takes a wall away', 'DROP TRIGGER events_stay ON bursar.events'],
    ['passes the walls by', 'SET session_replication_role = replica'],
    ['makes a table', 'CREATE TABLE bursar.mine (id int)'],
    ['makes a function', 'CREATE FUNCTION bursar.mine() RETURNS int LANGUAGE sql RETURN 1'],
    [
      'replaces what refuses',
      `CREATE OR REPLACE FUNCTION bursar.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$`,
    ],
    ['makes a trigger', 'CREATE TRIGGER mine BEFORE INSERT ON bursar.events EXECUTE FUNCTION bursar.refuse()'],
    ['makes a rule', 'CREATE RULE mine AS ON INSERT TO bursar.events DO INSTEAD NOTHING'],
    ['drops the schema', 'DROP SCHEMA bursar CASCADE'],
    ['says which migrations there were', 'INSERT INTO bursar.schema_version VALUES (9)'],
    ['changes which migrations there were', 'UPDATE bursar.schema_version SET version = 9'],
  ])('never %s', async (_, sql) => {
    expect(await codeOf(node, sql)).toBe(NOT_ALLOWED)
  })

  it('locks the head of a journal, and reads what counts who has what', async () => {
    expect(await codeOf(node, `SELECT size FROM bursar.heads WHERE journal = 'x' FOR NO KEY UPDATE`)).toBe(null)
    expect(await codeOf(node, 'SELECT version FROM bursar.schema_version')).toBe(null)
  })

  it('writes what a step writes, and meets the walls', async () => {
    const event = (seq: number) =>
      `INSERT INTO bursar.events VALUES ('instance', ${seq}, 'x', '{}', decode(repeat('00', 32), 'hex'))`
    const head = `INSERT INTO bursar.heads VALUES ('instance', 1, '', 'x', decode(repeat('00', 32), 'hex'))`
    expect(await codeOf(node, `${event(0)}; ${head}; UPDATE bursar.heads SET size = 2, journal = journal`)).toBe(null)
    expect(await codeOf(node, event(1))).toBe('23514')
    expect(await codeOf(node, `${event(0)}; ${head}; UPDATE bursar.heads SET size = 1`)).toBe('23514')
  })

  it('has no way to give that to another', async () => {
    expect(await codeOf(node, `SELECT bursar.grant_to('${names.node}')`)).toBe(NOT_ALLOWED)
    // PostgreSQL only warns of a grant by who has no right to grant.
    await node.query('GRANT SELECT ON bursar.events TO PUBLIC')
    expect((await allowed('public')).events).toBe('')
  })
})

describe('security: bursar.grant_to', () => {
  it('takes back whatever more the role had', async () => {
    await owner.query(`GRANT ALL ON ALL TABLES IN SCHEMA bursar TO ${names.node}`)
    await owner.query(`GRANT ALL ON SCHEMA bursar TO ${names.node}`)
    expect(await codeOf(node, 'CREATE TABLE bursar.mine (id int)')).toBe(null)
    await owner.query('SELECT bursar.grant_to($1)', [names.node])
    expect(await allowed(names.node)).toEqual(expected())
    expect(await codeOf(node, 'CREATE TABLE bursar.mine (id int)')).toBe(NOT_ALLOWED)
  })

  it('is for nobody who may act as the owner', async () => {
    const superuser = await connected(database.adminUrl)
    const as = `SELECT bursar.grant_to(current_user)`
    expect([await codeOf(owner, as), await codeOf(superuser, as)]).toEqual(['22023', '22023'])
    await superuser.end()
  })

  it('takes a name for a name', async () => {
    const admin = await connected(database.adminUrl)
    const role = `${database.name}"; DROP SCHEMA bursar CASCADE; --`
    try {
      await admin.query('BEGIN')
      await admin.query(`CREATE ROLE "${role.replaceAll('"', '""')}"`)
      await admin.query('SELECT bursar.grant_to($1)', [role])
      const { rows } = await admin.query(`SELECT has_table_privilege($1, 'bursar.events', 'INSERT') AS may`, [role])
      expect(rows).toEqual([{ may: true }])
    } finally {
      await admin.query('ROLLBACK')
      await admin.end()
    }
  })

  it('leaves nothing to everybody', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class, aclexplode(relacl) a
       WHERE relnamespace = 'bursar'::regnamespace AND a.grantee = 0
       UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p,
         aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
       WHERE pronamespace = 'bursar'::regnamespace AND a.grantee = 0
       UNION ALL SELECT nspname FROM pg_namespace, aclexplode(nspacl) a WHERE nspname = 'bursar' AND a.grantee = 0`,
    )
    expect(rows).toEqual([])
  })
})
