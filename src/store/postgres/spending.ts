import type { Payee } from '../../core/types.ts'
import type { Spending } from '../../ports.ts'
import { PAYEES_MAX } from '../shared/snapshots.ts'
import { parseRows } from './rows.ts'
import type { Source } from './source.ts'

const NET = 'sum(captured - refunded) AS amount, count(*) AS count'
/** By the index `payments_spent`. */
const SPENT = 'FROM bursar.payments WHERE wallet_id = $1 AND captured > 0 AND authorized_at >= $2'
const MOST = 'ORDER BY amount DESC, 1'

interface Sums {
  readonly by: string | number
  readonly amount: string | number
  readonly count: number
  readonly payee?: Payee
}

/** What a wallet spent, summed in the database: exact, since sums of whole units are. */
export async function spendingOf(source: Source, walletId: string, since: number, slotMs: number): Promise<Spending> {
  const list = (query: string) => `(SELECT coalesce(json_agg(row_to_json(s)), '[]') FROM (${query}) s)`
  const [found = ''] = await source.texts(
    `SELECT json_build_object(
      'slots', ${list(`SELECT authorized_at / $3::bigint * $3::bigint AS "by", ${NET} ${SPENT} GROUP BY 1 ORDER BY 1`)},
      'agents', ${list(`SELECT agent_id AS "by", ${NET} ${SPENT} GROUP BY 1 ${MOST}`)},
      'payees', ${list(`SELECT payee_key AS "by", max(payee::text)::jsonb AS payee, ${NET} ${SPENT} GROUP BY 1 ${MOST} LIMIT ${PAYEES_MAX}`)},
      'protocols', ${list(`SELECT protocol AS "by", ${NET} ${SPENT} GROUP BY 1 ${MOST}`)})::text`,
    [walletId, since, slotMs],
  )
  const { slots, agents, payees, protocols } = parseRows(found) as Readonly<
    Record<'slots' | 'agents' | 'payees' | 'protocols', readonly Sums[]>
  >
  return {
    slots: slots.map((sums) => ({ start: Number(sums.by), ...shareOf(sums) })),
    agents: agents.map((sums) => ({ agentId: String(sums.by), ...shareOf(sums) })),
    payees: payees.map((sums) => ({ payee: sums.payee as Payee, ...shareOf(sums) })),
    protocols: protocols.map((sums) => ({ protocol: String(sums.by), ...shareOf(sums) })),
  }
}

function shareOf({ amount, count }: Sums): { amount: bigint; count: number } {
  return { amount: BigInt(amount), count: Number(count) }
}
