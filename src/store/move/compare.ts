import { canonical } from '../../core/canonical.ts'
import type { Books } from './side.ts'
import { ACCOUNTS, type Cell, cell, ENTRIES, type Kind, type Row, TABLES, type Table } from './tables.ts'

/** What a wallet holds, in smallest units. */
export interface Balance {
  readonly walletId: string
  readonly available: bigint
  readonly held: bigint
}

/** How many rows of each table there are, alike on both sides. */
export type Counts = Readonly<Record<string, number>>

/**
 * Walks every table of both, row by row and both ways.
 *
 * @returns how many rows there are, or where the first difference is
 */
export async function compare(
  source: Pick<Books, 'rows'>,
  target: Pick<Books, 'rows'>,
  tables: readonly Table[] = TABLES,
): Promise<Counts | { readonly differs: string }> {
  const counts: Record<string, number> = {}
  for (const table of tables) {
    const others = target.rows(table)[Symbol.asyncIterator]()
    let count = 0
    for await (const row of source.rows(table)) {
      const { value: other, done } = await others.next()
      const column = done ? 'row' : differing(table, row, other)
      if (column !== null) return { differs: `${table.name}: ${column} of row ${count + 1}` }
      count += 1
    }
    if (!(await others.next()).done) return { differs: `${table.name}: more than ${count} rows` }
    counts[table.name] = count
  }
  return counts
}

function differing({ columns }: Table, one: Row, other: Row): string | null {
  const column = columns.find(({ kind }, i) => !isSame(kind, one[i] ?? null, other[i] ?? null))
  return column?.name ?? null
}

/** Of JSON, what it says; of all else, every byte. */
function isSame(kind: Kind, one: Cell, other: Cell): boolean {
  if (one === other) return true
  if (one === null || other === null) return false
  if (Buffer.isBuffer(one) && Buffer.isBuffer(other)) return one.equals(other)
  return kind === 'jsonb' && canonical(JSON.parse(String(one))) === canonical(JSON.parse(String(other)))
}

/**
 * What each wallet holds, summed from every entry of the books.
 *
 * @returns the balances, or the wallet that the entries give something else
 */
export async function balancesOf(books: Books): Promise<readonly Balance[] | { readonly differs: string }> {
  const sums = new Map<string, bigint>()
  const add = (wallet: Cell, account: Cell, amount: bigint) => {
    const name = `${wallet} ${account}`
    sums.set(name, (sums.get(name) ?? 0n) + amount)
  }
  for await (const row of books.rows(ENTRIES)) {
    const amount = cell(ENTRIES, row, 'amount') as bigint
    const wallet = cell(ENTRIES, row, 'wallet_id')
    add(wallet, cell(ENTRIES, row, 'debit'), -amount)
    add(wallet, cell(ENTRIES, row, 'credit'), amount)
  }
  const balances: Balance[] = []
  for await (const row of books.rows(ACCOUNTS)) {
    const walletId = cell(ACCOUNTS, row, 'wallet_id') as string
    const held = (account: string) => cell(ACCOUNTS, row, account) as bigint
    for (const account of ['available', 'held', 'external', 'overdrawn'])
      if (held(account) !== (sums.get(`${walletId} ${account}`) ?? 0n)) return { differs: walletId }
    balances.push({ walletId, available: held('available'), held: held('held') })
  }
  return balances
}
