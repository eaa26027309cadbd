import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { BursarError } from '../../core/errors.ts'
import { Ended, EXIT } from '../failure.ts'
import type { Shell } from '../shell.ts'

export function demoCommand(root: Command, shell: Shell): void {
  root
    .command('demo')
    .description('Tell the whole story in a terminal, in a home of its own that is thrown away')
    .allowExcessArguments()
    .allowUnknownOption()
    .action((_options: object, command: Command) => {
      const path = join(shell.program.root, 'dist', 'demo.js')
      if (!existsSync(path))
        throw new BursarError(
          'config_invalid',
          'The demonstration is not built here: run `npm run demo` in a checkout.',
        )
      const { status } = spawnSync(process.execPath, [path, ...command.args], { stdio: 'inherit' })
      if (status !== 0) throw new Ended(EXIT.failed)
    })
}
