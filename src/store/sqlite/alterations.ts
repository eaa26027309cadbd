import type { Connection } from './connection.ts'
import { migrations } from './connection.ts'

/**
 * How the checks, triggers, views and indexes of a database differ from those that its migrations make. Whoever owns the
 * file can drop a trigger, and nothing in SQLite can stop that; it can be seen.
 */
export function alterations(connection: Connection): readonly string[] {
  const wanted = new Map(migrations().flatMap(({ sql }) => sql.map(named)))
  const rows = connection.prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all()
  const found = new Map((rows as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql]))
  return [
    ...[...wanted]
      .filter(([name, sql]) => found.get(name) !== sql)
      .map(([name]) => `${name} is missing or was altered.`),
    ...[...found.keys()].filter((name) => !wanted.has(name)).map((name) => `${name} was added.`),
  ]
}

/** A statement's name, and its text as SQLite keeps it: without what comes before CREATE, or the last semicolon. */
function named(statement: string): [name: string, sql: string] {
  const sql = statement
    .slice(statement.search(/^CREATE /m))
    .trim()
    .replace(/;$/, '')
  const name = /^CREATE (?:UNIQUE )?(?:TABLE|TRIGGER|VIEW|INDEX) (\w+)/.exec(sql)?.[1] ?? ''
  return [name, sql]
}
