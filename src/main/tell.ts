import { type Notices, startNotices } from '../actions/notices.ts'
import { Undelivered } from '../ports/notice.ts'
import { errorFields } from '../telemetry.ts'
import { liveChannels } from './channels.ts'
import type { TellingOptions } from './notify.ts'

const TELL_AFTER_MS = 500
const TELL_EVERY_MS = 2_000
/** What is committed within so short a time is looked for once. */
const TOGETHER_MS = 100

/** Tells the channels, as long as no other process does. */
export function tell({ bursar, linked, changes, home, log }: TellingOptions): Pick<Notices, 'stop'> {
  const lead = bursar.store.nodes.lead('notices')
  const channels = liveChannels(home, (error) => log.error('the channels cannot be read', errorFields(error)))
  const notices = startNotices(bursar, {
    ...{ channels, linked, afterMs: TELL_AFTER_MS, everyMs: TELL_EVERY_MS },
    leads: () => channels().length > 0 && lead.isHeld(),
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
      await lead.release()
    },
  }
}
