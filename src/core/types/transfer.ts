/** How much of the chain must stand behind a transfer before it counts, weakest first. */
export const CONFIRMATIONS = ['one_block', 'safe', 'finalized'] as const
export type Confirmation = (typeof CONFIRMATIONS)[number]

/** Up to this amount (null: any), a transfer or deposit counts at this confirmation. In rising order. */
export interface ConfirmationTier {
  readonly upTo: bigint | null
  readonly at: Confirmation
}

/**
 * A signed EIP-3009 authorization, or a signed permit of Permit2, as it was stored before it left. There is one for a payment,
 * ever; whoever sends it again sends the same bytes.
 */
export interface Transfer {
  readonly paymentId: string
  readonly walletId: string
  /** CAIP-19. */
  readonly asset: string
  /** EIP-55. */
  readonly from: string
  readonly to: string
  /** Smallest units. Of a permit, the most that it can move. */
  readonly value: bigint
  /** Seconds since the epoch: a block of this time or later refuses it. `validAfter` is always 0. */
  readonly validBefore: number
  /** Keccak-256 of the payment's id, hex. */
  readonly nonce: string
  readonly kind: 'eip3009' | 'permit2'
  /** EIP-55: who alone may settle a permit; null for an authorization, which anybody may. */
  readonly facilitator: string | null
  /** 65 bytes, hex. */
  readonly signature: string
  /** It cannot be in an earlier block: well before the newest one when it was signed, lest a reorganization lower its number. */
  readonly fromBlock: number
  /** `open` until no reorganization of the chain can change it any more. */
  readonly status: 'open' | 'final'
  /** The transaction that moved the money, and its block; null until it was seen. */
  readonly txHash: string | null
  readonly block: number | null
  /** How much of a permit that transaction moved, from 1 to `value`; null until it was seen. An authorization moves its value. */
  readonly moved: bigint | null
  /** Time of the finalized block that proves that it never moved and never will, in seconds. */
  readonly voidProof: number | null
  readonly signedAt: number
}

/** One transaction of a relayer, as it was stored before it left. */
export interface Broadcast {
  readonly txHash: string
  /** CAIP-10. */
  readonly relayer: string
  /** The relayer's own transaction count: the chain takes them in order, each once. */
  readonly relayerNonce: number
  /** What it carries; null for one that carries nothing and only uses up the nonce of a payment that may not go on. */
  readonly paymentId: string | null
  /** The signed transaction, hex. */
  readonly raw: string
  /** What it can cost at most, and what it did cost (null until mined), in gwei, rounded up. */
  readonly maxFee: bigint
  readonly fee: bigint | null
  /** The day (UTC, YYYY-MM-DD) whose fees it counts to. */
  readonly day: string
  readonly createdAt: number
}

/** Who pays fees, and how much in a day. */
export interface Relayer {
  /** CAIP-10. */
  readonly id: string
  /** gwei. */
  readonly dailyMax: bigint
}

/** What a relayer's transactions of one day may still cost, and did cost, in gwei. */
export interface FeeDay {
  readonly relayer: string
  readonly day: string
  readonly held: bigint
  readonly spent: bigint
}

/** Money that came in, seen on the chain. */
export interface Deposit {
  readonly walletId: string
  readonly txHash: string
  /** Which of the transaction's logs it is, from 0: the same after a reorganization moves the transaction. */
  readonly position: number
  readonly amount: bigint
  readonly from: string
  readonly block: number
  /** Its place in the wallet's journal. */
  readonly seq: number
}

/** How far a wallet's account was compared with the chain. */
export interface Scan {
  readonly walletId: string
  readonly block: number
}

/** Whom a wallet has paid on a chain: what a look-alike is told from. */
export interface KnownPayee {
  readonly walletId: string
  /** CAIP-10. */
  readonly account: string
  /** What is seen of it at a glance: `1a2b…c3d4`. */
  readonly shape: string
  readonly payments: number
}
