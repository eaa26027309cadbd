import type { Connection } from '../sqlite/connection.ts'
import type { Cell, Kind, Row, Table } from './tables.ts'

const ROWS_AT_ONCE = 2_000

/** Every row of a table in the order of its key, in portions. */
export async function* rowsOf(connection: Connection, table: Table): AsyncIterable<Row> {
  const next = connection.prepare(selectSql(table, true)).raw(true)
  let found = connection.prepare(selectSql(table, false)).raw(true).all()
  for (;;) {
    const rows = (found as unknown[][]).map((row) => rowOf(table, row))
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < ROWS_AT_ONCE) return
    found = next.all(table.key.map((place) => last[place]))
  }
}

export function insertSql({ name, columns }: Table): string {
  return `INSERT INTO ${name} (${names(columns)}) VALUES (${columns.map(() => '?').join(', ')})`
}

function selectSql({ name, columns, key }: Table, isAfter: boolean): string {
  const keys = key.map((place) => `"${columns[place]?.name}"`).join(', ')
  const after = isAfter ? `WHERE (${keys}) > (${key.map(() => '?').join(', ')})` : ''
  return `SELECT ${names(columns)} FROM ${name} ${after} ORDER BY ${keys} LIMIT ${ROWS_AT_ONCE}`
}

function names(columns: Table['columns']): string {
  return columns.map(({ name }) => `"${name}"`).join(', ')
}

function rowOf({ columns }: Table, values: readonly unknown[]): Row {
  return columns.map(({ kind }, i) => cellOf(kind, values[i] as Exclude<Cell, boolean>))
}

function cellOf(kind: Kind, value: Exclude<Cell, boolean>): Cell {
  return kind === 'boolean' && value !== null ? value !== 0n : value
}
