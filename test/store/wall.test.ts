import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Case, type Seed, seed } from './wall.ts'
import { ALLOWED, ALLOWED_PAYMENT, CASES, CHAIN_CASES } from './wall-cases.ts'
import { Attacker, wallsOf } from './wall-sqlite.ts'

let seeded: Seed
/** A connection as any program opens one, and one with the recursive triggers that bursar asks for. */
let plain: Attacker
let recursive: Attacker

beforeAll(async () => {
  seeded = await seed()
  plain = new Attacker(seeded, false)
  recursive = new Attacker(seeded, true)
})

afterAll(() => {
  plain?.db.close()
  recursive?.db.close()
  seeded?.dispose()
})

const tables = [...new Set(CASES.map(({ table }) => table))]
describe.each(tables)('security: the database refuses a row of %s that', (table) => {
  const mine = CASES.filter((one) => one.table === table)
  it.each(mine.map((one) => [one.what, one] as const))('%s', (_, one) => {
    const { triggers } = wallsOf(plain.db)
    const said = triggers.get(one.wall) ?? `CHECK constraint failed: ${one.wall}`
    expect(plain.try(one)).toBe(said)
    // With recursive triggers the row that is replaced is seen to be deleted, too.
    expect(recursive.try(one)).toMatch(/^(bursar: |CHECK constraint failed: )/)
  })
})

describe('the walls', () => {
  it('each have a case that only they refuse', () => {
    const { triggers, checks } = wallsOf(plain.db)
    const needed = new Set(CASES.map(({ table, wall }) => (triggers.has(wall) ? wall : `${table}: ${wall}`)))
    expect([...needed].toSorted()).toEqual([...triggers.keys(), ...checks].toSorted())
  })

  it.each([...new Set(CASES.map(({ wall }) => wall))])('%s: taken away, such a row passes', (wall) => {
    const mine = CASES.filter((one) => one.wall === wall)
    const trigger = wallsOf(plain.db).triggers.has(wall)
    plain.db.pragma('foreign_keys = OFF')
    plain.db.pragma(`ignore_check_constraints = ${trigger ? 0 : 1}`)
    try {
      const said = mine.map((one) => plain.try(one, trigger ? [wall] : []))
      expect(said).toContain(null)
      // On a chain each of them is refused by nothing else.
      expect(said.filter((_, i) => CHAIN_CASES.has(mine[i] as Case)).filter(Boolean)).toEqual([])
    } finally {
      plain.db.pragma('foreign_keys = ON')
      plain.db.pragma('ignore_check_constraints = OFF')
    }
  })

  it('let pass what the rules allow', () => {
    for (const one of ALLOWED) expect([one.bad, one.before, plain.try(one)]).toEqual([one.bad, one.before, null])
  })
})

describe('security: the columns take nothing but what they are for', () => {
  it.each([
    ['a word as an amount', `UPDATE accounts SET available = 'abc'`, 'cannot store TEXT value in INTEGER column'],
    ['half a cent', 'UPDATE accounts SET available = available + 0.5', 'cannot store REAL value in INTEGER column'],
    [
      'a word as a maximum',
      `INSERT INTO limits VALUES ('x', :wallet, 'wallet', NULL, 'day', 'abc', 1, 'deny', 0, NULL)`,
      'cannot store TEXT',
    ],
    ['half a payment', 'UPDATE counters SET count = 0.5', 'cannot store REAL value in INTEGER column'],
    [
      'a blob as a name',
      `INSERT INTO agents VALUES ('agt_2', x'00', NULL, 'active', 0)`,
      'cannot store BLOB value in TEXT',
    ],
    [
      'more than 63 bits',
      'UPDATE accounts SET available = 9223372036854775808',
      'cannot store REAL value in INTEGER column',
    ],
    [
      'text as a hash',
      `INSERT INTO events VALUES ('new', 0, 'x', '{}', '${'a'.repeat(32)}')`,
      'cannot store TEXT value in BLOB',
    ],
  ])('%s', (_, bad, said) => {
    expect(plain.try({ bad })).toContain(said)
  })

  it('sums never leave 63 bits without being noticed', () => {
    const bad = 'UPDATE counters SET amount = 9223372036854775807 + amount, forced = 9223372036854775807'
    expect(plain.try({ bad })).not.toBe(null)
  })

  it('a row that belongs to nothing', () => {
    const entry = `INSERT INTO entries VALUES ('x', 0, 0, 'wal_none', NULL, 'fund', 'external', 'available', 1)`
    expect(plain.try({ bad: entry })).toBe('FOREIGN KEY constraint failed')
  })

  it('a purchase that no payment in the same step is for', () => {
    const { db } = plain
    db.exec('BEGIN IMMEDIATE')
    db.exec(`INSERT INTO purchases VALUES ('pay_2', 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL)`)
    expect(() => db.exec('COMMIT')).toThrow('FOREIGN KEY constraint failed')
    db.exec('ROLLBACK')
  })

  it('a held payment of no instrument, even where foreign keys are not watched', () => {
    plain.db.pragma('foreign_keys = OFF')
    const bad = ALLOWED_PAYMENT.bad.replace('{', `{"instrument_id":"'inst_none'",`)
    expect(plain.try({ bad })).toBe('bursar: a payment begins refused, waiting, or allowed and held')
    plain.db.pragma('foreign_keys = ON')
  })
})
