import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { sharedSandboxIssuer } from '../../src/rails/card/sandbox/sandbox-postgres.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { readMigrations } from '../support/postgres-databases.ts'
import { bench, cardTerms, connected, newDatabase, TestClock } from './card-fixture.ts'

/** What PostgreSQL says to who may not. */
const NOT_ALLOWED = '42501'

describe('security: what the books tell and allow', () => {
  test('an error of the database does not show the number of a card', async () => {
    const at = await bench(await newDatabase())
    const error = await at.rail.provision(cardTerms(at.clock, { amount: 0n })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: '23514' })
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('400000')
  })

  test('a node deletes nothing, makes nothing and changes no rule', async () => {
    const { database } = await newDatabase()
    const node = await connected(database.url)
    const owner = await connected(database.ownerUrl)
    const { rows } = await owner.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'sandbox_cards'::regnamespace AND relkind = 'r'",
    )
    expect(rows).toHaveLength(6)
    const tries = [
      ...rows.flatMap(({ name }) => [
        `DELETE FROM sandbox_cards.${name}`,
        `TRUNCATE sandbox_cards.${name} CASCADE`,
        `ALTER TABLE sandbox_cards.${name} ADD COLUMN x int`,
        `DROP TABLE sandbox_cards.${name} CASCADE`,
      ]),
      ...['CREATE TABLE sandbox_cards.mine (id int)', "SELECT setval('sandbox_cards.changes', 1)"],
    ]
    for (const sql of tries) await expect(node.query(sql), sql).rejects.toMatchObject({ code: NOT_ALLOWED })
    const { name } = (await node.query('SELECT current_user AS name')).rows[0] as { name: string }
    for (const what of ['ALL TABLES IN', 'ALL SEQUENCES IN', ''])
      await owner.query(`GRANT ALL ON ${what} SCHEMA sandbox_cards TO ${name}`)
    await owner.query('SELECT bursar.grant_to($1)', [name])
    for (const sql of tries) await expect(node.query(sql), sql).rejects.toMatchObject({ code: NOT_ALLOWED })
  })

  test('whoever was granted nothing reads nothing', async () => {
    const { ownerUrl } = await testDatabase({ empty: true })
    const found = await asked(ownerUrl, async (client) => {
      for (const { sql } of readMigrations()) await client.query(sql)
      const { rows } = await client.query(
        `SELECT oid::regclass::text AS name FROM pg_class, aclexplode(relacl) a
         WHERE relnamespace = 'sandbox_cards'::regnamespace AND a.grantee = 0
         UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p,
           aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         WHERE pronamespace IN ('sandbox_cards'::regnamespace, 'bursar'::regnamespace) AND a.grantee = 0
         UNION ALL SELECT nspname FROM pg_namespace, aclexplode(nspacl) a
         WHERE nspname = 'sandbox_cards' AND a.grantee = 0`,
      )
      return rows
    })
    expect(found).toEqual([])
  })

  test('says so where the database has no such books', async () => {
    const { url } = await testDatabase({ empty: true })
    const opening = sharedSandboxIssuer({ urls: [url], clock: new TestClock() })
    await expect(opening).rejects.toMatchObject({ code: '42P01' })
  })
})
