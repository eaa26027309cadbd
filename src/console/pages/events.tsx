import type { JSX } from 'preact'
import { Empty, titled, When } from '../parts/bits.tsx'
import type { EventView } from '../types.ts'

/** `payment.in_doubt` for people. */
export function typeOf({ type }: EventView): string {
  return titled(type.replace('.', ': '))
}

/** Events in their order, each with all that the journal has of it behind a click. */
export function Timeline({ events }: { events: readonly EventView[] }): JSX.Element {
  if (events.length === 0) return <Empty>Nothing yet.</Empty>
  return (
    <ol class="timeline">
      {events.map((event) => (
        <li key={`${event.journal} ${event.seq}`}>
          <details>
            <summary>
              <strong>{typeOf(event)}</strong>{' '}
              <span class="sub">
                {event.amount !== undefined && `${event.amount} ${event.currency ?? ''} · `}
                {event.actor.role} · <When at={event.ts} />
              </span>
            </summary>
            <pre>{JSON.stringify(event, null, 2)}</pre>
          </details>
        </li>
      ))}
    </ol>
  )
}
