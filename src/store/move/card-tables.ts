import type { Column, Row, Table } from './tables.ts'

/** The books of the sandbox's card network, which has a file of its own or a schema of its own. No money is in it. */
export interface CardBooks {
  /** Names the network: what was read of its changes counts on under the same name. */
  readonly id: string
  /** The last place in the order of its changes. */
  readonly seq: bigint
  rows(table: Table): AsyncIterable<Row>
}

/** So that what a row refers to is there before it. What was taken off the schedule is over. */
export const CARD_TABLES: readonly Table[] = [
  tableOf(
    'cards',
    'id instrument_id pan terms status currency',
    'all_time per_authorization payment_count expires_at spent payments',
    'allowed_categories allowed_countries allowed_merchants',
  ),
  tableOf(
    'authorizations',
    'payment_id id card_id terms currency merchant_name category country status decline_code',
    'authorized captured forced released refunded seq',
  ),
  { ...tableOf('messages', 'payment_id message_id kind', 'amount closes'), key: [0, 1] },
  { ...tableOf('schedule', 'payment_id message_id kind', 'amount closes due_at n'), key: [6], only: 'NOT taken' },
  tableOf('lost_requests', 'payment_id'),
]

function tableOf(name: string, texts: string, numbers = '', more = ''): Table {
  const of = (names: string, kind: Column['kind']) =>
    names
      .split(' ')
      .filter((one) => one !== '')
      .map((one): Column => ({ name: one, kind }))
  const columns = [...of(texts, 'text'), ...of(numbers, 'bigint'), ...of(more, 'text')]
  return { name, schema: 'sandbox_cards', columns, key: [0] }
}
