import type { Narrowing } from './core/approval.ts'
import type { Kind } from './core/ids.ts'
import type { LimitUse, Spender } from './core/limit.ts'
import type { Change, Key, Snapshot } from './core/step.ts'
import type { TableName, Tables } from './core/tables.ts'
import type { Constraints, Deposit, InstrumentType, Payee, RailStatus, Text, Transfer, Wallet } from './core/types.ts'
import type { WireInclusion, WireUnused } from './core/wire.ts'

export interface Clock {
  /** Milliseconds since the epoch. Read once per step, inside it. */
  now(): number
}

/** Where chance comes from, so that the core has none. */
export interface Ids {
  /** A new id: the kind's prefix and a UUIDv7. */
  make(kind: Kind): string
  /** A text under a salted hash, so that the hash says nothing once the text is erased. */
  text(text: string): Text
}

/** One event as it is kept: the canonical JSON that was hashed, and its leaf. */
export interface StoredEvent {
  readonly journal: string
  readonly seq: number
  readonly type: string
  readonly body: string
  readonly leaf: Buffer
}

/** Where a journal stands. `checkpoint` is a C2SP signed note over `size` and the root. */
export interface Head {
  readonly journal: string
  readonly size: number
  readonly frontier: Buffer
  readonly checkpoint: string
}

export interface Page {
  /** At most this many rows, newest first; without it all. */
  readonly limit?: number
  /** Only rows with an id below this one. */
  readonly before?: string
}

/** What may be read at any time, without a lock. Rows are as of the last commit. */
export interface Reader {
  one<T extends TableName>(table: T, where: Partial<Tables[T]>): Tables[T] | null
  /** Newest first, by id. An array as value matches any of its members. */
  list<T extends TableName>(table: T, where: Where<Tables[T]>, page?: Page): readonly Tables[T][]
  /** Every row, in the order of its key; for verification. */
  all<T extends TableName>(table: T): Iterable<Tables[T]>
  /** All limits of the wallet with what their current windows have let through: for this spender, or the value they name. */
  limits(spender: Spender, now: number): readonly LimitUse[]
  /** Null when there is none, or it was erased. */
  text(digest: string): string | null
  /** A wallet's deposits of blocks after this one. */
  depositsAfter(walletId: string, block: number): readonly Deposit[]
  /** The newest block in which anything of the wallet was seen; -1 for none. */
  newestBlock(walletId: string): number
  texts(): Iterable<Text>
  head(journal: string): Head | null
  heads(): readonly Head[]
  /** Runs `look` so that everything it reads is as of one moment, whatever others write meanwhile. */
  together<R>(look: () => R): R
  events(journal: string, from?: number): Iterable<StoredEvent>
  /** The journals that have events. */
  journals(): readonly string[]
  /** How the database's own checks and triggers differ from those that this program made: one sentence each. */
  altered(): readonly string[]
}
export type Where<Row> = { readonly [C in keyof Row]?: Row[C] | readonly Row[C][] }

/** The database: state, its journal, and the rules a second time. */
export interface Store {
  /**
   * One step: reads what `key` asks for under the write lock, decides, and writes the decided facts and their reading
   * in one commit. `decide` must be synchronous and free of side effects: it may be run again. Resolves once durable.
   *
   * @throws whatever `decide` throws (nothing is written); `busy` when the lock could not be had in time (nothing is
   * written); `outcome_unknown` when the commit's answer was lost and could not be looked up.
   */
  update<R>(key: Key, decide: (snapshot: Snapshot) => Change<R>): Promise<R>
  readonly read: Reader
  /** A whole copy, made while others write. */
  backup(path: string): void
  close(): Promise<void>
}

/** How a host's user is asked. What the answer is worth is decided where it is received, by the wallet's policy. */
export interface HostDesk {
  /** Records over which channel a human was asked. */
  asked(subjectId: string, channel: string): Promise<void>
  /** Records that no answer came, and why. Changes nothing else. */
  unanswered(
    subjectId: string,
    channel: string,
    outcome: 'no_channel' | 'timed_out' | 'declined_by_host' | 'dismissed',
  ): Promise<void>
  /** Approves with assurance `host`, to what was shown. @throws `assurance_too_low`, `approval_invalid`, `not_pending` … */
  approve(subjectId: string, shownDigest: string, channel: string, narrowing: Narrowing): Promise<void>
  deny(subjectId: string, channel: string, reason: string | null): Promise<void>
  /** The safe direction, for the prompt `revoke_instrument`. */
  revoke(instrumentId: string, channel: string): Promise<void>
}

/** The rail of each type of instrument that this instance can pay with. */
export type Rails = Partial<Record<InstrumentType, Rail>>

/** What every action works with. */
export interface Bursar {
  readonly store: Store
  readonly rails: Rails
  readonly clock: Clock
  readonly ids: Ids
  readonly notify: Notifier
}

/** Told after each commit that others may want to hear of. Carries facts, never authority; must not throw. */
export interface Notifier {
  changed(subjectId: string, walletId: string | null): void
}

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
  /** The accounts that wallets have at the rail. Null: money does not come in by itself, the owner says what is there. */
  readonly accounts: Accounts | null
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
  /** Ids of the payments, of those that were asked about, whose money has moved. */
  readonly moved: ReadonlySet<string>
}

export interface SeenDeposit extends Omit<Deposit, 'walletId' | 'seq'> {
  /** Whether the chain stands behind it as far as the wallet asks for this amount. */
  readonly confirmed: boolean
}
