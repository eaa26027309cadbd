import { windowKey } from '../../core/calendar.ts'
import type { LimitUse, Spender } from '../../core/limit.ts'
import { counterKey, limitUse, valuesOf } from '../../core/limit.ts'
import type { Asking, Key, Usage } from '../../core/step.ts'
import type { Counter, CounterKey, Instance, Limit, Payment, Scope, Wallet } from '../../core/types.ts'

/** What every store reads alike for a decision, whatever it reads it from. */

/** Fail closed: a database without an instance reads as frozen. */
export const NO_INSTANCE: Instance = { id: '', createdAt: 0, frozen: true }
export const NOTHING_ASKED: Asking = { waiting: 0, takenBack: 0, same: null, denied: null }

/** A credential has at most so many above it: see the trigger `credentials_only_narrow`. */
export const CHAIN_MAX = 4
/** Denials are counted for so long. */
export const DENIED_WITHIN_MS = 24 * 60 * 60 * 1000
export const TAKEN_BACK_WITHIN_MS = 60 * 60 * 1000

/** Where a payment keeps the values of each scope. */
export const SCOPE_COLUMNS: Readonly<Record<Scope, readonly string[]>> = {
  wallet: ['wallet_id'],
  agent: ['agent_id'],
  instrument: ['instrument_id'],
  session: ['session_id'],
  payee: ['payee_key', "payee ->> 'origin'"],
  category: ["coalesce(payee ->> 'category', 'none')"],
  protocol: ['protocol'],
}

/** How many payees a report on spending tells apart. */
export const PAYEES_MAX = 50

/** Whose counters a step looks at: the one that it names, or the payment's. */
export function spenderOf(
  key: Key,
  payment: Payment | null,
  walletId: string | undefined,
  instrumentId: string | undefined,
): Spender | null {
  if (walletId === undefined || instrumentId === undefined) return null
  if (key.spender) return { ...key.spender, walletId, instrumentId }
  if (!payment) return null
  const { agentId, sessionId, payeeKey, protocol } = payment
  const { category = null, origin = null } = payment.payee
  return { walletId, instrumentId, agentId, sessionId, payeeKey, protocol, category, origin }
}

/** What a counter holds; undefined where nothing was counted yet. */
export type CounterOf = (key: CounterKey) => Counter | undefined

/** The limits that look at the spender, with what their window holds for it; without a spender all, and nothing. */
export function limitUses(
  limits: readonly Limit[],
  spender: Spender | null,
  wallet: Wallet,
  now: number,
  counterOf: CounterOf,
): readonly LimitUse[] {
  if (!spender) return limits.map((limit) => limitUse(limit, null, undefined))
  return limits.flatMap((limit) =>
    valuesOf(limit, spender).map((value) => useOf(limit, value, spender, wallet, now, counterOf)),
  )
}

/** All limits with what their window holds: for this spender, or for the value that the limit names. */
export function allLimitUses(
  limits: readonly Limit[],
  spender: Spender,
  wallet: Wallet,
  now: number,
  counterOf: CounterOf,
): readonly LimitUse[] {
  return limits.flatMap((limit) => {
    const values = limit.scopeValue === null ? valuesOf(limit, spender) : [limit.scopeValue]
    return values.map((value) => useOf(limit, value, spender, wallet, now, counterOf))
  })
}

function useOf(
  limit: Limit,
  value: string,
  { sessionId }: Spender,
  wallet: Wallet,
  now: number,
  counterOf: CounterOf,
): LimitUse {
  const key = counterKey(limit, value, sessionId, now, wallet.timeZone)
  return limitUse(limit, key, key ? counterOf(key) : undefined)
}

/** Sums of payments by scope value and session, as a store adds them up. */
export type UsageRow = readonly [
  scopeValue: string,
  sessionId: string | null,
  amount: bigint,
  forced: bigint,
  count: bigint,
]

export function usageOf(
  rows: readonly UsageRow[],
  { window }: NonNullable<Key['usage']>,
  wallet: Wallet,
  now: number,
): readonly Usage[] {
  if (window === 'payment') return []
  return rows.map(([scopeValue, sessionId, amount, forced, count]) => ({
    key: { scopeValue, windowKey: windowKey(window, now, wallet.timeZone, sessionId ?? '') },
    amount,
    forced,
    count: Number(count),
  }))
}
