/** How a seller wants to be paid: one entry of its list, read into our terms. What cannot be read is null, and is not paid. */
export interface Offer {
  /** Its place in the seller's list, from 0. */
  readonly position: number
  /** Of x402. */
  readonly version: 1 | 2
  /** `exact`, `upto`, …; `unknown` where it is no such word. */
  readonly scheme: string
  /** What the payer signs: `eip3009`, `permit2`, …; `unknown` where it is no such word. */
  readonly method: string
  /** When the seller settles: `authorization` (after it has the resource ready), `upfront`, `escrow`; or `unknown`. */
  readonly flow: string
  /** CAIP-2. */
  readonly network: string | null
  /** CAIP-19, with the address in EIP-55. */
  readonly asset: string | null
  /** Smallest units of the asset, above 0: the price, or for `upto` the most that it may be. */
  readonly amount: bigint
  /** EIP-55. */
  readonly payTo: string | null
  /** EIP-55: who alone may settle a permit of Permit2 for at most `amount` (`upto`); null for every other way of paying. */
  readonly facilitator: string | null
  /** How long the payment must be good for, in whole seconds. */
  readonly timeoutSeconds: number
  /** How the seller says that the token names itself (EIP-712). It is compared with our table, and never signed. */
  readonly domain: { readonly name: string; readonly version: string } | null
  /** The entry as it came, to be sent back as it is. */
  readonly accepted: Readonly<Record<string, unknown>>
}

/** What a seller answers in place of the resource. */
export interface Quote {
  readonly version: 1 | 2
  /** In the seller's order, without those that are not well formed. */
  readonly offers: readonly Offer[]
  /** What the seller says that it sells, as it came, to be sent back as it is; null where it says nothing, or too much. */
  readonly resource: Readonly<Record<string, unknown>> | null
  /** The URL in `resource`, where it is an absolute one. */
  readonly resourceUrl: string | null
  /** What the extension `payment-identifier` is to be answered with; null where the seller does not offer it. */
  readonly identifier: Readonly<Record<string, unknown>> | null
  /** The seller's own words. Untrusted: cut, quote and mark them. */
  readonly words: { readonly error: string | null; readonly description: string | null }
}
