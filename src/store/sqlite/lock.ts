import { setTimeout as sleep } from 'node:timers/promises'
import { BursarError } from '../../core/errors.ts'
import type { Connection } from './connection.ts'

/** How long a step waits for its turn among all processes, and the longest single pause, in milliseconds. */
const WAIT_MS = 20_000
const PAUSE_MS = 4

/**
 * Takes the write lock. SQLite's own busy handler sleeps ever longer and so starves some processes for seconds; short
 * random pauses give each the same chance, and leave this process free to do other things meanwhile.
 *
 * @throws `busy` when the lock could not be had in time.
 */
export async function beginImmediate(connection: Connection): Promise<void> {
  for (let waited = 0; ; ) {
    if (tryBegin(connection)) return
    const pause = 1 + Math.random() * PAUSE_MS
    waited += pause
    if (waited > WAIT_MS) throw new BursarError('busy', 'The database is busy with other processes.')
    await sleep(pause)
  }
}

function tryBegin(connection: Connection): boolean {
  try {
    connection.exec('BEGIN IMMEDIATE')
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
