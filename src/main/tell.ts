import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Notices, startNotices } from '../actions/notices.ts'
import type { Home } from '../config.ts'
import { Undelivered } from '../ports/notice.ts'
import { errorFields } from '../telemetry.ts'
import { liveChannels } from './channels.ts'
import type { TellingOptions } from './notify.ts'

const TELL_AFTER_MS = 500
const TELL_EVERY_MS = 2_000
/** What is committed within so short a time is looked for once. */
const TOGETHER_MS = 100

/** Tells the channels, as long as no other process on this home does. */
export function tell({ bursar, linked, changes, home, log }: TellingOptions): Pick<Notices, 'stop'> {
  const lock = lockOf(home)
  const channels = liveChannels(home, (error) => log.error('the channels cannot be read', errorFields(error)))
  const notices = startNotices(bursar, {
    ...{ channels, linked, afterMs: TELL_AFTER_MS, everyMs: TELL_EVERY_MS },
    leads: () => channels().length > 0 && lock.isHeld(),
    failed(channel, error) {
      const why = error instanceof Undelivered ? { why: error.message } : errorFields(error)
      log.warn('a notice was not taken, and is sent again', { channel, ...why })
    },
  })
  let soon: NodeJS.Timeout | null = null
  const unsubscribe = changes(() => {
    soon ??= setTimeout(() => {
      soon = null
      void notices.now()
    }, TOGETHER_MS).unref()
  })
  return {
    async stop() {
      unsubscribe()
      if (soon) clearTimeout(soon)
      await notices.stop()
      lock.release()
    },
  }
}

/**
 * Of the processes on a home, the one that holds the lock of a file of SQLite's tells. The system frees the lock of a process
 * that dies, however it dies; the next to ask has it.
 */
export function lockOf(home: Home, tryEveryMs = TELL_EVERY_MS / 2): { isHeld(): boolean; release(): void } {
  let held: Database.Database | null = null
  let tried = Number.NEGATIVE_INFINITY
  return {
    isHeld() {
      if (held) return true
      if (performance.now() - tried < tryEveryMs) return false
      tried = performance.now()
      const file = new Database(join(home.directory, 'notify.lock'), { timeout: 0 })
      try {
        file.exec('BEGIN EXCLUSIVE')
        held = file
        return true
      } catch {
        file.close()
        return false
      }
    },
    release() {
      held?.close()
      held = null
    },
  }
}
