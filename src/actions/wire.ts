import type { WireConstraints } from '../core/event.ts'
import type { AgentScope, Payee, Payment, Request } from '../core/types.ts'

/**
 * The shapes in which agents and owners read what bursar keeps. Amounts are decimal strings beside their `currency`,
 * times RFC 3339 UTC, ids typed. These are the contract of the tools, of `--json` and of HTTP.
 */

/** Who calls: named by the owner and by bursar, never by the agent itself. */
export interface Caller {
  readonly agentId: string
  readonly sessionId: string
  /** The credential that it came with; null: the agent of embedded mode, which needs none. Looked at anew in every step. */
  readonly credentialId: string | null
  /** What the access token that it came with makes of its credential; absent: all of it. */
  readonly narrowed?: { readonly scopes: readonly AgentScope[]; readonly until: number | null }
  /** Who acts for whom, as the token says (RFC 8693, §4.1), the one that acts first. For the journal alone; absent: nobody. */
  readonly actors?: readonly string[]
}

export interface RefusalView {
  readonly code: string
  readonly rule: string
  readonly message: string
  /** What to do next. */
  readonly hint: string
}

export interface ApprovalView {
  readonly approval_id: string
  /** The weakest assurance that is enough: `host`, `operator`, `passkey`. */
  readonly needs: string
  /** How it was asked last and what came of it; null while nobody was asked. */
  readonly asked: string | null
  readonly expires_at: string
  /** What the user can run to decide. */
  readonly command: string
  /** Where the user can decide, after signing in; where there is a console. */
  readonly url?: string
}

export interface InstrumentView {
  readonly instrument_id: string
  readonly wallet_id: string
  readonly type: string
  readonly status: string
  /** `•••• 4242`; null until the rail has made it. */
  readonly display: string | null
  readonly amount: string
  readonly remaining_amount: string
  readonly currency: string
  readonly usage_limit: number | null
  readonly usage_consumed: number
  readonly per_payment_max: string | null
  readonly expires_at: string
  readonly constraints: WireConstraints
  /** Sandbox money is not real money. */
  readonly mode: 'sandbox' | 'live'
}

export interface RequestView {
  readonly request_id: string
  readonly status: Request['status']
  readonly wallet_id: string
  readonly agent_id: string
  readonly type: string
  readonly amount: string
  readonly currency: string
  readonly usage_limit: number | null
  readonly per_payment_max: string | null
  /** As asked: `30d`, `12h`, `45m`. */
  readonly expires_in: string
  readonly constraints: WireConstraints
  readonly purpose: string | null
  readonly task_id: string | null
  readonly created_at: string
  readonly instrument?: InstrumentView
  /** Why not, when it is not: a human's own words where there are any. */
  readonly reason?: string
  readonly refusal?: RefusalView
  readonly approval?: ApprovalView
}

export interface PaymentView {
  readonly payment_id: string
  readonly status: Payment['status']
  readonly amount: string | null
  readonly currency: string | null
  readonly payee: Omit<Payee, 'category'> & { readonly merchant_category?: string; readonly category_name?: string }
  readonly purpose: string | null
  readonly protocol: string
  readonly task_id: string | null
  readonly session_id: string
  readonly agent_id: string
  readonly captured_amount: string | null
  readonly refunded_amount: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly instrument?: InstrumentView
  /** Why not, when it is not: a human's own words where there are any. */
  readonly reason?: string
  readonly refusal?: RefusalView
  readonly approval?: ApprovalView
  readonly receipt?: Receipt
  readonly resource?: ResourceView
  /** True when an earlier payment for the same purchase is the answer; nothing was paid again. */
  readonly replayed?: boolean
}

/** What a payment by x402 buys. */
export interface ResourceView {
  readonly method: string
  /** As the agent asked for it. The seller may have redirected: `payee.origin` is who really sold it. */
  readonly url: string
  /** Whether the seller has answered the payment with what was asked for. */
  readonly delivered: boolean
  /** The HTTP status of its last answer to the payment; null while there is none. */
  readonly http_status: number | null
}

