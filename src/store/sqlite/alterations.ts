import Database from 'better-sqlite3'
import { isMark } from '../shared/moved.ts'
import type { Connection } from './connection.ts'
import { migrations } from './connection.ts'

/**
 * How the checks, triggers, views and indexes of a database differ from those that its migrations make. Whoever owns the
 * file can drop a trigger, and nothing in SQLite can stop that; it can be seen. The mark of a purse that was moved is no
 * alteration: it lets nothing through.
 */
export function alterations(connection: Connection): readonly string[] {
  const wanted = schemaWanted()
  const found = schemaOf(connection)
  return [
    ...[...wanted]
      .filter(([name, sql]) => found.get(name) !== sql)
      .map(([name]) => `${name} is missing or was altered.`),
    ...[...found].filter(([name, sql]) => !wanted.has(name) && !isMark(sql)).map(([name]) => `${name} was added.`),
  ]
}

type Schema = ReadonlyMap<string, string>

let wantedSchema: Schema | undefined

/** What the migrations make of an empty database, as SQLite itself writes it. */
function schemaWanted(): Schema {
  if (wantedSchema) return wantedSchema
  const empty = new Database(':memory:')
  try {
    for (const { sql } of migrations()) for (const statement of sql) empty.exec(statement)
    wantedSchema = schemaOf(empty)
    return wantedSchema
  } finally {
    empty.close()
  }
}

function schemaOf(connection: Connection): Schema {
  const rows = connection.prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all()
  return new Map((rows as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql]))
}
