import { shapeOf } from '../../core/account.ts'
import { windowKey } from '../../core/calendar.ts'
import type { Ask, Key } from '../../core/step.ts'
import { utcDay } from '../../core/time.ts'
import { CHAIN_MAX, DENIED_WITHIN_MS, TAKEN_BACK_WITHIN_MS } from '../shared/snapshots.ts'

/** The calendar windows by name, as their keys are at some moment. */
export type Windows = Readonly<Record<'hour' | 'day' | 'week' | 'month', string>>

/**
 * What `bursar.lock` and `bursar.snapshot` are asked, in their own words. Times in it are as of `then`, a moment before the
 * decision: whatever is looked for from some time on reaches back a little further than the decision will want, so that
 * nothing is missing. What is too old by the time of the decision is left out where the answer is read, or counts against
 * the asker for another moment (denials, asks taken back, credentials that end).
 */
export interface Asked {
  readonly [part: string]: unknown
  readonly windows?: Windows
  readonly today?: string
}

/**
 * What an agent asks humans for is read for requests, which always ask. Few payments do: for one that turns out to, it is read
 * when it is decided on again, under the lock that guards it.
 *
 * @param then milliseconds since the epoch
 * @param timeZone the wallet's, where it is known: windows are computed in the program alone
 */
export function askedOf(
  { key, more }: { readonly key: Key; readonly more?: readonly string[] },
  then: number,
  timeZone: string | undefined,
): Asked {
  const isAsking = key.asking && ('fingerprint' in key.asking || more !== undefined)
  return present({
    agent: key.agentId,
    credential: key.credentialId,
    chain_max: CHAIN_MAX,
    minting: key.minting && then,
    passkey: key.passkeyId,
    code: key.codeHash,
    wallet: key.walletId,
    request: key.requestId,
    instrument: key.instrumentId,
    payment: key.paymentId,
    limit: key.limitId,
    ...(key.spender && { spender: spenderIn(key.spender), shape: shapeOf(key.spender.payeeKey) }),
    ...(key.same && { same: sameIn(key.same, then) }),
    ...(key.relayer !== undefined && { relayer: key.relayer, today: utcDay(then) }),
    nonce: key.relayerNonce,
    ...(key.deposit && { deposit: { tx_hash: key.deposit.txHash, position: key.deposit.position } }),
    ...(key.asking && isAsking && { asking: askIn(key.asking, then) }),
    ...(timeZone !== undefined && { windows: windowsAt(then, timeZone) }),
  })
}

export function windowsAt(now: number, timeZone: string): Windows {
  const at = (window: keyof Windows): string => windowKey(window, now, timeZone, '')
  return { hour: at('hour'), day: at('day'), week: at('week'), month: at('month') }
}

export function sameIn(same: NonNullable<Key['same']>, then: number): Readonly<Record<string, unknown>> {
  const { agentId, fingerprint, idempotencyKey, withinMs, undelivered } = same
  return {
    agent: agentId,
    fingerprint,
    key: idempotencyKey,
    since: then - withinMs,
    ...(undelivered && { began: undelivered.began, bought_since: then - undelivered.withinMs }),
  }
}

function spenderIn(spender: NonNullable<Key['spender']>): Readonly<Record<string, unknown>> {
  const { agentId, sessionId, payeeKey, origin, category, protocol } = spender
  return { agent: agentId, session: sessionId, payee: payeeKey, origin, category, protocol }
}

function askIn(ask: Ask, then: number): Readonly<Record<string, unknown>> {
  const times = { denied_since: then - DENIED_WITHIN_MS, taken_back_since: then - TAKEN_BACK_WITHIN_MS }
  if ('fingerprint' in ask) return { agent: ask.agentId, fingerprint: ask.fingerprint, ...times }
  const { agentId, walletId, payeeKey, amount } = ask
  return { agent: agentId, wallet: walletId, payee: payeeKey, amount: amount.toString(), ...times }
}

/** Without what is undefined or false: `?` asks whether a part is there. */
function present(parts: Readonly<Record<string, unknown>>): Asked {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined && value !== false))
}
