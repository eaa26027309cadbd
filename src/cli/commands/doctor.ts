import type { Command } from 'commander'
import { examine } from '../doctor/examine.ts'
import type { Finding } from '../doctor/finding.ts'
import { Ended, EXIT } from '../failure.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<Finding>[] = [
  { title: 'check', of: ({ check }) => check },
  { title: 'ok', of: ({ ok, warning }) => (!ok ? 'NO' : warning ? 'warning' : 'yes') },
  { title: 'found', of: ({ found }) => found },
]

const GRADES = `
A warning is what will do for a sandbox, and not for real money: a PostgreSQL server without a synchronous standby, nodes
that connect as the owner of the tables. Where a wallet is live it is a problem. Only problems end with exit code 4.`

export function doctorCommand(root: Command, shell: Shell): void {
  root
    .command('doctor')
    .description('Look for what is wrong with this bursar, and say how to mend it; changes nothing')
    .option('--url <url>', 'also whether browsers take passkeys for the console at this address')
    .option(...JSON_OPTION)
    .addHelpText('after', GRADES)
    .action(async (options: JsonOption & { url?: string }) => {
      const findings = await examine(shell.program, options.url ?? null)
      shell.output.list(options, findings, COLUMNS)
      const notable = findings.filter(({ ok, warning }) => !ok || warning)
      for (const { check, found, mend } of notable) shell.output.note(options, `\n${check}: ${found}\n${mend ?? ''}\n`)
      if (findings.some(({ ok }) => !ok)) throw new Ended(EXIT.doctor)
    })
}
