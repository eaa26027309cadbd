import Database from 'better-sqlite3'
import type pg from 'pg'
import type { Shapes } from './wall-dialect.ts'

type Row = Readonly<Record<string, unknown>>

/** All rows of a purse in SQLite, in the same tables of PostgreSQL, past every wall. Takes a superuser. */
export async function copyRows(path: string, client: pg.Client, { columns }: Shapes): Promise<void> {
  const db = new Database(path, { readonly: true })
  db.defaultSafeIntegers(true)
  const { rows } = await client.query<{ name: string; place: string }>(ALWAYS)
  try {
    for (const [table, shape] of columns) {
      if (table === 'schema_version') continue
      const types = new Map(shape)
      const read = (db.prepare(`SELECT * FROM ${table}`).all() as Row[]).map((row) => converted(row, types))
      await client.query(`ALTER TABLE bursar.${table} DISABLE TRIGGER ALL`)
      const all = `SELECT * FROM jsonb_populate_recordset(NULL::bursar.${table}, $1)`
      await client.query(`INSERT INTO bursar.${table} ${all}`, [JSON.stringify(read)])
      await client.query(`ALTER TABLE bursar.${table} ENABLE TRIGGER ALL`)
    }
    for (const { place, name } of rows) await client.query(`ALTER TABLE bursar.${place} ENABLE ALWAYS TRIGGER ${name}`)
  } finally {
    db.close()
  }
}

/** The triggers that stand in every session, as the migrations left them. */
const ALWAYS = `SELECT t.tgname AS name, c.relname AS place FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = 'bursar'::regnamespace AND t.tgenabled = 'A'`

function converted(row: Row, types: ReadonlyMap<string, string>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, inJson(value, types.get(name))]))
}

function inJson(value: unknown, type: string | undefined): unknown {
  if (value === null) return null
  if (type === 'boolean') return value !== 0n
  if (type === 'jsonb') return JSON.parse(value as string)
  if (type === 'bytea') return `\\x${(value as Buffer).toString('hex')}`
  return typeof value === 'bigint' ? `${value}` : value
}
