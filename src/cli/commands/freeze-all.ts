import type { Command } from 'commander'
import { freezeAll, unfreezeAll } from '../../actions/owner/freeze.ts'
import { byOwner } from '../lookup.ts'
import { JSON_OPTION } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

export function freezeAllCommand(root: Command, shell: Shell): void {
  root
    .command('freeze-all')
    .description('Stop all spending of all agents, now; needs no passphrase')
    .option('--reason <text>', 'for the journal')
    .option(...JSON_OPTION)
    .action((options: JsonOption & { reason?: string }) =>
      shell.withBursar(async ({ bursar }) => {
        await freezeAll(bursar, await byOwner(bursar), options.reason)
        shell.output.show(options, { frozen: true })
      }),
    )
}

export function unfreezeAllCommand(root: Command, shell: Shell): void {
  root
    .command('unfreeze-all')
    .description('Allow spending again after freeze-all')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        await unfreezeAll(bursar, owner)
        shell.output.show(options, { frozen: false })
      }),
    )
}
