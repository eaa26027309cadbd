import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { type Case, type Seed, seed } from './wall.ts'
import { ALLOWED, ALLOWED_PAYMENT, CASES, CHAIN_CASES } from './wall-cases.ts'
import { inserting, replaces } from './wall-dialect.ts'
import { PostgresAttacker } from './wall-postgres.ts'
import { POSTGRES } from './wall-postgres-only.ts'
import { wallsOf } from './wall-sqlite.ts'

/** Walls of SQLite that are keys here: they only stop INSERT OR REPLACE, or say what a unique index says. */
const KEYED = [
  ...['accounts', 'agents', 'approvals', 'counters', 'deposits', 'entries', 'fee_days', 'instruments', 'limits'],
  ...['notice_cursors', 'owners', 'payments', 'requests', 'texts', 'wallets'],
]
  .map((table) => `${table}_are_new`)
  .concat('heads_are_ahead', 'wallets_have_their_own_account')
/** Walls of what SQLite has no archive for. */
const OWN = ['events_are_whole', 'payments_are_not_emptied', 'purchases_are_not_emptied']
/** What would replace a row in SQLite, and is an UPDATE here that the rules let pass. */
const UPDATES = [
  'accounts is replaced',
  'limits is replaced by a removed one',
  'limits is upserted',
  'counters begins again',
  'instruments is replaced by a full one',
  'payments is replaced by itself',
  'payments is upserted',
  'fee_days is upserted',
]
/** CHECKs of SQLite that are types here, or casts. */
const TYPED = /^(json_valid\(|\w+ IN \(0, 1\)$)/
const OF_A_TYPE = /^(invalid input syntax for type json|column "\w+" is of type boolean but )/
const DUPLICATE = /^duplicate key value violates unique constraint /
const REFUSED = new RegExp(`${DUPLICATE.source}|^(bursar: |CHECK constraint failed: )`)

let seeded: Seed
let database: TestDatabase
let wall: PostgresAttacker
let sqlite: ReturnType<typeof wallsOf>

beforeAll(async () => {
  seeded = await seed()
  const db = new Database(seeded.path, { readonly: true })
  sqlite = wallsOf(db)
  db.close()
  database = await testDatabase()
  wall = await PostgresAttacker.open(database.adminUrl, seeded)
})

afterAll(async () => {
  await wall?.client.end()
  await database?.drop()
  seeded?.dispose()
})

/** The name of a case's CHECK. */
function checkOf({ table, wall: expression }: Case): string | undefined {
  for (const [name, check] of wall.checks) if (check === `${table}: ${expression}`) return name
  return undefined
}

const ALL = [...CASES, ...POSTGRES]
const REPLACING = ALL.filter(({ bad }) => replaces(bad))
const OTHERS = ALL.filter(({ bad }) => !replaces(bad))

const tables = [...new Set(OTHERS.map(({ table }) => table))]
describe.each(tables)('security: PostgreSQL refuses a row of %s that', (table) => {
  const mine = OTHERS.filter((one) => one.table === table)
  it.each(mine.map((one) => [one.what, one] as const))('%s', async (_, one) => {
    const said = await wall.try(one)
    if (wall.triggers.has(one.wall)) expect(said).toBe(wall.triggers.get(one.wall))
    else if (KEYED.includes(one.wall)) expect(said).toMatch(DUPLICATE)
    else if (one.wall.startsWith('unique ')) expect(said).toContain(`${one.wall.replace('unique ', '"')}"`)
    else if (TYPED.test(one.wall)) expect(said).toMatch(OF_A_TYPE)
    else expect([checkOf(one), said]).toEqual([expect.any(String), `CHECK constraint failed: ${one.wall}`])
  })
})

describe('security: where SQLite could replace a row, PostgreSQL', () => {
  const named = REPLACING.map((one) => [`${one.table} ${one.what}`, one] as const)
  it.each(named)('refuses the INSERT, and takes an upsert for an UPDATE: %s', async (name, one) => {
    expect(await wall.try({ ...one, bad: inserting(one.bad) })).toMatch(REFUSED)
    const said = await wall.try(one)
    if (UPDATES.includes(name)) expect(said).toBe(null)
    else expect(said).toMatch(REFUSED)
  })
})

describe('the walls of PostgreSQL', () => {
  it('are those of SQLite, by the same names and with the same words', () => {
    const ours = [...wall.triggers].filter(([name]) => !name.startsWith('schema_version_') && !OWN.includes(name))
    const theirs = [...sqlite.triggers].filter(([name]) => !KEYED.includes(name))
    expect(ours.toSorted()).toEqual(theirs.toSorted())
    const checks = [...wall.checks.values()].filter((check) => !check.startsWith('schema_version: '))
    const typed = (check: string) => TYPED.test(check.slice(check.indexOf(':') + 2)) && !checks.includes(check)
    expect(checks.toSorted()).toEqual(sqlite.checks.filter((check) => !typed(check)).toSorted())
  })

  it('are all there in the database, and stand in every session', async () => {
    const { rows } = await wall.client.query<{ name: string; kind: string; state: string }>(
      `SELECT conname AS name, contype AS kind, 'A' AS state FROM pg_constraint
       WHERE contype = 'c' AND connamespace = 'bursar'::regnamespace
       UNION ALL SELECT t.tgname, 't', t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
       WHERE c.relnamespace = 'bursar'::regnamespace AND NOT t.tgisinternal`,
    )
    const named = (kind: string) => rows.filter((row) => row.kind === kind).map(({ name }) => name)
    expect(named('c').toSorted()).toEqual([...wall.checks.keys()].toSorted())
    expect(rows.filter(({ state }) => state !== 'A')).toEqual([])
  })

  it('each have a case that only they refuse', () => {
    const cased = new Set(OTHERS.map((one) => checkOf(one) ?? one.wall))
    expect([...wall.triggers.keys(), ...wall.checks.keys()].filter((name) => !cased.has(name))).toEqual([])
  })

  it('let pass what the rules allow', async () => {
    const said = []
    for (const one of ALLOWED) said.push([one.bad, one.before, await wall.try(one)])
    expect(said).toEqual(ALLOWED.map(({ bad, before }) => [bad, before, null]))
  })
})

describe('security: the columns of PostgreSQL take nothing but what they are for', () => {
  const counted = `UPDATE counters SET count = (jsonb_populate_record(NULL::counters, '{"count": 0.5}')).count`
  it.each([
    ['a word as an amount', `UPDATE accounts SET available = 'abc'`, 'invalid input syntax for type bigint: "abc"'],
    ['half a payment', counted, 'invalid input syntax for type bigint: "0.5"'],
    // PostgreSQL rounds it, and the books do not add up.
    ['half a cent', 'UPDATE accounts SET available = available + 0.5', 'CHECK constraint failed: available + held'],
    ['more than 63 bits', 'UPDATE accounts SET available = 9223372036854775808', 'bigint out of range'],
    ['a sum of more than 63 bits', 'UPDATE counters SET amount = 9223372036854775807 + amount', 'bigint out of range'],
    ['text as bytes', 'UPDATE heads SET mac = checkpoint', 'is of type bytea but expression is of type text'],
    [
      'a row that belongs to nothing',
      `INSERT INTO entries VALUES ('x', 0, 0, 'wal_none', NULL, 'fund', 'external', 'available', 1)`,
      'violates foreign key constraint "entries_wallet_id_fkey"',
    ],
  ])('%s', async (_, bad, said) => {
    expect(await wall.try({ bad })).toContain(said)
  })

  it('a purchase that no payment in the same step is for', async () => {
    const before = `INSERT INTO purchases VALUES ('pay_2', 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL)`
    const said = await wall.try({ before, bad: 'SET CONSTRAINTS ALL IMMEDIATE' })
    expect(said).toContain('violates foreign key constraint "purchases_payment_id_fkey"')
  })
})

describe('taken away, such a row passes:', () => {
  beforeAll(() => wall.dropForeignKeys())

  it('a held payment of no instrument is refused all the same', async () => {
    const bad = ALLOWED_PAYMENT.bad.replace('{', `{"instrument_id":"'inst_none'",`)
    expect(await wall.try({ bad })).toBe('bursar: a payment begins refused, waiting, or allowed and held')
  })

  const walls = OTHERS.map(({ wall: name }) => name).filter((name) => !name.startsWith('unique '))
  it.each([...new Set(walls)].filter((name) => !KEYED.includes(name)))('%s', async (name) => {
    const said: (readonly [Case, string | null])[] = []
    for (const one of OTHERS.filter(({ wall: own }) => own === name)) {
      const gone = wall.triggers.has(name) ? name : checkOf(one)
      if (gone) said.push([one, await wall.try(one, gone)])
    }
    if (said.length === 0) expect(name).toMatch(TYPED)
    else expect(said.map(([, text]) => text)).toContain(null)
    // On a chain each of them is refused by nothing else.
    expect(said.filter(([one, text]) => CHAIN_CASES.has(one) && text !== null)).toEqual([])
  })
})
