import type { OwnerAuthority } from '../actions/owner/authority.ts'
import type { Config } from '../config.ts'
import type { NoteKey } from '../core/note.ts'
import type { Bursar } from '../ports.ts'
import type { Chains } from './chains.ts'
import type { Channels } from './channels.ts'
import type { DatabaseReport, Migrated } from './database.ts'

/** What the composition root gives the command line: the commands themselves open, make and serve nothing. */
export interface Program {
  readonly version: string
  /** Where the package is: it holds dist/ and mcp.json. */
  readonly root: string
  /** @throws `config_invalid` */
  config(): Config
  /** @throws `config_invalid` where nothing was set up yet. */
  open(): Promise<Opened>
  /** Makes owner, agent `default` and sandbox wallet, unless there is an owner already. */
  create(owner: { name: string; passphrase: string }): Promise<{ created: boolean }>
  /** Serves MCP over stdio until its client leaves. */
  serveMcp(): Promise<void>
  /** Serves over HTTP until it is told to end. @throws `config_invalid` */
  serveHttp(options: ServeOptions): Promise<void>
  /** Carries MCP between stdio and a server, until its host leaves. @throws `config_invalid` */
  connect(url: string): Promise<void>
  /**
   * Looks at the database itself, read-only; null where there is no such file. A server that cannot be reached is in the
   * report.
   *
   * @throws whatever SQLite throws
   */
  inspectDatabase(): Promise<DatabaseReport | null>
  /**
   * Makes or renews the tables of a PostgreSQL database, and grants what a node needs.
   *
   * @param grantTo a role that nodes connect as; null: those alone that it was granted to before
   * @throws `config_invalid` where this role may not; `not_found` for the other one; `rail_unavailable`, `schema_newer`
   */
  migrateDatabase(grantTo: string | null): Promise<Migrated>
  /** Moves the purse to another database. @throws as the move does, `passphrase_wrong` */
  moveStore(options: MoveOptions): Promise<MoveReport>
  /** @throws `config_invalid` */
  chains(): Promise<Chains>
  channels(): Promise<Channels>
  /** For what should not happen: details go to the log, which redacts. */
  reportBug(error: unknown): void
}

export interface ServeOptions {
  readonly host: string
  /** 0: one that is free. */
  readonly port: number
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | null
  readonly behindProxy: boolean
  /** By which address it is reached; null: by that which it listens on. */
  readonly url: string | null
}

export interface MoveOptions {
  /** `postgres://…` or `file:PATH`. */
  readonly to: string
  readonly passphrase: string
  /** Take back what a move that was not finished did here. */
  readonly undo: boolean
  /** Told how far it is, in a word or two. */
  readonly reached: (point: string) => void
}

/** Amounts in smallest units. */
export interface MoveReport {
  readonly moved: boolean
  readonly undone: boolean
  /** True where an earlier run had moved it, and was killed before it said so. */
  readonly before?: boolean
  /** How many rows of each table are there. */
  readonly rows?: Readonly<Record<string, number>>
  /** Of the sandbox's card network; null where there was none, or an earlier run moved it. */
  readonly sandbox_cards?: Readonly<Record<string, number>> | null
  readonly wallets?: readonly { wallet_id: string; available_units: string; held_units: string }[]
  readonly journals?: readonly { journal: string; size: number; checkpoint: string }[]
}

export interface Opened {
  readonly bursar: Bursar
  /** Who signs the checkpoints of this instance's journals. */
  readonly noteKey: NoteKey
  /** @throws `passphrase_wrong` */
  unlock(passphrase: string): Promise<OwnerAuthority>
  close(): Promise<void>
}

/** Where people sit. Injected, so that tests can answer. */
export interface Terminal {
  /** Whether somebody is there to be asked. */
  readonly interactive: boolean
  readonly colors: boolean
  out(text: string): void
  err(text: string): void
  /** @throws {@link Dismissed} when the question was left without an answer. */
  confirm(question: string): Promise<boolean>
  /** Reads without showing. @throws {@link Dismissed} */
  secret(question: string): Promise<string>
  /** What a program gives on stdin, up to the end of its first line. @throws `argument_invalid` where a terminal would show it */
  line(): Promise<string>
}

/** The human left a question without an answer: neither yes nor no. */
export class Dismissed extends Error {
  override readonly name = 'Dismissed'
}
