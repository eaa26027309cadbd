#!/usr/bin/env node
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../package.json' with { type: 'json' }
import { type Config, configOf } from './config.ts'
import { end } from './main/end.ts'
import { programOf } from './main/program.ts'

/** The package: the parent folder of src/ and of dist/. */
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** Read when it is first needed, so that `bursar --help` and `bursar doctor` work whatever the environment says. */
function lazyConfig(): () => Config {
  let config: Config | undefined
  return () => {
    config ??= configOf(process.env)
    return config
  }
}

async function main(args: readonly string[]): Promise<number> {
  // Whatever bursar makes is for its user alone.
  process.umask(0o077)
  const program = programOf({ version: packageJson.version, root: ROOT }, lazyConfig())
  const { systemTerminal } = await import('./cli/terminal.ts')
  const terminal = systemTerminal()
  if (args.length === 1 && args[0] === 'mcp') {
    try {
      await program.serveMcp()
      return 0
    } catch (error) {
      const { fail } = await import('./cli/failure.ts')
      return fail(error, false, terminal, program)
    }
  }
  const { run } = await import('./cli/cli.ts')
  return run(args, program, terminal)
}

await end(await main(process.argv.slice(2)))
