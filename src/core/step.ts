import type { Fact } from './event.ts'
import type { LimitUse, Spender } from './limit.ts'
import type {
  Accounts,
  Agent,
  Approval,
  CounterKey,
  Instance,
  Instrument,
  Limit,
  Payment,
  Request,
  Scope,
  Text,
  Wallet,
} from './types.ts'

/**
 * What a step must read. A payment brings its instrument, a request or an instrument its wallet, a wallet its balances
 * and limits; an approval comes with the request or payment that it is about.
 */
export interface Key {
  readonly agentId?: string
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
  }
  /** What was spent in a window so far, by scope value: what a new limit starts from. */
  readonly usage?: { readonly scope: Scope; readonly window: Limit['window'] }
}

export interface Usage {
  readonly key: Omit<CounterKey, 'limitId'>
  readonly amount: bigint
  readonly forced: bigint
  readonly count: number
}

/** Everything that a decision may look at, read at one moment under the write lock. What was not asked for is null. */
export interface Snapshot {
  /** Milliseconds since the epoch: the moment of the decision and of all its events. */
  readonly now: number
  readonly instance: Instance
  readonly agent: Agent | null
  readonly wallet: Wallet | null
  readonly accounts: Accounts | null
  readonly limits: readonly LimitUse[]
  readonly request: Request | null
  readonly instrument: Instrument | null
  readonly payment: Payment | null
  /** How many other payments of the instrument still hold money. */
  readonly openPayments: number
  readonly approval: Approval | null
  readonly limit: Limit | null
  readonly prior: Payment | null
  readonly usage: readonly Usage[]
}

/** What a step does: the facts it states, the texts they refer to, and the answer for the caller. No facts: nothing is written. */
export interface Change<R> {
  readonly facts: readonly Fact[]
  readonly texts?: readonly Text[]
  readonly result: R
}
