import { BursarError } from '../../core/errors.ts'
import { isId } from '../../core/ids.ts'
import type { Payment, PaymentStatus } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { instrumentView, paymentView, paymentViews, requestView } from '../views.ts'
import { agentWalletView } from '../wallet-view.ts'
import type { BudgetView, Caller, PaymentList, PaymentView, RequestView } from '../wire.ts'

/** What is left to spend: the agent's wallets with their limits, and its instruments (one, or all that are not ended). */
export async function checkBudget(bursar: Bursar, caller: Caller, instrumentId?: string): Promise<BudgetView> {
  const { read } = bursar.store
  const mine = await read.list('instruments', { agentId: caller.agentId })
  const wanted = mine.filter(({ id, status }) =>
    instrumentId === undefined ? status === 'active' || status === 'frozen' : id === instrumentId,
  )
  if (instrumentId !== undefined && wanted.length === 0)
    throw new BursarError('not_found', 'There is no such instrument.')
  const wallets = (await read.list('wallets', {})).filter(({ id, agentId }) =>
    instrumentId === undefined
      ? agentId === null || agentId === caller.agentId
      : wanted.some((instrument) => instrument.walletId === id),
  )
  return {
    wallets: await Promise.all(wallets.map(async (wallet) => agentWalletView(bursar, wallet, caller))),
    instruments: await Promise.all(wanted.map(async ({ id }) => instrumentView(bursar, id))),
  }
}

/** @throws `not_found`, also for another agent's request */
export async function getRequest(bursar: Bursar, caller: Caller, requestId: string): Promise<RequestView> {
  const request = isId('request', requestId) ? await bursar.store.read.one('requests', { id: requestId }) : null
  if (request?.agentId !== caller.agentId) throw new BursarError('not_found', 'There is no such request.')
  return requestView(bursar, requestId)
}

/** @throws `not_found`, also for another agent's payment */
export async function getPayment(bursar: Bursar, caller: Caller, paymentId: string): Promise<PaymentView> {
  const payment = isId('payment', paymentId) ? await bursar.store.read.one('payments', { id: paymentId }) : null
  if (payment?.agentId !== caller.agentId)
    throw new BursarError('not_found', 'There is no such payment. A refused one goes when its month is archived.')
  return paymentView(bursar, paymentId)
}

export interface PaymentFilter {
  readonly instrument_id?: string | undefined
  readonly status?: string | undefined
  readonly task_id?: string | undefined
  /** RFC 3339. */
  readonly since?: string | undefined
  readonly limit?: number | undefined
  /** A payment id: only older ones. */
  readonly cursor?: string | undefined
}

const PAGE = 20
const PAGE_MAX = 100

/** The agent's payments, newest first, refused ones too. @throws `argument_invalid` */
export async function listPayments(bursar: Bursar, caller: Caller, filter: PaymentFilter): Promise<PaymentList> {
  const limit = filter.limit ?? PAGE
  if (!(Number.isSafeInteger(limit) && limit > 0 && limit <= PAGE_MAX))
    throw new BursarError('argument_invalid', `limit is a whole number from 1 to ${PAGE_MAX}.`)
  if (filter.cursor !== undefined && !isId('payment', filter.cursor))
    throw new BursarError('argument_invalid', 'cursor is the next_cursor of an earlier answer.')
  const since = sinceOf(filter.since)
  const where = {
    agentId: caller.agentId,
    ...(filter.instrument_id !== undefined && { instrumentId: filter.instrument_id }),
    ...(filter.status !== undefined && { status: filter.status as PaymentStatus }),
    ...(filter.task_id !== undefined && { taskId: filter.task_id }),
  }
  const page = { limit: limit + 1, ...(filter.cursor !== undefined && { before: filter.cursor }) }
  const rows = (await bursar.store.read.list('payments', where, page)) as readonly Payment[]
  const shown = rows.slice(0, limit).filter(({ createdAt }) => createdAt >= since)
  const more = rows.length > limit && shown.length === limit
  return {
    payments: await paymentViews(bursar, shown),
    ...(more && { next_cursor: (shown.at(-1) as Payment).id }),
  }
}

function sinceOf(text: string | undefined): number {
  if (text === undefined) return 0
  const ms = /^\d{4}-\d{2}-\d{2}([T ][0-9:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new BursarError('argument_invalid', 'since is an RFC 3339 time such as 2026-01-31T00:00:00Z.')
  return ms
}
