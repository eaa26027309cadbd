import type { Command } from 'commander'
import { showOwner } from '../../actions/owner/owners.ts'
import { invite, listPasskeys, type PasskeyView, revokePasskey } from '../../actions/owner/passkeys.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<PasskeyView>[] = [
  { title: 'passkey', of: (passkey) => passkey.passkey_id },
  { title: 'name', of: (passkey) => passkey.name },
  { title: 'owner', of: (passkey) => passkey.owner },
  { title: 'synced', of: (passkey) => (passkey.synced ? 'yes' : 'no') },
  { title: 'for', of: (passkey) => passkey.origin },
  { title: 'since', of: (passkey) => passkey.created_at },
  { title: 'revoked', of: (passkey) => passkey.revoked_at },
]

const ONCE = `Type it on the console within ten minutes: at the address of \`bursar serve\`, or the one that an agent gives you while it
waits. It is good once, and this is the only time that it is shown.
`

export function passkeyCommand(root: Command, shell: Shell): void {
  const passkey = root
    .command('passkey')
    .description('What owners sign in and approve with on the console: invite, list, revoke')
  passkey
    .command('invite')
    .description('Print a code, once, with which an owner who has no passkey enrols one on the console')
    .option('--owner <owner>', 'id or name (default: the owner of this bursar)')
    .option(...JSON_OPTION)
    .action((options: JsonOption & { owner?: string }) =>
      shell.withOwner(async ({ bursar }, authority) => {
        const ownerId =
          options.owner === undefined ? authority.ownerId : (await showOwner(bursar, options.owner)).owner_id
        shell.output.show(options, await invite(bursar, authority, ownerId))
        shell.output.note(options, ONCE)
      }),
    )
  passkey
    .command('list')
    .description('List all passkeys')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => shell.output.list(options, await listPasskeys(bursar), COLUMNS)),
    )
  passkey
    .command('revoke')
    .description('End a passkey for good, and the sessions that were opened with it')
    .argument('<passkey>', 'as `passkey list` shows it')
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, authority) =>
        shell.output.show(options, await revokePasskey(bursar, authority, id)),
      ),
    )
}
