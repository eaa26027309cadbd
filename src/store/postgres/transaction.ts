import type { Change, Key, Snapshot } from '../../core/step.ts'
import type { Clock } from '../../ports.ts'
import type { JournalEnds, Journals, KeptHead, Landed } from '../shared/journals.ts'
import type { Asked } from './asks.ts'
import { askedOf } from './asks.ts'
import type { Locks } from './locks.ts'
import type { Places } from './places.ts'
import { parseRows } from './rows.ts'
import type { Answer, Session } from './session.ts'
import { snapshotOf } from './snapshot.ts'
import { literal, sought } from './text.ts'
import type { Parts } from './writer.ts'
import { sealed, writeOf, written } from './writer.ts'

/** A step that waits to be run. */
export interface Step {
  readonly key: Key
  readonly decide: (snapshot: Snapshot) => Change<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Set when a transaction that it shared failed, or when it needs more locks: the next one it has to itself. */
  readonly alone?: true
  /** Locks that a decision was found to need, beside those that its key leads to. */
  readonly more?: readonly string[]
}

/** What became of one step within a transaction that has not ended yet. */
export type Outcome =
  | { readonly step: Step; readonly result: unknown; readonly landed: Landed | null }
  | { readonly step: Step; readonly error: unknown }
  /** It has to be decided again, under these locks as well. */
  | { readonly step: Step; readonly missing: readonly string[] }

export interface Tools {
  readonly clock: Clock
  readonly journals: Journals
  readonly places: Places
}

/** An open transaction is given up by the server after so long without a word, in milliseconds: whoever began it is gone. */
const SILENT_MS = 5_000
/** How long the server may take for a message that waits for no lock, in milliseconds. */
export const ANSWER_MS = 10_000

/** The begin of every transaction that takes locks. Compiling a statement of a step takes fifty times as long as running it. */
export function begun(lockMs: number): string {
  return `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = ${Math.max(1, Math.ceil(lockMs))}; SET LOCAL idle_in_transaction_session_timeout = ${SILENT_MS}; SET LOCAL jit = off; `
}

/**
 * One transaction, shared by steps that wait in the same queue: locks and the first snapshot in one message, then what one
 * step writes along with the snapshot of the next, then the heads and COMMIT.
 */
export class Transaction {
  /** What became of each step so far, in their order. */
  readonly outcomes: Outcome[] = []
  /** From here on it is not known whether the transaction took place, unless the server says so. */
  committing = false
  private readonly session: Session
  private readonly tools: Tools
  private readonly steps: readonly Step[]
  private held: Locks = {}
  private ends: JournalEnds | undefined

  constructor(session: Session, tools: Tools, steps: readonly Step[]) {
    this.session = session
    this.tools = tools
    this.steps = steps
  }

  /**
   * Runs all steps and ends the transaction.
   *
   * @param lockMs how long to wait for each lock
   * @returns whether the server says that what was written will stay; true where nothing was
   * @throws what the server or the connection says
   */
  async run(lockMs: number, withinMs: number): Promise<boolean> {
    const then = this.tools.clock.now()
    const asked = this.steps.map(({ key }) => askedOf(key, then, this.tools.places.timeZone(key)))
    const more = Object.fromEntries(this.steps.flatMap(({ more: names = [] }) => names.map((name) => [name, true])))
    const lock = `SELECT bursar.lock(${sought(asked)}::jsonb, ${literal(more)}::jsonb)::text; `
    const [locked = '', first = ''] = await this.texts(begun(lockMs) + lock + snapshotSql(asked[0] as Asked), withinMs)
    this.hold(locked)
    let found = first
    let parts: Parts | null = null
    for (const [i, step] of this.steps.entries()) {
      parts = await this.attempt(step, asked[i] as Asked, found)
      const next = asked[i + 1]
      if (!next) break
      const answers = await this.texts(`${parts === null ? '' : `${writeOf(parts)}; `}${snapshotSql(next)}`, ANSWER_MS)
      found = answers.at(-1) ?? ''
    }
    return this.end(parts)
  }

  /** Decides one step. @returns what it writes, to be sent with the next message */
  private async attempt(step: Step, asked: Asked, found: string): Promise<Parts | null> {
    const { clock, places } = this.tools
    const now = clock.now()
    const snapshot = await snapshotOf(step.key, asked, found, now, (sql) => this.text(sql))
    places.learn(step.key, snapshot)
    try {
      const change = step.decide(snapshot)
      const made = written(change, now, this.ends as JournalEnds, this.held)
      if ('missing' in made) {
        this.outcomes.push({ step, missing: made.missing })
        return null
      }
      places.made(change.facts)
      this.outcomes.push({ step, result: change.result, landed: made.landed })
      return made.parts
    } catch (error) {
      this.outcomes.push({ step, error })
      return null
    }
  }

  private async end(last: Parts | null): Promise<boolean> {
    const heads = (this.ends as JournalEnds).sealed()
    const parts = { ...last, ...(heads.length > 0 && sealed(heads)) }
    if (last === null && heads.length === 0) {
      await this.session.ask('ROLLBACK', ANSWER_MS)
      return true
    }
    this.committing = true
    const { command, warned } = await this.session.ask(`${writeOf(parts)}; COMMIT`, ANSWER_MS)
    return command === 'COMMIT' && !warned
  }

  private hold(json: string): void {
    const { held, heads } = parseRows(json) as {
      readonly held: Locks
      readonly heads: Readonly<Record<string, HeadRow>>
    }
    this.held = held
    this.ends = this.tools.journals.begin((journal) => keptOf(heads[journal]))
  }

  private async text(sql: string): Promise<string> {
    const [text = ''] = await this.texts(sql, ANSWER_MS)
    return text
  }

  private async texts(sql: string, withinMs: number): Promise<Answer['texts']> {
    return (await this.session.ask(sql, withinMs)).texts
  }
}

interface HeadRow {
  readonly size: number | string
  readonly frontier: string
  readonly mac: string
}

function keptOf(row: HeadRow | undefined): KeptHead | undefined {
  return row && { size: Number(row.size), frontier: Buffer.from(row.frontier, 'hex'), mac: Buffer.from(row.mac, 'hex') }
}

function snapshotSql(asked: Asked): string {
  return `SELECT bursar.snapshot(${sought(asked)}::jsonb)::text`
}
