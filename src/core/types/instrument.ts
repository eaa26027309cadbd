import type { Refusal } from './payment.ts'

export type InstrumentType = 'virtual_card' | 'usdc'

/** What a payment must satisfy. An empty list allows nothing; an absent one does not restrict. */
export interface Constraints {
  /** ISO 18245 four-digit codes. */
  readonly merchantCategories?: readonly string[]
  /** Payee names, compared as {@link payeeKey} does. */
  readonly payees?: readonly string[]
  readonly origins?: readonly string[]
  /** CAIP-10. */
  readonly addresses?: readonly string[]
  /** CAIP-2. */
  readonly networks?: readonly string[]
  readonly protocols?: readonly string[]
  /** ISO 3166-1 alpha-2. */
  readonly countries?: readonly string[]
}

/** What an agent asked for. Never changes once submitted. */
export interface Terms {
  readonly type: InstrumentType
  readonly amount: bigint
  readonly usageLimit: number | null
  readonly perPaymentMax: bigint | null
  /** How long the instrument lives, counted from its approval. */
  readonly expiresInMs: number
  readonly constraints: Constraints
}

export interface Request extends Terms {
  readonly id: string
  readonly walletId: string
  readonly agentId: string
  readonly sessionId: string
  readonly taskId: string | null
  readonly currency: string
  /** Digest of the agent's own words in `texts`. */
  readonly purposeRef: string
  /** Digest of agent, wallet and terms: the same ask again, whatever its words. Empty for one of an earlier version. */
  readonly fingerprint: string
  readonly status: 'pending' | 'approved' | 'denied' | 'expired' | 'canceled'
  readonly refusal: Refusal | null
  readonly instrumentId: string | null
  readonly createdAt: number
}

/** What a rail holds an instrument to be. */
export type RailStatus = 'active' | 'frozen' | 'closed'

export interface Instrument {
  readonly id: string
  readonly requestId: string
  readonly walletId: string
  readonly agentId: string
  readonly type: InstrumentType
  readonly amount: bigint
  readonly remaining: bigint
  readonly usageLimit: number | null
  readonly usageConsumed: number
  readonly perPaymentMax: bigint | null
  readonly constraints: Constraints
  readonly expiresAt: number
  readonly status: 'active' | 'frozen' | 'limit_reached' | 'expired' | 'revoked' | 'returned'
  /** The rail's own name for it, and what may be shown of it (`•••• 4242`). Null until provisioned. */
  readonly railRef: string | null
  readonly display: string | null
  /** What the rail was last told and confirmed; null until provisioned. */
  readonly railStatus: RailStatus | null
  readonly createdAt: number
}
