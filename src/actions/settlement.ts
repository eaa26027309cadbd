import { MAX_UNITS } from '../core/money.ts'
import type { Doubt, Settlement } from '../core/payment.ts'
import { refusal } from '../core/refusal.ts'
import type { Refusal } from '../core/types.ts'
import type { RailRecord } from '../ports.ts'

/** What a rail's own names are made of. Anything else is not a name, and must not reach an agent or a human. */
const NAME = /^[A-Za-z0-9_.:-]{1,128}$/
const CODE = /^[a-z_]{1,40}$/
const STATES: readonly unknown[] = ['pending', 'open', 'closed', 'declined']

export function isRailName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

/**
 * What a rail's record means. One that cannot be, with a state or an amount that does not exist or more given back than was
 * taken, is no answer.
 */
export function settlementOf(record: RailRecord, protocol: string): Settlement | Doubt {
  const { railRef, state, captured, refunded, inclusion, unused } = record
  if (!STATES.includes(state) || !isRailName(railRef) || !isAmount(captured) || !isAmount(refunded)) return 'no_answer'
  if (refunded > captured) return 'no_answer'
  if (state === 'pending') return 'unconfirmed'
  const settlement = { railRef, captured, refunded, ...(inclusion && { inclusion }), ...(unused && { unused }) }
  if (state !== 'declined' || captured > 0n) return { ...settlement, state }
  const code = CODE.test(record.declineCode ?? '') ? record.declineCode : 'declined'
  return { ...settlement, state, refusal: declined(protocol, `${code}`) }
}

function declined(protocol: string, code: string): Refusal {
  switch (protocol) {
    case 'card':
      return refusal('rail_declined', `issuer.${code}`, `The card issuer declined the payment: ${code}.`)
    case 'x402':
      return refusal('rail_declined', `chain.${code}`, 'The seller did not take the money in time, and no longer can.')
    default:
      return refusal('rail_declined', `chain.${code}`, `The transfer was not made: ${code}.`)
  }
}

function isAmount(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_UNITS
}
