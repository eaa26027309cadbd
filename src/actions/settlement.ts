import { refusal } from '../core/decide.ts'
import { MAX_UNITS } from '../core/money.ts'
import type { Settlement } from '../core/payment.ts'
import type { RailRecord } from '../ports.ts'

/** What a rail's own names are made of. Anything else is not a name, and must not reach an agent or a human. */
const NAME = /^[A-Za-z0-9_.:-]{1,128}$/
const CODE = /^[a-z_]{1,40}$/
const STATES: readonly unknown[] = ['open', 'closed', 'declined']

export function isRailName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

/**
 * What a rail's record means, or null when it cannot be one: a state or an amount that does not exist, or more given back
 * than was taken. Such a record is no answer.
 */
export function settlementOf(record: RailRecord): Settlement | null {
  const { railRef, state, captured, refunded } = record
  if (!STATES.includes(state) || !isRailName(railRef) || !isAmount(captured) || !isAmount(refunded)) return null
  if (refunded > captured) return null
  if (state !== 'declined' || captured > 0n) return { railRef, state, captured, refunded }
  const code = CODE.test(record.declineCode ?? '') ? record.declineCode : 'declined'
  const why = refusal('rail_declined', `issuer.${code}`, `The card issuer declined the payment: ${code}.`)
  return { railRef, state, captured, refunded, refusal: why }
}

function isAmount(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_UNITS
}
