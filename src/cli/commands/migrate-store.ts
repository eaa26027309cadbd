import type { Command } from 'commander'
import { JSON_OPTION } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const MOVING = `
URL is postgres://USER@HOST/DATABASE, of the role that owns the tables or may make them, or file:PATH. The purse that
is moved is the one that BURSAR_DATABASE_URL names. A password is better in PGPASSWORD or ~/.pgpass than in the URL,
which other users of the machine may see.

Agents may go on paying until the copy begins. From then on nothing is written here any more: what comes is refused, and
says that the purse was moved. All of it is copied, compared and verified before the other database has it; if anything
fails, the purse here is as it was. If the command is killed, run it again: it goes on. With --undo the purse here is
opened again, unless the other database has it already.

Afterwards set BURSAR_DATABASE_URL to the other database for every process, and start them again: they settle what was
under way. The keys in BURSAR_HOME stay as they are, and are needed where the processes run.`

interface Options extends JsonOption {
  readonly to: string
  readonly undo?: true
}

export function migrateStoreCommand(root: Command, shell: Shell): void {
  root
    .command('migrate-store')
    .description('Move the purse to another database: to PostgreSQL, or back to a file')
    .requiredOption('--to <url>', 'the other database: empty, or not there yet')
    .option('--undo', 'take back a move to it that was not finished')
    .option(...JSON_OPTION)
    .addHelpText('after', MOVING)
    .action(async ({ to, undo, ...options }: Options) => {
      const { program, terminal, output } = shell
      const tell = (point: string) => terminal.err(`${point}\n`)
      const report = await program.moveStore({
        ...{ to, undo: undo === true, passphrase: await shell.passphrase() },
        reached: (point) => !options.json && terminal.interactive && tell(point),
      })
      output.show(options, report)
      if (report.undone) output.note(options, 'The purse is here, as before.\n')
      else output.note(options, NEXT)
    })
}

const NEXT = `
The purse is in the other database now, and closed here. Set BURSAR_DATABASE_URL to it wherever bursar runs, and start
those processes again. For PostgreSQL, grant the role of the nodes what they need: SELECT bursar.grant_to('ROLE').
`
