import { startReconciler } from '../actions/reconciler.ts'
import { recover } from '../actions/recover.ts'
import type { Config } from '../config.ts'
import type { Bursar } from '../ports.ts'
import { errorFields, type Log } from '../telemetry.ts'

/** The host waits for its first answer: that comes before. */
const RECOVER_AFTER_MS = 250
const RECOVER_EVERY_MS = 30_000
/** How often a node looks whether the duty is its own now: then it begins at once. */
const LOOK_MS = 2_000

/**
 * Brings the books up to date beside everything else. Of nodes on a server, one does it. On a file each process does it: it is
 * safe to do twice, and a host that was put to sleep would keep it from all others.
 *
 * @param ready what has to be done before the first turn
 * @returns the way to stop
 */
export function startRecovery(
  { database }: Config,
  bursar: Bursar,
  log: Log,
  ready: () => Promise<void> = async () => undefined,
): () => Promise<void> {
  const duty = database.kind === 'file' ? null : bursar.store.nodes.lead('recovery')
  const isOurs = (): boolean => duty === null || duty.isHeld()
  const turn = async (): Promise<void> => {
    await ready()
    if (isOurs()) await recover(bursar)
  }
  const reconciler = startReconciler(turn, {
    ...{ afterMs: RECOVER_AFTER_MS, everyMs: RECOVER_EVERY_MS },
    observe({ number, ms, error }) {
      if (error === null) log.debug('recovered', { turn: number, ms: Math.round(ms) })
      else log.warn('recovery failed and will be tried again', { turn: number, ...errorFields(error) })
    },
  })
  let wasOurs = duty === null
  const looking = setInterval(() => {
    const isNow = isOurs()
    if (isNow && !wasOurs) void reconciler.now()
    wasOurs = isNow
  }, LOOK_MS).unref()
  return async () => {
    clearInterval(looking)
    await reconciler.stop()
    await duty?.release()
  }
}
