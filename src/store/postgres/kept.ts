import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { BursarError } from '../../core/errors.ts'
import type { Claim, Claimed, Clock, Kept } from '../../ports.ts'
import { claimedOf, type KeptRow, SWEPT, writtenOf } from '../shared/kept.ts'
import { isAgain, isLockTimeout, isLost, isReadOnly } from './faults.ts'
import type { Pool } from './pool.ts'
import type { Session } from './session.ts'
import { literal } from './text.ts'
import { ANSWER_MS, begun } from './transaction.ts'

/** The longest that one message waits for a lock, and the longest pause before it is asked again, in milliseconds. */
const LOCK_MS = 4_000
const PAUSE_MS = 40

/**
 * What is remembered, in one message for each call. Whatever was lost on the way is asked again: each call names its holder, and
 * does nothing a second time.
 */
export class PostgresKept implements Kept {
  private readonly pool: Pool
  private readonly clock: Clock
  private readonly waitMs: number

  /** @param waitMs how long a primary that answers is looked for, in milliseconds */
  constructor(pool: Pool, clock: Clock, waitMs: number) {
    this.pool = pool
    this.clock = clock
    this.waitMs = waitMs
  }

  async first(name: string, untilMs: number): Promise<boolean> {
    const given = { name, holder: randomUUID(), expires_at: untilMs, now: this.clock.now(), swept: SWEPT }
    return (await this.ask('keep_name', given)) === 'true'
  }

  async claim({ caller, key, asked, holder, busyUntil, expiresAt, room }: Claim): Promise<Claimed> {
    const now = this.clock.now()
    const row = { caller, key, asked, holder, busy_until: busyUntil, expires_at: expiresAt }
    const found = JSON.parse(await this.ask('claim_call', { ...row, now, keys: room.keys, swept: SWEPT })) as Found
    if (found.state !== 'taken') return { state: found.state }
    return claimedOf({ ...found, busyUntil: found.busy_until }, now)
  }

  async keep({ caller, key, holder, room }: Claim, answer: string | null): Promise<void> {
    const most = { bytes: room.bytes, all_bytes: room.allBytes }
    await this.ask('keep_call', { caller, key, holder, answer: writtenOf(answer), ...most })
  }

  async drop({ caller, key, holder }: Claim): Promise<void> {
    await this.ask('drop_call', { caller, key, holder })
  }

  /** What a function of the database answers to this. */
  private async ask(name: string, given: object): Promise<string> {
    const until = performance.now() + this.waitMs
    for (;;) {
      const left = until - performance.now()
      if (this.pool.isEnded) throw new BursarError('rail_unavailable', 'bursar is shutting down.')
      if (left <= 0) throw new BursarError('rail_unavailable', 'The database is busy, or cannot be reached.')
      const answer = await this.once(`SELECT bursar.${name}(${literal(given)}::jsonb)::text`, left)
      if (answer !== null) return answer
      await sleep(1 + Math.random() * PAUSE_MS)
    }
  }

  /** Null where it is to be asked again. */
  private async once(sql: string, left: number): Promise<string | null> {
    let session: Session
    try {
      session = await this.pool.session()
    } catch (error) {
      if (isLost(error)) return null
      throw error
    }
    let broken = true
    try {
      const lockMs = Math.min(left, LOCK_MS)
      const { texts, command, warned } = await session.ask(`${begun(lockMs)}${sql}; COMMIT`, lockMs + ANSWER_MS)
      broken = false
      // What no standby has is not sure to stay.
      return command === 'COMMIT' && !warned ? (texts[0] ?? '') : null
    } catch (error) {
      if (isReadOnly(error) || isLost(error)) this.pool.leave(session.host)
      if (isLost(error) || isAgain(error) || isLockTimeout(error)) return null
      throw error
    } finally {
      session.release(broken)
    }
  }
}

type Found =
  | { readonly state: 'mine' | 'full' }
  | (Omit<KeptRow, 'busyUntil'> & { readonly state: 'taken'; readonly busy_until: number })
