import { existsSync } from 'node:fs'
import type { Linked } from '../actions/notice.ts'
import type { Notices } from '../actions/notices.ts'
import type { Home } from '../config.ts'
import type { Bursar } from '../ports.ts'
import { errorFields, type Log } from '../telemetry.ts'

const LOOK_EVERY_MS = 2_000

export interface TellingOptions {
  /** With `consoleUrl`, where there is a console. */
  readonly bursar: Bursar
  readonly linked: Linked
  /** Subscribes to what is committed in this process; returns the way to stop. */
  readonly changes: (listener: () => void) => () => void
  readonly home: Home
  readonly log: Log
}

/** Tells the owner's channels what happens. What does it loads with the first channel: most homes have none. */
export function startTelling(options: TellingOptions): Pick<Notices, 'stop'> {
  const { home, log } = options
  let telling: Promise<Pick<Notices, 'stop'> | null> | null = null
  const look = (): void => {
    if (telling || !existsSync(home.channels)) return
    clearInterval(looking)
    telling = import('./tell.ts').then(({ tell }) => tell(options))
    telling = telling.catch((error) => {
      log.error('nobody is told anything', errorFields(error))
      return null
    })
  }
  const looking = setInterval(look, LOOK_EVERY_MS).unref()
  look()
  return {
    async stop() {
      clearInterval(looking)
      await (await telling)?.stop()
    },
  }
}
