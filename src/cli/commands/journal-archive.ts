import type { Command } from 'commander'
import { archiveJournals } from '../../actions/owner/archive.ts'
import { JSON_OPTION } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const ARCHIVING = `
For PostgreSQL, with BURSAR_DATABASE_URL of the role that owns the tables. Each month before the one that is named is
written to a file of its own, bursar-2026-07.jsonl, in UTC. It is read back and compared with the database; then the texts
of its events leave the database. Their hashes stay, so that checkpoints and proofs go on as before. Payments that were
refused leave with their events; all others stay in the lists. This month and the last one stay whole, and so does what is
about a payment, request or instrument that is still open: it goes the next time.

Keep the files as long as the journal, and more than once. \`journal verify --archive DIR\` verifies all. If the command is
killed, run it again: it goes on.`

interface Options extends JsonOption {
  readonly before: string
  readonly out: string
}

export function journalArchiveCommand(journal: Command, shell: Shell): void {
  journal
    .command('archive')
    .description('Move the texts of old events from the database to files, one for each month')
    .requiredOption('--before <month>', 'months before this one, such as 2026-08')
    .requiredOption('--out <dir>', 'a folder for the files, the same each time')
    .option(...JSON_OPTION)
    .addHelpText('after', ARCHIVING)
    .action(({ before, out, ...options }: Options) =>
      shell.withOwner(async ({ bursar, noteKey }, owner) => {
        shell.output.show(options, await archiveJournals(bursar, owner, noteKey, { before, folder: out }))
      }),
    )
}
