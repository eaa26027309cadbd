import type { Rebuilt, TableName } from '../tables.ts'
import { KEYS, rowName } from '../tables.ts'

/** Every row of a table as it is stored. */
export interface TableRows {
  all(table: TableName): Iterable<object> | AsyncIterable<object>
}

type Row = Readonly<Record<string, unknown>>

/**
 * What differs between the tables and what the journals rebuild, one sentence a row.
 *
 * @param hasLeft whether all events of a payment were archived. Then it may be in no table, if it was refused: whole.
 */
export async function* compareTables(
  rebuilt: Rebuilt,
  tables: TableRows,
  hasLeft: (paymentId: string) => boolean,
): AsyncIterable<string> {
  const rest = new Set(rebuilt.rows.keys())
  for (const table of Object.keys(KEYS) as TableName[]) {
    for await (const stored of tables.all(table) as AsyncIterable<Row>) {
      const name = rowName(table, stored)
      const row = rebuilt.rows.get(name)
      rest.delete(name)
      if (!row) yield `${said(name)} is in the table, and no event made it.`
      else {
        const column = Object.keys(row).find((field) => !same(row[field], stored[field]))
        if (column !== undefined) yield `${said(name)} has another ${column} than the journal says.`
      }
    }
  }
  for (const name of rest)
    if (!isArchived(name, rebuilt, rest, hasLeft)) yield `${said(name)} is in the journal and not in the table.`
}

/** Whether a row is not in its table because its payment was refused, and left. @param rest the names of all such rows */
function isArchived(
  name: string,
  { rows }: Rebuilt,
  rest: ReadonlySet<string>,
  hasLeft: (paymentId: string) => boolean,
): boolean {
  const { id, paymentId = id } = rows.get(name) as { readonly id?: string; readonly paymentId?: string }
  if (paymentId === undefined || !hasLeft(paymentId)) return false
  const payment = rowName('payments', { id: paymentId })
  const made = [payment, rowName('purchases', { paymentId })].filter((one) => rows.has(one))
  return made.includes(name) && rows.get(payment)?.status === 'refused' && made.every((one) => rest.has(one))
}

function said(name: string): string {
  return name.split('\n').join(' ')
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [first, second] = [a as Row, b as Row]
  const fields = Object.keys(first)
  return fields.length === Object.keys(second).length && fields.every((field) => same(first[field], second[field]))
}
