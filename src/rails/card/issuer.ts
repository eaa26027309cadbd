import type { Payee } from '../../core/types.ts'

/**
 * Every reason for which a card payment is declined, with what it means. Closed and stable: an issuer's own words are
 * mapped to these, and text from outside never takes their place. Words of Stripe Issuing's `request_history.reason`
 * where it has one; it says `spending_controls` for the three `*_blocked` and for the count as well.
 */
export const DECLINE_CODES = {
  invalid_card: 'There is no such card, or it belongs to another instrument.',
  card_canceled: 'The card is closed for good.',
  card_expired: 'The card is past its expiry.',
  card_inactive: 'The card is frozen.',
  authorization_expired: 'The payment reached the network after the moment until which it was valid.',
  invalid_currency: 'The payment is not in the currency of the card.',
  merchant_category_blocked: "The merchant's category is not one that the card allows.",
  merchant_country_blocked: "The merchant's country is not one that the card allows.",
  merchant_blocked: 'The merchant is not one that the card allows.',
  spending_controls: 'The amount is over what the card allows per authorization, or over all its life.',
  payment_count_exceeded: 'All payments that the card allows were made.',
  insufficient_funds: "The issuer's own account does not hold enough.",
  suspected_fraud: 'The issuer or the network suspects fraud.',
  do_not_honor: 'The issuer declined without a reason.',
  issuer_unavailable: 'The issuer could not be asked.',
} as const satisfies Record<string, string>

export type DeclineCode = keyof typeof DECLINE_CODES

/** `frozen` is Stripe's `inactive`, `closed` its `canceled`. Closed is final. */
export type CardStatus = 'active' | 'frozen' | 'closed'

/** By what the issuer itself declines. A null list does not restrict; an empty one allows nothing. */
export interface CardControls {
  /** ISO 18245 four-digit codes. */
  readonly allowedCategories: readonly string[] | null
  /** ISO 3166-1 alpha-2, of the merchant. */
  readonly allowedCountries: readonly string[] | null
  /** Merchant names. */
  readonly allowedMerchants: readonly string[] | null
  /** Smallest units of the card's currency, over the card's life. Refunds do not give it back. */
  readonly allTime: bigint
  /** Smallest units, of one authorization. */
  readonly perAuthorization: bigint | null
  /** Declined and wholly reversed payments do not count. */
  readonly paymentCount: number | null
  /** Milliseconds since the epoch: from then on everything is declined. */
  readonly expiresAt: number
}

export interface CardOrder {
  /** Makes {@link CardIssuer.createCard} idempotent. */
  readonly instrumentId: string
  /** ISO 4217. */
  readonly currency: string
  readonly controls: CardControls
}

/** What is known of a card outside its issuer. The number stays inside. */
export interface Card {
  readonly id: string
  readonly last4: string
}

/** Who is paid, as the card network says it. */
export interface Merchant {
  readonly name: string
  /** One ISO 18245 code. */
  readonly category: string
  /** ISO 3166-1 alpha-2, or `ZZ` where it is not known. */
  readonly country: string
}

/** The issuer's record of one payment, whole. Amounts are smallest units of `currency`. */
export interface Authorization {
  readonly id: string
  readonly paymentId: string
  /** `pending`: more may be captured. The hold of an `expired` one is over, but merchants may still capture it by force. */
  readonly status: 'pending' | 'closed' | 'reversed' | 'expired' | 'declined'
  readonly declineCode: DeclineCode | null
  readonly merchant: Merchant
  readonly currency: string
  /** What was approved at first: reversals do not lessen it. Zero when declined. */
  readonly authorized: bigint
  /** What was taken in all, by force too, so it may be more than was authorized. */
  readonly captured: bigint
  readonly refunded: bigint
}

/** One who issues cards. Any throw means that the outcome is unknown. */
export interface CardIssuer {
  /** Whether its cards move real money; false for every sandbox. */
  readonly live: boolean
  /** Makes the card of an instrument, or returns the one that was made. @throws Error when it was ordered otherwise before: a bug. */
  createCard(order: CardOrder): Promise<Card>
  /** @throws Error for an unknown card, and for opening a closed one. */
  setCardStatus(cardId: string, status: CardStatus): Promise<void>
  /** Null when no authorization under this payment id has reached the issuer. */
  retrieveAuthorization(paymentId: string): Promise<Authorization | null>
  /**
   * Authorizations that changed after `cursor`, in the order in which they did, each once and as it stands now. A page
   * at a time: call again with the new cursor until none comes.
   *
   * @throws Error for a cursor that no such call gave.
   */
  listChanges(cursor: string | null): Promise<{ authorizations: Authorization[]; cursor: string | null }>
}

export interface AuthorizationRequest {
  readonly paymentId: string
  readonly instrumentId: string
  readonly cardId: string
  /** Smallest units of `currency`, more than zero. */
  readonly amount: bigint
  readonly currency: string
  readonly payee: Payee
  /** Milliseconds since the epoch. Later than that it must be declined. */
  readonly validUntil: number
}

/**
 * The merchants' side: what reaches the issuer through the card network. Real issuers offer it for tests only (Stripe:
 * `testHelpers.issuing.authorizations` and `.transactions`), and give no refunds: merchants do.
 *
 * Every verb is idempotent by payment id and `messageId`, and only says that the message was taken: what became of it is
 * the issuer's to say. Amounts are smallest units of the payment's currency, more than zero.
 *
 * @throws Error for the same id with other content, a payment that is not known, or a message that the state of the
 * payment does not allow. Nothing was changed then.
 */
export interface CardNetwork {
  authorize(request: AuthorizationRequest): Promise<void>
  /** Takes at most what is left of the hold. `close` gives the rest of it back. */
  capture(paymentId: string, messageId: string, amount: bigint, close: boolean): Promise<void>
  /** Gives back at most what is left of the hold. */
  reverse(paymentId: string, messageId: string, amount: bigint): Promise<void>
  /** Gives back at most what was captured and not yet refunded. */
  refund(paymentId: string, messageId: string, amount: bigint): Promise<void>
  /** Takes money that no hold covers: a tip, or a capture after the hold ended. The issuer's controls do not apply. */
  forcePost(paymentId: string, messageId: string, amount: bigint): Promise<void>
}
