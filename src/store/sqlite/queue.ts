import type { Statement } from 'better-sqlite3'
import { BursarError } from '../../core/errors.ts'
import type { Change, Key, Snapshot } from '../../core/step.ts'
import type { Clock } from '../../ports.ts'
import type { Landed } from '../shared/journals.ts'
import type { Connection } from './connection.ts'
import { takeLock } from './lock.ts'
import type { SnapshotReader } from './snapshot.ts'
import type { Writer } from './writer.ts'

/** The most steps that share one commit. More makes each wait longer and gains little. */
const BATCH = 64

interface Step {
  readonly key: Key
  readonly decide: (snapshot: Snapshot) => Change<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Set when a commit that it shared failed: the next one it has to itself. */
  readonly alone?: true
}

/** What became of one step within a commit that has not ended yet. */
type Outcome =
  | { readonly step: Step; readonly result: unknown; readonly landed: Landed | null }
  | { readonly step: Step; readonly error: unknown }

/**
 * Runs steps one after the other under the write lock; those that wait at the same time share one commit. One that
 * fails takes no other with it: what it throws before it writes is its own, and where a write fails, all of them are
 * run again, each in a commit of its own. Savepoints would do that too, and cost every step a copy of each page it changes.
 */
export class StepQueue {
  private readonly connection: Connection
  private readonly reader: SnapshotReader
  private readonly writer: Writer
  private readonly clock: Clock
  private readonly sql: { readonly [S in 'begin' | 'commit']: Statement }
  private waiting: Step[] = []
  private running: Promise<void> | null = null

  constructor(connection: Connection, reader: SnapshotReader, writer: Writer, clock: Clock) {
    this.connection = connection
    this.reader = reader
    this.writer = writer
    this.clock = clock
    this.sql = {
      begin: connection.prepare('BEGIN IMMEDIATE'),
      commit: connection.prepare('COMMIT'),
    }
  }

  run<R>(key: Key, decide: (snapshot: Snapshot) => Change<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ key, decide, resolve: resolve as (result: unknown) => void, reject })
      this.running ??= this.drain()
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running
  }

  private async drain(): Promise<void> {
    // Those who ask within the same turn of the event loop share the first commit already.
    await Promise.resolve()
    while (this.waiting.length > 0) {
      try {
        await takeLock(this.sql.begin)
      } catch (error) {
        for (const step of this.waiting.splice(0)) step.reject(error)
        continue
      }
      this.commit(this.waiting.splice(0, this.waiting[0]?.alone ? 1 : BATCH))
      // Lets those whose step has just ended ask for their next one before the next commit begins.
      await new Promise(setImmediate)
    }
    this.running = null
  }

  private commit(steps: readonly Step[]): void {
    let outcomes: readonly Outcome[] = []
    try {
      this.writer.begin()
      outcomes = steps.map((step) => this.attempt(step))
      this.writer.seal()
    } catch (error) {
      this.failed(steps, error)
      return
    }
    try {
      this.sql.commit.run()
    } catch {
      this.lookUp(outcomes)
      return
    }
    for (const outcome of outcomes) settle(outcome)
  }

  /** @throws when the step's writing fails: what it wrote until then is still in the transaction. */
  private attempt(step: Step): Outcome {
    let now: number
    let change: Change<unknown>
    try {
      now = this.clock.now()
      change = step.decide(this.reader.read(step.key, now))
    } catch (error) {
      return { step, error }
    }
    return { step, result: change.result, landed: this.writer.write(change.facts, change.texts ?? [], now) }
  }

  /** Nothing was written. A step that was alone has its answer; of several it is not known whose fault it was. */
  private failed(steps: readonly Step[], error: unknown): void {
    this.rollback()
    if (steps.length === 1) steps[0]?.reject(error)
    else this.waiting.unshift(...steps.map((step) => ({ ...step, alone: true as const })))
  }

  /**
   * After an error from COMMIT the outcome is unknown: the events of its steps are there, or none of them is. Then no step
   * has an answer, not even one that wrote nothing: it may have seen what another one would have written.
   */
  private lookUp(outcomes: readonly Outcome[]): void {
    this.rollback()
    const landed = outcomes.map((outcome) => ('landed' in outcome ? outcome.landed : null)).find((one) => one !== null)
    const lost = this.lost(landed ?? null)
    for (const outcome of outcomes) {
      if (lost) outcome.step.reject(lost)
      else settle(outcome)
    }
  }

  /** Why what was written is not there, or null when it is, or nothing was written. */
  private lost(landed: Landed | null): BursarError | null {
    const unknown = new BursarError('outcome_unknown', 'The database did not say whether it kept this.')
    // Within a transaction that would not end, what it wrote can still be seen.
    if (this.connection.inTransaction) return unknown
    try {
      if (landed === null || this.writer.has(landed)) return null
    } catch {
      return unknown
    }
    return new BursarError('busy', 'The database could not keep this; nothing was changed.')
  }

  private rollback(): void {
    try {
      if (this.connection.inTransaction) this.connection.exec('ROLLBACK')
    } catch {
      // The transaction stays open, as `inTransaction` tells; the steps must have their answer all the same.
    }
  }
}

function settle(outcome: Outcome): void {
  if ('error' in outcome) outcome.step.reject(outcome.error)
  else outcome.step.resolve(outcome.result)
}
