import { USDC } from '../core/asset.ts'
import { isId } from '../core/ids.ts'
import { parseFrontier, rootOf } from '../core/merkle.ts'
import { formatUnits } from '../core/money.ts'
import { SYSTEM, subject } from '../core/payment.ts'
import { closedFact } from '../core/request.ts'
import type { InstrumentType, Payment } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import { eventAt } from './event-at.ts'
import { tellRail } from './rail-status.ts'
import { hasRail, inTime } from './rails.ts'
import { recordSettlement, settle } from './settle.ts'
import { reconcile } from './transfer/reconcile.ts'

/** How many payments are settled at the same time: a silent rail holds each of them up. */
const AT_ONCE = 16
/** Many transfers may become final at once, and each is looked at. No caller waits for it. */
const BOOKS_WITHIN_MS = 60_000

/**
 * Brings up to date what a crash, a silent rail or the passing of time left behind: settles payments that hold money,
 * reads the rails' books for late captures and refunds, sees deposits and compares balances, ends what expired, tells rails what they missed, and witnesses
 * the journals. Safe at any time, from any process. What fails keeps nothing else from being done.
 *
 * @throws AggregateError of all that failed, after everything was tried
 */
export async function recover(bursar: Bursar): Promise<void> {
  const { read } = bursar.store
  const failures: unknown[] = []
  const each = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((error: unknown) => failures.push(error))
  }
  const unsettled = (await read.list('payments', { status: ['authorized', 'in_doubt'] })).map(({ id }) => id)
  while (unsettled.length > 0)
    await Promise.all(unsettled.splice(0, AT_ONCE).map((id) => each(() => settle(bursar, id, 0))))
  for (const rail of Object.keys(bursar.rails) as InstrumentType[]) await each(() => readBooks(bursar, rail))
  for (const id of await onChains(bursar)) await each(() => reconcile(bursar, id, false))
  for (const id of [...(await overdueAsks(bursar)), ...(await overdueInstruments(bursar))])
    await each(() => expire(bursar, id))
  for (const id of await unheard(bursar)) await each(() => tellRail(bursar, id))
  for (const payment of await doubtful(bursar)) await each(() => recordStuck(bursar, payment))
  await each(() => witness(bursar))
  if (failures.length > 0) throw new AggregateError(failures, 'Some of the recovery failed.')
}

/** What changed at the rail since it was last read. The cursor is kept after the news: nothing is skipped by a crash. */
async function readBooks(bursar: Bursar, type: InstrumentType): Promise<void> {
  const rail = bursar.rails[type]
  if (!rail) return
  const known = (await bursar.store.read.one('rails', { id: type }))?.cursor ?? null
  let cursor = known
  for (;;) {
    const page = await inTime(rail.changes(cursor), BOOKS_WITHIN_MS)
    for (const { paymentId, record } of page.records)
      if (!(await recordSettlement(bursar, paymentId, record))) await unexplained(bursar, type, paymentId)
    if (page.records.length === 0 || page.cursor === cursor) break
    cursor = page.cursor
  }
  const reached = cursor
  if (reached === null || reached === known) return
  await bursar.store.update({}, () => ({
    facts: [{ type: 'rail.reconciled', actor: SYSTEM, details: { rail: type, cursor: reached } }],
    result: null,
  }))
}

/** Money that a rail says it moved, and that these books cannot place, is at least on record. */
async function unexplained(bursar: Bursar, rail: InstrumentType, paymentId: string): Promise<void> {
  const payment_id = isId('payment', paymentId) ? paymentId : 'unknown'
  await bursar.store.update({}, () => ({
    facts: [{ type: 'rail.unexplained', actor: SYSTEM, details: { rail, payment_id } }],
    result: null,
  }))
}

/** Wallets into which money comes by itself, where their chain can be asked. */
async function onChains(bursar: Bursar): Promise<readonly string[]> {
  const wallets = await bursar.store.read.list('wallets', { currency: USDC })
  return wallets.filter((wallet) => hasRail(bursar, 'usdc', wallet)).map(({ id }) => id)
}

/** Questions that nobody answered in time. */
async function overdueAsks({ store: { read }, clock }: Bursar): Promise<readonly string[]> {
  const now = clock.now()
  const late = (await read.list('approvals', { status: 'waiting' })).filter(({ expiresAt }) => now >= expiresAt)
  return late.map(({ subjectId }) => subjectId)
}

/** Instruments past their time. */
async function overdueInstruments({ store: { read }, clock }: Bursar): Promise<readonly string[]> {
  const now = clock.now()
  const late = (await read.list('instruments', { status: 'active' })).filter(({ expiresAt }) => now >= expiresAt)
  return late.map(({ id }) => id)
}

