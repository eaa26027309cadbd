import type { ConfirmationTier } from './transfer.ts'

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
  /** Two different owners have to say yes, one of them the wallet's own; absent: one. */
  readonly owners?: 2
}

export interface Instance {
  readonly id: string
  readonly createdAt: number
  readonly frozen: boolean
}

export interface Owner {
  readonly id: string
  readonly name: string
  /** Ed25519 public key, base64 of the 32 raw bytes; `none:` and the id for an owner who has passkeys only. */
  readonly publicKey: string
  readonly createdAt: number
}

export interface Agent {
  readonly id: string
  readonly name: string
  /** SHA-256 of the newest key, hex. Null: the local agent of embedded mode, which needs no credential. */
  readonly keyHash: string | null
  readonly status: 'active' | 'revoked'
  readonly createdAt: number
}

/**
 * What a purchase on the web may only do where the owner says so: `loopback` asks servers on this machine, `upfront` pays
 * before the seller has anything ready, `upto` signs a maximum of which the seller takes what it likes, `v1` pays by version 1
 * of x402.
 */
export const ALLOWANCES = ['loopback', 'upfront', 'upto', 'v1'] as const
export type Allowance = (typeof ALLOWANCES)[number]

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
  /** CAIP-19 of the token; null for money on cards, and so are the next two. */
  readonly asset: string | null
  /** CAIP-10 of the wallet's own account. */
  readonly account: string | null
  /** CAIP-10 of the account that pays the network's fees. It may be the wallet's own. */
  readonly relayer: string | null
  /** When a transfer or deposit counts, by amount; empty for money on cards. */
  readonly confirmations: readonly ConfirmationTier[]
  /** What its owner allows beyond what is always allowed. */
  readonly allows: readonly Allowance[]
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
