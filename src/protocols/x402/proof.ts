import { canonical } from '../../core/canonical.ts'
import { contractOf } from '../../core/network.ts'
import type { Offer, Quote } from '../../core/offer.ts'
import { deadlineOf, UPTO_PROXY } from '../../core/permit.ts'
import type { Transfer } from '../../core/types.ts'
import type { Fields } from './json.ts'

/** Of base64. Servers and what stands before them take no much longer header. */
const HEADER_CHARACTERS = 8 * 1024
/** Extension `payment-identifier`, section "`id` Format". */
const IDENTIFIER = /^[A-Za-z0-9_-]{16,128}$/

/**
 * The header that pays an offer with a signed transfer: x402 v2 §5.2, v1 §5.2. It is the same for the same arguments,
 * whatever the order of their properties.
 *
 * @param identifier names the purchase: 16 to 128 letters, digits, `_` and `-`
 * @throws RangeError for a transfer that does not pay this offer exactly, another identifier, or a header over 8 KiB
 */
export function proof(
  quote: Quote,
  offer: Offer,
  transfer: Transfer,
  identifier: string,
): { readonly name: string; readonly value: string } {
  if (!pays(transfer, offer) || offer.version !== quote.version)
    throw new RangeError('This transfer does not pay this offer.')
  if (!IDENTIFIER.test(identifier)) throw new RangeError('An identifier is 16 to 128 letters, digits, _ and -.')
  const value = offer.version === 2 ? valueOfV2(quote, offer, transfer, identifier) : valueOfV1(offer, transfer)
  if (value.length > HEADER_CHARACTERS) throw new RangeError('No header carries that much.')
  return { name: offer.version === 2 ? 'payment-signature' : 'x-payment', value }
}

/** What is signed is of one amount: exactly that, or at most that for whoever the offer says settles it. */
function pays({ kind, facilitator, asset, to, value }: Transfer, offer: Offer): boolean {
  const scheme = kind === 'permit2' ? 'upto' : 'exact'
  if (offer.scheme !== scheme || offer.method !== kind || offer.facilitator !== facilitator) return false
  if (kind === 'permit2' && (offer.version !== 2 || facilitator === null)) return false
  return asset === offer.asset && to === offer.payTo && value === offer.amount
}

function valueOfV2(quote: Quote, { accepted }: Offer, transfer: Transfer, identifier: string): string {
  const extensions = quote.identifier && { 'payment-identifier': answerTo(quote.identifier, identifier) }
  const payment = { x402Version: 2, accepted, payload: payloadOf(transfer), ...(extensions && { extensions }) }
  const whole = encoded(quote.resource === null ? payment : { ...payment, resource: quote.resource })
  // The resource may be left out (§5.2.2), so that what a seller says of it never stands in the way of a signed payment.
  return whole.length <= HEADER_CHARACTERS ? whole : encoded(payment)
}

function valueOfV1({ accepted: { scheme, network } }: Offer, transfer: Transfer): string {
  return encoded({ x402Version: 1, scheme, network, payload: payloadOf(transfer) })
}

function payloadOf(transfer: Transfer): Fields {
  const { kind, signature, from, to, value, validBefore, nonce } = transfer
  if (kind === 'permit2') return { signature, permit2Authorization: permitOf(transfer) }
  const authorization = { from, to, value: `${value}`, validAfter: '0', validBefore: `${validBefore}`, nonce }
  return { signature, authorization }
}

/** As `UptoPermit2Authorization` of `@x402/evm` 2.27.0: whole numbers are decimal there. */
function permitOf(transfer: Transfer): Fields {
  const { asset, from, to, value, nonce, facilitator } = transfer
  return {
    from,
    permitted: { token: contractOf(asset), amount: `${value}` },
    spender: UPTO_PROXY,
    nonce: `${BigInt(nonce)}`,
    deadline: `${deadlineOf(transfer)}`,
    witness: { to, facilitator, validAfter: '0' },
  }
}

/** What the seller wrote, with the id in it. */
function answerTo(offered: Fields, id: string): Fields {
  return { ...offered, info: { ...(offered.info as Fields), id } }
}

function encoded(payment: Fields): string {
  return Buffer.from(canonical(payment)).toString('base64')
}
