import type { TableRows } from './rows.ts'

type AnyRow = Readonly<Record<string, unknown>>

/** The clauses of a `SELECT` on one table, with parameters. */
export class Clauses {
  readonly values: unknown[] = []
  private readonly rows: TableRows
  private readonly conditions: string[] = []

  constructor(rows: TableRows) {
    this.rows = rows
  }

  /** An array matches any of its members. */
  where(where: AnyRow): this {
    for (const [field, value] of Object.entries(where)) {
      // Quoted: a column may be called what is a word of SQL, as `window` is.
      const column = `"${this.rows.sql(field)}"`
      if (value === null) this.conditions.push(`${column} IS NULL`)
      else
        this.conditions.push(
          `${column} IN (${[value]
            .flat()
            .map((one) => this.place(field, one))
            .join(', ')})`,
        )
    }
    return this
  }

  before(column: string, value: string): void {
    this.values.push(value)
    this.conditions.push(`${column} < $${this.values.length}`)
  }

  /** Only what comes after this row in the order of the key. */
  after(row: AnyRow): void {
    const { key, columns } = this.rows
    const places = key.map((name) => {
      const { field } = columns.find((column) => column.name === name) as { readonly field: string }
      return this.place(field, row[field])
    })
    this.conditions.push(`(${key.join(', ')}) > (${places.join(', ')})`)
  }

  /** Rows as JSON. */
  select(clauses: string): string {
    const met = this.conditions.length === 0 ? '' : ` WHERE ${this.conditions.join(' AND ')}`
    return `SELECT row_to_json(t)::text FROM ${this.rows.name} t${met} ${clauses}`
  }

  private place(field: string, value: unknown): string {
    this.values.push(this.rows.value(field, value))
    return `$${this.values.length}`
  }
}
