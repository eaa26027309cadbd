import Database from 'better-sqlite3'
import type { Lead } from '../../ports.ts'

const TRY_EVERY_MS = 1_000

/**
 * Of the processes on a database file, the one that holds the lock of another file beside it has the duty. The system frees the
 * lock of a process that dies, however it dies; the next to ask has it.
 */
export function leadOf(path: string, duty: string, tryEveryMs = TRY_EVERY_MS): Lead {
  let held: Database.Database | null = null
  let tried = Number.NEGATIVE_INFINITY
  return {
    isHeld() {
      if (held) return true
      if (performance.now() - tried < tryEveryMs) return false
      tried = performance.now()
      const file = new Database(`${path}.${duty}.lock`, { timeout: 0 })
      try {
        file.exec('BEGIN EXCLUSIVE')
        held = file
        return true
      } catch {
        file.close()
        return false
      }
    },
    async release() {
      held?.close()
      held = null
    },
  }
}
