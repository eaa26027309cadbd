/** Waits without blocking. Injected so that tests need no real time. */
export type Sleep = (ms: number) => Promise<void>

const FIRST_WAIT_MS = 2
const LONGEST_WAIT_MS = 25
const WAITS_IN_ALL_MS = 60_000

/**
 * Runs `work` again until the database is free, in short jittered waits that leave the event loop to others. `work` must
 * have changed nothing when it throws, as a rolled back transaction has.
 *
 * @throws whatever `work` throws, a busy database only after a minute of waiting.
 */
export async function whenFree<T>(sleep: Sleep, work: () => T | Promise<T>): Promise<T> {
  for (let longest = FIRST_WAIT_MS, waited = 0; ; longest = Math.min(longest * 2, LONGEST_WAIT_MS)) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || waited > WAITS_IN_ALL_MS) throw error
    }
    // Jitter: processes that met once must not meet again at the next try.
    const ms = 1 + Math.random() * longest
    waited += ms
    await sleep(ms)
  }
}

function isBusy(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)
}
