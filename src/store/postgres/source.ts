import { setTimeout as sleep } from 'node:timers/promises'
import { BursarError } from '../../core/errors.ts'
import { isLost, isReadOnly } from './faults.ts'
import type { Pool } from './pool.ts'
import { parseRows } from './rows.ts'

/** Where readers ask: one statement, with parameters and without a name. */
export interface Source {
  /** The first column of each row, as text. */
  texts(text: string, values?: readonly unknown[]): Promise<readonly string[]>
}

/** How long the server may take for a statement of a reader, in milliseconds. */
const ANSWER_MS = 10_000
/** The longest pause before it is asked again, in milliseconds. */
const PAUSE_MS = 40

/** Any connection to the primary. What is lost on the way is asked again: reading changes nothing. */
export class PoolSource implements Source {
  private readonly pool: Pool
  private readonly waitMs: number

  /** @param waitMs how long one that answers is looked for, in milliseconds */
  constructor(pool: Pool, waitMs: number) {
    this.pool = pool
    this.waitMs = waitMs
  }

  /** @throws `rail_unavailable` when no primary answers within the bound; what the server says of the statement */
  async texts(text: string, values: readonly unknown[] = []): Promise<readonly string[]> {
    const until = performance.now() + this.waitMs
    for (;;) {
      try {
        return await this.once(text, values)
      } catch (error) {
        if (!isLost(error) || this.pool.isEnded) throw error
        if (performance.now() > until) throw new BursarError('rail_unavailable', 'The database cannot be reached.')
      }
      await sleep(1 + Math.random() * PAUSE_MS)
    }
  }

  private async once(text: string, values: readonly unknown[]): Promise<readonly string[]> {
    const session = await this.pool.session()
    let broken = true
    try {
      const texts = await session.texts(text, values, Math.min(ANSWER_MS, this.waitMs))
      broken = false
      return texts
    } catch (error) {
      broken = isLost(error)
      if (isReadOnly(error) || broken) this.pool.leave(session.host)
      throw error
    } finally {
      session.release(broken)
    }
  }
}

/** The rows of a statement of which each is one JSON text. */
export async function jsonOf(source: Source, text: string, values: readonly unknown[]): Promise<readonly unknown[]> {
  return (await source.texts(text, values)).map(parseRows)
}
