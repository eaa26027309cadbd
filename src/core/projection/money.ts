import type { JournalEvent, WireCounter, WireMovement } from '../event.ts'
import { unitsOf } from '../money.ts'
import type { Op } from '../tables.ts'
import type { Account } from '../types.ts'

/** The entries of an event's movements, and the balances after them: one write for the wallet, however many moved. */
export function moved(event: JournalEvent, movements: readonly WireMovement[]): readonly Op[] {
  if (movements.length === 0) return []
  const walletId = event.wallet_id as string
  const balance: Record<Account, bigint> = { available: 0n, held: 0n, external: 0n, overdrawn: 0n }
  const entries = movements.map((movement, n): Op => {
    const { kind, debit, credit } = movement
    const amount = unitsOf(movement.amount)
    balance[debit] -= amount
    balance[credit] += amount
    const paymentId = event.payment_id ?? null
    return {
      table: 'entries',
      insert: { journal: event.journal, seq: event.seq, n, walletId, paymentId, kind, debit, credit, amount },
    }
  })
  return [...entries, { table: 'accounts', key: { walletId }, add: balance }]
}

/** Adds to the counters of a payment: what it takes, gives back, or had taken from it by the network. */
export function counted(
  counters: readonly WireCounter[],
  by: { readonly amount: bigint; readonly count: number; readonly forced: bigint },
): readonly Op[] {
  return counters.map((counter): Op => {
    const key = { limitId: counter.limit_id, scopeValue: counter.scope_value, windowKey: counter.window_key }
    return { table: 'counters', key, add: by, make: { ...key, amount: 0n, count: 0, forced: 0n } }
  })
}
