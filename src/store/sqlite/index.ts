import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { BursarError } from '../../core/errors.ts'
import type { Sign } from '../../core/note.ts'
import type { Clock, Store } from '../../ports.ts'
import { journalNoteKey } from '../shared/journals.ts'
import { refuseMoved } from '../shared/moved.ts'
import { alterations } from './alterations.ts'
import { openConnection, openReader } from './connection.ts'
import { SqliteKept } from './kept.ts'
import { leadOf } from './lead.ts'
import { StepQueue } from './queue.ts'
import { SqliteReader } from './reader.ts'
import { SnapshotReader, statementsOf } from './snapshot.ts'
import { Writer } from './writer.ts'

export { journalNoteKey } from '../shared/journals.ts'

export interface SqliteOptions {
  /** The file, made if it is not there. */
  readonly path: string
  readonly clock: Clock
  /** The key that signs the journals' checkpoints; the public half as 32 raw bytes. */
  readonly journalKey: { readonly publicKey: Uint8Array; readonly sign: Sign }
}

/**
 * The store on one SQLite file, which any number of processes may share.
 *
 * @throws `schema_newer`, `config_invalid` as the connection does.
 */
export function openSqlite(options: SqliteOptions): Store {
  mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 })
  const writing = openConnection(options.path)
  const reading = openReader(options.path)
  // From here on, waiting for the write lock is done in short pauses: see lock.ts.
  writing.pragma('busy_timeout = 0')
  const tables = statementsOf(writing)
  const signer = { key: journalNoteKey(options.journalKey.publicKey), sign: options.journalKey.sign }
  const snapshots = new SnapshotReader(writing, tables)
  const queue = new StepQueue(writing, snapshots, new Writer(writing, tables, signer), options.clock)
  const read = new SqliteReader(reading, statementsOf(reading), () => openReader(options.path))
  const kept = new SqliteKept(() => openConnection(options.path), options.clock)
  let altered: boolean | undefined
  let closed = false
  return {
    update(key, decide) {
      if (closed) return Promise.reject(new BursarError('rail_unavailable', 'bursar is shutting down.'))
      // Looked at before the first step, not at start: hosts wait for that.
      // Without its own checks the database would let through what the program should not have asked for.
      altered ??= alterations(writing).length > 0
      if (altered)
        return Promise.reject(new BursarError('journal_tampered', 'The checks of the database were altered.'))
      return queue.run(key, decide).catch(refuseMoved)
    },
    read,
    // One machine: what others commit is found by looking, and there is nobody to tell.
    nodes: { lead: (duty) => leadOf(options.path, duty), tell: () => undefined, heard: () => () => undefined },
    kept,
    async archive() {
      throw new BursarError(
        'argument_invalid',
        'The journal in a file is not archived. Copy it with `bursar backup`; or move the purse to PostgreSQL with `bursar migrate-store`, where old events go to files.',
      )
    },
    async backup(path) {
      reading.prepare('VACUUM INTO ?').run(path)
    },
    async close() {
      if (closed) return
      closed = true
      await queue.idle()
      await kept.close()
      read.close()
      writing.close()
    },
  }
}
