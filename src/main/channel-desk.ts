import { randomBytes } from 'node:crypto'
import type { Channels } from '../cli/channels.ts'
import type { Config } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import { rfc3339 } from '../core/time.ts'
import { channelOf } from '../notify/index.ts'
import { type Notice, Undelivered } from '../ports/notice.ts'
import { systemClock } from '../system.ts'
import { addChannel, channelFrom, channelView, othersOf, readChannels, removeChannel } from './channels.ts'

const TEST_WITHIN_MS = 15_000

/** What `bursar notify` works with. */
export function channelsOf({ home }: Config): Channels {
  return {
    list: () => readChannels(home).map(channelView),
    async add(input, begin) {
      const channel = await channelFrom(input)
      othersOf(home, channel)
      await begin()
      addChannel(home, channel)
      return { view: channelView(channel), secret: channel.kind === 'webhook' ? channel.secret : null }
    },
    remove: (name) => removeChannel(home, name),
    async test(name) {
      const found = readChannels(home).find((one) => one.name === name)
      if (!found) throw new BursarError('not_found', 'There is no such channel.')
      try {
        await channelOf(found, () => undefined).send(testNotice(), AbortSignal.timeout(TEST_WITHIN_MS))
      } catch (error) {
        if (!(error instanceof Undelivered)) throw error
        throw new BursarError('rail_unavailable', `The notice was not taken. ${error.message}`)
      }
    },
  }
}

function testNotice(): Notice {
  return {
    id: `ntc_${randomBytes(16).toString('hex')}`,
    ...{ kind: 'test', at: rfc3339(systemClock.now()), title: 'A test: this channel works' },
    ...{ facts: [], ids: {}, link: null, checkpoint: '' },
  }
}
