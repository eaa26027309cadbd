import { Command } from 'commander'
import { VARIABLES } from '../config.ts'
import { agentCommand } from './commands/agent.ts'
import { backupCommand } from './commands/backup.ts'
import { connectCommand } from './commands/connect.ts'
import { databaseCommand } from './commands/database.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { freezeAllCommand, unfreezeAllCommand } from './commands/freeze-all.ts'
import { initCommand } from './commands/init.ts'
import { instrumentCommand } from './commands/instrument.ts'
import { journalCommand } from './commands/journal.ts'
import { limitCommand } from './commands/limit.ts'
import { mcpCommand } from './commands/mcp.ts'
import { migrateStoreCommand } from './commands/migrate-store.ts'
import { networkCommand } from './commands/network.ts'
import { notifyCommand } from './commands/notify.ts'
import { ownerCommand } from './commands/owner.ts'
import { passkeyCommand } from './commands/passkey.ts'
import { paymentCommand } from './commands/payment.ts'
import { relayerCommand } from './commands/relayer.ts'
import { requestCommand } from './commands/request.ts'
import { serveCommand } from './commands/serve.ts'
import { walletCommand } from './commands/wallet.ts'
import { EXIT, EXIT_CODES, fail, withoutSecrets } from './failure.ts'
import type { Program, Terminal } from './program.ts'
import { type Shell, shellOf } from './shell.ts'

/** In the order in which people meet them. */
const COMMANDS = [
  initCommand,
  mcpCommand,
  serveCommand,
  connectCommand,
  walletCommand,
  limitCommand,
  agentCommand,
  ownerCommand,
  passkeyCommand,
  requestCommand,
  instrumentCommand,
  paymentCommand,
  networkCommand,
  notifyCommand,
  relayerCommand,
  freezeAllCommand,
  unfreezeAllCommand,
  journalCommand,
  backupCommand,
  migrateStoreCommand,
  databaseCommand,
  doctorCommand,
  demoCommand,
]

/** Runs one command line and returns the exit code. Never throws. */
export async function run(args: readonly string[], program: Program, terminal: Terminal): Promise<number> {
  const json = args.includes('--json')
  try {
    await commandLine(shellOf(program, terminal), json).parseAsync(args, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    return fail(error, json, terminal, program)
  }
}

/** All commands, as `--help` shows them. */
export function commandLine(shell: Shell, json = false): Command {
  const { terminal, program } = shell
  const root = new Command('bursar')
    .description('The officer who holds the money of your agents and pays out under your authority.')
    .version(program.version)
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      // With --json, one JSON object says it all.
      outputError: (text, write) => json || write(withoutSecrets(text)),
    })
    .showHelpAfterError(json ? false : 'Run it with --help for its usage.')
    .addHelpText('after', epilog())
  for (const command of COMMANDS) command(root, shell)
  return root
}

function epilog(): string {
  const lines = (entries: readonly (readonly [string, string])[]) => {
    const width = Math.max(...entries.map(([name]) => name.length))
    return entries.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join('\n')
  }
  return `
Exit codes:
${lines(Object.entries(EXIT_CODES))}

Environment:
${lines(Object.entries(VARIABLES))}

With --json, answers are JSON on stdout and errors are a JSON object on stderr.`
}
