import type { Statement } from 'better-sqlite3'
import type { Payee } from '../../core/types.ts'
import type { Spending } from '../../ports.ts'
import { PAYEES_MAX } from '../shared/snapshots.ts'
import type { Connection } from './connection.ts'

const NET = 'sum(captured - refunded) AS amount, count(*) AS count'
/** By the index `payments_spent`. */
const SPENT = 'FROM payments WHERE wallet_id = ? AND captured > 0 AND authorized_at >= ?'

type Row = Readonly<Record<'amount' | 'count', bigint>> & { readonly by: string; readonly payee?: string }

/** What a wallet spent, summed in the database: exact, since sums of whole units are. */
export class SpendingReader {
  private readonly sql: Readonly<Record<'slots' | 'agents' | 'payees' | 'protocols', Statement>>

  constructor(connection: Connection) {
    const most = 'ORDER BY amount DESC, 1'
    this.sql = {
      slots: connection.prepare(`SELECT authorized_at / ? * ? AS "by", ${NET} ${SPENT} GROUP BY 1 ORDER BY 1`),
      agents: connection.prepare(`SELECT agent_id AS "by", ${NET} ${SPENT} GROUP BY 1 ${most}`),
      payees: connection.prepare(
        `SELECT payee_key AS "by", max(payee) AS payee, ${NET} ${SPENT} GROUP BY 1 ${most} LIMIT ${PAYEES_MAX}`,
      ),
      protocols: connection.prepare(`SELECT protocol AS "by", ${NET} ${SPENT} GROUP BY 1 ${most}`),
    }
  }

  of(walletId: string, since: number, slotMs: number): Spending {
    // As whole numbers: what is bound as a number may be a float to SQLite.
    const [slot, start] = [BigInt(slotMs), BigInt(since)]
    const rows = (of: keyof typeof this.sql) => this.sql[of].all(walletId, start) as Row[]
    const slots = this.sql.slots.all(slot, slot, walletId, start) as (Omit<Row, 'by'> & { readonly by: bigint })[]
    return {
      slots: slots.map(({ by, amount, count }) => ({ start: Number(by), amount, count: Number(count) })),
      agents: rows('agents').map(({ by, ...sums }) => ({ agentId: by, ...shareOf(sums) })),
      payees: rows('payees').map(({ payee, ...sums }) => ({
        payee: JSON.parse(payee as string) as Payee,
        ...shareOf(sums),
      })),
      protocols: rows('protocols').map(({ by, ...sums }) => ({ protocol: by, ...shareOf(sums) })),
    }
  }
}

function shareOf({ amount, count }: Pick<Row, 'amount' | 'count'>): { amount: bigint; count: number } {
  return { amount, count: Number(count) }
}
