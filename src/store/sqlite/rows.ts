import type { Statement } from 'better-sqlite3'
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Connection } from './connection.ts'

type Row = Readonly<Record<string, unknown>>

interface Column {
  /** The name in code. */
  readonly field: string
  /** The name in SQL. */
  readonly name: string
  readonly decode: (value: never) => unknown
  readonly encode: (value: never) => unknown
}

/**
 * The fixed statements of one table, written from its schema and prepared once. A step runs twenty of them, and a query
 * builder's own work on each would cost as much as the whole decision (measured in docs/benchmarks.md).
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
    this.columns = Object.entries(getTableColumns(table)).map(([field, column]) => ({
      field,
      name: column.name,
      decode: column.mapFromDriverValue.bind(column) as Column['decode'],
      encode: column.mapToDriverValue.bind(column) as Column['encode'],
    }))
    this.byField = new Map(this.columns.map((column) => [column.field, column]))
  }

  /** The columns of a `SELECT`, in the order that {@link decode} reads them, under an alias if one is given. */
  list(alias = this.name): string {
    return this.columns.map((column) => `${alias}.${column.name}`).join(', ')
  }

  /** A row from the values of {@link list}, read in raw mode, from `offset` on. */
  decode(values: readonly unknown[], offset = 0): Row {
    const row: Record<string, unknown> = {}
    for (const [i, column] of this.columns.entries()) {
      const value = values[offset + i]
      row[column.field] = value === null || value === undefined ? null : column.decode(value as never)
    }
    return row
  }

  get width(): number {
    return this.columns.length
  }

  one(key: Row): Row | null {
    const fields = Object.keys(key)
    const statement = this.statement(`select ${fields.join()}`, () => {
      return `SELECT ${this.list()} FROM ${this.name} WHERE ${this.matches(fields)}`
    })
    const values = statement.raw(true).get(...this.encoded(fields, key)) as unknown[] | undefined
    return values ? this.decode(values) : null
  }

  insert(row: Row): void {
    const fields = this.columns.map((column) => column.field)
    const statement = this.statement('insert', () => {
      return `INSERT INTO ${this.name} (${this.columns.map((c) => c.name).join(', ')}) VALUES (${places(fields)})`
    })
    statement.run(...this.encoded(fields, row))
  }

  /** Sets and adds on the row with this key; `make` is the row that a missing one begins as. */
  change(key: Row, set: Row, add: Row, make: Row | undefined): void {
    const keys = Object.keys(key)
    const sets = Object.keys(set)
    const adds = Object.keys(add)
    const statement = this.statement(`update ${keys.join()};${sets.join()};${adds.join()}`, () => {
      const parts = [
        ...sets.map((field) => `${this.sql(field)} = ?`),
        ...adds.map((field) => `${this.sql(field)} = ${this.sql(field)} + ?`),
      ]
      return `UPDATE ${this.name} SET ${parts.join(', ')} WHERE ${this.matches(keys)}`
    })
    const values = [...this.encoded(sets, set), ...this.encoded(adds, add), ...this.encoded(keys, key)]
    if (statement.run(...values).changes === 1) return
    if (!make) throw new RangeError(`A fact changes a row of ${this.name} that is not there.`)
    this.insert({ ...make, ...set, ...add })
  }

  private matches(fields: readonly string[]): string {
    return fields.map((field) => `${this.sql(field)} = ?`).join(' AND ')
  }

  private sql(field: string): string {
    const column = this.byField.get(field)
    if (!column) throw new RangeError(`${this.name} has no column ${field}.`)
    return column.name
  }

  private encoded(fields: readonly string[], row: Row): unknown[] {
    return fields.map((field) => {
      const value = row[field]
      return value === null || value === undefined ? null : this.byField.get(field)?.encode(value as never)
    })
  }

  private statement(id: string, sql: () => string): Statement {
    const kept = this.prepared.get(id)
    if (kept) return kept
    const statement = this.connection.prepare(sql())
    this.prepared.set(id, statement)
    return statement
  }
}

function places(fields: readonly string[]): string {
  return fields.map(() => '?').join(', ')
}
