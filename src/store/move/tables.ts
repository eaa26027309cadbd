import { getTableColumns, getTableName } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { KEYS, type TableName } from '../../core/tables.ts'
import { events, heads, READINGS, texts } from '../postgres/schema.ts'

/** What a column holds, by the type that it has in PostgreSQL. */
export type Kind = 'text' | 'bigint' | 'boolean' | 'jsonb' | 'bytea'

export interface Column {
  /** In SQL, the same in every database. */
  readonly name: string
  readonly kind: Kind
}

export interface Table {
  readonly name: string
  /** In PostgreSQL. */
  readonly schema: 'bursar' | 'sandbox_cards'
  /** Which rows of PostgreSQL alone are there still, as a condition. */
  readonly only?: string
  readonly columns: readonly Column[]
  /** The places of the columns that name a row. */
  readonly key: readonly number[]
}

/** One value, the same whichever database it came from. A `jsonb` is its text. */
export type Cell = string | bigint | boolean | Buffer | null
export type Row = readonly Cell[]

/** So that what a row refers to is there before it. */
const ORDER = [
  ...['instance', 'owners', 'agents', 'wallets', 'accounts', 'entries', 'limits', 'counters', 'approvals', 'requests'],
  ...['instruments', 'payments', 'transfers', 'relayers', 'broadcasts', 'fee_days', 'deposits', 'scans'],
  ...['known_payees', 'purchases', 'credentials', 'passkeys', 'invitations', 'answers', 'notice_cursors', 'rails'],
] as const satisfies readonly TableName[]

/** Every table of a purse: those that the journal rebuilds, and then the journal itself. */
export const TABLES: readonly Table[] = [
  ...ORDER.map((name) => tableOf(READINGS[name], KEYS[name])),
  tableOf(texts, ['digest']),
  tableOf(events, ['journal', 'seq']),
  tableOf(heads, ['journal']),
]

export const ACCOUNTS = tableNamed('accounts')
export const ENTRIES = tableNamed('entries')
export const INSTANCE = tableNamed('instance')

function tableOf(table: PgTable, key: readonly string[]): Table {
  const columns = Object.entries(getTableColumns(table))
  const place = (field: string) => columns.findIndex(([name]) => name === field)
  return {
    name: getTableName(table),
    schema: 'bursar',
    columns: columns.map(([, column]) => ({ name: column.name, kind: column.getSQLType() as Kind })),
    key: key.map(place),
  }
}

function tableNamed(name: string): Table {
  const table = TABLES.find((one) => one.name === name)
  if (!table) throw new RangeError(`There is no table ${name}.`)
  return table
}

/** What is in a column of a row. */
export function cell(table: Table, row: Row, column: string): Cell {
  return row[table.columns.findIndex(({ name }) => name === column)] ?? null
}
