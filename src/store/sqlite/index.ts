import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { sha256 } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import type { NoteKey, Sign } from '../../core/note.ts'
import { noteKey } from '../../core/note.ts'
import type { Clock, Store } from '../../ports.ts'
import { alterations } from './alterations.ts'
import { openConnection, openReader } from './connection.ts'
import { StepQueue } from './queue.ts'
import { SqliteReader } from './reader.ts'
import { SnapshotReader, statementsOf } from './snapshot.ts'
import { Writer } from './writer.ts'

export interface SqliteOptions {
  /** The file, made if it is not there. */
  readonly path: string
  readonly clock: Clock
  /** The key that signs the journals' checkpoints; the public half as 32 raw bytes. */
  readonly journalKey: { readonly publicKey: Uint8Array; readonly sign: Sign }
}

/** The name and key under which an instance's checkpoints are signed: what a verifier must know. */
export function journalNoteKey(publicKey: Uint8Array): NoteKey {
  return noteKey(`bursar-${sha256(publicKey).toString('hex', 0, 8)}`, publicKey)
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
      return queue.run(key, decide)
    },
    read: new SqliteReader(reading, statementsOf(reading)),
    backup(path) {
      reading.prepare('VACUUM INTO ?').run(path)
    },
    async close() {
      if (closed) return
      closed = true
      await queue.idle()
      reading.close()
      writing.close()
    },
  }
}
