import { setTimeout as sleep } from 'node:timers/promises'
import type { Instrument, InstrumentType, Wallet } from '../core/types.ts'
import type { Bursar, Rail } from '../ports.ts'

/** How long anyone waits for a rail, in milliseconds. What it does after that is read from its books. */
const ANSWER_WITHIN_MS = 10_000

/**
 * The rail that moves this wallet's money.
 *
 * @throws RangeError where there is none of its kind: sandbox money never meets a live rail, nor real money a sandbox
 */
export function railOf(bursar: Bursar, instrument: Pick<Instrument, 'type'>, wallet: Served): Rail {
  const rail = bursar.rails[instrument.type]
  if (!rail?.serves(wallet)) throw new RangeError(`There is no ${wallet.mode} rail here.`)
  return rail
}

type Served = Pick<Wallet, 'mode' | 'asset'>

/** Whether an instrument of this type can pay out of this wallet here. */
export function hasRail(bursar: Bursar, type: InstrumentType, wallet: Served): boolean {
  return bursar.rails[type]?.serves(wallet) === true
}

/** A rail's answer, for which nobody waits for ever. @throws whatever the rail throws, or an Error when it is late */
export async function inTime<T>(answer: Promise<T>, withinMs = ANSWER_WITHIN_MS): Promise<T> {
  const answered = new AbortController()
  const late = sleep(withinMs, undefined, { signal: answered.signal }).then(
    () => Promise.reject(new Error('The rail did not answer in time.')),
    () => new Promise<never>(() => undefined),
  )
  try {
    return await Promise.race([answer, late])
  } finally {
    answered.abort()
  }
}
