import type pg from 'pg'
import { CARD_TABLES, type CardBooks } from './card-tables.ts'
import { insertSql, rowsOf, values } from './postgres-rows.ts'
import type { Row } from './tables.ts'

const ROWS_AT_ONCE = 1_000

/** Looks at the network within the client's transaction; null where nobody has opened it yet. */
export async function lookAtCards<R>(client: pg.Client, work: (cards: CardBooks | null) => Promise<R>): Promise<R> {
  const { rows } = await client.query<{ id: string; seq: string }>(
    `SELECT n.id, (CASE WHEN c.is_called THEN c.last_value ELSE 0 END)::text AS seq
     FROM sandbox_cards.network n, sandbox_cards.changes c`,
  )
  const [network] = rows
  if (!network) return work(null)
  return work({ id: network.id, seq: BigInt(network.seq), rows: (table) => rowsOf(client, table) })
}

/** Writes a whole network in the client's transaction. Counters go on behind what is there. */
export async function writeCards(client: pg.Client, cards: CardBooks): Promise<void> {
  const name = 'INSERT INTO sandbox_cards.network (only_row, id) VALUES (1, $1)'
  await client.query(`${name} ON CONFLICT (only_row) DO UPDATE SET id = excluded.id`, [cards.id])
  for (const table of CARD_TABLES) {
    let portion: Row[] = []
    const write = async () => {
      if (portion.length > 0) await client.query({ text: insertSql(table), values: values(table, portion) })
      portion = []
    }
    for await (const row of cards.rows(table)) {
      portion.push(row)
      if (portion.length === ROWS_AT_ONCE) await write()
    }
    await write()
  }
  const { seq } = cards
  const last = (sequence: string, value: string, isCalled: string) =>
    client.query(`SELECT pg_catalog.setval(${sequence}, greatest(${value}, 1), ${isCalled})`)
  await last("'sandbox_cards.changes'", `${seq}`, `${seq > 0n}`)
  const most = '(SELECT max(n) FROM sandbox_cards.schedule)'
  await last(`pg_get_serial_sequence('sandbox_cards.schedule', 'n')`, most, `${most} IS NOT NULL`)
}
