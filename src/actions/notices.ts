import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Fact, JournalEvent } from '../core/event.ts'
import { SYSTEM } from '../core/payment.ts'
import { millis } from '../core/time.ts'
import type { Channel, Notice } from '../ports/notice.ts'
import type { Bursar } from '../ports.ts'
import { eventAt } from './event-at.ts'
import { isTold, type Linked, noticeOf } from './notice.ts'

/** The journals are the outbox. Each channel has a place in each of them, and moves it on once a notice was taken. */

type Outcome = Extract<Fact, { type: 'notice.sent' }>['details']['outcome']

export interface NoticesOptions {
  /** The channels as they are now; looked at anew before each try. */
  readonly channels: () => readonly Channel[]
  /** Whether this process tells. Of several on one home one does. */
  readonly leads: () => boolean
  readonly linked: Linked
  /** Before the first turn, and between turns, in milliseconds. */
  readonly afterMs: number
  readonly everyMs: number
  /** Told of each try that failed: the channel, and words of ours. Must not throw. */
  readonly failed: (channel: string, error: unknown) => void
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** From 0 to 1: so that channels and processes do not try in step. */
  readonly chance?: () => number
}

export interface Notices {
  /** Looks for what is to be told, now. Resolves when no channel has anything left to do; never rejects. */
  now(): Promise<void>
  stop(): Promise<void>
}

const SECOND_MS = 1_000
const HOUR_MS = 60 * 60 * SECOND_MS
/** What a receiver did not take for so long is given up, which the journal says. */
const GIVE_UP_MS = 24 * HOUR_MS
const TRY_WITHIN_MS = 15 * SECOND_MS
const STOP_WITHIN_MS = 2 * SECOND_MS
/** So many events are read at a time; between them others have their turn. */
const EVENTS_AT_ONCE = 500
/** A place is moved on over so many events with nothing to tell, so that a start need not read them again. */
const SKIP_AFTER = 10_000
/** Of so many limits and hours a channel remembers that they were told. */
const ONCE_MAX = 1_000

/** From now on a channel is told what happens, and nothing of what happened before. Call it before the channel is there. */
export async function beginChannel(bursar: Bursar, channel: string): Promise<void> {
  const heads = (await bursar.store.read.heads()).filter(({ size }) => size > 0)
  const facts = heads.map(({ journal, size }) => sentFact(channel, journal, size - 1, 'skipped'))
  await bursar.store.update({}, () => ({ facts, result: null }))
}

/**
 * Tells each channel what happened, at least once: the notice that was under way when a process died is sent again, under the
 * same id. A channel whose receiver is away waits longer and longer, and holds up no other.
 */
export function startNotices(bursar: Bursar, options: NoticesOptions): Notices {
  const stopped = new AbortController()
  const queues = new Map<string, Queue>()
  const working = new Map<string, Promise<void>>()

  function turn(): Promise<void> {
    if (stopped.signal.aborted || !options.leads()) return Promise.resolve()
    for (const { name } of options.channels()) {
      if (working.has(name)) continue
      const queue = queues.get(name) ?? new Queue(bursar, name, options, stopped.signal)
      queues.set(name, queue)
      const work = queue.run().catch((error) => options.failed(name, error))
      working.set(
        name,
        work.finally(() => working.delete(name)),
      )
    }
    return Promise.all(working.values()).then(() => undefined)
  }

  async function keepOn(): Promise<void> {
    for (let pause = options.afterMs; !stopped.signal.aborted; pause = options.everyMs) {
      // Nobody's process stays for the sake of this.
      await sleepFor(pause, undefined, { signal: stopped.signal, ref: false })
      // A channel that waits for its receiver keeps no other from its turn.
      void turn()
    }
  }
  // The sleep is cut off by `stop`, and nothing else in it can fail.
  keepOn().catch(() => undefined)

  return {
    now: turn,
    async stop() {
      stopped.abort()
      await Promise.race([Promise.all(working.values()), sleepFor(STOP_WITHIN_MS, undefined, { ref: false })])
    },
  }
}

/** What one channel has yet to be told. */
class Queue {
  private readonly bursar: Bursar
  private readonly name: string
  private readonly options: NoticesOptions
  private readonly stopped: AbortSignal
  /** The next event to read, by journal. */
  private readonly places = new Map<string, number>()
  private readonly once = new Set<string>()

  constructor(bursar: Bursar, name: string, options: NoticesOptions, stopped: AbortSignal) {
    this.bursar = bursar
    this.name = name
    this.options = options
    this.stopped = stopped
  }

  /** What happens meanwhile is told, too. */
  async run(): Promise<void> {
    for (let found = true; found; ) {
      found = false
      for (const journal of await this.bursar.store.read.journals())
        while (!this.isOver() && (await this.portion(journal))) {
          found = true
          await new Promise(setImmediate)
        }
    }
  }

