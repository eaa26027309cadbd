import { setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../ports.ts'
import type { CardIssuer, CardNetwork } from '../issuer.ts'
import type { Sleep } from './busy.ts'
import { postgresBooks } from './postgres-books.ts'
import { sidesOf } from './sides.ts'

/** The card network of all nodes that share a database. The same as the one in a file: see docs/sandbox-cards.md. */
export interface SharedCardSandbox {
  readonly issuer: CardIssuer
  readonly network: CardNetwork
  /** Closes all connections, after what is being written. Nothing may be called after it. */
  close(): Promise<void>
}

export interface SharedSandboxOptions {
  /** One URL for each host of the database, in the order in which to try them: the one that takes writes is used. */
  readonly urls: readonly string[]
  /** The issuer's clock: what expires, and what is due. */
  readonly clock: Clock
  /** How to wait for a busy database and for slow answers. Real time unless given. */
  readonly sleep?: Sleep
}

/** @throws Error when the database cannot be had, or was not prepared: its migrations make the books. */
export async function sharedSandboxIssuer(options: SharedSandboxOptions): Promise<SharedCardSandbox> {
  const { urls, clock, sleep = setTimeout } = options
  const wait: Sleep = async (ms) => void (await sleep(ms))
  const books = await postgresBooks(urls, wait)
  return { ...sidesOf(books, clock, wait), close: books.close }
}
