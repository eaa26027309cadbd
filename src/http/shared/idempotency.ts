import { randomUUID } from 'node:crypto'
import { BursarError, CODES, type Code } from '../../core/errors.ts'
import type { Claim, Claimed, Clock, Kept, Room } from '../../ports.ts'

/** An answer as it went out. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Answers that hold a key are in memory no longer than a retry takes. */
const SECRET_MS = 10 * 60 * 1000
/** Longer than any call is worked on for which somebody still waits: a connection without a byte is cut off sooner. */
const BUSY_MS = 5 * 60 * 1000

const ROOM: Room = { keys: 1_000, bytes: 500_000, allBytes: 50_000_000 }

export interface Ask {
  readonly caller: string
  readonly key: string
  /** Digest of what is asked for: the same key for something else is a mistake. */
  readonly asked: string
  readonly secret: boolean
}

export interface Remembering {
  readonly kept: Kept
  readonly clock: Clock
  /** Told that what was done could not be remembered. */
  readonly failed: (error: unknown) => void
  readonly room?: Room
}

/**
 * The answers to earlier calls, by who asked and the key that they gave (draft-ietf-httpapi-idempotency-key-header). In the
 * database, so that no other process does a call again, nor this one after a restart. An answer that holds a key is in the memory
 * of this process alone. Payments do not need it: their key is in their own row.
 */
export function keptAnswers({ kept, clock, failed, room = ROOM }: Remembering) {
  const secrets = secretsOf(clock, room.allBytes)

  /** It was done, and the answer is given, whether or not that is remembered. Where it is not, nobody does it again. */
  const remember = (work: Promise<void>): Promise<void> => work.catch(failed)

  /**
   * Does the work, once for each key.
   *
   * @throws `idempotency_conflict`; `busy` while the first call of the key is worked on; `outcome_unknown` where nobody knows what
   * became of it; `wrong_state` where it was done and its answer is not here; as {@link Kept}
   */
  return async (ask: Ask, work: () => Promise<Answered>): Promise<Answered & { readonly replayed: boolean }> => {
    const now = clock.now()
    const times = { busyUntil: now + BUSY_MS, expiresAt: now + DAY_MS }
    const claim: Claim = { caller: ask.caller, key: ask.key, asked: ask.asked, holder: randomUUID(), ...times, room }
    const found = await kept.claim(claim)
    if (found.state !== 'mine') return { ...earlier(found, ask, secrets.of), replayed: true }
    let answer: Answered
    try {
      answer = await work()
    } catch (error) {
      await remember(kept.drop(claim))
      throw error
    }
    if (!isFinal(answer)) await remember(kept.drop(claim))
    else if (ask.secret && answer.status < 400) {
      secrets.keep(claim.holder, answer)
      await remember(kept.keep(claim, null))
    } else await remember(kept.keep(claim, JSON.stringify(answer)))
    return { ...answer, replayed: false }
  }
}

/** What came of the first call of a key. @throws as {@link keptAnswers} */
function earlier(
  found: Exclude<Claimed, { state: 'mine' }>,
  { asked, secret }: Ask,
  secretOf: (holder: string) => Answered | null,
): Answered {
  if (found.state === 'full')
    throw new BursarError('busy', 'Too many calls are worked on at once, or nobody knows what became of them.')
  if (found.asked !== asked)
    throw new BursarError('idempotency_conflict', 'This Idempotency-Key was used for another call.')
  if (found.state !== 'done')
    throw found.state === 'busy'
      ? new BursarError('busy', 'The first call of this Idempotency-Key is worked on.')
      : new BursarError('outcome_unknown', UNKNOWN)
  const answer = found.answer === null ? secretOf(found.holder) : (JSON.parse(found.answer) as Answered)
  if (answer) return answer
  throw new BursarError('wrong_state', secret ? SECRET_GONE : ANSWER_GONE)
}

const UNKNOWN =
  'Whoever worked on the first call of this Idempotency-Key is gone, and whether it was done is not known. Look at what it was to change; if it was not done, call again with another key.'
const SECRET_GONE =
  'This call was done, and is not done again. Its answer held a key, which is given again for ten minutes, by the process that made it alone. Revoke the credential that was made, and call again with another Idempotency-Key.'
const ANSWER_GONE =
  'This call was done, and is not done again. Its answer is not kept any more: look at what it was to change.'

/** Answers that no database may have, in the order in which they end. */
function secretsOf(clock: Clock, most: number) {
  const held = new Map<string, { readonly until: number; readonly answer: Answered }>()
  let bytes = 0
  const forget = (): void => {
    for (const [holder, { until, answer }] of held) {
      if (clock.now() < until && bytes <= most) return
      held.delete(holder)
      bytes -= answer.body.length
    }
  }
  return {
    of(holder: string): Answered | null {
      forget()
      return held.get(holder)?.answer ?? null
    },
    keep(holder: string, answer: Answered): void {
      held.set(holder, { until: clock.now() + SECRET_MS, answer })
      bytes += answer.body.length
      forget()
    },
  }
}

/** Whether asking again can only be answered the same. What may pass by itself is tried again; what may have been done is not. */
function isFinal({ status, body, headers }: Answered): boolean {
  if (status === 401) return false
  if (headers['content-type'] !== 'application/problem+json') return true
  const { code } = JSON.parse(body) as { code?: Code }
  return code === undefined || code === 'outcome_unknown' || CODES[code].retry !== 'later'
}

const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
const BARE = /^[\x21\x23-\x5b\x5d-\x7e]+$/
const KEY_MAX = 128

/** The key as a structured field (RFC 8941, a string) or, as most send it, bare. @throws `argument_invalid` */
export function keyOf(header: string | null): string | null {
  if (header === null) return null
  const quoted = QUOTED.exec(header)?.[1]?.replace(/\\(.)/g, '$1')
  const key = quoted ?? (BARE.test(header) ? header : '')
  if (key === '' || key.length > KEY_MAX || key.includes(' '))
    throw new BursarError('argument_invalid', `Idempotency-Key is 1 to ${KEY_MAX} printable ASCII characters.`)
  return key
}
