import { existsSync } from 'node:fs'
import { signIn } from '../actions/owner/sign-in.ts'
import type { Opened } from '../cli/program.ts'
import type { Config, Home } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import type { NoteKey } from '../core/note.ts'
import { openNote } from '../core/note.ts'
import type { Bursar, Changed, Notifier, Store } from '../ports.ts'
import { journalNoteKey, openSqlite, type SqliteOptions } from '../store/sqlite/index.ts'
import { systemClock, systemIds } from '../system.ts'
import { type Log, watchedRails, watchedStore } from '../telemetry.ts'
import { readOwnerKeyFile, signerOf } from '../vault/keys.ts'
import { journalKey, prepareDirectory } from './home.ts'
import { lazyRails } from './rails.ts'
import { lazySellers } from './sellers.ts'

export interface Running extends Opened {
  /** @param channel how the journal names the way; `cli` unless given. @throws `passphrase_wrong` */
  unlock(passphrase: string, channel?: string): ReturnType<Opened['unlock']>
  /** Subscribes to what is committed, in this process or by other nodes; returns the way to stop. */
  readonly changes: (listener: Listener) => () => void
}
type Listener = (changed: Changed) => void

/** Puts the parts together around one home. @throws `config_invalid`, `schema_newer`, `rail_unavailable` where no database answers */
export async function openBursar(config: Config, log: Log): Promise<Running> {
  const { home } = config
  prepareDirectory(home.directory)
  const key = journalKey(config)
  const publicKey = Buffer.from(key.publicKey, 'base64')
  const noteKey = journalNoteKey(publicKey)
  const store = watchedStore(await storeOf(config, { publicKey, sign: signerOf(key) }), log)
  await assertOwnKey(store, noteKey, home)
  const rails = lazyRails(config, store, log)
  const { notify, changes } = notices(store)
  const { sellers, close: closeSellers } = lazySellers()
  const parts = { clock: systemClock, ids: systemIds, notify, sellers }
  const bursar: Bursar = { store, rails: watchedRails(rails.rails, log), ...parts }
  return {
    bursar,
    changes,
    noteKey,
    unlock: (passphrase, channel = 'cli') => signIn(bursar, () => ownerKey(home, passphrase), channel),
    async close() {
      await closeSellers()
      await store.close()
      await rails.close()
    },
  }
}

/** The file, or the server whose adapter loads only then. */
async function storeOf({ database }: Config, journalKey: SqliteOptions['journalKey']): Promise<Store> {
  if (database.kind === 'file') return openSqlite({ path: database.path, clock: systemClock, journalKey })
  const { openPostgres } = await import('../store/postgres/index.ts')
  try {
    return await openPostgres({ url: database.url, clock: systemClock, journalKey })
  } catch (error) {
    const { unreached } = await import('./reach.ts')
    throw unreached(error, database.url)
  }
}

/** Every node of an instance has the same keys: with another one, what it wrote would not be continued. @throws `config_invalid` */
async function assertOwnKey(store: Store, noteKey: NoteKey, home: Home): Promise<void> {
  const head = await store.read.head('instance')
  if (!head) return
  try {
    openNote(head.checkpoint, [noteKey])
  } catch {
    await store.close()
    const message = `The journals in the database are not signed with ${home.journalKey}. Copy the keys of BURSAR_HOME from where the instance was made.`
    throw new BursarError('config_invalid', message)
  }
}

/** As {@link openBursar}, for commands that make nothing. @throws `config_invalid` where nothing was set up yet */
export async function openExisting(config: Config, log: Log): Promise<Opened> {
  const { directory } = config.home
  const missing = new BursarError(
    'config_invalid',
    `There is no bursar in ${directory} yet. Run \`bursar init\`, or let an agent host start \`bursar mcp\`, which makes a sandbox.`,
  )
  if (config.database.kind === 'file' && !existsSync(config.database.path)) throw missing
  const opened = await openBursar(config, log)
  if (await isSetUp(opened.bursar)) return opened
  await opened.close()
  throw missing
}

export async function isSetUp({ store }: Bursar): Promise<boolean> {
  return (await store.read.list('owners', {}, { limit: 1 })).length > 0
}

async function ownerKey(home: Home, passphrase: string) {
  const pair = await readOwnerKeyFile(home.ownerKey, passphrase)
  return { publicKey: pair.publicKey, sign: signerOf(pair) }
}

/** Tells whoever listens what was committed: in this process, and by other nodes. */
function notices({ nodes }: Store): { notify: Notifier; changes: Running['changes'] } {
  const listeners = new Set<Listener>()
  const heard: Listener = (changed) => {
    for (const listener of listeners) listener(changed)
  }
  nodes.heard(heard)
  return {
    notify: {
      changed(subjectId, walletId) {
        heard({ subjectId, walletId })
        nodes.tell({ subjectId, walletId })
      },
    },
    changes(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
