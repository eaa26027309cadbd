import { formatUnits } from '../../core/money.ts'
import type { Quote } from '../../core/offer.ts'
import { isReplayed } from '../../core/payment.ts'
import { refusal } from '../../core/refusal.ts'
import { resourceIn } from '../../core/resource.ts'
import type { Payee, Payment, Purchase, Refusal } from '../../core/types.ts'
import type { Sellers, Visit, WebRequest } from '../../ports/web.ts'
import type { Bursar } from '../../ports.ts'
import { expire } from '../recover.ts'
import { abandon, settle } from '../settle.ts'
import { paymentView, refusalView } from '../views.ts'
import type { Caller, FetchView } from '../wire.ts'
import { answerView, priceView } from './fetch/answer.ts'
import { type Priced, refuse, tryToBuy } from './fetch/attempt.ts'
import { type Errand, errandOf, type FetchInput } from './fetch/errand.ts'
import { claim, prepare, preparedElsewhere } from './fetch/prepare.ts'
import { askSeller, rulesOf } from './fetch/price.ts'
import { isDelivered, sendPaid } from './fetch/send.ts'

export type { FetchInput } from './fetch/errand.ts'

/** One call: whom it asks, and what for. */
interface Trip {
  readonly bursar: Bursar
  readonly errand: Errand
  readonly visit: Visit
  readonly x402: Sellers['x402']
  readonly caller: Caller
  /** By origin, the payment that is being sent there: whether it may was decided apart from whom an agent may ask. */
  readonly leaving: Map<string, string>
  readonly gone: AbortSignal
}

/**
 * Fetches a URL, and pays for it where its seller asks for money (x402) and everything allows it. What is decided on is
 * what the seller asks for, never what the agent says; it is held before anything is signed, and stored before anything
 * leaves. While an earlier call for the same resource is unresolved, this is that purchase.
 *
 * @param gone fires when nobody waits for the answer any more: nothing further is begun, and what arrives is not delivered
 * @throws `busy` (nothing was changed), `outcome_unknown` (look it up before paying again)
 */
export async function fetchWithPayment(
  bursar: Bursar,
  caller: Caller,
  input: FetchInput,
  gone: AbortSignal = NEVER,
): Promise<FetchView> {
  const errand = await errandOf(bursar, caller, input)
  if (errand.fault) return refused(bursar, errand, errand.fault)
  const { web, x402 } = await bursar.sellers()
  const leaving = new Map<string, string>()
  const trip = { bursar, errand, caller, gone, x402, leaving, visit: web.visit(rulesOf(bursar, errand, leaving)) }
  const prior = errand.isQuery ? null : await bursar.store.read.prior(errand.same, bursar.clock.now())
  return prior && isReplayed(prior) ? again(trip, prior) : first(trip)
}

const NEVER = new AbortController().signal
const GIVEN_UP = refusal('busy', 'call', 'The call was given up before anything was decided.')

async function first(trip: Trip): Promise<FetchView> {
  const { bursar, errand } = trip
  const asked = await askSeller(bursar, errand, trip, null)
  if (asked.kind === 'free') return { answer: answerView(asked.response) }
  if (asked.kind === 'refused')
    return errand.isQuery ? { refusal: refusalView(asked.why) } : refused(bursar, errand, asked.why, asked.payee)
  const { priced, quote } = asked
  if (errand.isQuery) return { price: priceView(errand, priced, quote) }
  if (priced.offer.amount > errand.max) return refused(bursar, errand, overMax(errand, priced), priced.payee, priced)
  if (trip.gone.aborted) return { refusal: refusalView(GIVEN_UP) }
  const tried = await tryToBuy(bursar, errand, priced)
  const { paymentId } = tried
  switch (tried.kind) {
    case 'lapsed':
      await expire(bursar, paymentId)
      return first(trip)
    case 'replayed':
      return again(trip, await paymentOf(bursar, paymentId))
    case 'refused':
    case 'asking':
      bursar.notify.changed(paymentId, null)
      return { payment: await paymentView(bursar, paymentId) }
    case 'authorized':
      return bought(trip, paymentId, priced, quote)
  }
}

/** The purchase that an earlier call began, carried on from where it is. */
async function again(trip: Trip, payment: Payment): Promise<FetchView> {
  const { bursar, errand } = trip
  const { id } = payment
  if (payment.fingerprint !== errand.same.fingerprint)
    return refused(bursar, errand, refusal('idempotency_conflict', 'idempotency_key', CONFLICT))
  if (payment.status === 'awaiting_approval' && bursar.clock.now() >= payment.validUntil) {
    await expire(bursar, id)
    return first(trip)
  }
  const purchase = (await bursar.store.read.one('purchases', { paymentId: id })) as Purchase
  if (!isUnfinished(payment, purchase)) return replayed(payment, await seen(bursar, id))
  if (purchase.header !== null) return replayed(payment, await sent(trip, id))
  return replayed(payment, await resumed(trip, payment))
}

const CONFLICT = 'This idempotency_key was used for another purchase.'

/** Whether there is something left to do: it may be signed, or was paid for and not delivered. */
function isUnfinished({ status }: Payment, { header, deliveredAt }: Purchase): boolean {
  if (deliveredAt !== null) return false
  return header === null ? status === 'authorized' : ['authorized', 'in_doubt', 'captured'].includes(status)
}

