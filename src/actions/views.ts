import { categoryName } from '../core/category.ts'
import { formatDuration } from '../core/duration.ts'
import { BursarError, CODES } from '../core/errors.ts'
import { formatUnits } from '../core/money.ts'
import type { Doubt } from '../core/payment.ts'
import { resourceIn } from '../core/resource.ts'
import { constraintsToWire } from '../core/terms.ts'
import { rfc3339 } from '../core/time.ts'
import type { Approval, Instrument, Payee, Payment, Refusal, Request, Wallet } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import { eventAt } from './event-at.ts'
import type {
  ApprovalView,
  InstrumentView,
  PaymentView,
  Receipt,
  RefusalView,
  RequestView,
  ResourceView,
} from './wire.ts'

/** @throws `not_found` */
export async function requestView(bursar: Bursar, requestId: string): Promise<RequestView> {
  const { read } = bursar.store
  const request = (await read.one('requests', { id: requestId })) as Request | null
  if (!request) throw new BursarError('not_found', 'There is no such request.')
  const wallet = (await read.one('wallets', { id: request.walletId })) as Wallet
  const approval = (await read.one('approvals', { subjectId: requestId })) as Approval | null
  const due = request.status === 'pending' && approval !== null && bursar.clock.now() >= approval.expiresAt
  const status = due ? 'expired' : request.status
  const refusal = request.refusal ?? (status === 'expired' ? LATE : null)
  return {
    request_id: request.id,
    status,
    wallet_id: request.walletId,
    agent_id: request.agentId,
    type: request.type,
    amount: formatUnits(request.amount, wallet.decimals),
    currency: request.currency,
    usage_limit: request.usageLimit,
    per_payment_max: request.perPaymentMax === null ? null : formatUnits(request.perPaymentMax, wallet.decimals),
    expires_in: formatDuration(request.expiresInMs),
    constraints: constraintsToWire(request.constraints),
    purpose: await read.text(request.purposeRef),
    task_id: request.taskId,
    created_at: rfc3339(request.createdAt),
    ...(request.instrumentId !== null && { instrument: await instrumentView(bursar, request.instrumentId) }),
    ...(refusal && { reason: (await reasonOf(bursar, approval)) ?? refusal.message, refusal: refusalView(refusal) }),
    ...(status === 'pending' && approval && { approval: await approvalView(bursar, approval) }),
  }
}

/** @throws `not_found` */
export async function instrumentView(bursar: Bursar, instrumentId: string): Promise<InstrumentView> {
  const instrument = (await bursar.store.read.one('instruments', { id: instrumentId })) as Instrument | null
  if (!instrument) throw new BursarError('not_found', 'There is no such instrument.')
  const wallet = (await bursar.store.read.one('wallets', { id: instrument.walletId })) as Wallet
  const amount = (units: bigint): string => formatUnits(units, wallet.decimals)
  const lapsed = ['active', 'limit_reached'].includes(instrument.status) && bursar.clock.now() >= instrument.expiresAt
  return {
    instrument_id: instrument.id,
    wallet_id: wallet.id,
    type: instrument.type,
    status: lapsed ? 'expired' : instrument.status,
    display: instrument.display,
    amount: amount(instrument.amount),
    remaining_amount: amount(instrument.remaining),
    currency: wallet.currency,
    usage_limit: instrument.usageLimit,
    usage_consumed: instrument.usageConsumed,
    per_payment_max: instrument.perPaymentMax === null ? null : amount(instrument.perPaymentMax),
    expires_at: rfc3339(instrument.expiresAt),
    constraints: constraintsToWire(instrument.constraints),
    mode: wallet.mode,
  }
}

/** @throws `not_found` */
export async function paymentView(bursar: Bursar, paymentId: string): Promise<PaymentView> {
  const view = await paymentIfThere(bursar, paymentId)
  if (!view) throw noSuchPayment()
  return view
}

export function noSuchPayment(): BursarError {
  return new BursarError(
    'not_found',
    'There is no such payment. If it was refused in a month that is archived, it is in the files of `bursar journal archive` alone.',
  )
}

/** Those of these payments that are there still: a refused one may be archived meanwhile. */
export async function paymentViews(
  bursar: Bursar,
  payments: readonly Pick<Payment, 'id'>[],
): Promise<readonly PaymentView[]> {
  return (await Promise.all(payments.map(({ id }) => paymentIfThere(bursar, id)))).filter((view) => view !== null)
}

