import type { Fact } from './event.ts'
import type { LimitUse, Spender } from './limit.ts'
import type {
  Accounts,
  Agent,
  Answer,
  Approval,
  Broadcast,
  CounterKey,
  Credential,
  Deposit,
  Instance,
  Instrument,
  Invitation,
  Limit,
  Passkey,
  Payment,
  Purchase,
  Relayer,
  Request,
  Scan,
  Scope,
  Text,
  Transfer,
  Wallet,
} from './types.ts'

/**
 * What a step must read. A payment brings its instrument, a request or an instrument its wallet, a wallet its balances
 * and limits; an approval comes with the request or payment that it is about.
 */
export interface Key {
  readonly agentId?: string
  /** With those that minted it; taken from the payment where `paymentId` is given. */
  readonly credentialId?: string
  /** With `credentialId`: how many others it has minted that live. */
  readonly minting?: true
  readonly passkeyId?: string
  readonly codeHash?: string
  readonly walletId?: string
  readonly requestId?: string
  readonly instrumentId?: string
  readonly paymentId?: string
  readonly limitId?: string
  /** Whose counters to read; taken from the payment where `paymentId` is given. Wallet and instrument are filled in. */
  readonly spender?: Omit<Spender, 'walletId' | 'instrumentId'>
  /** An earlier payment that may be the same purchase. */
  readonly same?: {
    readonly agentId: string
    readonly fingerprint: string
    readonly idempotencyKey: string | null
    /** How old an ended one may be. One that is still open is the same purchase however old it is. */
    readonly withinMs: number
    /**
     * For a purchase on the web: by key or not, it is the same while nothing was delivered, or nothing was when the call
     * began; a paid one for so long.
     */
    readonly undelivered?: { readonly withinMs: number; readonly began: number }
  }
  /** Whose fees and transaction counts to read: CAIP-10. With `relayerNonce`, what was sent from that one on. */
  readonly relayer?: string
  readonly relayerNonce?: number
  /** What may have been credited already. */
  readonly deposit?: { readonly txHash: string; readonly position: number }
  /** What the agent asks humans for already, and whether the same ask waits, or was denied. */
  readonly asking?: Ask
  /** What was spent in a window so far, by scope value: what a new limit starts from. */
  readonly usage?: { readonly scope: Scope; readonly window: Limit['window'] }
}

/** An ask as humans see it: a request by its terms; a payment by who is to be paid how much of whose money. */
export type Ask =
  | { readonly agentId: string; readonly fingerprint: string }
  | { readonly agentId: string; readonly walletId: string; readonly payeeKey: string; readonly amount: bigint }

export interface Usage {
  readonly key: Omit<CounterKey, 'limitId'>
  readonly amount: bigint
  readonly forced: bigint
  readonly count: number
}

/** Where a relayer stands. */
export interface Lane {
  readonly relayer: Relayer
  /** One more than the highest transaction count that was handed out; 0 when none was. */
  readonly nextNonce: number
  /** The first from the one that was asked for on, or from 0, that was not handed out. */
  readonly freeNonce: number
  /** UTC, YYYY-MM-DD. */
  readonly today: string
  /** What today's transactions cost or may still cost, in gwei. */
  readonly feesToday: bigint
  /** What was sent under the nonce that was asked for. */
  readonly atNonce: readonly Broadcast[]
}

/** What an agent asks humans for. */
export interface Asking {
  /** Requests and payments that wait for a human. */
  readonly waiting: number
  /** Of the last hour, those that were taken back before anybody answered. */
  readonly takenBack: number
  /** A pending request for the same. */
  readonly same: string | null
  /** When the same was denied last by a human, and how often within a day; null: never. */
  readonly denied: { readonly at: number; readonly times: number } | null
}

/** Everything that a decision may look at, read at one moment under the write lock. What was not asked for is null. */
export interface Snapshot {
  /** Milliseconds since the epoch: the moment of the decision and of all its events. */
  readonly now: number
  readonly instance: Instance
  readonly agent: Agent | null
  /** The one that was asked for, then what minted it, up to one that the owner gave. */
  readonly credentials: readonly Credential[]
  /** How many live ones the first of them has minted. */
  readonly minted: number
  readonly passkey: Passkey | null
  readonly invitation: Invitation | null
  readonly wallet: Wallet | null
  readonly accounts: Accounts | null
  readonly limits: readonly LimitUse[]
  readonly request: Request | null
  readonly instrument: Instrument | null
  readonly payment: Payment | null
  /** Whether other payments of the instrument still hold money. */
  readonly othersOpen: boolean
  readonly approval: Approval | null
  /** The owners who said yes so far, where two have to. */
  readonly answers: readonly Answer[]
  readonly asking: Asking
  readonly limit: Limit | null
  readonly prior: Payment | null
  /** What was signed for the payment, and sent; for payments from a wallet on a chain. */
  readonly transfer: Transfer | null
  /** What the payment buys on the web; with `transfer`. */
  readonly purchase: Purchase | null
  readonly broadcasts: readonly Broadcast[]
  /** Null for a relayer that has no limit yet: nothing is sent by it. */
  readonly lane: Lane | null
  readonly deposit: Deposit | null
  /** How far the wallet's chain was read; with `deposit`. */
  readonly scan: Scan | null
  /** An account that the wallet has paid and that looks like the payee, which it has not; CAIP-10. */
  readonly lookAlike: string | null
  readonly usage: readonly Usage[]
}

/** What a step does: the facts it states, the texts they refer to, and the answer for the caller. No facts: nothing is written. */
export interface Change<R> {
  readonly facts: readonly Fact[]
  readonly texts?: readonly Text[]
  readonly result: R
}
