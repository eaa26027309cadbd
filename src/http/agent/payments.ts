import { fetchWithPayment } from '../../actions/agent/fetch-with-payment.ts'
import { pay } from '../../actions/agent/pay.ts'
import { followUp } from '../../actions/follow-up.ts'
import type { FetchView, PaymentView, RefusalView } from '../../actions/wire.ts'
import { BursarError, CODES, type Code } from '../../core/errors.ts'
import { type Answer, Declined } from '../shared/route.ts'
import type { AgentCall } from './call.ts'

/** Begun, and not at its end: asking again is what to do. */
const OPEN = new Set<string>(['awaiting_approval', 'authorized', 'in_doubt'])
/** Ended without money moving. */
const NO = new Set<string>(['refused', 'denied', 'expired', 'canceled', 'voided'])

/** Pays, and waits for what comes of it as long as the rail may take. @throws Declined with the attempt, as it is on record */
export async function createPayment({ bursar, caller, body, key }: AgentCall<'createPayment'>): Promise<Answer> {
  const payment = await pay(bursar, caller, { ...body, ...keyOf(key, body) })
  if (NO.has(payment.status)) throw declined(payment)
  return {
    status: OPEN.has(payment.status) ? 202 : payment.replayed ? 200 : 201,
    body: payment,
    location: `/payments/${payment.payment_id}`,
    replayed: payment.replayed === true,
  }
}

/** @throws Declined, with the attempt where there is one */
export async function fetchPaid(call: AgentCall<'fetchWithPayment'>): Promise<Answer> {
  const { bursar, caller, body, key, gone } = call
  const view = await fetchWithPayment(bursar, caller, { ...body, ...keyOf(key, body) }, gone)
  const { payment, refusal } = view
  if (payment) follow(call, payment.payment_id)
  const replayed = payment?.replayed === true
  if (isThere(view)) return { status: 200, body: view, replayed }
  if (payment && NO.has(payment.status)) throw declined(payment, view)
  if (!payment && refusal) throw declinedBy(refusal, view)
  // Delivered to an earlier call, and paid for: there is nothing more to come.
  return { status: payment?.resource?.delivered ? 200 : 202, body: view, replayed }
}

/** Whether it is what was asked for: the price, or the answer of a seller that delivered or wants no money. */
function isThere({ answer, price, payment }: FetchView): boolean {
  if (price || !answer || !payment) return price !== undefined || answer !== undefined
  if (payment.resource?.delivered) return answer.status >= 200 && answer.status <= 299
  return payment.status === 'voided' && payment.resource?.http_status === null
}

/** The key of the header is the payment's own: it is in the database. @throws `argument_invalid` where the two differ */
function keyOf(key: string | null, { idempotency_key }: { idempotency_key?: string | undefined }) {
  if (key !== null && idempotency_key !== undefined && key !== idempotency_key)
    throw new BursarError('argument_invalid', 'Idempotency-Key and idempotency_key are not the same.')
  return key === null ? {} : { idempotency_key: key }
}

function declined(payment: PaymentView, { answer }: FetchView = {}): Declined {
  const refusal = payment.refusal ?? { code: 'rail_declined', rule: payment.status, message: 'It was not paid.' }
  return declinedBy(refusal, { payment, ...(answer && { answer }) })
}

function declinedBy({ code, rule, message }: Omit<RefusalView, 'hint'>, more: object): Declined {
  return new Declined(Object.hasOwn(CODES, code) ? (code as Code) : 'rail_declined', message, { rule, ...more })
}

/** The resource is not kept waiting for the chain. */
function follow({ bursar, log, closing }: AgentCall<'fetchWithPayment'>, paymentId: string): void {
  followUp(bursar, paymentId, closing).catch(() => log('error', 'A payment could not be followed.'))
}
