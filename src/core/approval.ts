import { digestOf } from './canonical.ts'
import type { WireApproval, WireAssertion, WireConstraints } from './event.ts'
import { formatUnits } from './money.ts'
import { constraintsToWire } from './terms.ts'
import { rfc3339 } from './time.ts'
import type { Approval, ApprovalTier, Assurance, Payment, Request, Wallet } from './types.ts'
import { ASSURANCES } from './types.ts'

/** How long a question stays open; silence means no. */
export const REQUEST_APPROVAL_MS = 24 * 60 * 60 * 1000
export const PAYMENT_APPROVAL_MS = 15 * 60 * 1000

/** An approver may allow less than was asked, never more. */
export interface Narrowing {
  /** Decimal string. */
  readonly amount?: string
  readonly usage_limit?: number
  readonly per_payment_max?: string
  readonly expires_in_ms?: number
}

/**
 * The exact text that an owner's key signs for an `operator` approval, and a passkey for a `passkey` one, as canonical JSON.
 * Single use, since a question is answered once; good until `expires_at`; and it carries the journal's checkpoint, so that it also witnesses the journal.
 */
export interface Statement {
  readonly v: 1
  readonly type: 'bursar.approval'
  readonly decision: 'approve'
  readonly approval_id: string
  readonly subject_id: string
  readonly digest: string
  readonly narrowed: Narrowing
  readonly owner_id: string
  readonly expires_at: string
  readonly checkpoint: string
}

/**
 * A human's answer and how sure bursar is of it. Only `approvals/` makes one; actions check it against the stored terms.
 */
export interface HumanProof {
  readonly assurance: Assurance
  /** `cli`, `form`, `prompt`, `console`. */
  readonly channel: string
  readonly ownerId: string
  /** The digest of the terms that the human was shown. */
  readonly digest: string
  /** For `operator`: the canonical {@link Statement} and the owner's Ed25519 signature of it, base64. */
  readonly statement?: string
  readonly signature?: string
  /** For `passkey`: of the same canonical {@link Statement}. */
  readonly assertion?: WireAssertion
}

/** The terms of a request that a human decides on: everything that the instrument will be able to do. */
export function requestTerms(request: Request, wallet: Wallet): RequestTerms {
  return {
    kind: 'request',
    request_id: request.id,
    wallet_id: request.walletId,
    agent_id: request.agentId,
    type: request.type,
    amount: formatUnits(request.amount, wallet.decimals),
    currency: request.currency,
    usage_limit: request.usageLimit,
    per_payment_max: request.perPaymentMax === null ? null : formatUnits(request.perPaymentMax, wallet.decimals),
    expires_in_ms: request.expiresInMs,
    constraints: constraintsToWire(request.constraints),
  }
}
export interface RequestTerms {
  readonly kind: 'request'
  readonly request_id: string
  readonly wallet_id: string
  readonly agent_id: string
  readonly type: string
  readonly amount: string
  readonly currency: string
  readonly usage_limit: number | null
  readonly per_payment_max: string | null
  readonly expires_in_ms: number
  readonly constraints: WireConstraints
}

/** The terms of a payment that a human decides on. */
export function paymentTerms(payment: Payment, wallet: Wallet): PaymentTerms {
  return {
    kind: 'payment',
    payment_id: payment.id,
    wallet_id: wallet.id,
    agent_id: payment.agentId,
    instrument_id: payment.instrumentId as string,
    amount: formatUnits(payment.amount as bigint, wallet.decimals),
    currency: wallet.currency,
    protocol: payment.protocol,
    payee: payment.payee,
  }
}
export interface PaymentTerms {
  readonly kind: 'payment'
  readonly payment_id: string
  readonly wallet_id: string
  readonly agent_id: string
  readonly instrument_id: string
  readonly amount: string
  readonly currency: string
  readonly protocol: string
  readonly payee: Payment['payee']
}

/** What a yes is bound to: SHA-256 over the canonical terms, hex. One changed digit makes another digest. */
export function termsDigest(terms: RequestTerms | PaymentTerms): string {
  return digestOf(terms)
}

/** What a yes has to be. */
export interface Needed {
  readonly assurance: Assurance
  /** How many different owners have to give it. */
  readonly owners: 1 | 2
}

/** What the wallet's owner wants of a yes to this amount. No tier that covers it: the strongest there is. */
export function needed(approvals: readonly ApprovalTier[], amount: bigint): Needed {
  const tier = approvals.find(({ upTo }) => upTo === null || amount <= upTo)
  return tier ? { assurance: tier.assurance, owners: tier.owners ?? 1 } : { assurance: 'passkey', owners: 2 }
}

export function isEnough(given: Assurance, wanted: Assurance): boolean {
  return ASSURANCES.indexOf(given) >= ASSURANCES.indexOf(wanted)
}

/** The question as the journal opens it. */
export function question(id: string, digest: string, { assurance, owners }: Needed, expiresAt: number): WireApproval {
  return {
    ...{ approval_id: id, digest, needs: assurance, expires_at: rfc3339(expiresAt) },
    ...(owners === 2 && { owners }),
  }
}

export function isWaiting(approval: Approval | null, now: number): approval is Approval {
  return approval !== null && approval.status === 'waiting' && now < approval.expiresAt
}
