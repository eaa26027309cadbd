import { setTimeout as sleep } from 'node:timers/promises'
import type { Statement } from 'better-sqlite3'
import { BursarError } from '../../core/errors.ts'

/** How long a step waits for its turn among all processes, and the longest single pause, in milliseconds. */
const WAIT_MS = 20_000
const PAUSE_MS = 1.5

/**
 * Takes the write lock by `begin`, a `BEGIN IMMEDIATE`. SQLite's own busy handler sleeps ever longer and so starves some
 * processes for seconds; short random pauses give each the same chance, and leave this process free meanwhile.
 *
 * @throws `busy` when the lock could not be had in time.
 */
export async function takeLock(begin: Statement): Promise<void> {
  for (let waited = 0; ; ) {
    if (tryRun(begin)) return
    const pause = 1 + Math.random() * PAUSE_MS
    waited += pause
    if (waited > WAIT_MS) throw new BursarError('busy', 'The database is busy with other processes.')
    await sleep(pause)
  }
}

function tryRun(begin: Statement): boolean {
  try {
    begin.run()
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY')
}
