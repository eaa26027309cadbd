import type { WireConstraints, WireTerms } from './event.ts'
import { formatUnits, unitsOf } from './money.ts'
import type { Constraints, Terms } from './types.ts'

/** Terms as the journal and the wire write them. */
export function termsToWire(terms: Terms, decimals: number): WireTerms {
  return {
    type: terms.type,
    amount: formatUnits(terms.amount, decimals),
    usage_limit: terms.usageLimit,
    per_payment_max: terms.perPaymentMax === null ? null : formatUnits(terms.perPaymentMax, decimals),
    expires_in_ms: terms.expiresInMs,
    constraints: constraintsToWire(terms.constraints),
  }
}

/** The inverse of {@link termsToWire}. */
export function termsFromWire(wire: WireTerms): Terms {
  return {
    type: wire.type,
    amount: unitsOf(wire.amount),
    usageLimit: wire.usage_limit,
    perPaymentMax: wire.per_payment_max === null ? null : unitsOf(wire.per_payment_max),
    expiresInMs: wire.expires_in_ms,
    constraints: constraintsFromWire(wire.constraints),
  }
}

export function constraintsToWire(constraints: Constraints): WireConstraints {
  const { merchantCategories, ...others } = constraints
  return { ...(merchantCategories && { merchant_categories: merchantCategories }), ...others }
}

export function constraintsFromWire(wire: WireConstraints): Constraints {
  const { merchant_categories, ...others } = wire
  return { ...(merchant_categories && { merchantCategories: merchant_categories }), ...others }
}
