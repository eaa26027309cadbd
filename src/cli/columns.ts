import type { LimitView, PaymentView } from '../actions/wire.ts'
import type { JournalEvent } from '../core/event.ts'
import type { StoredEvent } from '../ports.ts'
import type { Column } from './output.ts'

/** What more than one command shows. */
export const LIMIT_COLUMNS: readonly Column<LimitView>[] = [
  { title: 'limit', of: (limit) => limit.limit_id },
  { title: 'scope', of: (limit) => (limit.scope_value === null ? limit.scope : `${limit.scope} ${limit.scope_value}`) },
  { title: 'window', of: (limit) => limit.window },
  { title: 'amount', of: (limit) => limit.max_amount, align: 'right' },
  { title: 'left', of: (limit) => limit.remaining_amount, align: 'right' },
  { title: 'count', of: (limit) => limit.max_count, align: 'right' },
  { title: 'left', of: (limit) => limit.remaining_count, align: 'right' },
  { title: 'over it', of: (limit) => limit.over },
]

/** An event, or what is left here of one that is archived. */
export type Listed =
  | (JournalEvent & { readonly archived?: undefined })
  | (Pick<StoredEvent, 'journal' | 'seq' | 'type'> & { readonly archived: true; readonly leaf: string })

export const EVENT_COLUMNS: readonly Column<Listed>[] = [
  { title: 'when', of: (event) => (event.archived ? 'archived' : event.ts) },
  { title: 'journal', of: (event) => event.journal },
  { title: 'seq', of: (event) => event.seq, align: 'right' },
  { title: 'what', of: (event) => event.type },
  { title: 'who', of: (event) => (event.archived ? null : `${event.actor.role} ${event.actor.id}`) },
  {
    title: 'about',
    of: (event) => (event.archived ? null : (event.payment_id ?? event.instrument_id ?? event.request_id)),
  },
  {
    title: 'amount',
    of: (event) => (event.archived ? null : event.amount && `${event.amount} ${event.currency}`),
    align: 'right',
  },
]

/** Who is paid, by what people know it by: on the web it is a site that asks, whatever its account. */
export function payeeOf({ payee }: PaymentView): string | undefined {
  return payee.name ?? payee.origin ?? payee.address
}
