import type { Change, Key, Snapshot } from '../../core/step.ts'
import type { Clock } from '../../ports.ts'
import type { JournalEnds, Journals, KeptHead, Landed } from '../shared/journals.ts'
import type { Asked } from './asks.ts'
import { askedOf } from './asks.ts'
import type { Locks } from './locks.ts'
import type { Places } from './places.ts'
import { roundsOf } from './rounds.ts'
import { parseRows } from './rows.ts'
import type { Answer, Session } from './session.ts'
import { snapshotOf, Unread } from './snapshot.ts'
import { literal, sought } from './text.ts'
import type { Parts } from './writer.ts'
import { sealed, together, writeOf, written } from './writer.ts'

/** A step that waits to be run. */
export interface Step {
  readonly key: Key
  /** The queue that it waits in. */
  readonly lane: string
  readonly decide: (snapshot: Snapshot) => Change<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Set when a transaction that it shared failed, or when it needs more: the next one it has to itself. */
  readonly alone?: true
  /** Locks that a decision was found to need, beside those that its key leads to. What is read under them is read, too. */
  readonly more?: readonly string[]
}

/** What became of one step within a transaction that has not ended yet. */
export type Outcome =
  | { readonly step: Step; readonly result: unknown; readonly landed: Landed | null }
  | { readonly step: Step; readonly error: unknown }
  /** It has to be decided again, under these locks as well, and with all that it may read. */
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
 * One transaction, shared by steps that wait at the same time. Locks and the first snapshots in one message; then, round by
 * round, what one round writes along with the snapshots of the next; then the heads and COMMIT.
 */
export class Transaction {
  /** What became of each step so far. */
  readonly outcomes: Outcome[] = []
  /** From here on it is not known whether the transaction took place, unless the server says so. */
  committing = false
  private readonly session: Session
  private readonly tools: Tools
  private readonly turns: readonly Turn[]
  /** Those that are taken for the first round before it is known which locks they share. */
  private readonly first: readonly Turn[]
  private ends: JournalEnds | undefined

  /** @param queues steps of one queue each, in their order */
  constructor(session: Session, tools: Tools, queues: readonly (readonly Step[])[]) {
    const then = tools.clock.now()
    const turn = (step: Step): Turn => ({ step, asked: askedOf(step, then, tools.places.timeZone(step.key)) })
    const turns = queues.map((steps) => steps.map(turn))
    this.session = session
    this.tools = tools
    this.turns = turns.flat()
    this.first = turns.flatMap((steps) => steps.slice(0, 1))
  }

  /**
   * Runs all steps and ends the transaction.
   *
   * @param lockMs how long to wait for each lock
   * @returns whether the server says that what was written will stay; true where nothing was
   * @throws what the server or the connection says
   */
  async run(lockMs: number, withinMs: number): Promise<boolean> {
    const more = Object.fromEntries(this.turns.flatMap(({ step }) => moreOf(step)))
    const lock = `SELECT bursar.lock(${sought(this.turns.map(({ asked }) => asked))}::jsonb, ${literal(more)}::jsonb)::text; `
    const [locked = '', ...texts] = await this.texts(begun(lockMs) + lock + snapshotsSql(this.first), withinMs)
    const found = new Map(this.first.map((turn, i) => [turn, texts[i] ?? '']))
    const rounds = this.hold(locked)
    let parts: readonly Parts[] = []
    for (const round of rounds) {
      const unread = round.filter(({ turn }) => !found.has(turn)).map(({ turn }) => turn)
      if (parts.length > 0 || unread.length > 0) {
        const sql = [...(parts.length > 0 ? [writeOf(together(parts))] : []), snapshotsSql(unread)].join('; ')
        const answers = await this.texts(sql, ANSWER_MS)
        for (const [i, turn] of unread.entries()) found.set(turn, answers[answers.length - unread.length + i] ?? '')
      }
      parts = await this.decide(round, found)
      // Whatever else was read with the locks is from before this round wrote: the next ones read it anew.
      found.clear()
    }
    return this.end(parts)
  }

  /** Decides the steps of a round. @returns what they write, to be sent with the next message */
  private async decide(round: readonly Held[], found: ReadonlyMap<Turn, string>): Promise<readonly Parts[]> {
    const parts: Parts[] = []
    for (const { turn, held } of round) {
      const made = await this.attempt(turn, held, found.get(turn) ?? '')
      if (made) parts.push(made)
    }
    return parts
  }

  private async attempt({ step, asked }: Turn, held: Locks, found: string): Promise<Parts | null> {
    const { clock, places } = this.tools
    const now = clock.now()
    const snapshot = await snapshotOf(step.key, asked, found, now, (sql) => this.text(sql))
    places.learn(step.key, snapshot)
    try {
      const change = step.decide(snapshot)
      const made = written(change, now, this.ends as JournalEnds, held)
      if ('missing' in made) {
        this.outcomes.push({ step, missing: made.missing })
        return null
      }
      places.made(change.facts)
      this.outcomes.push({ step, result: change.result, landed: made.landed })
      return made.parts
    } catch (error) {
      this.outcomes.push(error instanceof Unread ? { step, missing: error.locks } : { step, error })
      return null
    }
  }

  private async end(last: readonly Parts[]): Promise<boolean> {
    const heads = (this.ends as JournalEnds).sealed()
    if (last.length === 0 && heads.length === 0) {
      await this.session.ask('ROLLBACK', ANSWER_MS)
      return true
    }
    this.committing = true
    const parts = { ...(last.length > 0 && together(last)), ...(heads.length > 0 && sealed(heads)) }
    const { command, warned } = await this.session.ask(`${writeOf(parts)}; COMMIT`, ANSWER_MS)
    return command === 'COMMIT' && !warned
  }

  /** @returns the steps with the locks that each has, in rounds */
  private hold(json: string): readonly (readonly Held[])[] {
    const { own, heads } = parseRows(json) as { own: readonly Locks[]; heads: Readonly<Record<string, HeadRow>> }
    this.ends = this.tools.journals.begin((journal) => keptOf(heads[journal]))
    const all = this.turns.map((turn, i) => ({ turn, held: { ...own[i], ...Object.fromEntries(moreOf(turn.step)) } }))
    return roundsOf(all.map(({ held }) => held)).map((round) => round.map((place) => all[place] as Held))
  }

  private async text(sql: string): Promise<string> {
    const [text = ''] = await this.texts(sql, ANSWER_MS)
    return text
  }

  private async texts(sql: string, withinMs: number): Promise<Answer['texts']> {
    return (await this.session.ask(sql, withinMs)).texts
  }
}

interface Turn {
  readonly step: Step
  readonly asked: Asked
}
interface Held {
  readonly turn: Turn
  readonly held: Locks
}

/** The locks that were found to be needed, alone. */
function moreOf({ more = [] }: Step): readonly (readonly [string, true])[] {
  return more.map((name) => [name, true])
}

interface HeadRow {
  readonly size: number | string
  readonly frontier: string
  readonly mac: string
}

function keptOf(row: HeadRow | undefined): KeptHead | undefined {
  return row && { size: Number(row.size), frontier: Buffer.from(row.frontier, 'hex'), mac: Buffer.from(row.mac, 'hex') }
}

/** One text for each, in their order. */
function snapshotsSql(turns: readonly Turn[]): string {
  return turns.map(({ asked }) => `SELECT bursar.snapshot(${sought(asked)}::jsonb)::text`).join('; ')
}
