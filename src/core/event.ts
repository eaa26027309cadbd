import type { Narrowing } from './approval.ts'
import type { IdentityDetails } from './event/identity.ts'
import type { JournalDetails } from './event/journal.ts'
import type { Actor, Allowance, Payee, RailStatus, Refusal } from './types.ts'
import type {
  WireApproval,
  WireConfirmations,
  WireCounter,
  WireInclusion,
  WireInstrument,
  WireMovement,
  WireProof,
  WireTerms,
  WireTiers,
  WireUnused,
} from './wire.ts'

export type * from './wire.ts'

export interface Details extends IdentityDetails, JournalDetails {
  'instance.created': { instance_id: string; version: string }
  'process.started': { version: string; surface: string }
  'process.stopped': { surface: string }
  /** A rail has a payment under an id that is not in these books, or a record of one that cannot be: look into it. */
  'rail.unexplained': { rail: 'virtual_card' | 'usdc'; payment_id: string }
  'rail.reconciled': { rail: 'virtual_card' | 'usdc'; cursor: string }
  'spending.frozen': { instance_id: string; reason?: string }
  'spending.unfrozen': { instance_id: string }
  'wallet.created': {
    name: string
    owner_id: string
    agent_id: string | null
    mode: 'sandbox' | 'live'
    currency: string
    decimals: number
    time_zone: string
    approvals: WireTiers
    chain?: { asset: string; account: string; relayer: string; confirmations: WireConfirmations }
  }
  'wallet.confirmations_changed': { confirmations: WireConfirmations }
  /** The books were compared with the chain as of one block. Up to `scanned` no deposit can come or go any more. */
  'wallet.reconciled': { block: number; block_hash: string; scanned: number; chain: string; books: string }
  /** All deposits up to this block are known: at first by the balance, later one by one. */
  'wallet.scanned': { block: number }
  'wallet.allowances_changed': { allows: readonly Allowance[] }
  'wallet.approvals_changed': { approvals: WireTiers }
  /** The owner took money out of the account without bursar, and says so. */
  'wallet.withdrawn': { movements: readonly WireMovement[] }
  'wallet.funded': {
    source: string
    movements: readonly WireMovement[]
    deposit?: { tx_hash: string; position: number; from: string; block: number }
  }
  'wallet.frozen': { reason?: string }
  'wallet.unfrozen': Record<string, never>
  'limit.set': {
    limit_id: string
    scope: string
    scope_value: string | null
    window: string
    max_amount: string | null
    max_count: number | null
    over: 'deny' | 'ask'
    carried: readonly (WireCounter & { amount: string; count: number; forced: string })[]
  }
  'limit.removed': { limit_id: string }
  'request.created': {
    terms: WireTerms
    purpose_ref: string
    fingerprint?: string
    approval?: WireApproval
    /** Who acted for whom, as the token said that the agent came with. */
    actors?: readonly string[]
  }
  /** `narrowed`: what the second of two owners agreed to, too. */
  'request.approved': { proof: WireProof; instrument: WireInstrument; narrowed?: Narrowing }
  'request.denied': { proof?: WireProof; refusal: Refusal }
  'request.expired': { approval_id?: string }
  'request.canceled': { approval_id?: string }
  'instrument.provisioned': { rail: string; rail_ref: string; display: string }
  'instrument.rail_told': { status: RailStatus }
  'instrument.frozen': { reason?: string }
  'instrument.unfrozen': Record<string, never>
  'instrument.revoked': Record<string, never>
  'instrument.returned': Record<string, never>
  'instrument.expired': Record<string, never>
  'instrument.limit_reached': Record<string, never>
  'payment.attempted': {
    protocol: string
    payee_key: string
    purpose_ref: string
    fingerprint: string
    idempotency_key: string | null
    valid_until: string
    /** The credential that it was asked for with, and those that minted it. */
    credentials?: readonly string[]
    /** As in `request.created`. */
    actors?: readonly string[]
    /** For a purchase on the web: the digest of its method and URL in `texts`. */
    resource_ref?: string
    /** EIP-55, where what is signed is a maximum: who alone may settle it. */
    facilitator?: string
    asked?: { instrument_id?: string; amount?: string }
  }
  'payment.refused': { refusal: Refusal }
  'payment.awaiting_approval': { approval: WireApproval; limit_id?: string; valid_until: string }
  'payment.authorized': {
    proof?: WireProof
    valid_until: string
    counted: readonly WireCounter[]
    charged?: readonly string[]
    movements: readonly WireMovement[]
  }
  'payment.denied': { proof?: WireProof; refusal: Refusal }
  'payment.expired': { approval_id?: string }
  'payment.canceled': { approval_id?: string }
  /** `unconfirmed`: it is on its way, and the chain does not yet stand behind it as far as the wallet asks. */
  'payment.in_doubt': { reason: 'no_answer' | 'unconfirmed' }
  /** It has been in doubt for an hour: somebody should look. */
  'payment.stuck': Record<string, never>
  'payment.captured': {
    rail_ref: string
    /** Whether nothing more will be captured: what is left of the hold is given back. */
    final: boolean
    /** Taken after all that was captured had been given back. */
    unrefunded?: true
    inclusion?: WireInclusion
    released: string
    forced: string
    counted: readonly WireCounter[]
    charged?: readonly string[]
    movements: readonly WireMovement[]
  }
  'payment.voided': {
    refusal?: Refusal
    rail_ref: string | null
    unused?: WireUnused
    counted: readonly WireCounter[]
    charged?: readonly string[]
    movements: readonly WireMovement[]
  }
  'payment.refund_asked': { refund_id: string }
  /**
   * `unused`: the chain took back what was captured, and it can never move again. `inclusion`: it moved less in the end than was
   * seen before a reorganization, and that is final.
   */
  'payment.refunded': {
    movements: readonly WireMovement[]
    full: boolean
    unused?: WireUnused
    inclusion?: WireInclusion
  }
  /** After a human's yes the seller was asked again: what it now wants, in smallest units, is what may be signed, and until when. */
  'purchase.quoted': { value: string; valid_until: string; facilitator?: string }
  /** The header that pays, before it left: `name: value`. */
  'purchase.prepared': { version: 1 | 2; flow: string; header: string }
  /** What came back; `http_status` null: no answer. What the seller says that it settled is a claim. */
  'purchase.answered': {
    http_status: number | null
    delivered: boolean
    claimed?: { success: boolean; transaction: string | null }
  }
  /**
   * The one EIP-3009 authorization of a payment, before it left; with a `facilitator`, its one permit of Permit2 for at most
   * `value`, which is in smallest units.
   */
  'transfer.signed': {
    asset: string
    from: string
    to: string
    value: string
    valid_after: '0'
    valid_before: number
    nonce: string
    signature: string
    from_block: number
    facilitator?: string
  }
  /** A transaction of a relayer, before it left. Fees are in gwei. Without a payment it only uses up its nonce. */
  'transfer.broadcast': {
    relayer: string
    relayer_nonce: number
    tx_hash: string
    raw: string
    max_fee: string
    day: string
  }
  /** The chain took one of a relayer's transactions with this nonce; what was held for the others is free. */
  'transfer.fee_paid': {
    relayer: string
    relayer_nonce: number
    transactions: readonly { tx_hash: string; day: string; max_fee: string; fee: string }[]
  }
  /** No reorganization can change any more how the transfer ended. */
  'transfer.finalized': { inclusion: WireInclusion }
  'relayer.limited': { relayer: string; daily_max: string }
  'approval.asked': { approval_id: string; channel: string }
  /** The first of two owners said yes. */
  'approval.seconded': { proof: WireProof; narrowed: Narrowing }
  'approval.unanswered': { approval_id: string; channel: string; outcome: Unanswered }
}

