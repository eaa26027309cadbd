import type { Command } from 'commander'
import type { Shell } from '../shell.ts'

export function connectCommand(root: Command, shell: Shell): void {
  root
    .command('connect <url>')
    .description('Carry MCP between stdin and stdout and a `bursar serve`, for hosts that speak stdio')
    .addHelpText(
      'after',
      '\nAgent hosts start this. It opens no home and holds nothing but BURSAR_AGENT_KEY, the key that `bursar agent add` printed.',
    )
    .action((url: string) => shell.program.connect(url))
}
