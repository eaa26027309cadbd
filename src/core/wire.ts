import type { Account, AgentScope, Confirmation, Entry } from './types.ts'

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
  /** Two different owners have to say yes. */
  readonly owners?: 2
}

/**
 * How a human's answer is known. `statement` and `signature` are there for `operator`, `statement` and `assertion` for `passkey`:
 * both can be checked by anyone.
 */
export interface WireProof {
  readonly approval_id: string
  readonly assurance: 'none' | 'host' | 'operator' | 'passkey'
  readonly channel: string
  readonly digest: string
  readonly reason_ref?: string
  readonly statement?: string
  readonly signature?: string
  readonly assertion?: WireAssertion
  readonly owner_id?: string
  /** It is one of the two that the question needs. */
  readonly owners?: 2
}

/** A WebAuthn assertion (Level 3, §6.3.3), each part base64url. Its challenge is the hash of the statement beside it. */
export interface WireAssertion {
  readonly passkey_id: string
  readonly authenticator_data: string
  readonly client_data_json: string
  readonly signature: string
}

export interface WirePasskey {
  readonly passkey_id: string
  readonly public_key: string
  readonly rp_id: string
  readonly origin: string
  readonly name: string
  readonly synced: boolean
  readonly transports: readonly string[]
}

/** A credential as it is made. */
export interface WireCredential {
  readonly credential_id: string
  readonly parent_id: string | null
  readonly key_hash: string | null
  readonly token: {
    readonly issuer: string
    readonly subject: string
    readonly audience: string
    readonly jwks_uri: string
  } | null
  readonly scopes: readonly AgentScope[]
  readonly instruments: readonly string[] | null
  /** Decimal string with all decimals of `currency`. */
  readonly max_amount: string | null
  readonly currency: string | null
  readonly label: string | null
  readonly expires_at: string | null
}

/** Which assurance an approval needs, by amount (decimal string; null: any). */
export type WireTiers = readonly {
  readonly up_to: string | null
  readonly assurance: WireProof['assurance']
  readonly owners?: 2
}[]

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