/** Asks the seller for its price again: what was approved is paid at most, and only to whom it was approved. */
async function resumed(trip: Trip, payment: Payment): Promise<FetchView> {
  const { bursar, errand } = trip
  const { payee } = payment
  const asked = await askSeller(bursar, errand, trip, payee.address as string)
  if (asked.kind === 'free') {
    // Who answers with an error may ask again later.
    if (isDelivered(asked.response))
      await abandon(bursar, payment, refusal('offer_changed', 'offer', 'The seller no longer asks for money.'))
    return { answer: answerView(asked.response), payment: await paymentView(bursar, payment.id) }
  }
  const why = asked.kind === 'refused' ? asked.why : changeOf(payment, asked.priced)
  if (asked.kind === 'refused' || why) {
    // What may pass by itself leaves what was approved as it is, until it is too late for it.
    if (why?.code === 'offer_changed' || why?.code === 'offer_not_payable') await abandon(bursar, payment, why)
    return { payment: await paymentView(bursar, payment.id), ...(why && { refusal: refusalView(why) }) }
  }
  if (asked.priced.offer.amount > errand.max)
    return refused(bursar, errand, overMax(errand, asked.priced), asked.priced.payee, asked.priced)
  if (trip.gone.aborted) return seen(bursar, payment.id)
  const claimed = await claim(bursar, trip.caller, payment.id, asked.priced)
  if (claimed === 'claimed') return bought(trip, payment.id, asked.priced, asked.quote)
  if (claimed === 'taken') await preparedElsewhere(bursar, payment.id)
  return sent(trip, payment.id)
}

function changeOf({ amount, payee }: Payment, priced: Priced): Refusal | null {
  const changed = (what: string) => refusal('offer_changed', 'payment.amount', `The seller now ${what}.`)
  if (priced.offer.amount > (amount as bigint)) return changed('wants more than was approved')
  return priced.payee.origin === payee.origin ? null : changed('is at another address than was approved')
}

async function bought(trip: Trip, paymentId: string, { offer }: Priced, quote: Quote): Promise<FetchView> {
  const { bursar, x402 } = trip
  const why = await prepare(bursar, await paymentOf(bursar, paymentId), { offer, quote, x402 })
  return why ? { ...(await seen(bursar, paymentId)), refusal: refusalView(why) } : sent(trip, paymentId)
}

/** Sends what was prepared, by whomever, and shows what came back: the resource, or how it stands with the payment. */
async function sent(trip: Trip, paymentId: string): Promise<FetchView> {
  const { bursar, errand } = trip
  const purchase = (await bursar.store.read.one('purchases', { paymentId })) as Purchase
  const payment = await paymentOf(bursar, paymentId)
  // What was signed for more than may be paid now may still be taken: it is shown as it stands, and not sent again.
  const isOver = payment.captured === 0n && (purchase.value ?? (payment.amount as bigint)) > errand.max
  if (purchase.header === null || purchase.deliveredAt !== null || isOver) return seen(bursar, paymentId)
  const request = await requestOf(bursar, errand, purchase)
  trip.leaving.set(payment.payee.origin as string, paymentId)
  const response = request && (await sendPaid(bursar, trip, { id: paymentId, header: purchase.header }, request))
  bursar.notify.changed(paymentId, payment.walletId)
  if (response && isDelivered(response))
    return { answer: answerView(response), payment: await paymentView(bursar, paymentId) }
  await settle(bursar, paymentId, 0)
  return { ...(response && { answer: answerView(response) }), ...(await seen(bursar, paymentId)) }
}

/** To where the price was asked, which may not be where the agent sent us: its headers go no further. Null: that was erased. */
async function requestOf(
  { store }: Bursar,
  { request }: Errand,
  { resourceRef }: Purchase,
): Promise<WebRequest | null> {
  const url = resourceIn(await store.read.text(resourceRef))?.url
  if (url === undefined) return null
  const isHere = new URL(url).origin === new URL(request.url).origin
  return { ...request, url, ...(!isHere && { headers: {} }) }
}

function overMax({ max, means }: Errand, { offer }: Priced): Refusal {
  const { currency, decimals } = (means as NonNullable<Errand['means']>).wallet
  const [price, most] = [offer.amount, max].map((units) => `${formatUnits(units, decimals)} ${currency}`)
  return refusal('max_amount_exceeded', 'max_amount', `The price is ${price}, and max_amount ${most}.`)
}

async function refused(
  bursar: Bursar,
  errand: Errand,
  why: Refusal,
  payee: Payee = {},
  priced: Pick<Priced, 'offer'> | null = null,
): Promise<FetchView> {
  return seen(bursar, await refuse(bursar, errand, why, { payee, offer: priced?.offer ?? null }))
}

async function paymentOf({ store }: Bursar, id: string): Promise<Payment> {
  return (await store.read.one('payments', { id })) as Payment
}

async function seen(bursar: Bursar, paymentId: string): Promise<FetchView> {
  return { payment: await paymentView(bursar, paymentId) }
}

/** Where what there is to see is the earlier payment. */
function replayed({ id }: Payment, view: FetchView): FetchView {
  return view.payment?.payment_id === id ? { ...view, payment: { ...view.payment, replayed: true } } : view
}
