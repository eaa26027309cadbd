import { BursarError } from '../../core/errors.ts'
import type { Change, Key, Snapshot } from '../../core/step.ts'
import type { Ended } from './attempts.ts'
import { Attempts } from './attempts.ts'
import type { Pool } from './pool.ts'
import { Slots } from './slots.ts'
import type { Step, Tools } from './transaction.ts'

/** The most steps that share one commit. More makes each wait longer and gains little. */
const BATCH = 64
/** The longest pause before a step is run again, in milliseconds. */
const PAUSE_MS = 40

/** The steps of one wallet, in their order. */
interface Lane {
  readonly waiting: Step[]
  /** Some of its steps are in a transaction; the next ones follow when that is over. */
  isRunning: boolean
  /** Somebody else has had its locks for long: until one of its commits went through, no other wallet waits along with it. */
  isApart: boolean
}
/** A lane and what a transaction took from it. */
interface Taken {
  readonly lane: Lane
  readonly steps: readonly Step[]
}

export interface QueueOptions {
  /** How many transactions may be open at a time. */
  readonly transactions: number
  /** How long a step tries to be written, and how long its outcome is looked for after that, in milliseconds. */
  readonly waitMs: number
}

/**
 * Runs steps: those of one wallet one after the other; and whatever waits at the same time in one commit, of one wallet or of
 * several, so that there are more to a commit the more there is to do. One that fails takes no other with it: what it throws
 * before it writes is its own, and where a write fails, all of them are run again, each in a transaction of its own.
 */
export class StepQueue {
  private readonly tools: Tools
  private readonly waitMs: number
  private readonly attempts: Attempts
  private readonly lanes = new Map<string, Lane>()
  /** Lanes with steps that wait and none in a transaction, the one that has waited longest first. */
  private readonly ready: Lane[] = []
  private readonly slots: Slots
  /** Who waits for a lock that others have had for long may take so many of them. */
  private readonly patient: Slots
  private idlers: (() => void)[] = []

  constructor(pool: Pool, tools: Tools, { transactions, waitMs }: QueueOptions) {
    this.tools = tools
    this.waitMs = waitMs
    this.attempts = new Attempts(pool, tools, waitMs)
    this.slots = new Slots(transactions, () => this.fill())
    this.patient = new Slots(Math.max(1, Math.floor(transactions / 3)))
  }

  run<R>(key: Key, decide: (snapshot: Snapshot) => Change<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const name = this.tools.places.lane(key)
      const lane = this.lanes.get(name) ?? { waiting: [], isRunning: false, isApart: false }
      this.lanes.set(name, lane)
      lane.waiting.push({ key, decide, lane: name, resolve: resolve as (result: unknown) => void, reject })
      if (lane.isRunning || lane.waiting.length > 1) return
      this.ready.push(lane)
      // Those who ask within the same turn of the event loop share the first commit already.
      queueMicrotask(() => this.fill())
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.lanes.size > 0) await new Promise<void>((resolve) => void this.idlers.push(resolve))
  }

  private fill(): void {
    while (this.slots.free > 0 && this.ready.length > 0) void this.drain(this.take())
  }

  /** What goes into the next transaction: a fair share of the lanes that wait, so that those that are free have all of them. */
  private take(): readonly Taken[] {
    const share = Math.ceil(this.ready.length / this.slots.free)
    const taken: Taken[] = []
    for (let room = BATCH; room > 0 && taken.length < share; ) {
      const lane = this.ready[0]
      const isAlone = lane?.isApart || lane?.waiting[0]?.alone
      if (!lane || (isAlone && taken.length > 0)) break
      this.ready.shift()
      lane.isRunning = true
      const steps = takeFrom(lane.waiting, room)
      taken.push({ lane, steps })
      room -= isAlone ? room : steps.length
    }
    return taken
  }

  private async drain(taken: readonly Taken[]): Promise<void> {
    await this.commit(taken)
    // Lets those whose step has just ended ask for their next one before the next commit begins.
    await new Promise(setImmediate)
    for (const { lane, steps } of taken) {
      lane.isRunning = false
      if (lane.waiting.length > 0) this.ready.push(lane)
      else this.lanes.delete((steps[0] as Step).lane)
    }
    this.fill()
    if (this.lanes.size === 0) for (const resolve of this.idlers.splice(0)) resolve()
  }

  /** Runs these steps until they have their answers, or gives some of them back to be run again. */
  private async commit(taken: readonly Taken[]): Promise<void> {
    const until = performance.now() + this.waitMs
    const queues = taken.map(({ steps }) => steps)
    for (let locked = false; ; ) {
      const ended: Ended | null = await this.patiently(locked, () => this.attempt(queues, locked, until))
      if (!ended) {
        for (const { reject } of queues.flat())
          reject(new BursarError('busy', 'The database is busy, or cannot be reached.'))
        return
      }
      if (ended.kind !== 'again') return settle(taken, ended)
      if (ended.locked && taken.length > 1) {
        for (const { lane, steps } of taken) giveBack(lane, steps).isApart = true
        return
      }
      locked = ended.locked
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * PAUSE_MS))
    }
  }

  /** @returns null when its turn came too late */
  private async attempt(queues: readonly (readonly Step[])[], locked: boolean, until: number): Promise<Ended | null> {
    const left = until - performance.now()
    return left > 0 ? this.attempts.make(queues, locked, this.patient.wanted, left) : null
  }

  private patiently<R>(locked: boolean, work: () => Promise<R>): Promise<R> {
    const within = () => this.slots.run(work)
    return locked ? this.patient.run(within) : within()
  }
}

/** Answers those that have one. The others wait again. */
function settle(taken: readonly Taken[], ended: Exclude<Ended, { kind: 'again' }>): void {
  if (ended.kind === 'failed') {
    const isOne = taken.length === 1 && taken[0]?.steps.length === 1
    for (const { lane, steps } of taken) {
      if (isOne) steps[0]?.reject(ended.error)
      else
        giveBack(
          lane,
          steps.map((step) => ({ ...step, alone: true as const })),
        )
    }
    return
  }
  const again = new Map<string, Step[]>()
  for (const outcome of ended.outcomes) {
    const { step } = outcome
    if (ended.kind === 'unknown')
      step.reject(new BursarError('outcome_unknown', 'The database did not say whether it kept this.'))
    else if ('missing' in outcome) {
      const more = [...(step.more ?? []), ...outcome.missing]
      again.set(step.lane, [...(again.get(step.lane) ?? []), { ...step, alone: true, more }])
    } else if ('error' in outcome) step.reject(outcome.error)
    else step.resolve(outcome.result)
  }
  for (const { lane, steps } of taken) giveBack(lane, again.get((steps[0] as Step).lane) ?? []).isApart = false
}

function giveBack(lane: Lane, steps: readonly Step[]): Lane {
  lane.waiting.unshift(...steps)
  return lane
}

/** The first one alone, or as many as may share a commit. */
function takeFrom(waiting: Step[], room: number): readonly Step[] {
  if (waiting[0]?.alone) return waiting.splice(0, 1)
  const alone = waiting.findIndex((step) => step.alone)
  return waiting.splice(0, Math.min(room, alone === -1 ? room : alone))
}
