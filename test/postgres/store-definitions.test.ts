import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { definitionsOf } from '../../src/store/postgres/definitions.ts'
import { asked, testDatabase } from '../support/postgres.ts'

const FILE = '../../drizzle/postgres/meta/definitions.json'

type Definitions = Record<string, readonly string[]>

/**
 * `vitest run -u` of this file writes what this server's version says; `scripts/postgres-definitions.mjs` asks servers of
 * several versions.
 */
it('the definitions that a database is compared with are those that the migrations make', async () => {
  const { adminUrl } = await testDatabase()
  const kept = JSON.parse(readFileSync(new URL(FILE, import.meta.url), 'utf8')) as Definitions
  const found = await asked(adminUrl, async (client) => {
    await client.query('BEGIN')
    const texts = async (text: string) =>
      (await client.query<string[]>({ text, rowMode: 'array' })).rows.map(([value]) => value as string)
    return definitionsOf({ texts })
  })
  const made = Object.fromEntries(
    Array.from(found, ([name, digest]) => [name, kept[name]?.includes(digest) ? kept[name] : [digest]]),
  )
  await expect(`${JSON.stringify(made, null, 1)}\n`).toMatchFileSnapshot(FILE)
})
