import { setTimeout as sleep } from 'node:timers/promises'

/** How one turn went. */
export interface Turn {
  /** From 1. */
  readonly number: number
  /** How long it took. */
  readonly ms: number
  /** What failed; everything else was done all the same, and what failed is tried again with the next turn. */
  readonly error: unknown
}

export interface Reconciler {
  /** Begins a turn now, or right after the one that is running. Resolves when it has ended; never rejects. */
  now(): Promise<Turn>
  /** No turn begins any more. Resolves when the one that is running has ended, or was waited for long enough. */
  stop(): Promise<void>
}

export interface ReconcilerOptions {
  /** Before the first turn, and between the end of one and the beginning of the next, in milliseconds. */
  readonly afterMs: number
  readonly everyMs: number
  /** Told of each turn that ended. Must not throw. */
  readonly observe: (turn: Turn) => void
}

/** A turn may wait for a silent rail; whoever stops the process does not. */
const STOP_WITHIN_MS = 2_000

/**
 * Brings the books up to date beside everything else, for all rails, one turn at a time.
 *
 * @param work one turn: finds what a crash, a silent rail, a reorganization or the passing of time left behind
 */
export function startReconciler(work: () => Promise<void>, options: ReconcilerOptions): Reconciler {
  const stopped = new AbortController()
  let number = 0
  let running: Promise<unknown> = Promise.resolve()

  async function turn(): Promise<Turn> {
    number += 1
    const [own, from] = [number, performance.now()]
    let error: unknown = null
    try {
      if (!stopped.signal.aborted) await work()
    } catch (failure) {
      error = failure
    }
    const ended = { number: own, ms: performance.now() - from, error }
    if (!stopped.signal.aborted) options.observe(ended)
    return ended
  }

  function now(): Promise<Turn> {
    const next = running.then(turn)
    running = next
    return next
  }

  async function keepOn(): Promise<void> {
    let pause = options.afterMs
    while (!stopped.signal.aborted) {
      // Nobody's process stays for the sake of this.
      await sleep(pause, undefined, { signal: stopped.signal, ref: false })
      await now()
      pause = options.everyMs
    }
  }
  // The sleep is cut off by `stop`, and nothing else in it can fail.
  keepOn().catch(() => undefined)

  return {
    now,
    async stop() {
      stopped.abort()
      await Promise.race([running, sleep(STOP_WITHIN_MS, undefined, { ref: false })])
    },
  }
}
