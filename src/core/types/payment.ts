import type { Code } from '../errors.ts'
import type { CounterKey } from './limit.ts'

/**
 * Who is paid: a merchant, or an account on a chain. `category` is one ISO 18245 code, `address` EIP-55, `network` CAIP-2.
 * `origin` is the web origin (RFC 6454) that was really contacted and asked for the money.
 */
export interface Payee {
  readonly name?: string
  readonly category?: string
  readonly country?: string
  readonly address?: string
  readonly network?: string
  readonly origin?: string
}

/** Why a payment or request was not allowed: the code, and the rule that decided (`instrument.usage_limit`, a limit id). */
export interface Refusal {
  readonly code: Code
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

export interface RefundAsked {
  readonly id: string
  /** Decimal string. */
  readonly amount: string
}

export interface Payment {
  readonly id: string
  /** Null, as `instrumentId` and `amount`, only for an attempt that names nothing of the agent's or no amount at all. */
  readonly walletId: string | null
  readonly instrumentId: string | null
  readonly agentId: string
  /** The credential that it was asked for with, and those that minted it; empty for the agent of embedded mode. */
  readonly credentials: readonly string[]
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
  /** A refund that the rail was asked for and has not confirmed: asking again is asking for the same one. */
  readonly refundAsked: RefundAsked | null
  readonly createdAt: number
  readonly authorizedAt: number | null
  readonly updatedAt: number
  /** The place of its last event in its journal. */
  readonly seq: number
}
