import type { Narrowing } from './core/approval.ts'
import type { Kind } from './core/ids.ts'
import type { LimitUse, Spender } from './core/limit.ts'
import type { Change, Key, Snapshot } from './core/step.ts'
import type { TableName, Tables } from './core/tables.ts'
import type { Credential, Deposit, InstrumentType, Payee, Payment, Text } from './core/types.ts'
import type { Rail } from './ports/rail.ts'
import type { Sellers } from './ports/web.ts'

export type * from './ports/rail.ts'

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
  /** Null where the event was archived: its body is in a file then. */
  readonly body: string | null
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

/** What was captured less what was given back, of payments that were authorized since some moment. Amounts in units. */
export interface Spending {
  /** By when they were authorized, in slots of the same length. `start`: milliseconds since the epoch. */
  readonly slots: readonly ({ readonly start: number } & Share)[]
  /** The most first, as are those below. */
  readonly agents: readonly ({ readonly agentId: string } & Share)[]
  readonly payees: readonly ({ readonly payee: Payee } & Share)[]
  readonly protocols: readonly ({ readonly protocol: string } & Share)[]
}
interface Share {
  readonly amount: bigint
  readonly count: number
}

/** What may be read at any time, without a lock. Rows are as of the last commit. */
export interface Reader {
  one<T extends TableName>(table: T, where: Partial<Tables[T]>): Promise<Tables[T] | null>
  /** Newest first, by id. An array as value matches any of its members. */
  list<T extends TableName>(table: T, where: Where<Tables[T]>, page?: Page): Promise<readonly Tables[T][]>
  /** Every row, in the order of its key; for verification. */
  all<T extends TableName>(table: T): AsyncIterable<Tables[T]>
  /** All limits of the wallet with what their current windows have let through: for this spender, or the value they name. */
  limits(spender: Spender, now: number): Promise<readonly LimitUse[]>
  /** An earlier payment that is the same purchase, as a step would find it now. */
  prior(same: NonNullable<Key['same']>, now: number): Promise<Payment | null>
  /** The credential, then what minted it, up to one that the owner gave; empty when there is none. */
  credentials(id: string): Promise<readonly Credential[]>
  /** Null when there is none, or it was erased. */
  text(digest: string): Promise<string | null>
  /** A wallet's deposits of blocks after this one. */
  depositsAfter(walletId: string, block: number): Promise<readonly Deposit[]>
  /** The newest block in which anything of the wallet was seen; -1 for none. */
  newestBlock(walletId: string): Promise<number>
  /** What was spent out of a wallet since then, in milliseconds since the epoch; the days of all time zones are whole slots. */
  spending(walletId: string, since: number, slotMs: number): Promise<Spending>
  texts(): AsyncIterable<Text>
  head(journal: string): Promise<Head | null>
  heads(): Promise<readonly Head[]>
  /** Runs `look` with a reader by which everything is as of one moment, whatever others write meanwhile. */
  together<R>(look: (read: Reader) => Promise<R>): Promise<R>
  events(journal: string, from?: number): AsyncIterable<StoredEvent>
  /** The journals that have events. */
  journals(): Promise<readonly string[]>
  /** How the database's own checks and triggers differ from those that this program made: one sentence each. */
  altered(): Promise<readonly string[]>
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
  readonly nodes: Nodes
  readonly kept: Kept
  /** @throws `argument_invalid` where nothing is archived; `config_invalid` where this role may not */
  archive(): Promise<Archive>
  /** A whole copy, made while others write. @throws `argument_invalid` where the database's own tools do that */
  backup(path: string): Promise<void>
  close(): Promise<void>
}

