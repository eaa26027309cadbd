import type { Landed } from '../shared/journals.ts'
import { isAgain, isLockTimeout, isLost, isReadOnly } from './faults.ts'
import { lookUp } from './look-up.ts'
import type { Pool } from './pool.ts'
import type { Session } from './session.ts'
import type { Outcome, Step, Tools } from './transaction.ts'
import { ANSWER_MS, Transaction } from './transaction.ts'

/** How long steps wait for a lock while others want their connection, in milliseconds. */
const IMPATIENT_MS = 250
/** And those that did so in vain: one alone; of several each its share, so that one which is free again soon has its turn. */
const PATIENT_MS = 5_000
/** Steps have hardly more locks to wait for, and a server that is there answers within so long, in milliseconds. */
const LOCKS = 4
const SILENT_MS = 5_000

/** What became of a transaction: steps have their outcomes, or it is as if it had never been, or nobody knows. */
export type Ended =
  | { readonly kind: 'settled' | 'unknown'; readonly outcomes: readonly Outcome[] }
  /** One of the steps was refused by the database: nothing was written. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nothing was written, and no step is to blame. */
  | { readonly kind: 'again'; readonly locked: boolean }

/** Tries to run steps in one transaction, and finds out what became of it, whatever happens to the connection. */
export class Attempts {
  private readonly pool: Pool
  private readonly tools: Tools
  private readonly waitMs: number

  /** @param waitMs how long the outcome of a lost commit is looked for, in milliseconds */
  constructor(pool: Pool, tools: Tools, waitMs: number) {
    this.pool = pool
    this.tools = tools
    this.waitMs = waitMs
  }

  /**
   * @param queues steps of one queue each, in their order
   * @param locked whether they waited for a lock for long already
   * @param others how many wait for their turn to do so
   * @param left how long they may still take, in milliseconds
   */
  async make(queues: readonly (readonly Step[])[], locked: boolean, others: number, left: number): Promise<Ended> {
    let session: Session
    try {
      session = await this.pool.session()
    } catch (error) {
      return isLost(error) ? { kind: 'again', locked } : { kind: 'failed', error }
    }
    const transaction = new Transaction(session, this.tools, queues)
    const lockMs = Math.min(left, Math.max(IMPATIENT_MS, locked ? PATIENT_MS / (1 + others) : 0))
    try {
      if (await transaction.run(lockMs, Math.min(left, LOCKS * lockMs + SILENT_MS))) {
        session.release(false)
        return { kind: 'settled', outcomes: transaction.outcomes }
      }
      session.release(true)
      return await this.find(transaction.outcomes)
    } catch (error) {
      return this.failed(session, transaction, error, locked)
    }
  }

  private async failed(session: Session, transaction: Transaction, error: unknown, locked: boolean): Promise<Ended> {
    if (isReadOnly(error) || isLost(error)) this.pool.leave(session.host)
    // A server that answers afterwards has not committed: no error comes after that.
    const isUndone = !isLost(error) && (await undone(session))
    session.release(!isUndone)
    if (!isUndone) return transaction.committing ? this.find(transaction.outcomes) : { kind: 'again', locked }
    if (isLockTimeout(error)) return { kind: 'again', locked: true }
    return isAgain(error) ? { kind: 'again', locked } : { kind: 'failed', error }
  }

  /** After a commit whose answer was lost: the events of its steps are there, or none of them is. */
  private async find(outcomes: readonly Outcome[]): Promise<Ended> {
    const landed = landedOf(outcomes)
    const found = landed ? await lookUp(this.pool, landed, this.waitMs) : 'there'
    if (found === 'unknown') return { kind: 'unknown', outcomes }
    if (found === 'absent') return { kind: 'again', locked: false }
    return { kind: 'settled', outcomes }
  }
}

/** Where the transaction wrote first; null when it wrote no event. */
function landedOf(outcomes: readonly Outcome[]): Landed | null {
  return outcomes.map((outcome) => ('landed' in outcome ? outcome.landed : null)).find((one) => one !== null) ?? null
}

async function undone(session: Session): Promise<boolean> {
  try {
    await session.ask('ROLLBACK', ANSWER_MS)
    return true
  } catch {
    return false
  }
}
