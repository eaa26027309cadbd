import type { Command } from 'commander'
import type { Shell } from '../shell.ts'

export function mcpCommand(root: Command, shell: Shell): void {
  root
    .command('mcp')
    .description('Serve one agent over MCP on stdin and stdout; in an empty home, make a sandbox first')
    .addHelpText(
      'after',
      '\nAgent hosts start this: see mcp.json. BURSAR_AGENT and BURSAR_AGENT_KEY say which agent it serves.',
    )
    .action(() => shell.program.serveMcp())
}
