import type { Network } from '../core/network.ts'
import type { Authorization, TypedData } from '../core/transfer.ts'
import type { Broadcast, Proof, Transfer, Wallet } from '../core/types.ts'
import type { WireInclusion } from '../core/wire.ts'

/** A chain as the owner set it up: which it is, and by which nodes it is reached. What two nodes say must agree. */
export interface ChainAccess {
  readonly network: Network
  /** URLs of JSON-RPC nodes, one or more. They may hold a secret: never show them. */
  readonly nodes: readonly string[]
}

/** What the rail stores, in the database and the journal, before it leaves; and what it stored. */
export interface TransferBooks {
  wallet(walletId: string): Promise<Wallet | null>
  /** The authorization of a payment that may be signed now; null when it is settled, was stopped, or its time is over. */
  authorization(paymentId: string): Promise<Authorization | null>
  transfer(paymentId: string): Promise<Transfer | null>
  /** All that was sent for a payment, in the order of the relayer's nonces. */
  broadcasts(paymentId: string): Promise<readonly Broadcast[]>
  /** All accounts that pay fees, CAIP-10. */
  relayers(): Promise<readonly string[]>
  /** What is left of a relayer's limit today, in gwei. */
  feesLeft(relayer: string): Promise<bigint>
  /** Transfers whose end a reorganization may still change. */
  open(): Promise<readonly Transfer[]>
  /** What is stored under a relayer's nonces from this one on, in their order. */
  lane(relayer: string, fromNonce: number): Promise<readonly Broadcast[]>
  /** Whether anything was ever stored under the relayer's nonces. */
  hasSent(relayer: string): Promise<boolean>
  /** Relayers' transactions that the chain has not been seen to take. */
  unpaid(relayer: string): Promise<readonly Broadcast[]>
  /** Whether a stored transaction of the payment may be sent again: it was captured or nobody has stopped it, and its time is not over. */
  mayLeave(paymentId: string): Promise<boolean>
  /** Whether a relayer of ours brings it to the chain, and not whoever is paid. */
  isCarried(paymentId: string): Promise<boolean>
  /**
   * Stores the one signature of a payment, with the header that carries it where whoever is paid brings it to the chain. Of
   * several, the first stays. Null: the payment may not be signed any more.
   */
  sign(signed: Signed): Promise<Transfer | null>
  /** Stores a relayer's transaction under the first free nonce, or under that of one which cannot go on, in its place. */
  broadcast(order: BroadcastOrder): Promise<Stored>
  /** The chain took the transaction `txHash` (null: one that is not ours) at this nonce, for `fee` gwei. */
  feePaid(relayer: string, relayerNonce: number, txHash: string | null, fee: bigint): Promise<void>
  finalized(paymentId: string, inclusion: WireInclusion): Promise<void>
}

export interface Signed {
  readonly authorization: Authorization
  /** 65 bytes, hex. */
  readonly signature: string
  readonly fromBlock: number
  readonly proof: Proof | null
}

export interface BroadcastOrder {
  /** CAIP-10. */
  readonly relayer: string
  /** Null: it carries nothing, and only uses up the nonce: that of what it replaces, or else `chainNonce`. */
  readonly paymentId: string | null
  /** The relayer's transaction count by the chain. What is handed out is never below it. */
  readonly chainNonce: number
  /** The newest under its nonce, as it was read. Where another process was first, its transaction is the answer. */
  readonly replaces?: Broadcast
  /** The payment's transactions of which nothing came. Where there is one more, it is the answer. */
  readonly after?: readonly Broadcast[]
  /** At most, in gwei. */
  readonly maxFee: bigint
  /** Signs; synchronous and always the same for the same nonce, since it may be run again. */
  make(nonce: number): SignedTransaction
}

export interface SignedTransaction {
  readonly txHash: string
  /** Hex. */
  readonly raw: string
}

/** `waiting`: there is one for this payment, or in that place, already. `over_fees`: the relayer's limit of the day. */
export type Stored =
  | { readonly kind: 'stored' | 'waiting'; readonly broadcast: Broadcast }
  | { readonly kind: 'over_fees' | 'stopped' }

/** The keys of accounts. None is ever shown; they sign what they can read and what is stored, and nothing else. */
export interface Vault {
  /** Opens the key of a wallet's account. @throws `key_unavailable` */
  payer(account: string): Promise<Payer>
  /** Opens the key of an account that pays fees. @throws `key_unavailable` */
  relayer(account: string): Promise<RelaySigner>
}

/** Signs for one account. It may be far away (a key management service), so it may take its time. */
export interface Payer {
  /**
   * Signs the EIP-3009 authorization of a payment that is authorized in the books, and nothing else.
   *
   * @returns 65 bytes, hex
   * @throws `signing_refused` for any data but that of this payment
   */
  sign(typedData: TypedData, paymentId: string): Promise<string>
}

/** Signs transactions of one relayer. It builds them itself: there is nothing else that it could be given. */
export interface RelaySigner {
  /**
   * What makes an EIP-1559 transaction that carries the transfer to its token; null: one to itself that carries nothing. It is
   * synchronous, for within a step, and throws `signing_refused` for terms out of bounds.
   *
   * @throws `signing_refused` for a transfer that is not the stored one
   */
  carry(carries: Transfer | null): Promise<(terms: GasTerms) => SignedTransaction>
}

export interface GasTerms {
  readonly chainId: number
  readonly nonce: number
  readonly gas: bigint
  /** wei. */
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}
