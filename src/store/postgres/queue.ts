import { setTimeout as sleep } from 'node:timers/promises'
import { BursarError } from '../../core/errors.ts'
import type { Change, Key, Snapshot } from '../../core/step.ts'
import type { Landed } from '../shared/journals.ts'
import { isAgain, isLockTimeout, isLost, isReadOnly } from './faults.ts'
import { lookUp } from './look-up.ts'
import type { Pool } from './pool.ts'
import type { Session } from './session.ts'
import { Slots } from './slots.ts'
import type { Outcome, Step, Tools } from './transaction.ts'
import { ANSWER_MS, Transaction } from './transaction.ts'

/** The most steps that share one commit. More makes each wait longer and gains little. */
const BATCH = 64
/** How long a step waits for a lock while others want its connection, and while they have enough, in milliseconds. */
const IMPATIENT_MS = 250
const PATIENT_MS = 5_000
/** A step has hardly more locks to wait for, and a server that is there answers within so long, in milliseconds. */
const LOCKS = 4
const SILENT_MS = 5_000
/** The longest pause before a step is run again, in milliseconds. */
const PAUSE_MS = 40

interface Lane {
  readonly waiting: Step[]
  running: Promise<void> | null
}

/** What became of a transaction: steps have their outcomes, or it is as if it had never been, or nobody knows. */
type Ended =
  | { readonly kind: 'settled' | 'unknown'; readonly outcomes: readonly Outcome[] }
  /** One of the steps was refused by the database: nothing was written. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nothing was written, and no step is to blame. */
  | { readonly kind: 'again'; readonly locked: boolean }

export interface QueueOptions {
  /** How many connections steps may have at a time. */
  readonly connections: number
  /** How long a step tries to be written, and how long its outcome is looked for after that, in milliseconds. */
  readonly waitMs: number
}

/**
 * Runs steps: those of one wallet one after the other, and those that wait at the same time in one commit; those of different
 * wallets side by side. One that fails takes no other with it: what it throws before it writes is its own, and where a write
 * fails, all of them are run again, each in a transaction of its own.
 */
export class StepQueue {
  private readonly pool: Pool
  private readonly tools: Tools
  private readonly options: QueueOptions
  private readonly lanes = new Map<string, Lane>()
  private readonly slots: Slots
  /** Who waits for a lock that others have had for long may take so many of them. */
  private readonly patient: Slots

  constructor(pool: Pool, tools: Tools, options: QueueOptions) {
    this.pool = pool
    this.tools = tools
    this.options = options
    this.slots = new Slots(options.connections)
    this.patient = new Slots(Math.max(1, Math.floor(options.connections / 3)))
  }

  run<R>(key: Key, decide: (snapshot: Snapshot) => Change<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const name = this.tools.places.lane(key)
      const lane = this.lanes.get(name) ?? { waiting: [], running: null }
      this.lanes.set(name, lane)
      lane.waiting.push({ key, decide, resolve: resolve as (result: unknown) => void, reject })
      lane.running ??= this.drain(name, lane)
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.lanes.size > 0) await [...this.lanes.values()][0]?.running
  }

  private async drain(name: string, lane: Lane): Promise<void> {
    // Those who ask within the same turn of the event loop share the first commit already.
    await Promise.resolve()
    while (lane.waiting.length > 0) {
      const steps = takeFrom(lane.waiting)
      const again = await this.commit(steps)
      lane.waiting.unshift(...again)
      // Lets those whose step has just ended ask for their next one before the next commit begins.
      await new Promise(setImmediate)
    }
    lane.running = null
    this.lanes.delete(name)
  }

  /** Runs these steps until they have their answers. @returns those that are to be run again, each alone */
  private async commit(steps: readonly Step[]): Promise<readonly Step[]> {
    const until = performance.now() + this.options.waitMs
    for (let locked = false; ; ) {
      const left = until - performance.now()
      if (left <= 0) {
        for (const { reject } of steps) reject(new BursarError('busy', 'The database is busy, or cannot be reached.'))
        return []
      }
      const ended: Ended = await this.patiently(locked, () => this.attempt(steps, locked, left))
      if (ended.kind !== 'again') return this.settle(steps, ended)
      locked = ended.locked
      await sleep(1 + Math.random() * PAUSE_MS)
    }
  }

  private settle(steps: readonly Step[], ended: Exclude<Ended, { kind: 'again' }>): readonly Step[] {
    if (ended.kind === 'failed') {
      if (steps.length > 1) return steps.map((step) => ({ ...step, alone: true as const }))
      steps[0]?.reject(ended.error)
      return []
    }
    const again: Step[] = []
    for (const outcome of ended.outcomes) {
      const { step } = outcome
      if (ended.kind === 'unknown')
        step.reject(new BursarError('outcome_unknown', 'The database did not say whether it kept this.'))
      else if ('missing' in outcome)
        again.push({ ...step, alone: true, more: [...(step.more ?? []), ...outcome.missing] })
      else if ('error' in outcome) step.reject(outcome.error)
      else step.resolve(outcome.result)
    }
    return again
  }

  private patiently<R>(locked: boolean, work: () => Promise<R>): Promise<R> {
    const within = () => this.slots.run(work)
    return locked ? this.patient.run(within) : within()
  }

  private async attempt(steps: readonly Step[], locked: boolean, left: number): Promise<Ended> {
    let session: Session
    try {
      session = await this.pool.session()
    } catch (error) {
      return isLost(error) ? { kind: 'again', locked } : { kind: 'failed', error }
    }
    const transaction = new Transaction(session, this.tools, steps)
    const lockMs = Math.min(left, locked ? PATIENT_MS : IMPATIENT_MS)
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
    const found = landed ? await lookUp(this.pool, landed, this.options.waitMs) : 'there'
    if (found === 'unknown') return { kind: 'unknown', outcomes }
    if (found === 'absent') return { kind: 'again', locked: false }
    return { kind: 'settled', outcomes }
  }
}

/** The first one alone, or as many as may share a commit. */
function takeFrom(waiting: Step[]): readonly Step[] {
  if (waiting[0]?.alone) return waiting.splice(0, 1)
  const alone = waiting.findIndex((step) => step.alone)
  return waiting.splice(0, Math.min(BATCH, alone === -1 ? BATCH : alone))
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
