import type { Token } from '../core/network.ts'
import type { Constraints, Deposit, Payee, Proof, RailStatus, Transfer, Wallet } from '../core/types.ts'
import type { WireInclusion, WireUnused } from '../core/wire.ts'

/** What a card rail is told when an instrument is made: the issuer declines by these itself, as a second wall. */
export interface ProvisionTerms {
  readonly instrumentId: string
  readonly currency: string
  readonly amount: bigint
  readonly usageLimit: number | null
  readonly perPaymentMax: bigint | null
  readonly constraints: Constraints
  readonly expiresAt: number
  /** CAIP-10 of the wallet's own account; null for money on cards. */
  readonly account: string | null
}

/** What a rail made: its own name for it, and what may be shown (`•••• 4242`). */
export interface Provisioned {
  readonly railRef: string
  readonly display: string
}

/** Exactly what was authorized and stored. A rail sends this and nothing else. */
export interface PaymentTerms {
  readonly paymentId: string
  readonly walletId: string
  readonly instrumentId: string
  readonly railRef: string
  readonly amount: bigint
  readonly currency: string
  readonly payee: Payee
  /** Milliseconds since the epoch. A rail that has not begun the payment by then must refuse to begin it. */
  readonly validUntil: number
  /** How long the caller waits for a record that is not `pending` any more, in milliseconds. */
  readonly waitMs: number
}

/** What the rail's own books say of one payment, whole: totals, not news. The rail is right, sellers only claim. */
export interface RailRecord {
  readonly railRef: string
  /**
   * `pending`: it was sent, and it is not sure yet that it moves. `open`: more may be captured. `closed`: nothing more will
   * move but refunds and forced captures. `declined`: nothing moved, and nothing will.
   */
  readonly state: 'pending' | 'open' | 'closed' | 'declined'
  /** For `declined`: one of a closed list of network codes, never free text. */
  readonly declineCode?: string
  readonly authorized: bigint
  readonly captured: bigint
  readonly refunded: bigint
  /** On a chain: where it is to be seen that it moved, or that it never will. */
  readonly inclusion?: WireInclusion
  readonly unused?: WireUnused
}

/** How money moves. Every verb is idempotent by the id it is given; any throw means the outcome is unknown. */
export interface Rail {
  /** Whether it can move the money of this wallet: its asset, and real money or not. Sandbox money never meets a live rail. */
  serves(wallet: Pick<Wallet, 'mode' | 'asset'>): boolean
  provision(terms: ProvisionTerms): Promise<Provisioned>
  setStatus(railRef: string, status: RailStatus): Promise<void>
  /** Begins the payment, or returns the record of the one that was begun under this id. */
  pay(terms: PaymentTerms): Promise<RailRecord>
  /** The record of a payment, or null when the rail has not heard of it. Begins nothing. */
  find(paymentId: string): Promise<RailRecord | null>
  /** `refundId` makes it idempotent. Returns the record after the refund. Null: only the payee can give money back. */
  readonly refund: ((paymentId: string, refundId: string, amount: bigint) => Promise<RailRecord>) | null
  /** Payments whose record changed after `cursor`, for late captures, forced captures and refunds. */
  changes(
    cursor: string | null,
  ): Promise<{ records: { paymentId: string; record: RailRecord }[]; cursor: string | null }>
  /** Signatures that somebody else brings to where money moves. Null: the rail itself does all that moves money. */
  readonly authorizations: Authorizations | null
  /** The accounts that wallets have at the rail. Null: money does not come in by itself, the owner says what is there. */
  readonly accounts: Accounts | null
}

/** Payments that are signed here and brought to the chain by whoever is paid. */
export interface Authorizations {
  /** How a token names itself, by our table; null for an asset that is not paid with here. */
  token(asset: string): Token | null
  /**
   * Signs the one authorization of a payment and stores it together with the header that carries it; sends nothing. Of
   * several, the first stays, and its header.
   *
   * @throws Error when nothing was stored: it may not be signed, or the chain is not known
   */
  sign(
    payment: { readonly id: string; readonly walletId: string },
    proofOf: (transfer: Transfer) => Proof,
  ): Promise<void>
}

/** Accounts into which money comes by itself, with books that are not ours. */
export interface Accounts {
  /** The newest block: what is read after it is asked for knows everything that may have moved in it. */
  head(wallet: Wallet): Promise<BlockName>
  /** The newest finalized block, and what the account held then, in smallest units: what a wallet's books begin with. */
  opening(wallet: Wallet): Promise<{ readonly block: BlockName; readonly balance: bigint }>
  /** The deposits in the next `span` blocks after `since`; null when so many are not final yet. */
  settled(
    wallet: Wallet,
    since: number,
    span: number,
  ): Promise<{ readonly to: number; readonly deposits: readonly SeenDeposit[] } | null>
  /** An account as of one block. `since`: deposits of this block and earlier ones are known. */
  statement(wallet: Wallet, at: BlockName, since: number, transfers: readonly Transfer[]): Promise<AccountStatement>
}

export interface BlockName {
  readonly number: number
  readonly hash: string
}

export interface AccountStatement {
  /** Smallest units. */
  readonly balance: bigint
  readonly deposits: readonly SeenDeposit[]
  /** The newest finalized block: up to it no deposit can come or go any more. */
  readonly settledTo: number
  /** How much has moved, by payment id, of the payments that were asked about and whose money has. */
  readonly moved: ReadonlyMap<string, bigint>
}

export interface SeenDeposit extends Omit<Deposit, 'walletId' | 'seq'> {
  /** Whether the chain stands behind it as far as the wallet asks for this amount. */
  readonly confirmed: boolean
}