/** Null where there is none. */
export async function paymentIfThere(bursar: Bursar, paymentId: string): Promise<PaymentView | null> {
  const { read } = bursar.store
  const payment = (await read.one('payments', { id: paymentId })) as Payment | null
  if (!payment) return null
  const wallet = payment.walletId === null ? null : ((await read.one('wallets', { id: payment.walletId })) as Wallet)
  const amount = (units: bigint | null): string | null =>
    units === null || !wallet ? null : formatUnits(units, wallet.decimals)
  const approval = (await read.one('approvals', { subjectId: paymentId })) as Approval | null
  const due = payment.status === 'awaiting_approval' && bursar.clock.now() >= payment.validUntil
  const status = due ? 'expired' : payment.status
  const refusal = payment.refusal ?? (status === 'expired' ? LATE : null)
  return {
    payment_id: payment.id,
    status,
    amount: amount(payment.amount),
    currency: wallet?.currency ?? null,
    payee: payeeView(payment.payee),
    purpose: await read.text(payment.purposeRef),
    protocol: payment.protocol,
    task_id: payment.taskId,
    session_id: payment.sessionId,
    agent_id: payment.agentId,
    captured_amount: amount(payment.captured),
    refunded_amount: amount(payment.refunded),
    created_at: rfc3339(payment.createdAt),
    updated_at: rfc3339(payment.updatedAt),
    ...(payment.instrumentId !== null && { instrument: await instrumentView(bursar, payment.instrumentId) }),
    ...(refusal && { reason: (await reasonOf(bursar, approval)) ?? refusal.message, refusal: refusalView(refusal) }),
    ...(status === 'awaiting_approval' && approval && { approval: await approvalView(bursar, approval) }),
    ...(payment.railRef !== null && { receipt: await receiptOf(bursar, payment, payment.railRef) }),
    ...(await resourceOf(bursar, payment)),
    ...(payment.status === 'in_doubt' && { reason: await doubtOf(bursar, payment) }),
  }
}

/** What a purchase on the web is of. An erased text leaves the fact that there was one. */
async function resourceOf(
  { store: { read } }: Bursar,
  { id, protocol }: Payment,
): Promise<{ resource?: ResourceView }> {
  const purchase = protocol === 'x402' ? await read.one('purchases', { paymentId: id }) : null
  if (!purchase) return {}
  const { method = '', asked = '' } = resourceIn(await read.text(purchase.resourceRef)) ?? {}
  const { deliveredAt, httpStatus } = purchase
  return { resource: { method, url: asked, delivered: deliveredAt !== null, http_status: httpStatus } }
}

/** Why nobody knows yet, as it was written last. */
async function doubtOf({ store: { read } }: Bursar, { walletId, seq }: Payment): Promise<string> {
  const event = await eventAt(read, walletId as string, seq)
  const { details } = JSON.parse(event?.body ?? '{}') as { details?: { reason?: Doubt } }
  return DOUBTS[details?.reason ?? 'no_answer']
}

const DOUBTS: Readonly<Record<Doubt, string>> = {
  no_answer: 'It may have been sent, and whoever knows what became of it could not be asked.',
  unconfirmed: 'It was signed, and is not seen on the chain yet: until it can never be, the money is held.',
}

const LATE: Refusal = { code: 'approval_expired', rule: 'approval.expires_at', message: 'Nobody answered in time.' }

/** What the human said along with a no. */
async function reasonOf(bursar: Bursar, approval: Approval | null): Promise<string | null> {
  return approval?.reasonRef ? await bursar.store.read.text(approval.reasonRef) : null
}

function payeeView({ category, ...payee }: Payee): PaymentView['payee'] {
  return {
    ...payee,
    ...(category !== undefined && { merchant_category: category, category_name: categoryName(category) }),
  }
}

async function receiptOf(bursar: Bursar, payment: Payment, railRef: string): Promise<Receipt> {
  const journal = payment.walletId as string
  const checkpoint = (await bursar.store.read.head(journal))?.checkpoint as string
  return { rail_ref: railRef, journal, seq: payment.seq, checkpoint }
}

export function refusalView({ code, rule, message }: Refusal): RefusalView {
  return { code, rule, message, hint: CODES[code].hint }
}

async function approvalView(bursar: Bursar, approval: Approval): Promise<ApprovalView> {
  const url = await decideUrl(bursar, approval.subjectId)
  return {
    approval_id: approval.id,
    needs: approval.needs,
    asked: approval.asked,
    expires_at: rfc3339(approval.expiresAt),
    command: `bursar request approve ${approval.subjectId}`,
    ...(url !== null && { url }),
  }
}

/** Where its user can decide: a page that lets nobody in by its address. */
export async function decideUrl({ consoleUrl }: Bursar, subjectId: string): Promise<string | null> {
  const console = (await consoleUrl?.()) ?? null
  return console === null ? null : `${console}/inbox/${subjectId}`
}