  /** Tells what is to be told of the next events; false when there were none, or the channel is not to be told any more. */
  private async portion(journal: string): Promise<boolean> {
    const place = await this.place(journal)
    let read = 0
    const told: JournalEvent[] = []
    for await (const { type, body } of this.bursar.store.read.events(journal, place)) {
      // What is archived already is told no more.
      if (isTold(type) && body !== null) told.push(JSON.parse(body) as JournalEvent)
      read += 1
      if (read === EVENTS_AT_ONCE) break
    }
    for (const event of told) {
      if (event.seq < (await this.place(journal))) continue
      if (!(await this.told(event))) return false
      this.places.set(journal, event.seq + 1)
    }
    this.places.set(journal, place + read)
    await this.skip(journal, place + read)
    return read > 0
  }

  /** Another process may have been further. What it told last is what is not to be told again. */
  private async place(journal: string): Promise<number> {
    const known = this.places.get(journal)
    const cursor = await this.cursor(journal)
    if (known !== undefined) return Math.max(known, cursor + 1)
    const last = cursor < 0 ? null : await eventAt(this.bursar.store.read, journal, cursor)
    const told = last?.body != null && isTold(last.type) ? await this.idOf(last.body) : null
    if (told !== null) this.once.add(told)
    this.places.set(journal, cursor + 1)
    return cursor + 1
  }

  private async idOf(body: string): Promise<string | null> {
    return (await noticeOf(this.bursar, JSON.parse(body) as JournalEvent, 'asks'))?.id ?? null
  }

  /** The last event that the channel is done with; -1 for none. */
  private async cursor(journal: string): Promise<number> {
    return (await this.bursar.store.read.one('notice_cursors', { channel: this.name, journal }))?.seq ?? -1
  }

  /** Whether the channel is done with it: it was taken, or there is nothing to tell, or it was tried for long enough. */
  private async told(event: JournalEvent): Promise<boolean> {
    for (let tries = 0; ; tries += 1) {
      const channel = this.options.channels().find(({ name }) => name === this.name)
      if (!channel || this.isOver()) return false
      // Anew each time: a question may have been answered while the receiver was away.
      const notice = await noticeOf(this.bursar, event, this.options.linked)
      if (!notice || this.isRepeated(notice)) return true
      if (await this.taken(channel, notice)) return this.note(event, 'delivered')
      if (this.stopped.aborted) return false
      if (this.bursar.clock.now() - millis(event.ts) >= GIVE_UP_MS) return this.note(event, 'given_up')
      await this.pause(tries)
    }
  }

  /** Where many events are told as one, the first was it. */
  private isRepeated({ id }: Notice): boolean {
    return this.once.has(id)
  }

  private async taken(channel: Channel, notice: Notice): Promise<boolean> {
    try {
      await channel.send(notice, AbortSignal.any([this.stopped, AbortSignal.timeout(TRY_WITHIN_MS)]))
    } catch (error) {
      if (!this.stopped.aborted) this.options.failed(this.name, error)
      return false
    }
    this.once.add(notice.id)
    const [oldest] = this.once
    if (this.once.size > ONCE_MAX && oldest !== undefined) this.once.delete(oldest)
    return true
  }

  /** One second, two, four, up to an hour, each more or less by up to a half. */
  private async pause(tries: number): Promise<void> {
    const { sleep = quietly, chance = Math.random } = this.options
    const ms = Math.min(HOUR_MS, SECOND_MS * 2 ** Math.min(tries, 12))
    await sleep(ms * (0.5 + chance()), this.stopped)
  }

  private async note({ journal, seq }: Pick<JournalEvent, 'journal' | 'seq'>, outcome: Outcome): Promise<true> {
    if ((await this.cursor(journal)) >= seq) return true
    const facts = [sentFact(this.name, journal, seq, outcome)]
    await this.bursar.store.update({}, () => ({ facts, result: null }))
    return true
  }

  private async skip(journal: string, place: number): Promise<void> {
    if (place - 1 - (await this.cursor(journal)) >= SKIP_AFTER) await this.note({ journal, seq: place - 1 }, 'skipped')
  }

  private isOver(): boolean {
    return this.stopped.aborted || !this.options.leads()
  }
}

/** Ends early when it is stopped. */
async function quietly(ms: number, signal: AbortSignal): Promise<void> {
  await sleepFor(ms, undefined, { signal, ref: false }).catch(() => undefined)
}

function sentFact(channel: string, journal: string, seq: number, outcome: Outcome): Fact {
  return { type: 'notice.sent', actor: SYSTEM, details: { channel, journal, seq, outcome } }
}
