import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { BursarError } from '../../core/errors.ts'
import { JSON_OPTION } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const PASSPHRASE_MIN = 8

export function initCommand(root: Command, shell: Shell): void {
  root
    .command('init')
    .description('Set up bursar with a passphrase of your own: owner, agent `default`, a sandbox wallet')
    .option('--name <name>', 'what the journal calls you', userInfo().username)
    .option(...JSON_OPTION)
    .action(async (options: JsonOption & { name: string }) => {
      const { program, output } = shell
      const { created } = await program.create({ name: options.name, passphrase: await newPassphrase(shell) })
      if (!created)
        throw new BursarError('already_exists', 'There is a bursar with an owner here already; nothing was changed.')
      const { directory } = program.config().home
      output.show(options, { created, home: directory, owner: options.name })
      output.note(options, 'Keep the passphrase: without it nobody can approve, fund or raise a limit.\n')
    })
}

async function newPassphrase({ program, terminal }: Shell): Promise<string> {
  const given = program.config().ownerPassphrase
  if (given === null && !terminal.interactive)
    throw new BursarError('passphrase_wrong', 'A new owner needs a passphrase, and there is nobody to type one.')
  const passphrase = given ?? (await terminal.secret('A passphrase for the owner'))
  if (Array.from(passphrase).length < PASSPHRASE_MIN)
    throw new BursarError('argument_invalid', `A passphrase has at least ${PASSPHRASE_MIN} characters.`)
  if (given === null && (await terminal.secret('The same again')) !== passphrase)
    throw new BursarError('argument_invalid', 'The two passphrases differ.')
  return passphrase
}
