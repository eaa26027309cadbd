import type { Offer, Quote } from '../core/offer.ts'
import type { Transfer } from '../core/types.ts'

/** One request. */
export interface WebRequest {
  /** Absolute. */
  readonly url: string
  readonly method: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** What the answer was, as far as it was read. All of it is the server's own: untrusted. */
export interface WebResponse {
  /** Of the last request, after redirects. */
  readonly url: string
  /** RFC 6454, of `url`: `https://api.example.com`. */
  readonly origin: string
  readonly status: number
  /** The value of a header by its name in lower case; null where it is not there, or there more than once. */
  header(name: string): string | null
  /** Decompressed. */
  readonly body: Buffer
  /** Whether something of the body is missing. */
  readonly truncated: boolean
}

export interface WebRules {
  /** The agent that asks: one that asks much makes others wait no longer. Absent: nobody's in particular. */
  readonly agentId?: string
  /** Whether this machine itself may be asked, also by http: only where the owner said so. */
  readonly loopback: boolean
  /**
   * Asked before an origin is contacted, also after a redirect: before its name is looked up, and before it is asked.
   *
   * @throws to end the visit with that error
   */
  mayContact(origin: string): Promise<void>
}

export interface WebBounds {
  /** From the first byte out to the last byte in, in milliseconds. */
  readonly withinMs: number
  /** How many redirects are followed, of GET and HEAD alone. One more is the answer as it is. */
  readonly redirects: number
}

/** The web, as far as it is safe to ask for an agent: https, public addresses, and bounded in time and size. */
export interface Web {
  /** Requests that belong together: each name is resolved once, and the same address is asked from then on. */
  visit(rules: WebRules): Visit
}

export interface Visit {
  /**
   * @throws BursarError `url_not_allowed` before anything was sent to that URL; `seller_unavailable` when there is no
   * answer, or none that is HTTP within the bounds: it may have been received all the same
   */
  ask(request: WebRequest, bounds: WebBounds): Promise<WebResponse>
}

/** What a seller says that it did. A claim: the chain decides. */
export interface Claim {
  readonly success: boolean
  /** A transaction hash, where it looks like one. */
  readonly transaction: string | null
}

/** How a price is asked and proof is given. Pure: whom it talks to, and when, is decided elsewhere. */
export interface Protocol {
  /** What the seller wants; null for an answer that is not a 402 of this protocol, or none that can be read. */
  quote(response: WebResponse): Quote | null
  /**
   * The header that pays: the same for the same arguments.
   *
   * @param identifier names the purchase, where the seller wants that
   * @throws RangeError for an offer or a transfer that this header cannot carry
   */
  proof(
    quote: Quote,
    offer: Offer,
    transfer: Transfer,
    identifier: string,
  ): { readonly name: string; readonly value: string }
  claim(response: WebResponse): Claim | null
}

/** What is needed to buy on the web. */
export interface Sellers {
  readonly web: Web
  readonly x402: Protocol
}
