import { getTableColumns, getTableName } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { TableName, Tables } from '../../core/tables.ts'
import { KEYS } from '../../core/tables.ts'
import { READINGS } from './schema.ts'

type AnyRow = Readonly<Record<string, unknown>>
type Convert = ((value: never) => unknown) | null

interface Column {
  /** The name in code. */
  readonly field: string
  /** The name in SQL. */
  readonly name: string
  /** The type in SQL. */
  readonly type: string
  /** Whether an op may add to it. */
  readonly adds: boolean
  /** Null where JSON's own value is the one in code, as texts are. */
  readonly decode: Convert
  readonly encode: Convert
}

/** How the rows of one table travel: as JSON objects by the names of SQL. */
export class TableRows {
  /** In SQL, with its schema. */
  readonly name: string
  /** The columns that name a row, in SQL. */
  readonly key: readonly string[]
  readonly columns: readonly Column[]
  private readonly byField: ReadonlyMap<string, Column>

  constructor(table: PgTable, key: readonly string[]) {
    this.name = `bursar.${getTableName(table)}`
    this.columns = Object.entries(getTableColumns(table)).map(([field, column]) =>
      columnOf(field, column, key.includes(field)),
    )
    this.byField = new Map(this.columns.map((column) => [column.field, column]))
    this.key = key.map((field) => this.sql(field))
  }

  /** A row as `row_to_json` made it. */
  decode(values: AnyRow): AnyRow {
    const row: Record<string, unknown> = {}
    for (const { field, name, decode } of this.columns) {
      const value = values[name] ?? null
      row[field] = value === null || decode === null ? value : decode(value as never)
    }
    return row
  }

  /** A row, or some of its columns, as `jsonb_populate_record` reads them. */
  encode(row: AnyRow): AnyRow {
    const values: Record<string, unknown> = {}
    for (const field in row) values[this.sql(field)] = this.value(field, row[field])
    return values
  }

  value(field: string, value: unknown): unknown {
    const { encode } = this.column(field)
    if (value === null || value === undefined) return null
    return encode === null ? value : encode(value as never)
  }

  /** The name in SQL of a column. @throws RangeError when there is none: a bug. */
  sql(field: string): string {
    return this.column(field).name
  }

  private column(field: string): Column {
    const column = this.byField.get(field)
    if (!column) throw new RangeError(`${this.name} has no column ${field}.`)
    return column
  }
}

function columnOf(field: string, column: PgColumn, isKey: boolean): Column {
  const asItIs = column.columnType === 'PgText'
  return {
    field,
    name: column.name,
    type: column.getSQLType(),
    adds: !isKey && column.getSQLType() === 'bigint',
    decode: asItIs ? null : (column.mapFromDriverValue.bind(column) as Convert),
    encode: asItIs ? null : (column.mapToDriverValue.bind(column) as Convert),
  }
}

const ROWS = Object.fromEntries(
  Object.entries(READINGS).map(([name, table]) => [name, new TableRows(table, KEYS[name as TableName])]),
) as unknown as { readonly [T in TableName]: TableRows }

export function rowsOf(table: TableName): TableRows {
  return ROWS[table]
}

/** A row of a table from the JSON of a query; null stays null. */
export function rowOf<T extends TableName>(table: T, values: unknown): Tables[T] | null {
  return values === null || values === undefined ? null : (ROWS[table].decode(values as AnyRow) as unknown as Tables[T])
}

export function allOf<T extends TableName>(table: T, values: unknown): readonly Tables[T][] {
  return ((values ?? []) as AnyRow[]).map((one) => ROWS[table].decode(one) as unknown as Tables[T])
}

/** A whole number that JavaScript would round, outside of texts: what PostgreSQL writes has a mark or a blank before it. */
const LONG = /[:,[ ]-?\d{16}/
const TEXT_OR_LONG = /"(?:[^"\\]|\\.)*"|-?\d{16,}/g

/** JSON with its long whole numbers as texts. */
export function parseRows(json: string): unknown {
  const exact = LONG.test(json)
    ? json.replace(TEXT_OR_LONG, (found) => (found[0] === '"' ? found : `"${found}"`))
    : json
  return JSON.parse(exact)
}
