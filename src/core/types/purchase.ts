/** What a payment buys on the web: kept beside the payment, from the first attempt on. */
export interface Purchase {
  readonly paymentId: string
  /** Digest of what is asked for in `texts`, as JSON: a `Resource`. */
  readonly resourceRef: string
  /** What is signed, in smallest units, where the seller asked for less than was approved; null: the payment's amount. */
  readonly value: bigint | null
  /**
   * EIP-55: who alone may settle what is signed, a permit of at most that much (x402 `upto`); null: it is an authorization of
   * exactly that.
   */
  readonly facilitator: string | null
  /** Of x402, and when the seller settles; null until it is signed, as the next. */
  readonly version: 1 | 2 | null
  readonly flow: string | null
  /** The header that pays, `name: value`, as it was stored before it left. Whoever sends it again sends the same bytes. */
  readonly header: string | null
  /** The HTTP status of the last answer to the header; null while there is none. */
  readonly httpStatus: number | null
  readonly deliveredAt: number | null
}

/** The header that pays for a purchase, as it is stored with the signature in it. */
export interface Proof {
  readonly version: 1 | 2
  readonly flow: string
  /** `name: value`. */
  readonly header: string
}
