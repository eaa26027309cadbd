import type { Account, Confirmation, Entry } from './types.ts'

/** The terms of an instrument as the journal and the wire write them: amounts are decimal strings. */
export interface WireTerms {
  readonly type: 'virtual_card' | 'usdc'
  readonly amount: string
  readonly usage_limit: number | null
  readonly per_payment_max: string | null
  readonly expires_in_ms: number
  readonly constraints: WireConstraints
}

export interface WireConstraints {
  readonly merchant_categories?: readonly string[]
  readonly payees?: readonly string[]
  readonly origins?: readonly string[]
  readonly addresses?: readonly string[]
  readonly networks?: readonly string[]
  readonly protocols?: readonly string[]
  readonly countries?: readonly string[]
}

export interface WireCounter {
  readonly limit_id: string
  readonly scope_value: string
  readonly window_key: string
}

/** A question to a human, as it is opened. */
export interface WireApproval {
  readonly approval_id: string
  readonly digest: string
  readonly needs: 'none' | 'host' | 'operator' | 'passkey'
  readonly expires_at: string
}

/** How a human's answer is known. `statement` and `signature` are there for `operator` and can be checked by anyone. */
export interface WireProof {
  readonly approval_id: string
  readonly assurance: 'none' | 'host' | 'operator' | 'passkey'
  readonly channel: string
  readonly digest: string
  readonly reason_ref?: string
  readonly statement?: string
  readonly signature?: string
  readonly owner_id?: string
}

export interface WireMovement {
  readonly kind: Entry['kind']
  readonly debit: Account
  readonly credit: Account
  readonly amount: string
}

/** When a transfer or deposit counts; amounts are decimal strings. */
export type WireConfirmations = readonly { readonly up_to: string | null; readonly at: Confirmation }[]

/** Where on a chain it is to be seen that a transfer moved its money. */
export interface WireInclusion {
  readonly tx_hash: string
  readonly block: number
  readonly block_hash: string
  /** How much it moved, in smallest units, where that is the seller's to say (a permit of Permit2). */
  readonly value?: string
}

/** A finalized block past the end of an authorization or permit, which moved nothing up to it: it never will. */
export interface WireUnused {
  readonly block: number
  readonly block_hash: string
  /** Seconds since the epoch. */
  readonly timestamp: number
}

/** The instrument as approved: what was asked, or less. */
export interface WireInstrument {
  readonly instrument_id: string
  readonly type: 'virtual_card' | 'usdc'
  readonly amount: string
  readonly usage_limit: number | null
  readonly per_payment_max: string | null
  readonly constraints: WireConstraints
  readonly expires_at: string
}
