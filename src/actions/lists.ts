import { BursarError } from '../core/errors.ts'
import { isId, type Kind } from '../core/ids.ts'
import type { Instrument, Payment, Request } from '../core/types.ts'
import type { Bursar, Page } from '../ports.ts'
import { instrumentView, paymentIfThere, requestView } from './views.ts'
import type { InstrumentView, PaymentView, RequestView } from './wire.ts'

const PAGE = 50

/** Which page: at most `limit` rows (50 unless given), older than the row that `cursor` names. */
export interface PageInput {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface Listed<View> {
  readonly items: readonly View[]
  /** There is more: the cursor of the next page. */
  readonly next_cursor?: string
}

/** What a list shows: all that is not named is shown. */
export interface ListFilter {
  readonly status?: string | undefined
  readonly wallet_id?: string | undefined
  readonly agent_id?: string | undefined
}

/**
 * One page of a list, newest first by id: one row more than is shown says whether there is a next one. What leaves meanwhile is
 * not shown.
 *
 * @throws `argument_invalid` for a cursor that is none
 */
export async function paged<Row extends { readonly id: string }, View>(
  kind: Kind,
  { limit = PAGE, cursor }: PageInput,
  read: (page: Page) => Promise<readonly Row[]>,
  view: (row: Row) => View | null | Promise<View | null>,
): Promise<Listed<View>> {
  if (cursor !== undefined && !isId(kind, cursor))
    throw new BursarError('argument_invalid', 'cursor is the next_cursor of an earlier answer.')
  const rows = await read({ limit: limit + 1, ...(cursor !== undefined && { before: cursor }) })
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const items = (await Promise.all(shown.map(async (row) => view(row)))).filter((item) => item !== null)
  return { items, ...(rows.length > limit && last && { next_cursor: last.id }) }
}

/** @throws `argument_invalid` */
export async function pageOfRequests(
  bursar: Bursar,
  filter: ListFilter,
  page: PageInput,
): Promise<Listed<RequestView>> {
  const where = {
    ...whereOf(filter),
    ...(filter.status !== undefined && { status: filter.status as Request['status'] }),
  }
  const read = (rows: Page) => bursar.store.read.list('requests', where, rows)
  return stillSo(filter, await paged('request', page, read, ({ id }) => requestView(bursar, id)))
}

/** @throws `argument_invalid` */
export async function pageOfInstruments(
  bursar: Bursar,
  filter: ListFilter,
  page: PageInput,
): Promise<Listed<InstrumentView>> {
  const status = filter.status as Instrument['status']
  const where = { ...whereOf(filter), ...(filter.status !== undefined && { status }) }
  const read = (rows: Page) => bursar.store.read.list('instruments', where, rows)
  return stillSo(filter, await paged('instrument', page, read, ({ id }) => instrumentView(bursar, id)))
}

export interface PaymentListFilter extends ListFilter {
  readonly instrument_id?: string | undefined
  readonly task_id?: string | undefined
}

/** Refused ones too. @throws `argument_invalid` */
export async function pageOfPayments(
  bursar: Bursar,
  filter: PaymentListFilter,
  page: PageInput,
): Promise<Listed<PaymentView>> {
  const where = {
    ...whereOf(filter),
    ...(filter.status !== undefined && { status: filter.status as Payment['status'] }),
    ...(filter.instrument_id !== undefined && { instrumentId: filter.instrument_id }),
    ...(filter.task_id !== undefined && { taskId: filter.task_id }),
  }
  const read = async (rows: Page) => (await bursar.store.read.list('payments', where, rows)) as readonly Payment[]
  return stillSo(filter, await paged('payment', page, read, ({ id }) => paymentIfThere(bursar, id)))
}

function whereOf({ wallet_id, agent_id }: ListFilter): { walletId?: string; agentId?: string } {
  return {
    ...(wallet_id !== undefined && { walletId: wallet_id }),
    ...(agent_id !== undefined && { agentId: agent_id }),
  }
}

/** What is over by its time, and not yet written as over, is shown as what it is. */
function stillSo<View extends { readonly status: string }>({ status }: ListFilter, list: Listed<View>): Listed<View> {
  if (status === undefined) return list
  return { ...list, items: list.items.filter((item) => item.status === status) }
}
