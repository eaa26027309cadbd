import { BursarError } from '../../core/errors.ts'
import type { Sign } from '../../core/note.ts'
import type { Clock, Store } from '../../ports.ts'
import { Journals, journalNoteKey } from '../shared/journals.ts'
import { refuseMoved } from '../shared/moved.ts'
import { archiveOn } from './archive.ts'
import { PostgresKept } from './kept.ts'
import { migrate } from './migrate.ts'
import { PostgresNodes } from './nodes.ts'
import { Places } from './places.ts'
import { Pool } from './pool.ts'
import { StepQueue } from './queue.ts'
import { PostgresReader } from './reader.ts'
import { PoolSource } from './source.ts'
import { togetherOn } from './together.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, or several hosts, of which the primary is taken. */
  readonly url: string
  readonly clock: Clock
  /** The key that signs the journals' checkpoints; the public half as 32 raw bytes. */
  readonly journalKey: { readonly publicKey: Uint8Array; readonly sign: Sign }
  /** The most connections at a time, beside one for notices and one for each duty. */
  readonly connections?: number
  /** How long a step tries to be written, and how long its outcome is looked for after that, in milliseconds. */
  readonly waitMs?: number
}

const CONNECTIONS = 10
const WAIT_MS = 20_000
/** Transactions at a time. What comes meanwhile shares the next ones: a few full ones cost less than many with one step each. */
const TRANSACTIONS = 4

/**
 * The store in a PostgreSQL database, which any number of nodes may share.
 *
 * @throws `schema_newer`, `config_invalid` as the migration does; the driver's error when no primary can be reached
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, clock, journalKey, connections = CONNECTIONS, waitMs = WAIT_MS } = options
  const pool = new Pool(url, connections)
  try {
    await migrate(pool)
  } catch (error) {
    await pool.end()
    throw error
  }
  const source = new PoolSource(pool, waitMs)
  const read = new PostgresReader(source, togetherOn(pool))
  const signer = { key: journalNoteKey(journalKey.publicKey), sign: journalKey.sign }
  const tools = { clock, journals: new Journals(signer), places: new Places() }
  const queue = new StepQueue(pool, tools, {
    transactions: Math.max(1, Math.min(TRANSACTIONS, Math.floor(connections / 2))),
    waitMs,
  })
  const nodes = new PostgresNodes(pool)
  let altered: Promise<boolean> | undefined
  let closed = false
  const assertOpen = (): void => {
    if (closed) throw new BursarError('rail_unavailable', 'bursar is shutting down.')
  }
  const isAltered = async (): Promise<boolean> => {
    try {
      return (await read.altered()).length > 0
    } catch (error) {
      // It was not looked at: the next step looks again.
      altered = undefined
      throw error
    }
  }
  return {
    async update(key, decide) {
      assertOpen()
      // Looked at before the first step. Without its own checks the database would let through what the program should not
      // have asked for.
      altered ??= isAltered()
      if (await altered) throw new BursarError('journal_tampered', 'The checks of the database were altered.')
      assertOpen()
      return queue.run(key, decide).catch(refuseMoved)
    },
    read,
    nodes,
    kept: new PostgresKept(pool, clock, waitMs),
    archive: () => archiveOn(source),
    async backup() {
      throw new BursarError(
        'argument_invalid',
        'A database of PostgreSQL is copied by its own tools: pg_dump for a copy, pg_basebackup and a WAL archive for one of any moment.',
      )
    },
    async close() {
      if (closed) return
      closed = true
      await queue.idle()
      await nodes.close()
      await pool.end()
    },
  }
}
