import { BursarError } from '../../core/errors.ts'
import { kindOf } from '../../core/ids.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Agent, Instrument, Owner, Payment, PaymentStatus, Request, Wallet } from '../../core/types.ts'
import type { Bursar, Page, Reader } from '../../ports.ts'
import { instrumentView, paymentView, requestView } from '../views.ts'
import { walletView } from '../wallet-view.ts'
import type { InstrumentView, LimitView, PaymentView, RequestView, WalletView } from '../wire.ts'

export function listWallets(bursar: Bursar): readonly WalletView[] {
  return bursar.store.read.list('wallets', {}).map((wallet) => walletView(bursar, wallet))
}

/** By id or name. @throws `not_found` */
export function showWallet(bursar: Bursar, idOrName: string): WalletView {
  const { read } = bursar.store
  const wallet = (read.one('wallets', { id: idOrName }) ?? read.one('wallets', { name: idOrName })) as Wallet | null
  if (!wallet) throw new BursarError('not_found', 'There is no such wallet. `bursar wallet list` shows them.')
  return walletView(bursar, wallet)
}

/** Requests, newest first; with `pending`, the payments that wait for a human too. */
export function listRequests(
  bursar: Bursar,
  filter: { status?: string | undefined },
): readonly (RequestView | PaymentView)[] {
  const { read } = bursar.store
  const where = filter.status === undefined ? {} : { status: filter.status as Request['status'] }
  const requests = read.list('requests', where).map(({ id }) => requestView(bursar, id))
  if (filter.status !== 'pending') return requests
  const waiting = read
    .list('approvals', { status: 'waiting' })
    .filter(({ subjectId }) => kindOf(subjectId) === 'payment')
    .map(({ subjectId }) => paymentView(bursar, subjectId))
  return [
    ...requests.filter(({ status }) => status === 'pending'),
    ...waiting.filter(({ status }) => status === 'awaiting_approval'),
  ]
}

/** A request, or a payment that waits or waited for a human. @throws `not_found` */
export function showRequest(bursar: Bursar, id: string): RequestView | PaymentView {
  return kindOf(id) === 'payment' ? paymentView(bursar, id) : requestView(bursar, id)
}

export function listInstruments(
  bursar: Bursar,
  filter: { status?: string | undefined; wallet?: string | undefined },
): readonly InstrumentView[] {
  const where = {
    ...(filter.status !== undefined && { status: filter.status as Instrument['status'] }),
    ...(filter.wallet !== undefined && { walletId: showWallet(bursar, filter.wallet).wallet_id }),
  }
  return bursar.store.read.list('instruments', where).map(({ id }) => instrumentView(bursar, id))
}

/** @throws `not_found` */
export function showInstrument(bursar: Bursar, id: string): InstrumentView {
  return instrumentView(bursar, id)
}

export interface OwnerPaymentFilter {
  readonly status?: string | undefined
  readonly instrument?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Payments of all agents, newest first. */
export function listPayments(bursar: Bursar, filter: OwnerPaymentFilter): readonly PaymentView[] {
  const where = {
    ...(filter.status !== undefined && { status: filter.status as PaymentStatus }),
    ...(filter.instrument !== undefined && { instrumentId: filter.instrument }),
  }
  const page: Page = { limit: filter.limit ?? 50, ...(filter.cursor !== undefined && { before: filter.cursor }) }
  return (bursar.store.read.list('payments', where, page) as readonly Payment[]).map(({ id }) =>
    paymentView(bursar, id),
  )
}

/** A payment with its story: the events that name it, oldest first. @throws `not_found` */
export function showPayment(bursar: Bursar, id: string): PaymentView & { readonly events: readonly unknown[] } {
  const view = paymentView(bursar, id)
  return { ...view, events: storyOf(bursar.store.read, bursar.store.read.one('payments', { id }) as Payment) }
}

/**
 * From the event that made it on, and no further than anything of it can be; from the beginning, where the clock was set back
 * meanwhile.
 */
function storyOf(read: Reader, { id, walletId, createdAt, updatedAt, validUntil, seq: last }: Payment): unknown[] {
  const journal = walletId ?? 'instance'
  const end = rfc3339(Math.max(updatedAt, validUntil))
  const story = (from: number): EventBody[] => {
    const events: EventBody[] = []
    for (const { seq, body } of read.events(journal, from)) {
      const isOf = body.includes(id)
      if (!isOf && seq <= last) continue
      const event = JSON.parse(body) as EventBody
      if (isOf) events.push(event)
      else if (event.ts > end) break
    }
    return events
  }
  const events = story(seqAt(read, journal, rfc3339(createdAt)))
  return events[0]?.ts === rfc3339(createdAt) ? events : story(0)
}

interface EventBody {
  readonly ts: string
}

/** The first event of this time or later, in a journal that is in the order of time. */
function seqAt(read: Reader, journal: string, ts: string): number {
  let [low, high] = [0, read.head(journal)?.size ?? 0]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [event] = read.events(journal, middle)
    if (event && (JSON.parse(event.body) as EventBody).ts < ts) low = middle + 1
    else high = middle
  }
  return low
}

export interface AgentView {
  readonly agent_id: string
  readonly name: string
  readonly status: string
  readonly has_key: boolean
  readonly created_at: string
}

export function listAgents(bursar: Bursar): readonly AgentView[] {
  return bursar.store.read.list('agents', {}).map(agentView)
}

export function agentView({ id, name, status, keyHash, createdAt }: Agent): AgentView {
  return { agent_id: id, name, status, has_key: keyHash !== null, created_at: rfc3339(createdAt) }
}

/** The limits in force, of one wallet or of all. @throws `not_found` */
export function listLimits(bursar: Bursar, wallet?: string): readonly (LimitView & { readonly wallet_id: string })[] {
  const wallets = wallet === undefined ? listWallets(bursar) : [showWallet(bursar, wallet)]
  return wallets.flatMap(({ wallet_id, limits }) => limits.map((limit) => ({ ...limit, wallet_id })))
}

/** The owner of this instance, whose key the passphrase opens. @throws `not_found` before there is one */
export function owner(bursar: Bursar): {
  readonly owner_id: string
  readonly name: string
  readonly public_key: string
} {
  // The others have passkeys only.
  const first = (bursar.store.read.list('owners', {}) as readonly Owner[]).find(
    (one) => !one.publicKey.startsWith('none:'),
  )
  if (!first) throw new BursarError('not_found', 'There is no owner yet. Run `bursar init`.')
  return { owner_id: first.id, name: first.name, public_key: first.publicKey }
}