/** Why an ask brought no answer. Each is a different fact; none of them is a no by a human. */
export type Unanswered = 'no_channel' | 'timed_out' | 'declined_by_host' | 'dismissed'

export type EventType = keyof Details
export type EventOf<T extends EventType> = Extract<JournalEvent, { type: T }>

interface Subjects {
  readonly actor: Actor
  readonly session_id?: string
  readonly task_id?: string
  readonly wallet_id?: string
  readonly agent_id?: string
  readonly request_id?: string
  readonly instrument_id?: string
  readonly payment_id?: string
  /** Decimal string with all decimals of `currency`. */
  readonly amount?: string
  readonly currency?: string
  readonly payee?: Payee
  /** The rule that decided: a limit's id, `instrument.usage_limit`, … */
  readonly rule?: string
}

/** One thing that happened, as an action states it, before the journal numbers and dates it. */
export type Fact = {
  [T in EventType]: Subjects & { readonly type: T; readonly details: Details[T] }
}[EventType]

/** A fact in its place in one journal. Its canonical JSON (RFC 8785) is what is hashed. */
export type JournalEvent = Fact & {
  readonly v: 1
  /** A wallet's id, or `instance`. */
  readonly journal: string
  /** From 0, without gaps. */
  readonly seq: number
  /** RFC 3339, UTC, milliseconds. */
  readonly ts: string
}

export const INSTANCE_JOURNAL = 'instance'

/** A fact about a wallet goes into that wallet's journal, so that wallets do not wait for each other. */
export function journalOf(fact: Fact): string {
  return fact.wallet_id ?? INSTANCE_JOURNAL
}