/** What a seller answered, as data: `body` is the seller's own, never instructions. */
export interface AnswerView {
  readonly status: number
  /** Null for a type that has no use here: it might be words. */
  readonly content_type: string | null
  /** Text; bytes as base64 where `encoding` says so. */
  readonly body: string
  readonly encoding?: 'base64'
  /** The body went on: it is cut at {@link BODY_MAX} characters, or where the connection was ended. */
  readonly truncated?: true
}

/** What a seller wants for a resource. */
export interface PriceView {
  readonly amount: string
  readonly currency: string
  readonly payee: Payee
  readonly protocol: 'x402'
  /** The seller's own description. Untrusted. */
  readonly seller_says?: string
}

/**
 * What came of a fetch: the answer, where it needed no payment or was paid for; the price, where that was all that was asked
 * for; or the payment, where there is nothing to show for it.
 */
export interface FetchView {
  readonly answer?: AnswerView
  readonly price?: PriceView
  readonly payment?: PaymentView
  readonly refusal?: RefusalView
}

/** What proves that a payment is in the journal: check it against a checkpoint with `bursar journal verify`. */
export interface Receipt {
  readonly rail_ref: string
  readonly journal: string
  readonly seq: number
  /** C2SP signed note over the journal at the time of reading. */
  readonly checkpoint: string
}

export interface LimitView {
  readonly limit_id: string
  readonly scope: string
  readonly scope_value: string | null
  readonly window: string
  readonly over: 'deny' | 'ask'
  readonly max_amount: string | null
  readonly max_count: number | null
  /** What is left now; for a limit per payee or category, before anything was spent there. */
  readonly remaining_amount: string | null
  readonly remaining_count: number | null
}

export interface WalletView {
  readonly wallet_id: string
  readonly name: string
  readonly mode: 'sandbox' | 'live'
  readonly status: string
  readonly currency: string
  readonly available_amount: string
  readonly held_amount: string
  readonly time_zone: string
  /** On a chain: CAIP-19 of the token, and CAIP-10 of the account into which deposits go. */
  readonly asset?: string
  readonly account?: string
  /** For the owner, on a chain: who pays the fees, and when a transfer or deposit counts, by amount. */
  readonly relayer?: RelayerView
  readonly confirmations?: readonly { readonly up_to: string | null; readonly at: string }[]
  /** For the owner, on a chain: what purchases on the web may do beyond what they always may. */
  readonly allows?: readonly string[]
  /** For the owner: which assurance an approval needs, by amount; `up_to` null: any. `owners`: of how many different owners. */
  readonly approvals?: readonly { readonly up_to: string | null; readonly assurance: string; readonly owners?: 2 }[]
  readonly limits: readonly LimitView[]
}

/** Who pays a network's fees. Amounts are whole coins of the network, with nine decimals. */
export interface RelayerView {
  /** CAIP-10. */
  readonly relayer: string
  readonly daily_max: string
  /** What was spent today (UTC), and what transactions that are under way may still cost. */
  readonly spent_today: string
  readonly held_today: string
}

export interface BudgetView {
  readonly wallets: readonly WalletView[]
  readonly instruments: readonly InstrumentView[]
}

export interface PaymentList {
  readonly payments: readonly PaymentView[]
  readonly next_cursor?: string
}

export interface CancelView {
  readonly id: string
  readonly status: string
  /** What the agent no longer has: allowance of an instrument, or nothing. */
  readonly given_back: { readonly amount: string; readonly currency: string; readonly uses: number | null } | null
}

/** A question to a human, from the store: the facts, and apart from them the agent's own words. */
export interface Question {
  readonly subject_id: string
  readonly approval_id: string
  /** SHA-256 of the canonical terms, hex: what an answer is bound to. */
  readonly digest: string
  readonly needs: string
  /** How many different owners have to say yes. */
  readonly owners: number
  readonly waiting: boolean
  readonly expires_at: string
  /** Label and value, in the order in which a human should read them. */
  readonly facts: readonly (readonly [string, string])[]
  /** What the agent says it is for. Untrusted: show it last, quoted, as the agent's. */
  readonly words: string
}
