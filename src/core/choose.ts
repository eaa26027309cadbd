import { networkOf, type Token } from './network.ts'
import type { Offer, Quote } from './offer.ts'
import { refusal } from './refusal.ts'
import type { Allowance, Constraints, Refusal } from './types.ts'

/** What an instrument can pay with, by our own books and table. Nothing of it comes from a seller. */
export interface Means {
  /** CAIP-19 of the wallet's token. */
  readonly asset: string
  readonly token: Token
  readonly constraints: Constraints
  readonly allows: readonly Allowance[]
  /** The only account that may be paid, EIP-55: the one that a human approved. Null: any that the constraints allow. */
  readonly payTo: string | null
}

export type Choice =
  | { readonly offer: Offer }
  /** `offer`: the one that came nearest; null for a seller that makes none. */
  | { readonly offer: Offer | null; readonly refusal: Refusal }

/** Shorter than this no seller could settle: facilitators want some seconds left (x402, `exact` on EVM, verification). */
const TIMEOUT_MIN_SECONDS = 10

type Test = (offer: Offer, means: Means) => Refusal | null

/** In the order in which they are tried: an offer that fails a later one came nearer. */
const TESTS: readonly Test[] = [
  ({ network }, { asset, constraints }) => {
    if (network !== networkOf(asset))
      return refusal('network_not_allowed', 'wallet.asset', `The seller wants no payment on ${networkOf(asset)}.`)
    return constraints.networks?.includes(network) === false
      ? refusal(
          'network_not_allowed',
          'instrument.constraints.networks',
          'The instrument does not pay on this network.',
        )
      : null
  },
  (offer, { asset }) =>
    offer.asset === asset ? null : notPayable('offer.asset', 'The seller wants another token than the wallet holds.'),
  ({ version }, { allows }) =>
    version === 2 || allows.includes('v1')
      ? null
      : refusal(
          'protocol_not_allowed',
          'wallet.allows',
          'The seller speaks version 1 of x402, which the owner does not allow.',
        ),
  ({ scheme, method }) =>
    (scheme === 'exact' && method === 'eip3009') || (scheme === 'upto' && method === 'permit2')
      ? null
      : notPayable(
          'offer.scheme',
          'The seller wants a way of paying in which more could be taken than is signed for now.',
        ),
  ({ scheme }, { allows }) =>
    scheme !== 'upto' || allows.includes('upto')
      ? null
      : refusal(
          'protocol_not_allowed',
          'wallet.allows',
          'The seller wants to say afterwards what it costs, which the owner does not allow.',
        ),
  ({ scheme, version, flow, facilitator }) =>
    scheme !== 'upto' || (version === 2 && flow === 'authorization' && facilitator !== null)
      ? null
      : notPayable('offer.scheme', 'The seller does not say, or not as it is done, who takes what was used.'),
  ({ flow }, { allows }) => {
    if (flow === 'authorization' || (flow === 'upfront' && allows.includes('upfront'))) return null
    return refusal('protocol_not_allowed', 'wallet.allows', 'The seller wants the money before it has anything ready.')
  },
  ({ domain }, { token }) =>
    domain === null || (domain.name === token.name && domain.version === token.version)
      ? null
      : notPayable('offer.extra', 'The seller misnames the token, so it could not take what would be signed.'),
  ({ timeoutSeconds }) =>
    timeoutSeconds >= TIMEOUT_MIN_SECONDS
      ? null
      : notPayable('offer.timeout', `The seller gives a payment less than ${TIMEOUT_MIN_SECONDS} seconds.`),
  (offer, { payTo, constraints }) => {
    if (offer.payTo === null) return notPayable('offer.pay_to', 'The seller names no account that could be paid.')
    if (payTo !== null && offer.payTo !== payTo)
      return refusal('offer_changed', 'payment.payee', 'The seller now wants another account to be paid.')
    const account = `${offer.network}:${offer.payTo}`
    return constraints.addresses?.includes(account) === false
      ? refusal(
          'address_not_allowed',
          'instrument.constraints.addresses',
          'The seller wants an account to be paid that the instrument does not allow.',
        )
      : null
  },
]

/**
 * Which of a seller's offers is paid: one that the instrument can pay, of those the cheapest, of those the first. The same
 * quote and means always give the same answer.
 */
export function choose({ offers }: Quote, means: Means): Choice {
  const judged = offers.map((offer) => ({ offer, ...judge(offer, means) }))
  const [best] = judged
    .filter(({ refusal }) => refusal === null)
    .toSorted((a, b) => compare(a.offer.amount, b.offer.amount) || a.offer.position - b.offer.position)
  if (best) return { offer: best.offer }
  const [nearest] = judged.toSorted((a, b) => b.passed - a.passed || a.offer.position - b.offer.position)
  if (nearest?.refusal) return { offer: nearest.offer, refusal: nearest.refusal }
  return {
    offer: null,
    refusal: notPayable('offer', 'The seller asks for money, and offers no way to pay that can be read.'),
  }
}

function judge(offer: Offer, means: Means): { passed: number; refusal: Refusal | null } {
  for (const [passed, test] of TESTS.entries()) {
    const refusal = test(offer, means)
    if (refusal) return { passed, refusal }
  }
  return { passed: TESTS.length, refusal: null }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b)
}

function notPayable(rule: string, message: string): Refusal {
  return refusal('offer_not_payable', rule, message)
}
