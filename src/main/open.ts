import { existsSync } from 'node:fs'
import { signIn } from '../actions/owner/sign-in.ts'
import type { Opened } from '../cli/program.ts'
import type { Config, Home } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import type { Bursar, Notifier } from '../ports.ts'
import { journalNoteKey, openSqlite } from '../store/sqlite/index.ts'
import { systemClock, systemIds } from '../system.ts'
import { type Log, watchedRails, watchedStore } from '../telemetry.ts'
import { readOwnerKeyFile, signerOf } from '../vault/keys.ts'
import { journalKey, prepareDirectory } from './home.ts'
import { lazyRails } from './rails.ts'
import { lazySellers } from './sellers.ts'

export interface Running extends Opened {
  /** @param channel how the journal names the way; `cli` unless given. @throws `passphrase_wrong` */
  unlock(passphrase: string, channel?: string): ReturnType<Opened['unlock']>
  /** Subscribes to what is committed in this process; returns the way to stop. */
  readonly changes: (listener: Listener) => () => void
}
type Listener = (changed: { readonly subjectId: string; readonly walletId: string | null }) => void

/** Puts the parts together around one home. @throws `config_invalid`, `schema_newer` */
export function openBursar(config: Config, log: Log): Running {
  const { home } = config
  prepareDirectory(home.directory)
  const key = journalKey(home)
  const publicKey = Buffer.from(key.publicKey, 'base64')
  const store = watchedStore(
    openSqlite({ path: home.database, clock: systemClock, journalKey: { publicKey, sign: signerOf(key) } }),
    log,
  )
  const rails = lazyRails(config, store, log)
  const { notify, changes } = notices()
  const { sellers, close: closeSellers } = lazySellers()
  const parts = { clock: systemClock, ids: systemIds, notify, sellers }
  const bursar: Bursar = { store, rails: watchedRails(rails.rails, log), ...parts }
  return {
    bursar,
    changes,
    noteKey: journalNoteKey(publicKey),
    unlock: (passphrase, channel = 'cli') => signIn(bursar, () => ownerKey(home, passphrase), channel),
    async close() {
      await closeSellers()
      await store.close()
      await rails.close()
    },
  }
}

/** As {@link openBursar}, for commands that make nothing. @throws `config_invalid` where nothing was set up yet */
export async function openExisting(config: Config, log: Log): Promise<Opened> {
  const { directory, database } = config.home
  const missing = new BursarError(
    'config_invalid',
    `There is no bursar in ${directory} yet. Run \`bursar init\`, or let an agent host start \`bursar mcp\`, which makes a sandbox.`,
  )
  if (!existsSync(database)) throw missing
  const opened = openBursar(config, log)
  if (isSetUp(opened.bursar)) return opened
  await opened.close()
  throw missing
}

export function isSetUp({ store }: Bursar): boolean {
  return store.read.list('owners', {}, { limit: 1 }).length > 0
}

async function ownerKey(home: Home, passphrase: string) {
  const pair = await readOwnerKeyFile(home.ownerKey, passphrase)
  return { publicKey: pair.publicKey, sign: signerOf(pair) }
}

/** Tells whoever listens in this process what was committed. */
function notices(): { notify: Notifier; changes: Running['changes'] } {
  const listeners = new Set<Listener>()
  return {
    notify: {
      changed(subjectId, walletId) {
        for (const listener of listeners) listener({ subjectId, walletId })
      },
    },
    changes(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
