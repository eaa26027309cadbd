import type { InstrumentView, PaymentView, Question, RequestView, WalletView } from '../actions/wire.ts'
import type { Narrowing } from '../core/approval.ts'

export type * from '../actions/wire.ts'

/** The shapes of `/console/api`, and those of REST that the console alone reads. */

export interface Owner {
  readonly owner_id: string
  readonly name: string
}

export interface Session {
  readonly signed_in: boolean
  readonly owner?: Owner
  readonly csrf: string
  /** Nobody has a passkey yet. */
  readonly needs_enrolment: boolean
  readonly version: string
  readonly origin: string
}

/** What waits for a human. */
export interface InboxItem {
  readonly question: Question
  readonly kind: 'request' | 'payment'
  readonly view: RequestView | PaymentView
  readonly agent: { readonly agent_id: string; readonly name: string }
  /** How often this payee was paid; null for a request, which may pay many. */
  readonly paid_before: number | null
  readonly wallet: Pick<WalletView, 'wallet_id' | 'name' | 'available_amount' | 'currency'>
  readonly left_after: string | null
  /** Where two owners must say yes: who said it first, and to what. */
  readonly first_yes?: { readonly owner_id: string; readonly name: string; readonly narrowed: Narrowing }
}

export interface Decided {
  readonly view: RequestView | PaymentView
  readonly warning?: string
  readonly waiting_for_second?: true
}

export interface PasskeyView {
  readonly passkey_id: string
  readonly name: string
  readonly created_at: string
  /** Whether it can leave its device. */
  readonly synced: boolean
  readonly owner_id: string
  /** The owner's name. */
  readonly owner: string
}

export interface AgentView {
  readonly agent_id: string
  readonly name: string
  readonly status: string
  readonly has_key: boolean
  readonly created_at: string
}

export interface CredentialView {
  readonly credential_id: string
  readonly parent_id: string | null
  readonly scopes: readonly string[]
  readonly instruments: readonly string[] | null
  readonly max_amount: string | null
  readonly currency: string | null
  readonly label: string | null
  readonly created_at: string
  readonly expires_at: string | null
  readonly status: string
}

export interface Share {
  readonly id?: string
  readonly name: string
  readonly amount: string
  readonly count: number
}

export interface Spending {
  readonly currency: string
  readonly days: number
  readonly by_day: readonly { readonly day: string; readonly amount: string; readonly count: number }[]
  readonly by_agent: readonly Share[]
  readonly by_payee: readonly Share[]
  readonly by_protocol: readonly Share[]
}

/** As the journal keeps it; which fields there are depends on `type`. */
export interface EventView {
  readonly seq: number
  readonly ts: string
  readonly type: string
  readonly journal: string
  readonly actor: { readonly role: string; readonly id: string }
  readonly rule?: string
  readonly amount?: string
  readonly currency?: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface PaymentProof {
  readonly event: string
  readonly proof: string
  readonly vkey: string
}

export type { InstrumentView, Narrowing, PaymentView, RequestView, WalletView }
