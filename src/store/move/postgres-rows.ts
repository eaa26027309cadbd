import type pg from 'pg'
import type { Cell, Kind, Row, Table } from './tables.ts'

/** Every value as the server writes it: a number of 64 bits is never a float on the way. */
const RAW: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value }

/** A query whose values come as texts. */
function named(text: string, values: readonly string[]): pg.QueryArrayConfig {
  return { text, values: [...values], rowMode: 'array', types: RAW }
}

const ROWS_AT_ONCE = 2_000

/** Every row of a table in the order of its key, in portions. */
export async function* rowsOf(client: pg.Client, table: Table): AsyncIterable<Row> {
  let found = await client.query(named(selectSql(table, ROWS_AT_ONCE, false), []))
  for (;;) {
    const rows = (found.rows as (string | null)[][]).map((row) => rowOf(table, row))
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < ROWS_AT_ONCE) return
    const after = table.key.map((place) => String(last[place]))
    found = await client.query(named(selectSql(table, ROWS_AT_ONCE, true), after))
  }
}

/** The next rows in the order of the key. */
function selectSql({ name, schema, only = 'true', columns, key }: Table, most: number, isAfter: boolean): string {
  const list = columns.map(({ name: column, kind }) => (kind === 'jsonb' ? `"${column}"::text` : `"${column}"`))
  const keys = key.map((place) => `"${columns[place]?.name}"`).join(', ')
  const after = key.map((place, i) => `$${i + 1}::${columns[place]?.kind}`).join(', ')
  const from = isAfter ? `AND (${keys}) > (${after})` : ''
  return `SELECT ${list.join(', ')} FROM ${schema}.${name} WHERE ${only} ${from} ORDER BY ${keys} LIMIT ${most}`
}

function rowOf({ columns }: Table, values: readonly (string | null)[]): Row {
  return columns.map(({ kind }, i) => cellOf(kind, values[i] ?? null))
}

function cellOf(kind: Kind, value: string | null): Cell {
  if (value === null) return null
  switch (kind) {
    case 'bigint':
      return BigInt(value)
    case 'boolean':
      return value === 't'
    case 'bytea':
      return Buffer.from(value.slice(2), 'hex')
    default:
      return value
  }
}

/** A statement that inserts rows given as {@link values}, under the numbers that they have. */
export function insertSql({ name, schema, columns }: Table): string {
  const arrays = columns.map(({ kind }, i) => `$${i + 1}::${kind}[]`).join(', ')
  const list = columns.map((column) => `"${column.name}"`).join(', ')
  return `INSERT INTO ${schema}.${name} (${list}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest(${arrays})`
}

/** The rows as one array for each column. */
export function values({ columns }: Table, rows: readonly Row[]): (string | null)[][] {
  return columns.map((_column, i) => rows.map((row) => written(row[i] ?? null)))
}

function written(value: Cell): string | null {
  if (value === null || typeof value === 'string') return value
  return Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : String(value)
}
