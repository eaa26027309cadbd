import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { definitionsOf } from './definitions.ts'
import { migrationsFolder } from './migrate.ts'
import type { Source } from './source.ts'

/** Beside the migrations, made from what they make; more than one digest where servers of different versions write it differently. */
const WANTED = 'meta/definitions.json'

type Wanted = Readonly<Record<string, readonly string[]>>

let wantedDefinitions: Wanted | undefined

function definitionsWanted(): Wanted {
  wantedDefinitions ??= JSON.parse(readFileSync(join(migrationsFolder(), WANTED), 'utf8')) as Wanted
  return wantedDefinitions
}

/**
 * How the checks, triggers, functions, views and indexes of a database differ from those that its migrations make. Whoever owns
 * the tables can drop a trigger, and nothing in PostgreSQL can stop that; it can be seen.
 *
 * @param source within one transaction
 */
export async function alterations(source: Source): Promise<readonly string[]> {
  const wanted = definitionsWanted()
  const found = await definitionsOf(source)
  return [
    ...Object.keys(wanted)
      .filter((name) => !wanted[name]?.includes(found.get(name) ?? ''))
      .map((name) => `${name} is missing or was altered.`),
    ...[...found.keys()].filter((name) => !Object.hasOwn(wanted, name)).map((name) => `${name} was added.`),
  ]
}
