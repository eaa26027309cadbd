import type { Authorization } from '../issuer.ts'

/** What the network brings for a payment after its authorization. `amount` is smallest units; zero for `expire` alone. */
export interface Message {
  readonly kind: 'capture' | 'reverse' | 'refund' | 'force_post' | 'expire'
  readonly amount: bigint
  /** Whether a capture gives the rest of the hold back. */
  readonly close: boolean
}

/** The totals of one payment. `captured + released <= authorized`, and equal once it is no longer pending. */
export interface Totals {
  readonly status: Authorization['status']
  readonly authorized: bigint
  /** Taken from the hold. */
  readonly captured: bigint
  /** Taken beyond the hold. */
  readonly forced: bigint
  /** Given back from the hold. */
  readonly released: bigint
  readonly refunded: bigint
}

/** What a payment takes of its card's allowance: what was authorized or forced, less what was given back unused. */
export function spentOf(totals: Totals): bigint {
  return totals.authorized - totals.released + totals.forced
}

/** The totals after a message, or null when the state of the payment does not allow it. */
export function after<T extends Totals>(totals: T, message: Message): T | null {
  const { kind, amount } = message
  const { authorized, captured, forced, released, refunded, status } = totals
  const left = authorized - captured - released
  const fits = status === 'pending' && amount > 0n && amount <= left
  switch (kind) {
    case 'capture': {
      const given = message.close ? left - amount : 0n
      return fits ? ended({ ...totals, captured: captured + amount, released: released + given }, 'closed') : null
    }
    case 'reverse':
      return fits ? ended({ ...totals, released: released + amount }, 'reversed') : null
    case 'expire':
      return status === 'pending' ? ended({ ...totals, released: released + left }, 'expired') : null
    case 'refund':
      return amount > 0n && refunded + amount <= captured + forced ? { ...totals, refunded: refunded + amount } : null
    case 'force_post':
      return amount > 0n && status !== 'declined' ? { ...totals, forced: forced + amount } : null
  }
}

/** Nothing left of the hold: the payment is `closed` when something was taken, else it ends as `emptied` says. */
function ended<T extends Totals>(totals: T, emptied: Authorization['status']): T {
  if (totals.captured + totals.released < totals.authorized) return totals
  return { ...totals, status: totals.captured > 0n ? 'closed' : emptied }
}
