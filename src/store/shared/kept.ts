import type { Claimed } from '../../ports.ts'

/** What every store does alike with what is only remembered. */

/** How many rows whose time is over go along with each call: more than come. */
export const SWEPT = 8
/** The longest answer that a row may have, in bytes. */
const ANSWER_MAX = 500_000

/** The claim that has a key, as its row says. */
export interface KeptRow {
  readonly asked: string
  readonly holder: string
  readonly busyUntil: number
  /** Null until the call was done; empty where what was answered is not kept. */
  readonly answer: string | null
}

export function claimedOf({ asked, holder, busyUntil, answer }: KeptRow, now: number): Claimed {
  if (answer !== null) return { state: 'done', asked, holder, answer: answer === '' ? null : answer }
  return { state: now < busyUntil ? 'busy' : 'unknown', asked }
}

/** What is written of an answer. */
export function writtenOf(answer: string | null): string {
  return answer === null || Buffer.byteLength(answer) > ANSWER_MAX ? '' : answer
}
