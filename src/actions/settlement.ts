import { refusal } from '../core/decide.ts'
import { MAX_UNITS } from '../core/money.ts'
import type { Doubt, Settlement } from '../core/payment.ts'
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
  const why =
    protocol === 'card'
      ? refusal('rail_declined', `issuer.${code}`, `The card issuer declined the payment: ${code}.`)
      : refusal('rail_declined', `chain.${code}`, `The transfer was not made: ${code}.`)
  return { ...settlement, state, refusal: why }
}

function isAmount(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_UNITS
}
