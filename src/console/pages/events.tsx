import type { JSX } from 'preact'
import { Empty, titled, When } from '../parts/bits.tsx'
import type { EventView } from '../types.ts'

/** `payment.in_doubt` for people. */
export function typeOf({ type }: Pick<EventView, 'type'>): string {
  return titled(type.replace('.', ': '))
}

/** All that is here of an event whose body is in a file. */
export type Archived = Pick<EventView, 'journal' | 'seq' | 'type'>

/** Events in their order, each with all that the journal has of it behind a click. */
export function Timeline({ events }: { events: readonly (EventView | Archived)[] }): JSX.Element {
  if (events.length === 0) return <Empty>Nothing yet.</Empty>
  return (
    <ol class="timeline">
      {events.map((event) => (
        <li key={`${event.journal} ${event.seq}`}>
          <details>
            <summary>
              <strong>{typeOf(event)}</strong>{' '}
              <span class="sub">
                {'actor' in event ? <Summary event={event} /> : 'archived: its text is in a file'}
              </span>
            </summary>
            <pre>{JSON.stringify(event, null, 2)}</pre>
          </details>
        </li>
      ))}
    </ol>
  )
}

function Summary({ event: { amount, currency, actor, ts } }: { event: EventView }): JSX.Element {
  return (
    <>
      {amount !== undefined && `${amount} ${currency ?? ''} · `}
      {actor.role} · <When at={ts} />
    </>
  )
}
