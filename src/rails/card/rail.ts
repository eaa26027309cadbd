import type { ProvisionTerms, Rail, RailRecord } from '../../ports.ts'
import type { Authorization, CardControls, CardIssuer, CardNetwork } from './issuer.ts'

/** Merchants give refunds at any time. */
export type CardRail = Rail & { readonly refund: NonNullable<Rail['refund']> }

/**
 * Money by virtual card. What is reported of a payment is always read from the issuer's books, not from the answer of
 * the merchant's side. `RailRecord.railRef` is the issuer's authorization id, `Provisioned.railRef` its card id.
 */
export function cardRail(issuer: CardIssuer, network: CardNetwork): CardRail {
  return {
    serves: ({ mode, asset }) => asset === null && issuer.live === (mode === 'live'),
    async provision(terms) {
      const { instrumentId, currency } = terms
      const card = await issuer.createCard({ instrumentId, currency, controls: controlsOf(terms) })
      return { railRef: card.id, display: `•••• ${card.last4}` }
    },
    setStatus: (railRef, status) => issuer.setCardStatus(railRef, status),
    async pay({ railRef, ...terms }) {
      await network.authorize({ ...terms, cardId: railRef })
      return recordOf(await held(issuer, terms.paymentId))
    },
    async find(paymentId) {
      const authorization = await issuer.retrieveAuthorization(paymentId)
      return authorization && recordOf(authorization)
    },
    async refund(paymentId, refundId, amount) {
      await network.refund(paymentId, refundId, amount)
      return recordOf(await held(issuer, paymentId))
    },
    async changes(after) {
      const { authorizations, cursor } = await issuer.listChanges(after)
      return { records: authorizations.map((one) => ({ paymentId: one.paymentId, record: recordOf(one) })), cursor }
    },
    authorizations: null,
    accounts: null,
  }
}

async function held(issuer: CardIssuer, paymentId: string): Promise<Authorization> {
  const authorization = await issuer.retrieveAuthorization(paymentId)
  if (!authorization) throw new Error(`The issuer does not know payment ${paymentId} yet.`)
  return authorization
}

function recordOf(authorization: Authorization): RailRecord {
  const { id, status, declineCode, authorized, captured, refunded } = authorization
  return {
    railRef: id,
    state: status === 'pending' ? 'open' : status === 'declined' ? 'declined' : 'closed',
    ...(declineCode !== null && { declineCode }),
    authorized,
    captured,
    refunded,
  }
}

/** Origins, addresses, networks and protocols mean nothing to a card issuer: bursar alone holds to those. */
function controlsOf(terms: ProvisionTerms): CardControls {
  const { constraints } = terms
  return {
    allowedCategories: constraints.merchantCategories ?? null,
    allowedCountries: constraints.countries ?? null,
    allowedMerchants: constraints.payees ?? null,
    allTime: terms.amount,
    perAuthorization: terms.perPaymentMax,
    paymentCount: terms.usageLimit,
    expiresAt: terms.expiresAt,
  }
}