/** What nobody answered in time waits for nobody any more, and keeps no new question from being asked. */
export async function endOverdueAsks(bursar: Bursar): Promise<void> {
  for (const id of await overdueAsks(bursar)) await expire(bursar, id)
}

/** Silence means no. Ends what is overdue: a request, a waiting payment or an instrument. */
export async function expire(bursar: Bursar, id: string): Promise<void> {
  if (isId('request', id)) await expireRequest(bursar, id)
  else if (isId('payment', id)) await expirePayment(bursar, id)
  else await expireInstrument(bursar, id)
  bursar.notify.changed(id, null)
}

async function expireRequest(bursar: Bursar, requestId: string): Promise<void> {
  await bursar.store.update({ requestId }, ({ request, approval, now }) => {
    if (request?.status !== 'pending' || !approval || now < approval.expiresAt) return { facts: [], result: null }
    return { facts: [closedFact('request.expired', request, approval, SYSTEM)], result: null }
  })
}

async function expirePayment(bursar: Bursar, paymentId: string): Promise<void> {
  await bursar.store.update({ paymentId }, ({ payment, wallet, approval, now }) => {
    const open = payment?.status === 'awaiting_approval' && wallet && approval && now >= approval.expiresAt
    if (!open) return { facts: [], result: null }
    const base = { actor: SYSTEM, ...subject(payment, wallet, payment.instrumentId as string) }
    return { facts: [{ ...base, type: 'payment.expired', details: { approval_id: approval.id } }], result: null }
  })
}

async function expireInstrument(bursar: Bursar, instrumentId: string): Promise<void> {
  await bursar.store.update({ instrumentId }, ({ instrument, wallet, now }) => {
    if (instrument?.status !== 'active' || !wallet || now < instrument.expiresAt) return { facts: [], result: null }
    const base = { wallet_id: wallet.id, agent_id: instrument.agentId, instrument_id: instrument.id }
    return { facts: [{ type: 'instrument.expired', actor: SYSTEM, ...base, details: {} }], result: null }
  })
}

/** A rail that says nothing for so long is for a human to look into. */
const STUCK_AFTER_MS = 60 * 60 * 1000

/** Payments of which nothing was heard for an hour after they were in doubt, and of which that is not on record yet. */
async function doubtful({ store: { read }, clock }: Bursar): Promise<readonly Payment[]> {
  const since = clock.now() - STUCK_AFTER_MS
  const old = (await read.list('payments', { status: 'in_doubt' })).filter(({ updatedAt }) => updatedAt <= since)
  const unsaid: Payment[] = []
  for (const payment of old as readonly Payment[]) {
    const last = await eventAt(read, payment.walletId as string, payment.seq)
    if (last?.type !== 'payment.stuck') unsaid.push(payment)
  }
  return unsaid
}

/** Written once: from then on it is the last that was heard of the payment, until something else is. */
async function recordStuck(bursar: Bursar, { id, seq }: Payment): Promise<void> {
  await bursar.store.update({ paymentId: id }, ({ payment, wallet }) => {
    if (payment?.status !== 'in_doubt' || payment.seq !== seq || !wallet) return { facts: [], result: null }
    const base = { actor: SYSTEM, ...subject(payment, wallet, payment.instrumentId as string) }
    const amount = formatUnits(payment.amount as bigint, wallet.decimals)
    return { facts: [{ type: 'payment.stuck', ...base, amount, payee: payment.payee, details: {} }], result: null }
  })
  bursar.notify.changed(id, null)
}

/** Instruments of which a rail has not heard the latest, because it or this process was away. */
async function unheard(bursar: Bursar): Promise<readonly string[]> {
  const ended = ['limit_reached', 'expired', 'revoked', 'returned'] as const
  return [
    ...(await bursar.store.read.list('instruments', { railStatus: 'active', status: ['frozen', ...ended] })),
    ...(await bursar.store.read.list('instruments', { railStatus: 'frozen', status: ['active', ...ended] })),
  ].map(({ id }) => id)
}

/** Where this process saw the journals stand when it last wrote that down. */
const seen = new WeakMap<Bursar['store'], string>()

/** Writes into the instance's journal where the others stand, when they have moved: so none can be cut back alone. */
async function witness(bursar: Bursar): Promise<void> {
  const heads = (await bursar.store.read.heads())
    .filter(({ journal }) => journal !== 'instance')
    .map(({ journal, size, frontier }) => ({
      journal,
      size,
      root: rootOf(parseFrontier(size, frontier)).toString('base64'),
    }))
  const now = JSON.stringify(heads)
  if (heads.length === 0 || seen.get(bursar.store) === now) return
  await bursar.store.update({}, () => ({
    facts: [{ type: 'journal.witnessed', actor: SYSTEM, details: { heads } }],
    result: null,
  }))
  seen.set(bursar.store, now)
}
