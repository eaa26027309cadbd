import { fold } from '../../../core/payee.ts'
import type { AuthorizationRequest, CardControls, CardStatus, DeclineCode, Merchant } from '../issuer.ts'

/** A card as its issuer decides on it. */
export interface CardState {
  readonly status: CardStatus
  readonly currency: string
  readonly controls: CardControls
  /** Smallest units that all its payments take of its allowance, forced captures too. */
  readonly spent: bigint
  /** How many payments take some of it. */
  readonly payments: bigint
}

/**
 * Why the issuer declines by the card's own controls, or null. Of several reasons the first in the order of
 * `DECLINE_CODES` is given. `now` is milliseconds since the epoch, by the issuer's clock.
 */
export function declined(
  card: CardState | undefined,
  request: Pick<AuthorizationRequest, 'amount' | 'currency' | 'validUntil'>,
  merchant: Merchant,
  now: number,
): DeclineCode | null {
  if (!card) return 'invalid_card'
  const { controls } = card
  if (card.status === 'closed') return 'card_canceled'
  if (now >= controls.expiresAt) return 'card_expired'
  if (card.status === 'frozen') return 'card_inactive'
  if (now > request.validUntil) return 'authorization_expired'
  if (request.currency !== card.currency) return 'invalid_currency'
  if (outside(controls.allowedCategories, merchant.category)) return 'merchant_category_blocked'
  if (outside(controls.allowedCountries, merchant.country)) return 'merchant_country_blocked'
  if (outside(controls.allowedMerchants?.map(fold) ?? null, fold(merchant.name))) return 'merchant_blocked'
  if (controls.perAuthorization !== null && request.amount > controls.perAuthorization) return 'spending_controls'
  if (card.spent + request.amount > controls.allTime) return 'spending_controls'
  if (controls.paymentCount !== null && card.payments >= controls.paymentCount) return 'payment_count_exceeded'
  return null
}

function outside(allowed: readonly string[] | null, value: string): boolean {
  return allowed !== null && !allowed.includes(value)
}
