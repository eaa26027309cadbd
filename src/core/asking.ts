import { digestOf } from './canonical.ts'
import { fold } from './payee.ts'
import { refusal } from './refusal.ts'
import type { Asking } from './step.ts'
import { termsToWire } from './terms.ts'
import { rfc3339 } from './time.ts'
import type { Refusal, Request } from './types.ts'

/**
 * Who is asked too much stops reading, so the number of questions is limited, too. All of it goes by what an agent cannot
 * make up: its own identity and the terms. Task ids, purposes, idempotency keys and connections are its own to choose.
 */

/** So many requests and payments of one agent wait for humans at a time. The triggers `…_ask_little` say the same. */
export const WAITING_MAX = 3
/**
 * Whoever may be told that something waits is told at once: an ask that is taken back has had its reader, too. So many within an
 * hour, and nobody is asked for a while.
 */
const TAKEN_BACK_MAX = 10
/** After a denial the same is not asked for so long; twice as long after each further one within a day. */
const COOL_DOWN_MS = 60 * 60 * 1000
/** More than a day, and denials are counted for a day. */
const DOUBLINGS_MAX = 5

/** Why no human is asked now; null: ask. */
export function askRefusal({ waiting, takenBack, denied }: Asking, now: number): Refusal | null {
  const until = denied ? denied.at + COOL_DOWN_MS * 2 ** Math.min(denied.times - 1, DOUBLINGS_MAX) : 0
  if (now < until)
    return refusal(
      'asked_before',
      'asking.denied',
      `A human denied the same. Nobody is asked before ${rfc3339(until)}.`,
    )
  if (waiting >= WAITING_MAX)
    return refusal('too_many_asks', 'asking.waiting', `${waiting} asks of this agent wait for a human.`)
  if (takenBack >= TAKEN_BACK_MAX)
    return refusal('too_many_asks', 'asking.taken_back', `${takenBack} asks of this hour were taken back.`)
  return null
}

/** What makes two requests of an agent the same ask: SHA-256 over wallet and terms, in whatever order they are listed. */
export function requestFingerprint(
  request: Pick<
    Request,
    'agentId' | 'walletId' | 'type' | 'amount' | 'usageLimit' | 'perPaymentMax' | 'expiresInMs' | 'constraints'
  >,
  decimals: number,
): string {
  const { constraints, ...terms } = termsToWire(request, decimals)
  const sorted = Object.entries(constraints).map(([name, values]) => [
    name,
    (name === 'payees' ? values.map(fold) : [...values]).sort(),
  ])
  const { agentId, walletId } = request
  return digestOf({ agent_id: agentId, wallet_id: walletId, ...terms, constraints: Object.fromEntries(sorted) })
}
