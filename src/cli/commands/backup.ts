import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { BursarError } from '../../core/errors.ts'
import { JSON_OPTION } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const RESTORING = `
PATH is a file that does not exist yet. Agents may go on paying while the copy is made.

To restore: stop every bursar, put the copy in place of bursar.db in BURSAR_HOME, remove bursar.db-wal and bursar.db-shm,
and put journal.key and owner.key beside it. Without journal.key the journal cannot go on; without owner.key nobody can
approve. With --with-keys they are copied to PATH.keys/: whoever has that folder can write the journal, and with the
passphrase approve, so keep it apart from the copy.

For wallets in USDC, accounts/, networks.json and vault.passphrase are needed as well, and are in PATH.keys/ as far as
there are any. Without the key of its account, what a wallet holds cannot be moved by anybody. The passphrase that opens it
is in PATH.keys/ only if it was vault.passphrase in the home: keep a copy of one in the keychain, or in a file that
BURSAR_VAULT_PASSPHRASE_FILE names, yourself.

Where there are channels of notifications, channels.json is in PATH.keys/, too. Without it nobody is told anything.

For a database file. A purse in PostgreSQL is copied by the server's own tools: pg_dump for one moment, pg_basebackup and an
archive of the log for any moment. The keys in BURSAR_HOME are not in it: copy the files that are named above.
docs/postgres.md says what has to be done after going back to an earlier moment.`

interface Options extends JsonOption {
  readonly withKeys?: true
}

export function backupCommand(root: Command, shell: Shell): void {
  root
    .command('backup')
    .description('Copy the whole database, while others write')
    .argument('<path>', 'a file that does not exist yet')
    .option('--with-keys', 'copy the keys as well, to PATH.keys/')
    .option(...JSON_OPTION)
    .addHelpText('after', RESTORING)
    .action((path: string, options: Options) =>
      shell.withBursar(async ({ bursar }) => {
        const target = newFile(path)
        await bursar.store.backup(target)
        chmodSync(target, 0o600)
        shell.output.show(options, { backup: target, keys: options.withKeys ? copyKeys(shell, target) : null })
        if (!options.withKeys) shell.output.note(options, 'The keys are not in it: see `bursar backup --help`.\n')
      }),
    )
}

function newFile(path: string): string {
  const target = resolve(path)
  if (existsSync(target) || existsSync(keysOf(target)))
    throw new BursarError('already_exists', `There is something at ${target}.`)
  if (!existsSync(dirname(target)))
    throw new BursarError('argument_invalid', `There is no directory ${dirname(target)}.`)
  return target
}

function copyKeys({ program }: Shell, target: string): string {
  const { home } = program.config()
  const directory = keysOf(target)
  mkdirSync(directory, { mode: 0o700 })
  for (const key of [home.journalKey, home.ownerKey]) copyKey(key, directory)
  for (const key of [home.networks, home.channels, home.vaultPassphrase, home.vaultKeychain])
    if (existsSync(key)) copyKey(key, directory)
  if (existsSync(home.accounts)) {
    const accounts = join(directory, basename(home.accounts))
    mkdirSync(accounts, { mode: 0o700 })
    for (const name of readdirSync(home.accounts)) copyKey(join(home.accounts, name), accounts)
  }
  return directory
}

function copyKey(key: string, directory: string): void {
  const copy = join(directory, basename(key))
  copyFileSync(key, copy, constants.COPYFILE_EXCL)
  chmodSync(copy, 0o600)
}

function keysOf(target: string): string {
  return `${target}.keys`
}
