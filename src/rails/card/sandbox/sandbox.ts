import { setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../ports.ts'
import type { CardIssuer, CardNetwork } from '../issuer.ts'
import type { Sleep } from './busy.ts'
import { sidesOf } from './sides.ts'
import { sqliteBooks } from './sqlite-books.ts'

/** A card issuer and a card network in process, for demos and tests. No money moves. See docs/sandbox-cards.md. */
export interface CardSandbox {
  readonly issuer: CardIssuer
  readonly network: CardNetwork
  /** Closes the file, after what is being written. Nothing may be called after it. */
  close(): void
}

export interface SandboxOptions {
  /** Its own SQLite file, made on first use and shared by any number of processes; `:memory:` for a private one. */
  readonly path: string
  /** The issuer's clock: what expires, and what is due. */
  readonly clock: Clock
  /** How to wait for a busy file and for slow answers. Real time unless given. */
  readonly sleep?: Sleep
}

/** @throws Error for a file of another program, and for one that a newer bursar wrote. */
export async function sandboxIssuer({ path, clock, sleep = setTimeout }: SandboxOptions): Promise<CardSandbox> {
  const wait: Sleep = async (ms) => void (await sleep(ms))
  const books = await sqliteBooks(path, wait)
  return { ...sidesOf(books, clock, wait), close: books.close }
}
