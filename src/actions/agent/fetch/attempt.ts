import type { Attempted, Wish } from '../../../core/attempt.ts'
import { attempt } from '../../../core/attempt.ts'
import { isId } from '../../../core/ids.ts'
import { formatUnits } from '../../../core/money.ts'
import type { Offer } from '../../../core/offer.ts'
import { payeeKey } from '../../../core/payee.ts'
import { resourceOf } from '../../../core/resource.ts'
import type { Payee, Refusal, Text } from '../../../core/types.ts'
import type { Bursar } from '../../../ports.ts'
import type { Errand } from './errand.ts'

/** A seller's price for what an errand is after. */
export interface Priced {
  /** Where it was asked, after redirects. */
  readonly url: string
  readonly payee: Payee
  readonly offer: Offer
}

/** What is signed is good for as long as the seller needs it, and never longer than this. */
const GOOD_FOR_MAX_SECONDS = 300

export function goodForMs({ timeoutSeconds }: Offer): number {
  return Math.min(timeoutSeconds, GOOD_FOR_MAX_SECONDS) * 1000
}

/** Decides on the seller's terms, and holds what it takes. */
export function tryToBuy(bursar: Bursar, errand: Errand, priced: Priced): Promise<Attempted> {
  return step(bursar, errand, { url: priced.url, payee: priced.payee, offer: priced.offer, fault: null })
}

/** Puts on record that it was tried, and why nothing was bought. */
export async function refuse(
  bursar: Bursar,
  errand: Errand,
  why: Refusal,
  about: { readonly payee: Payee; readonly offer: Offer | null },
): Promise<string> {
  const { paymentId } = await step(bursar, errand, { ...about, url: errand.request.url, fault: why })
  bursar.notify.changed(paymentId, null)
  return paymentId
}

interface About {
  readonly url: string
  readonly payee: Payee
  readonly offer: Offer | null
  readonly fault: Refusal | null
}

function step(bursar: Bursar, errand: Errand, about: About): Promise<Attempted> {
  const { caller, means, instrumentId, same, purpose } = errand
  const { agentId, sessionId } = caller
  const { payee, offer, fault } = about
  const resource = bursar.ids.text(JSON.stringify(resourceOf(errand.request, about.url)))
  const wish = wishOf(bursar, errand, about, resource)
  const origin = payee.origin ?? null
  return bursar.store.update(
    {
      agentId,
      ...(errand.caller.credentialId !== null && { credentialId: errand.caller.credentialId }),
      ...(isId('instrument', instrumentId) && { instrumentId }),
      spender: { agentId, sessionId, payeeKey: payeeKey(payee), origin, category: null, protocol: 'x402' },
      ...(means &&
        offer && { asking: { agentId, walletId: means.wallet.id, payeeKey: payeeKey(payee), amount: offer.amount } }),
      // What is refused is no repetition of anything.
      ...(fault === null && { same }),
    },
    (snapshot) => {
      const change = attempt(snapshot, wish)
      return change.facts.length === 0 ? change : { ...change, texts: [purpose, resource] }
    },
  )
}

function wishOf(bursar: Bursar, errand: Errand, { payee, offer, fault }: About, resource: Text): Wish {
  const { caller, means, instrumentId, purpose, taskId, same } = errand
  return {
    paymentId: bursar.ids.make('payment'),
    approvalId: bursar.ids.make('approval'),
    agentId: caller.agentId,
    sessionId: caller.sessionId,
    taskId,
    instrumentId,
    amount: offer && means ? formatUnits(offer.amount, means.wallet.decimals) : '',
    payee,
    protocol: 'x402',
    purposeRef: purpose.digest,
    fingerprint: same.fingerprint,
    idempotencyKey: fault ? null : same.idempotencyKey,
    credentialId: caller.credentialId,
    ...(caller.actors && { actors: caller.actors }),
    fault,
    purchase: {
      resourceRef: resource.digest,
      facilitator: offer?.facilitator ?? null,
      goodForMs: offer ? goodForMs(offer) : 0,
    },
  }
}
