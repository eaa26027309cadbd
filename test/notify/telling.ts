import type { Linked } from '../../src/actions/notice.ts'
import { beginChannel, type Notices, startNotices } from '../../src/actions/notices.ts'
import type { Channel } from '../../src/ports/notice.ts'
import type { Bursar } from '../../src/ports.ts'
import type { Purse } from '../support/purse.ts'
import { type Receiver, receiver, verified, webhookTo } from './receiver.ts'

/** The clock of a turn never comes by itself in these tests. */
const NEVER_MS = 2 ** 31 - 1

export interface Telling {
  readonly notices: Notices
  readonly hook: Receiver
  readonly failures: string[]
  /** How long it would have waited, in milliseconds. */
  readonly waits: number[]
  /** What the webhook was told, as `[kind, title]`. */
  told(): Promise<string[][]>
}

export interface TellingOptions {
  readonly channels?: readonly Channel[]
  readonly linked?: Linked
  /** Happens in place of a wait. */
  readonly wait?: (ms: number) => Promise<void> | void
}

export const CONSOLE = 'https://pay.example/console'

export function withConsole({ bursar }: Purse): Bursar {
  return { ...bursar, consoleUrl: async () => CONSOLE }
}

/** A channel that is told from now on, by a webhook to a real receiver. */
export async function telling(
  purse: Purse,
  { channels = [], linked = 'all', wait }: TellingOptions = {},
): Promise<Telling> {
  const hook = await receiver()
  const bursar = withConsole(purse)
  await beginChannel(bursar, 'hook')
  for (const { name } of channels) await beginChannel(bursar, name)
  const waits: number[] = []
  const failures: string[] = []
  const all = [webhookTo(hook), ...channels]
  const notices = startNotices(bursar, {
    ...{
      channels: () => all,
      leads: () => true,
      linked,
      afterMs: NEVER_MS,
      everyMs: NEVER_MS,
      chance: () => 0.5,
    },
    failed: (channel, error) => failures.push(`${channel}: ${(error as Error).message}`),
    async sleep(ms) {
      waits.push(ms)
      await wait?.(ms)
    },
  })
  return {
    ...{ notices, hook, failures, waits },
    async told() {
      await notices.now()
      return hook.got.map(verified).map(({ type, data }) => [type, data.title])
    },
  }
}