/** Takes the bodies of old events out of the database, once they are kept elsewhere, and then the payments that were refused. */
export interface Archive {
  /**
   * Takes out the bodies of these events of a journal: all that are there still, are what was hashed to these leaves, and may go.
   * Those of the last two months and of what is open stay.
   *
   * @returns how many went
   */
  clear(journal: string, events: readonly Pick<StoredEvent, 'seq' | 'leaf'>[]): Promise<number>
  /**
   * Takes out the rows of these payments of a journal, and of what they were to buy: all that are there still, were refused
   * by the event at just that place, and have no event left that has a body.
   *
   * @returns how many payments went
   */
  forget(journal: string, refused: readonly { readonly paymentId: string; readonly seq: number }[]): Promise<number>
}

/**
 * What is remembered between calls, so that none is done twice, whichever process is asked and whatever ended meanwhile. It is no
 * record of what happened: a journal says nothing of it, and it goes.
 *
 * @throws each: `busy`, `rail_unavailable`: the caller must not go on as if it were remembered, though it may be
 */
export interface Kept {
  /** Remembers a name until a time: false where it is remembered already. @param name 64 characters, such as a digest */
  first(name: string, untilMs: number): Promise<boolean>
  /** Claims a key for a call that is about to be done, or tells what became of the one that has it. */
  claim(claim: Claim): Promise<Claimed>
  /** The call of this claim was done. @param answer null: it is not for the database to have, or is too long for it */
  keep(claim: Claim, answer: string | null): Promise<void>
  /** The call of this claim was not done, and may be tried again. */
  drop(claim: Claim): Promise<void>
}

/** Of one call. Times are milliseconds since the epoch. */
export interface Claim {
  /** Who asks, in at most 300 characters, and the key that they gave, in at most 128. */
  readonly caller: string
  readonly key: string
  /** Digest of what is asked for, in hexadecimal digits. */
  readonly asked: string
  /** A UUID of this claim alone. */
  readonly holder: string
  /** Until when it may still be worked on, by a process that cannot be seen from here. */
  readonly busyUntil: number
  /** From when on the key is as if it was never used. */
  readonly expiresAt: number
  readonly room: Room
}

/** How much is remembered. Where it is more, the oldest goes. */
export interface Room {
  /** Keys of one caller. */
  readonly keys: number
  /** Bytes of the answers to one caller, at most 500,000, and to all. That a call was done is remembered without its answer. */
  readonly bytes: number
  readonly allBytes: number
}

/** What a claim finds. */
export type Claimed =
  | { readonly state: 'mine' }
  /** As many calls of this caller as there is room for are worked on, or nobody knows of them. */
  | { readonly state: 'full' }
  /** Worked on; or nobody knows whether it was done, for whoever worked on it is gone. */
  | { readonly state: 'busy' | 'unknown'; readonly asked: string }
  /** Done. `answer` is null where it is not in the database; whoever was `holder` may have it. */
  | { readonly state: 'done'; readonly asked: string; readonly holder: string; readonly answer: string | null }

/** What the processes on one database do together. */
export interface Nodes {
  /** Stands for a duty that one process has at a time. It moves on when that one dies or is cut off. */
  lead(duty: string): Lead
  /** Tells other nodes of what was committed here, soon. Best effort: whoever hears nothing looks by itself. */
  tell(changed: Changed): void
  /** Hears what other nodes tell; returns the way to stop. */
  heard(listener: (changed: Changed) => void): () => void
}

export interface Lead {
  /** Whether this process has the duty now. For a moment two may think so: what it does must bear that. */
  isHeld(): boolean
  release(): Promise<void>
}

/** What something was committed about. */
export interface Changed {
  readonly subjectId: string
  readonly walletId: string | null
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
  /** Loads with the first purchase on the web. */
  readonly sellers: () => Promise<Sellers>
  /** Where the owner's console is, such as `https://pay.example.com/console`; null, or absent: there is none now. */
  readonly consoleUrl?: () => Promise<string | null>
}

/** Told after each commit that others may want to hear of. Carries facts, never authority; must not throw. */
export interface Notifier {
  changed(subjectId: string, walletId: string | null): void
}
