import type { Statement } from 'better-sqlite3'
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Connection } from './connection.ts'

type Row = Readonly<Record<string, unknown>>
type Convert = ((value: never) => unknown) | null

interface Column {
  /** The name in code. */
  readonly field: string
  /** The name in SQL. */
  readonly name: string
  /** Null where SQLite's own value is the one in code, as texts are. */
  readonly decode: Convert
  readonly encode: Convert
}

/**
 * The fixed statements of one table, written from its schema and prepared once. A step runs twenty of them, and a query
 * builder's own work on each would cost more than the whole decision.
 */
export class TableStatements {
  private readonly connection: Connection
  private readonly name: string
  private readonly columns: readonly Column[]
  private readonly byField: ReadonlyMap<string, Column>
  private readonly prepared = new Map<string, Statement>()

  constructor(connection: Connection, table: SQLiteTable) {
    this.connection = connection
    this.name = getTableName(table)
    this.columns = Object.entries(getTableColumns(table)).map(([field, column]) => columnOf(field, column))
    this.byField = new Map(this.columns.map((column) => [column.field, column]))
  }

  /** The columns of a `SELECT`, in the order that {@link decode} reads them. */
  list(): string {
    return this.columns.map(({ name }) => `${this.name}.${name}`).join(', ')
  }

  /** A row from the values of {@link list}, read in raw mode. */
  decode(values: readonly unknown[]): Row {
    const row: Record<string, unknown> = {}
    for (let i = 0; i < this.columns.length; i++) {
      const { field, decode } = this.columns[i] as Column
      const value = values[i] ?? null
      row[field] = value === null || decode === null ? value : decode(value as never)
    }
    return row
  }

  one(key: Row): Row | null {
    const fields = Object.keys(key)
    const statement = this.statement(`one ${fields.join()}`, () => `${this.selection()} WHERE ${this.matches(fields)}`)
    const values = statement.get(this.encoded(fields, key)) as unknown[] | undefined
    return values ? this.decode(values) : null
  }

  /** The rows of a `SELECT` with these clauses after the table, which is prepared when it is first asked for. */
  many(clauses: string, values: readonly unknown[]): Row[] {
    const statement = this.statement(`many ${clauses}`, () => `${this.selection()} ${clauses}`)
    return (statement.all(values) as unknown[][]).map((row) => this.decode(row))
  }

  /** As {@link many}, a row at a time: for as many as there are. */
  *each(clauses: string): Iterable<Row> {
    const statement = this.connection.prepare(`${this.selection()} ${clauses}`).raw(true)
    for (const row of statement.iterate()) yield this.decode(row as unknown[])
  }

  insert(row: Row): void {
    const statement = this.statement('insert', () => {
      const places = this.columns.map(() => '?').join(', ')
      return `INSERT INTO ${this.name} (${this.columns.map(({ name }) => name).join(', ')}) VALUES (${places})`
    })
    statement.run(this.columns.map((column) => encoded(column, row[column.field])))
  }

  /** Sets and adds on the row with this key; `make` is the row that a missing one begins as. */
  change(key: Row, set: Row, add: Row, make: Row | undefined): void {
    const keys = Object.keys(key)
    const sets = Object.keys(set)
    const adds = Object.keys(add)
    const statement = this.statement(`change ${keys.join()};${sets.join()};${adds.join()}`, () => {
      const parts = [
        ...sets.map((field) => `${this.sql(field)} = ?`),
        ...adds.map((field) => `${this.sql(field)} = ${this.sql(field)} + ?`),
      ]
      return `UPDATE ${this.name} SET ${parts.join(', ')} WHERE ${this.matches(keys)}`
    })
    const values = this.encoded(sets, set).concat(this.encoded(adds, add), this.encoded(keys, key))
    if (statement.run(values).changes === 1) return
    if (!make) throw new RangeError(`A fact changes a row of ${this.name} that is not there.`)
    this.insert({ ...make, ...set, ...add })
  }

  /** The name in SQL of a column. @throws RangeError when there is none: a bug. */
  sql(field: string): string {
    return this.column(field).name
  }

  /** A column's value as SQLite keeps it. */
  encode(field: string, value: unknown): unknown {
    return encoded(this.column(field), value)
  }

  private selection(): string {
    return `SELECT ${this.list()} FROM ${this.name}`
  }

  private matches(fields: readonly string[]): string {
    return fields.map((field) => `${this.sql(field)} = ?`).join(' AND ')
  }

  private encoded(fields: readonly string[], row: Row): unknown[] {
    return fields.map((field) => this.encode(field, row[field]))
  }

  private column(field: string): Column {
    const column = this.byField.get(field)
    if (!column) throw new RangeError(`${this.name} has no column ${field}.`)
    return column
  }

  /** Raw mode, where it reads: {@link decode} knows the columns by their place. */
  private statement(id: string, sql: () => string): Statement {
    const kept = this.prepared.get(id)
    if (kept) return kept
    const statement = this.connection.prepare(sql())
    if (statement.reader) statement.raw(true)
    this.prepared.set(id, statement)
    return statement
  }
}

function columnOf(field: string, column: SQLiteColumn): Column {
  const asItIs = column.columnType === 'SQLiteText'
  return {
    field,
    name: column.name,
    decode: asItIs ? null : (column.mapFromDriverValue.bind(column) as Convert),
    encode: asItIs ? null : (column.mapToDriverValue.bind(column) as Convert),
  }
}

function encoded({ encode }: Column, value: unknown): unknown {
  if (value === null || value === undefined) return null
  return encode === null ? value : encode(value as never)
}
