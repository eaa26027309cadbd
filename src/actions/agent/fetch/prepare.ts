import { setTimeout as sleep } from 'node:timers/promises'
import { credentialEnded } from '../../../core/credential.ts'
import { BursarError, CODES } from '../../../core/errors.ts'
import type { Quote } from '../../../core/offer.ts'
import { SYSTEM, subject } from '../../../core/payment.ts'
import { refusal } from '../../../core/refusal.ts'
import type { Change, Snapshot } from '../../../core/step.ts'
import { rfc3339 } from '../../../core/time.ts'
import type { Payment, Proof, Purchase, Refusal, Transfer } from '../../../core/types.ts'
import type { Protocol } from '../../../ports/web.ts'
import type { Authorizations, Bursar } from '../../../ports.ts'
import { abandon, settle } from '../../settle.ts'
import type { Caller } from '../../wire.ts'
import { goodForMs, type Priced } from './attempt.ts'

/** How long whoever is about to sign a purchase is left to it, before another call takes its place, in milliseconds. */
const LEFT_ALONE_MS = 5_000
const LOOK_EVERY_MS = 25

/**
 * Signs what a purchase costs and stores the header that pays, once, whoever else tries. What could not be signed is given
 * up, since nothing has left; but not what a human said yes to, which may be signed a little later.
 *
 * @returns why nothing is signed now, of what was not given up
 */
export async function prepare(
  bursar: Bursar,
  payment: Payment,
  { offer, quote, x402 }: { readonly offer: Priced['offer']; readonly quote: Quote; readonly x402: Protocol },
): Promise<Refusal | null> {
  const authorizations = bursar.rails.usdc?.authorizations as Authorizations
  const proofOf = (transfer: Transfer): Proof => {
    const { name, value } = x402.proof(quote, offer, transfer, payment.id)
    return { version: offer.version, flow: offer.flow, header: `${name}: ${value}` }
  }
  try {
    await authorizations.sign({ id: payment.id, walletId: payment.walletId as string }, proofOf)
  } catch (error) {
    const why = whyUnsigned(error)
    const isApproved = (await bursar.store.read.one('approvals', { subjectId: payment.id })) !== null
    if (isApproved && CODES[why.code].retry === 'later') return why
    // Whatever it says, the books know whether anything was signed; and only what nobody has signed can be given up.
    await abandon(bursar, payment, why)
  }
  return null
}

function whyUnsigned(error: unknown): Refusal {
  if (error instanceof BursarError) return refusal(error.code, 'rail.sign', error.message)
  return refusal(
    'rail_unavailable',
    'rail.sign',
    'It could not be signed now: the chain did not answer, or spending was stopped.',
  )
}

export type Claimed = 'claimed' | 'taken' | 'ended'

/**
 * Takes a purchase that was authorized and not signed yet, at the price that the seller now asks: after a human's yes, or
 * where another process died. `taken`: somebody else is about to sign it. Too late for it, it is ended: it counts against
 * the windows of when it was authorized, which may be over.
 */
export async function claim(
  bursar: Bursar,
  { credentialId }: Caller,
  paymentId: string,
  { offer }: Priced,
): Promise<Claimed> {
  const claimed = await bursar.store.update(
    { paymentId, ...(credentialId !== null && { credentialId }) },
    (snapshot): Change<Claimed | 'late'> => {
      const { payment, wallet, transfer, now } = snapshot
      const isEnded = credentialEnded(snapshot, credentialId, 'bursar:pay') !== null
      if (payment?.status !== 'authorized' || !wallet || transfer || isEnded) return { facts: [], result: 'ended' }
      if (now >= payment.validUntil) return { facts: [], result: 'late' }
      if (isLeftAlone(snapshot, payment)) return { facts: [], result: 'taken' }
      const about = { actor: SYSTEM, ...subject(payment, wallet, payment.instrumentId as string) }
      const details = {
        ...{ value: offer.amount.toString(), valid_until: rfc3339(now + goodForMs(offer)) },
        ...(offer.facilitator !== null && { facilitator: offer.facilitator }),
      }
      return { facts: [{ type: 'purchase.quoted', ...about, details }], result: 'claimed' }
    },
  )
  if (claimed !== 'late') return claimed
  await settle(bursar, paymentId, 0)
  return 'ended'
}

/** Whoever authorized it, or claimed it last, has just begun. Nobody has begun what a human has just approved. */
function isLeftAlone({ approval, purchase, now }: Snapshot, payment: Payment): boolean {
  const isBegun = approval === null || purchase?.value !== null
  return isBegun && now - payment.updatedAt < LEFT_ALONE_MS
}

/** Waits for somebody else's signature, as long as that one is left alone. Null: there is none. */
export async function preparedElsewhere(bursar: Bursar, paymentId: string): Promise<Purchase | null> {
  const { read } = bursar.store
  const until = performance.now() + LEFT_ALONE_MS
  for (;;) {
    const purchase = await read.one('purchases', { paymentId })
    if (purchase?.header) return purchase
    const isOpen = (await read.one('payments', { id: paymentId }))?.status === 'authorized'
    if (!isOpen || performance.now() > until) return null
    await sleep(LOOK_EVERY_MS)
  }
}
