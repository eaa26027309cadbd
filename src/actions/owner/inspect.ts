import { BursarError } from '../../core/errors.ts'
import { kindOf } from '../../core/ids.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Agent, Instrument, Owner, Payment, PaymentStatus, Request, Wallet } from '../../core/types.ts'
import type { Bursar, Page, Reader } from '../../ports.ts'
import { eventAt } from '../event-at.ts'
import { instrumentView, noSuchPayment, paymentView, paymentViews, requestView } from '../views.ts'
import { walletView } from '../wallet-view.ts'
import type { InstrumentView, LimitView, PaymentView, RequestView, WalletView } from '../wire.ts'

export async function listWallets(bursar: Bursar): Promise<readonly WalletView[]> {
  const wallets = await bursar.store.read.list('wallets', {})
  return Promise.all(wallets.map((wallet) => walletView(bursar, wallet)))
}

/** By id or name. @throws `not_found` */
export async function showWallet(bursar: Bursar, idOrName: string): Promise<WalletView> {
  const { read } = bursar.store
  const wallet = ((await read.one('wallets', { id: idOrName })) ??
    (await read.one('wallets', { name: idOrName }))) as Wallet | null
  if (!wallet) throw new BursarError('not_found', 'There is no such wallet. `bursar wallet list` shows them.')
  return walletView(bursar, wallet)
}

/** Requests, newest first; with `pending`, the payments that wait for a human too. */
export async function listRequests(
  bursar: Bursar,
  filter: { status?: string | undefined },
): Promise<readonly (RequestView | PaymentView)[]> {
  const { read } = bursar.store
  const where = filter.status === undefined ? {} : { status: filter.status as Request['status'] }
  const requests = await Promise.all((await read.list('requests', where)).map(({ id }) => requestView(bursar, id)))
  if (filter.status !== 'pending') return requests
  const asked = await read.list('approvals', { status: 'waiting' })
  const paying = asked.filter(({ subjectId }) => kindOf(subjectId) === 'payment')
  const waiting = await Promise.all(paying.map(({ subjectId }) => paymentView(bursar, subjectId)))
  return [
    ...requests.filter(({ status }) => status === 'pending'),
    ...waiting.filter(({ status }) => status === 'awaiting_approval'),
  ]
}

/** A request, or a payment that waits or waited for a human. @throws `not_found` */
export async function showRequest(bursar: Bursar, id: string): Promise<RequestView | PaymentView> {
  return kindOf(id) === 'payment' ? await paymentView(bursar, id) : await requestView(bursar, id)
}

export async function listInstruments(
  bursar: Bursar,
  filter: { status?: string | undefined; wallet?: string | undefined },
): Promise<readonly InstrumentView[]> {
  const where = {
    ...(filter.status !== undefined && { status: filter.status as Instrument['status'] }),
    ...(filter.wallet !== undefined && { walletId: (await showWallet(bursar, filter.wallet)).wallet_id }),
  }
  const instruments = await bursar.store.read.list('instruments', where)
  return Promise.all(instruments.map(({ id }) => instrumentView(bursar, id)))
}

/** @throws `not_found` */
export async function showInstrument(bursar: Bursar, id: string): Promise<InstrumentView> {
  return instrumentView(bursar, id)
}

export interface OwnerPaymentFilter {
  readonly status?: string | undefined
  readonly instrument?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Payments of all agents, newest first. */
export async function listPayments(bursar: Bursar, filter: OwnerPaymentFilter): Promise<readonly PaymentView[]> {
  const where = {
    ...(filter.status !== undefined && { status: filter.status as PaymentStatus }),
    ...(filter.instrument !== undefined && { instrumentId: filter.instrument }),
  }
  const page: Page = { limit: filter.limit ?? 50, ...(filter.cursor !== undefined && { before: filter.cursor }) }
  const payments = await bursar.store.read.list('payments', where, page)
  return paymentViews(bursar, payments as readonly Payment[])
}

/** A payment with its story: the events that name it, oldest first. @throws `not_found` */
export async function showPayment(bursar: Bursar, id: string): Promise<PaymentView & Story> {
  const view = await paymentView(bursar, id)
  const payment = await bursar.store.read.one('payments', { id })
  if (!payment) throw noSuchPayment()
  return { ...view, ...(await storyOf(bursar.store.read, payment as Payment)) }
}

interface Story {
  readonly events: readonly unknown[]
  /** Earlier ones are archived: they are in files. */
  readonly events_archived?: true
}

/**
 * From the event that made it on, and no further than anything of it can be; from the beginning, where the clock was set back
 * meanwhile.
 */
async function storyOf(
  read: Reader,
  { id, walletId, createdAt, updatedAt, validUntil, seq: last }: Payment,
): Promise<Story> {
  const journal = walletId ?? 'instance'
  const end = rfc3339(Math.max(updatedAt, validUntil))
  const isOver = (await eventAt(read, journal, last))?.body === null
  let isArchived = isOver
  const story = async (from: number): Promise<EventBody[]> => {
    const events: EventBody[] = []
    for await (const { seq, body } of read.events(journal, from)) {
      if (body === null) {
        isArchived ||= seq <= last
        if (isOver) break
        continue
      }
      const isOf = body.includes(id)
      if (!isOf && seq <= last) continue
      const event = JSON.parse(body) as EventBody
      if (isOf) events.push(event)
      else if (event.ts > end) break
    }
    return events
  }
  // What is archived is so from its first event to its last.
  if (isOver) return { events: await story(last + 1), events_archived: true }
  const isWhole = (events: readonly EventBody[]) => events[0]?.ts === rfc3339(createdAt)
  const found = await story(await seqAt(read, journal, rfc3339(createdAt)))
  const events = isWhole(found) ? found : await story(0)
  return { events, ...(isArchived && !isWhole(events) && { events_archived: true }) }
}

interface EventBody {
  readonly ts: string
}

/** The first event of this time or later, in a journal that is in the order of time; what is archived was before. */
async function seqAt(read: Reader, journal: string, ts: string): Promise<number> {
  let [low, high] = [0, (await read.head(journal))?.size ?? 0]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const event = await eventAt(read, journal, middle)
    if (event && (event.body === null || (JSON.parse(event.body) as EventBody).ts < ts)) low = middle + 1
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

export async function listAgents(bursar: Bursar): Promise<readonly AgentView[]> {
  return (await bursar.store.read.list('agents', {})).map(agentView)
}

export function agentView({ id, name, status, keyHash, createdAt }: Agent): AgentView {
  return { agent_id: id, name, status, has_key: keyHash !== null, created_at: rfc3339(createdAt) }
}

/** The limits in force, of one wallet or of all. @throws `not_found` */
export async function listLimits(
  bursar: Bursar,
  wallet?: string,
): Promise<readonly (LimitView & { readonly wallet_id: string })[]> {
  const wallets = wallet === undefined ? await listWallets(bursar) : [await showWallet(bursar, wallet)]
  return wallets.flatMap(({ wallet_id, limits }) => limits.map((limit) => ({ ...limit, wallet_id })))
}

/** The owner of this instance, whose key the passphrase opens. @throws `not_found` before there is one */
export async function owner(bursar: Bursar): Promise<{
  readonly owner_id: string
  readonly name: string
  readonly public_key: string
}> {
  // The others have passkeys only.
  const first = ((await bursar.store.read.list('owners', {})) as readonly Owner[]).find(
    (one) => !one.publicKey.startsWith('none:'),
  )
  if (!first) throw new BursarError('not_found', 'There is no owner yet. Run `bursar init`.')
  return { owner_id: first.id, name: first.name, public_key: first.publicKey }
}
