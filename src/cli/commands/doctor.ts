import type { Command } from 'commander'
import { examine } from '../doctor/examine.ts'
import type { Finding } from '../doctor/finding.ts'
import { Ended, EXIT } from '../failure.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<Finding>[] = [
  { title: 'check', of: ({ check }) => check },
  { title: 'ok', of: ({ ok }) => (ok ? 'yes' : 'NO') },
  { title: 'found', of: ({ found }) => found },
]

export function doctorCommand(root: Command, shell: Shell): void {
  root
    .command('doctor')
    .description('Look for what is wrong with this bursar, and say how to mend it; changes nothing')
    .option('--url <url>', 'also whether browsers take passkeys for the console at this address')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption & { url?: string }) => {
      const findings = await examine(shell.program, options.url ?? null)
      shell.output.list(options, findings, COLUMNS)
      const problems = findings.filter(({ ok }) => !ok)
      for (const { check, mend } of problems) shell.output.note(options, `\n${check}: ${mend ?? ''}\n`)
      if (problems.length > 0) throw new Ended(EXIT.doctor)
    })
}
