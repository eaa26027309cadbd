import { windowKey } from './calendar.ts'
import type { Counter, CounterKey, Limit, Scope, Window } from './types.ts'
import { SCOPES, WINDOWS } from './types.ts'

/** Who spends on what: the values by which limits are keyed. None of them is an agent's own word but the payee. */
export interface Spender {
  readonly walletId: string
  readonly agentId: string
  readonly instrumentId: string
  readonly sessionId: string
  readonly payeeKey: string
  /** The web origin that asks for the money: it counts as a payee, too. */
  readonly origin: string | null
  readonly category: string | null
  readonly protocol: string
}

/** A limit with what its current window has let through already. */
export interface LimitUse {
  readonly limit: Limit
  /** Null where nothing is counted: the limit looks at one payment by itself. */
  readonly key: CounterKey | null
  readonly used: { readonly amount: bigint; readonly count: number }
}

/**
 * The values of a scope for this spender. A payment without a category counts under `none`. Who is paid on the web is paid
 * twice over, as an account and as an origin: neither another account nor another origin gives a payee new room.
 */
function scopeValues(scope: Scope, spender: Spender): readonly string[] {
  switch (scope) {
    case 'wallet':
      return [spender.walletId]
    case 'agent':
      return [spender.agentId]
    case 'instrument':
      return [spender.instrumentId]
    case 'session':
      return [spender.sessionId]
    case 'payee':
      return spender.origin === null ? [spender.payeeKey] : [spender.payeeKey, spender.origin]
    case 'category':
      return [spender.category ?? 'none']
    case 'protocol':
      return [spender.protocol]
  }
}

/** The values that the limit counts this spender under: none where it does not look at it at all. */
export function valuesOf(limit: Limit, spender: Spender): readonly string[] {
  const values = scopeValues(limit.scope, spender)
  return limit.scopeValue === null ? values : values.filter((value) => value === limit.scopeValue)
}

/** The counter row of a limit under a value now, or null for the `payment` window. */
export function counterKey(
  limit: Limit,
  scopeValue: string,
  sessionId: string,
  now: number,
  timeZone: string,
): CounterKey | null {
  if (limit.window === 'payment') return null
  return { limitId: limit.id, scopeValue, windowKey: windowKey(limit.window, now, timeZone, sessionId) }
}

export function limitUse(limit: Limit, key: CounterKey | null, counter: Counter | undefined): LimitUse {
  const used = counter ? { amount: counter.amount + counter.forced, count: counter.count } : { amount: 0n, count: 0 }
  return { limit, key, used }
}

/** Whether one more payment of `amount` would go over. */
export function isOver(use: LimitUse, amount: bigint): boolean {
  const { maxAmount, maxCount } = use.limit
  if (maxAmount !== null && use.used.amount + amount > maxAmount) return true
  return maxCount !== null && use.used.count + 1 > maxCount
}

/** The documented order in which limits are tried: by scope, then window, then age. The first that is over is reported. */
export function inOrder(uses: readonly LimitUse[]): readonly LimitUse[] {
  return [...uses].sort(
    (a, b) =>
      SCOPES.indexOf(a.limit.scope) - SCOPES.indexOf(b.limit.scope) ||
      WINDOWS.indexOf(a.limit.window) - WINDOWS.indexOf(b.limit.window) ||
      (a.limit.id < b.limit.id ? -1 : 1),
  )
}

/** A wallet pays only while it has a limit that denies over each of these windows. */
const REQUIRED: readonly Window[] = ['payment', 'session', 'day']

/** Scopes that bound what is spent in all. One per payee, category, … has room again for each other one. */
const GUARDING: readonly Scope[] = ['wallet', 'agent', 'session']

/** The windows for which a denying amount limit over the whole wallet, agent or session is missing. */
export function missingWindows(limits: readonly Limit[]): readonly Window[] {
  const guards = limits.filter(
    ({ over, maxAmount, scope, scopeValue }) =>
      over === 'deny' && maxAmount !== null && scopeValue === null && GUARDING.includes(scope),
  )
  return REQUIRED.filter((window) => !guards.some((limit) => limit.window === window))
}

export type LimitRule = Pick<Limit, 'scope' | 'scopeValue' | 'window' | 'maxAmount' | 'maxCount' | 'over'>

/** What every wallet is born with, in whole units of its currency (500 is 500.00 USD, 500 JPY). */
export function defaultRules(decimals: number): readonly LimitRule[] {
  const whole = (amount: bigint): bigint => amount * 10n ** BigInt(decimals)
  const rule = (scope: Scope, window: Window, amount: bigint, over: 'deny' | 'ask'): LimitRule => ({
    scope,
    scopeValue: null,
    window,
    maxAmount: whole(amount),
    maxCount: null,
    over,
  })
  return [
    rule('wallet', 'payment', 500n, 'deny'),
    rule('wallet', 'payment', 100n, 'ask'),
    rule('session', 'session', 500n, 'deny'),
    rule('wallet', 'day', 1000n, 'deny'),
    rule('payee', 'month', 100n, 'ask'),
  ]
}
