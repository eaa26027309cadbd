import type { Command } from 'commander'
import { addOwner, listOwners, type OwnerView } from '../../actions/owner/owners.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<OwnerView>[] = [
  { title: 'owner', of: (owner) => owner.owner_id },
  { title: 'name', of: (owner) => owner.name },
  { title: 'passphrase', of: (owner) => (owner.has_passphrase ? 'yes' : 'none') },
  { title: 'passkeys', of: (owner) => owner.passkeys, align: 'right' },
  { title: 'since', of: (owner) => owner.created_at },
]

export function ownerCommand(root: Command, shell: Shell): void {
  const owner = root.command('owner').description('Who may say yes: add another human, list')
  owner
    .command('add')
    .description('Add an owner, who signs in to the console with a passkey')
    .argument('<name>')
    .option(...JSON_OPTION)
    .action((name: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, authority) => {
        const added = await addOwner(bursar, authority, name)
        shell.output.show(options, added)
        shell.output.note(options, `Next: \`bursar passkey invite --owner ${added.owner_id}\`.\n`)
      }),
    )
  owner
    .command('list')
    .description('List all owners')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => shell.output.list(options, await listOwners(bursar), COLUMNS)),
    )
}
