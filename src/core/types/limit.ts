export const SCOPES = ['wallet', 'agent', 'instrument', 'session', 'payee', 'category', 'protocol'] as const
export type Scope = (typeof SCOPES)[number]
export const WINDOWS = ['payment', 'session', 'hour', 'day', 'week', 'month', 'total'] as const
export type Window = (typeof WINDOWS)[number]

export interface Limit {
  readonly id: string
  readonly walletId: string
  readonly scope: Scope
  /** One agent, payee, … only; null: each by itself. */
  readonly scopeValue: string | null
  readonly window: Window
  readonly maxAmount: bigint | null
  readonly maxCount: number | null
  readonly over: 'deny' | 'ask'
  readonly createdAt: number
  readonly removedAt: number | null
}

export interface CounterKey {
  readonly limitId: string
  readonly scopeValue: string
  readonly windowKey: string
}

/** What one limit has let through in one window. Holds count. */
export interface Counter extends CounterKey {
  readonly amount: bigint
  readonly count: number
  /** Taken by the network over the hold: counted when deciding, never refused by the database. */
  readonly forced: bigint
}
