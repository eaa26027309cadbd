import type { JSX } from 'preact'
import { look } from '../api.ts'
import { useData } from '../data.ts'
import { Badge, Empty, Facts } from '../parts/bits.tsx'
import { Failed, useBusy } from '../parts/dialog.tsx'
import { Read } from '../parts/page.tsx'
import { type Here, here, isOn, type PushChannel, turnOff, turnOn } from '../push.ts'
import { say } from '../state.ts'

const PERMISSION: { readonly [P in NotificationPermission]: string } = {
  granted: 'given',
  denied: 'refused: the settings of this browser can change it',
  default: 'not asked for yet',
}

interface Found {
  readonly channels: readonly PushChannel[]
  readonly browser: Here | null
}

/** Whether this browser shows notices, by which channel. It needs no passkey: a notice decides nothing. */
export function Notifications(): JSX.Element {
  const data = useData<Found>('push', async () => {
    const [{ channels }, browser] = await Promise.all([
      look<{ channels: readonly PushChannel[] }>('/push'),
      here().catch(() => null),
    ])
    return { channels, browser }
  })
  return (
    <section>
      <h2>Notifications in this browser</h2>
      <Read data={data}>
        {({ channels, browser }) => (
          <>
            <Facts
              rows={[
                ['Supported', browser ? 'yes' : 'no: not by this browser, or not at this address'],
                ['Permission', browser ? PERMISSION[browser.permission] : 'none'],
              ]}
            />
            {channels.length === 0 && (
              <Empty>
                No channel of web push is set up here. The command line adds one: bursar notify add webpush.
              </Empty>
            )}
            {channels.length > 0 && browser && <Channels {...{ channels, browser }} onChange={data.reload} />}
          </>
        )}
      </Read>
    </section>
  )
}

interface ChannelsProps {
  readonly channels: readonly PushChannel[]
  readonly browser: Here
  onChange(): void
}

function Channels({ channels, browser, onChange }: ChannelsProps): JSX.Element {
  const { busy, failed, run } = useBusy()
  const turn = (channel: PushChannel): void =>
    run(async () => {
      const { subscription } = browser
      try {
        if (subscription !== null && isOn(channel, browser)) await turnOff(channel, subscription)
        else await turnOn(channel, channels)
        say('The notifications of this browser are changed.')
      } finally {
        onChange()
      }
    })
  return (
    <>
      <ul class="rows">
        {channels.map((channel) => {
          const on = isOn(channel, browser)
          return (
            <li key={channel.name} class="block">
              <div class="heading">
                <span>
                  <strong>{channel.name}</strong> <Badge status={on ? 'on' : 'off'} />
                </span>
                <button type="button" class="secondary outline" disabled={busy} onClick={() => turn(channel)}>
                  {on ? 'Turn off' : 'Turn on'}
                  <span class="unseen"> {channel.name}</span>
                </button>
              </div>
              <p class="sub">
                {channel.subscribed.length === 1
                  ? 'one browser is told'
                  : `${channel.subscribed.length} browsers are told`}
              </p>
            </li>
          )
        })}
      </ul>
      <Failed why={failed} />
      <p class="sub">
        A notification says what happened, and decides nothing. It comes when you are signed out, too. This browser is
        told by one channel at a time.
      </p>
    </>
  )
}
