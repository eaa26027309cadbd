import { randomUUID } from 'node:crypto'
import type { AuthorizationRequest } from '../issuer.ts'
import { declined } from './controls.ts'
import { after } from './message.ts'
import type { Entry, Records, Stored } from './records.ts'
import { met, planned, type Scenario } from './scenarios.ts'

/**
 * Decides on a payment by the card's own controls, writes it with all that the merchant sends at once, and puts the rest on
 * the schedule; or finds it written. Says how the network answers. Runs inside one transaction.
 *
 * @throws Error when the payment was begun with other terms, or its amount is not more than zero: a bug.
 */
export async function authorize(
  records: Records,
  request: AuthorizationRequest,
  now: number,
): Promise<Scenario['reply']> {
  if (request.amount <= 0n) throw new Error(`Payment ${request.paymentId} has no amount.`)
  const terms = termsOf(request)
  const existing = await records.entry(request.paymentId)
  if (existing && existing.terms !== terms) throw new Error(`Payment ${request.paymentId} was begun with other terms.`)
  if (existing) return 'prompt'
  const { merchant, scenario } = met(request.payee, request.amount)
  const found = await records.cardById(request.cardId)
  const card = found?.instrumentId === request.instrumentId ? found : undefined
  const refused = declined(card, request, merchant, now)
  if (!refused && (await neverArrives(records, request.paymentId, scenario))) return scenario.reply
  const declineCode = refused ?? scenario.decline
  const entry: Entry = {
    ...{ paymentId: request.paymentId, id: `sandbox_auth_${randomUUID()}`, cardId: card?.id ?? null, terms },
    ...{ currency: request.currency, merchant, declineCode },
    status: declineCode ? 'declined' : 'pending',
    authorized: declineCode ? 0n : request.amount,
    ...{ captured: 0n, forced: 0n, released: 0n, refunded: 0n },
  }
  await records.write(entry, null)
  if (declineCode) return 'prompt'
  await play(records, entry, scenario, now)
  return scenario.reply === 'lost_request' ? 'prompt' : scenario.reply
}

/** Exactly what the payment was begun with, in one text. */
function termsOf(request: AuthorizationRequest): string {
  const { instrumentId, cardId, amount, currency, payee, validUntil } = request
  const { name, category, country, address, network } = payee
  return JSON.stringify([
    instrumentId,
    cardId,
    `${amount}`,
    currency,
    validUntil,
    name,
    category,
    country,
    address,
    network,
  ])
}

async function neverArrives(records: Records, paymentId: string, { reply }: Scenario): Promise<boolean> {
  return reply === 'unreachable' || (reply === 'lost_request' && (await records.loseOnce(paymentId)))
}

async function play(records: Records, { paymentId, authorized }: Entry, { steps }: Scenario, now: number) {
  for (const { id, afterMs, message } of planned(steps, authorized)) {
    const stored = { ...message, paymentId, messageId: id }
    if (afterMs === 0) await receive(records, stored)
    else if (message.kind !== 'expire' || (await records.entry(paymentId))?.status === 'pending')
      await records.schedule(stored, now + afterMs)
  }
}

/**
 * Takes a message into the books, once. False when the payment's state does not allow it, and nothing was changed. Runs
 * inside one transaction.
 *
 * @throws Error for a payment that is not known, and for the same id with other content.
 */
export async function receive(records: Records, message: Stored): Promise<boolean> {
  const { paymentId, messageId, kind, amount, close } = message
  const earlier = await records.received(paymentId, messageId)
  if (earlier && (earlier.kind !== kind || earlier.amount !== amount || earlier.close !== close))
    throw new Error(`Message ${messageId} of payment ${paymentId} came with other content before.`)
  if (earlier) return true
  const before = await records.entry(paymentId)
  if (!before) throw new Error(`The card network does not know payment ${paymentId}.`)
  const next = after(before, message)
  if (!next) return false
  await records.insertMessage(message)
  await records.write(next, before)
  return true
}
