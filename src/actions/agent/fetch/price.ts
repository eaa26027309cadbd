import { choose } from '../../../core/choose.ts'
import { credentialEnded } from '../../../core/credential.ts'
import { contactRefusal } from '../../../core/decide.ts'
import { BursarError } from '../../../core/errors.ts'
import { contractOf } from '../../../core/network.ts'
import type { Quote } from '../../../core/offer.ts'
import { refusal } from '../../../core/refusal.ts'
import type { Payee, Refusal } from '../../../core/types.ts'
import type { Protocol, Visit, WebResponse, WebRules } from '../../../ports/web.ts'
import type { Bursar } from '../../../ports.ts'
import type { Priced } from './attempt.ts'
import type { Errand } from './errand.ts'
import { mayLeave } from './send.ts'

/** What a seller answers to a request without a payment. */
export type Asked =
  | { readonly kind: 'free'; readonly response: WebResponse }
  | { readonly kind: 'priced'; readonly priced: Priced; readonly quote: Quote }
  | { readonly kind: 'refused'; readonly why: Refusal; readonly payee: Payee; readonly quote: Quote | null }

const ASK_WITHIN_MS = 15_000
const REDIRECTS_MAX = 5

/**
 * Where an errand may go: no further than the instrument's owner allows, also after a redirect.
 *
 * @param leaving by origin, the payments that are on their way: whether they may leave is asked when they do
 */
export function rulesOf(bursar: Bursar, { caller, means }: Errand, leaving: ReadonlyMap<string, string>): WebRules {
  return {
    agentId: caller.agentId,
    loopback: means?.wallet.allows.includes('loopback') ?? false,
    async mayContact(origin) {
      const paymentId = leaving.get(origin)
      if (paymentId !== undefined && (await mayLeave(bursar, caller, paymentId))) return
      const why =
        paymentId !== undefined ? STOPPED : means ? await refusalTo(bursar, means, caller, origin) : NO_INSTRUMENT
      if (why) throw new Uncontacted(why, origin)
    },
  }
}

const STOPPED = refusal('spending_frozen', 'payment', 'Spending was stopped before the payment left.')
const NO_INSTRUMENT = refusal('not_found', 'instrument_id', 'There is no such instrument.')

/** Carries a rule that was broken through the web and out of it. */
class Uncontacted extends BursarError {
  readonly why: Refusal
  readonly origin: string
  constructor(why: Refusal, origin: string) {
    super(why.code, why.message)
    this.why = why
    this.origin = origin
  }
}

async function refusalTo(
  { store: { read }, clock }: Bursar,
  means: NonNullable<Errand['means']>,
  { agentId, credentialId }: Errand['caller'],
  origin: string,
): Promise<Refusal | null> {
  const instrument = await read.one('instruments', { id: means.instrument.id })
  const wallet = await read.one('wallets', { id: means.wallet.id })
  const agent = await read.one('agents', { id: agentId })
  const [instance] = await read.list('instance', {})
  if (!instrument || !wallet || !agent || !instance) return NO_INSTRUMENT
  const now = clock.now()
  const credentials = credentialId === null ? [] : await read.credentials(credentialId)
  const ended = credentialEnded({ agent, credentials, now }, credentialId, 'bursar:pay')
  if (ended) return ended
  const spending = { now, limits: [], lookAlike: null, available: 0n, instance, agent, credentials, wallet, instrument }
  return contactRefusal(spending, origin, 'x402')
}

/**
 * Asks for the resource without a payment, and reads what the seller wants for it.
 *
 * @param payTo the only account that may be paid; null: any that the instrument allows
 */
export async function askSeller(
  bursar: Bursar,
  errand: Errand,
  { visit, x402 }: { readonly visit: Visit; readonly x402: Protocol },
  payTo: string | null,
): Promise<Asked> {
  let response: WebResponse
  try {
    response = await visit.ask(errand.request, { withinMs: ASK_WITHIN_MS, redirects: REDIRECTS_MAX })
  } catch (error) {
    return { kind: 'refused', quote: null, ...whyNot(error, errand) }
  }
  if (response.status !== 402) return { kind: 'free', response }
  const quote = x402.quote(response)
  return judged(bursar, errand, response, quote, payTo)
}

function whyNot(error: unknown, { request }: Errand): { why: Refusal; payee: Payee } {
  if (error instanceof Uncontacted) return { why: error.why, payee: { origin: error.origin } }
  if (!(error instanceof BursarError)) throw error
  const { origin } = new URL(request.url)
  // A URL that is none of the web's has no origin (WHATWG URL, "origin").
  return { why: refusal(error.code, 'seller', error.message), payee: origin === 'null' ? {} : { origin } }
}

function judged(
  bursar: Bursar,
  errand: Errand,
  response: WebResponse,
  quote: Quote | null,
  payTo: string | null,
): Asked {
  const { origin, url } = response
  const refused = (why: Refusal): Asked => ({ kind: 'refused', why, payee: { origin }, quote })
  if (quote === null)
    return refused(refusal('offer_not_payable', 'offer', 'The seller asks for money in terms that cannot be read.'))
  const { instrument, wallet } = errand.means as NonNullable<Errand['means']>
  const { asset, allows } = wallet
  const token = asset === null ? null : (bursar.rails[instrument.type]?.authorizations?.token(asset) ?? null)
  if (asset === null || token === null || token.address !== contractOf(asset))
    return refused(
      refusal('rail_unavailable', 'wallet.asset', "The network of the instrument's wallet is not set up here."),
    )
  if (isElsewhere(quote, url))
    return refused(refusal('offer_not_payable', 'offer.resource', 'The seller names terms of another site.'))
  const choice = choose(quote, { asset, token, allows, constraints: instrument.constraints, payTo })
  if ('refusal' in choice) return refused(choice.refusal)
  const { offer } = choice
  const payee = { origin, address: offer.payTo as string, network: offer.network as string }
  return { kind: 'priced', priced: { url, payee, offer }, quote }
}

/** Whether the terms are for another host. Servers behind proxies get the scheme, the path and the query wrong. */
function isElsewhere({ resourceUrl }: Quote, url: string): boolean {
  return resourceUrl !== null && new URL(resourceUrl).hostname !== new URL(url).hostname
}
