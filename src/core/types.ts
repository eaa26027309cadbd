/**
 * The plain facts that bursar keeps. Each interface is one table's row and what its events rebuild.
 * Amounts are `bigint` units of the wallet's asset, times are milliseconds since the epoch (UTC), ids are typed strings.
 */

export type Role = 'human' | 'agent' | 'system'

/** Who did it. `id` is an owner, agent or process id that bursar or the owner gave, never what an agent said. */
export interface Actor {
  readonly role: Role
  readonly id: string
}

/** How sure bursar is that a human answered, weakest first. */
export const ASSURANCES = ['none', 'host', 'operator', 'passkey'] as const
export type Assurance = (typeof ASSURANCES)[number]

/** Up to this amount (null: any), an approval needs at least this assurance. Tiers are kept in rising order. */
export interface ApprovalTier {
  readonly upTo: bigint | null
  readonly assurance: Assurance
}

export interface Instance {
  readonly id: string
  readonly createdAt: number
  readonly frozen: boolean
}

export interface Owner {
  readonly id: string
  readonly name: string
  /** Ed25519 public key, base64 of the 32 raw bytes. */
  readonly publicKey: string
  readonly createdAt: number
}

export interface Agent {
  readonly id: string
  readonly name: string
  /** SHA-256 of the credential, hex. Null: the local agent of embedded mode, which has none. */
  readonly keyHash: string | null
  readonly status: 'active' | 'revoked'
  readonly createdAt: number
}

export interface Wallet {
  readonly id: string
  readonly name: string
  readonly ownerId: string
  /** The only agent that may use it; null for every agent of this instance. */
  readonly agentId: string | null
  readonly mode: 'sandbox' | 'live'
  readonly currency: string
  readonly decimals: number
  /** IANA time zone, in which its calendar windows begin. */
  readonly timeZone: string
  readonly status: 'active' | 'frozen'
  readonly approvals: readonly ApprovalTier[]
  readonly createdAt: number
}

/**
 * One wallet's balances. Their sum is zero at all times: `external` is minus what came in and has not gone out,
 * `overdrawn` is minus what a card network took beyond what was there.
 */
export interface Accounts {
  readonly walletId: string
  readonly available: bigint
  readonly held: bigint
  readonly external: bigint
  readonly overdrawn: bigint
}
export type Account = Exclude<keyof Accounts, 'walletId'>

/** One movement: `amount` leaves `debit` and arrives at `credit`. */
export interface Entry {
  readonly journal: string
  readonly seq: number
  readonly n: number
  readonly walletId: string
  readonly paymentId: string | null
  readonly kind: 'fund' | 'hold' | 'capture' | 'void' | 'refund' | 'forced'
  readonly debit: Account
  readonly credit: Account
  readonly amount: bigint
}

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
  readonly status: 'pending' | 'approved' | 'denied' | 'expired' | 'canceled'
  readonly refusal: Refusal | null
  readonly instrumentId: string | null
  readonly createdAt: number
}

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
  readonly createdAt: number
}

/** Who is paid. `category` is one ISO 18245 code. */
export interface Payee {
  readonly name?: string
  readonly category?: string
  readonly country?: string
  readonly address?: string
  readonly network?: string
}

/** Why a payment or request was not allowed: the code, and the rule that decided (`instrument.usage_limit`, a limit id). */
export interface Refusal {
  readonly code: import('./errors.ts').Code
  readonly rule: string
  readonly message: string
}

export type PaymentStatus =
  | 'refused'
  | 'awaiting_approval'
  | 'authorized'
  | 'in_doubt'
  | 'captured'
  | 'voided'
  | 'denied'
  | 'expired'
  | 'canceled'
  | 'partially_refunded'
  | 'refunded'

export interface Payment {
  readonly id: string
  /** Null, as `instrumentId` and `amount`, only for an attempt that names nothing of the agent's or no amount at all. */
  readonly walletId: string | null
  readonly instrumentId: string | null
  readonly agentId: string
  readonly sessionId: string
  readonly taskId: string | null
  readonly protocol: string
  readonly status: PaymentStatus
  readonly amount: bigint | null
  readonly held: bigint
  readonly captured: bigint
  readonly refunded: bigint
  /** Taken by the network beyond the hold; part of `captured`. */
  readonly forced: bigint
  readonly payee: Payee
  readonly payeeKey: string
  readonly purposeRef: string
  readonly fingerprint: string
  readonly idempotencyKey: string | null
  readonly refusal: Refusal | null
  /** The counters that this payment was added to, so that the same are given back. */
  readonly counted: readonly CounterKey[]
  /** After this, the rail must refuse to begin it. */
  readonly validUntil: number
  readonly railRef: string | null
  readonly createdAt: number
  readonly authorizedAt: number | null
  readonly updatedAt: number
  /** The place of its last event in its journal. */
  readonly seq: number
}

export const SCOPES = ['wallet', 'agent', 'instrument', 'session', 'payee', 'category', 'protocol'] as const
export type Scope = (typeof SCOPES)[number]
export const WINDOWS = ['payment', 'session', 'hour', 'day', 'week', 'month', 'total'] as const
export type Window = (typeof WINDOWS)[number]

export interface Limit {
  readonly id: string
  readonly walletId: string
  readonly scope: Scope
  /** One agent, payee, … only; null: each by itself. */
  readonly scopeValue: string | null
  readonly window: Window
  readonly maxAmount: bigint | null
  readonly maxCount: number | null
  readonly over: 'deny' | 'ask'
  readonly createdAt: number
  readonly removedAt: number | null
}

export interface CounterKey {
  readonly limitId: string
  readonly scopeValue: string
  readonly windowKey: string
}

/** What one limit has let through in one window. Holds count. */
export interface Counter extends CounterKey {
  readonly amount: bigint
  readonly count: number
  /** Taken by the network over the hold: counted when deciding, never refused by the database. */
  readonly forced: bigint
}

/** The question to a human about one request or payment, and the answer. */
export interface Approval {
  readonly id: string
  /** A `req_` or `pay_` id. */
  readonly subjectId: string
  readonly walletId: string
  /** SHA-256 of the canonical terms, hex: what the answer is bound to. */
  readonly digest: string
  readonly needs: Assurance
  readonly status: 'waiting' | 'approved' | 'denied' | 'expired' | 'canceled'
  /** How it was asked last, and what came of it: `form`, `no_channel`, `timed_out`, … */
  readonly asked: string | null
  readonly assurance: Assurance | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly answeredAt: number | null
}

/** How far a rail's own books have been read. */
export interface RailCursor {
  readonly id: InstrumentType
  readonly cursor: string
}

/** Large or personal text, apart from the journal so that it can be erased. */
export interface Text {
  /** SHA-256 of salt and text, hex. */
  readonly digest: string
  readonly salt: string
  readonly text: string
}
