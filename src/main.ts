#!/usr/bin/env node
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../package.json' with { type: 'json' }
import type { Program } from './cli/program.ts'
import { type Config, configOf } from './config.ts'
import { end } from './main/end.ts'
import { systemClock } from './system.ts'
import { errorFields, type Log, logger } from './telemetry.ts'

const { version } = packageJson
/** The package: the parent folder of src/ and of dist/. */
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** The parts are put together where a command needs them, and load only then: an agent's host waits for `bursar mcp`. */
function programOf(config: () => Config): Program {
  return {
    version,
    root: ROOT,
    config,
    async open() {
      const { openExisting } = await import('./main/open.ts')
      return openExisting(config(), logOf(config()))
    },
    async create(owner) {
      const { createHome } = await import('./main/create.ts')
      return createHome(config(), logOf(config()), { ...owner, version })
    },
    async serveMcp() {
      const { serveMcp } = await import('./main/serve.ts')
      await serveMcp(config(), logOf(config()), { version, root: ROOT })
    },
    async serveHttp(options) {
      const { serveHttp } = await import('./main/serve-http.ts')
      await serveHttp(config(), logOf(config()), { version, root: ROOT }, options)
    },
    async connect(url) {
      const { connect } = await import('./connect/connect.ts')
      await connect({ url, key: config().agentKey, log: logOf(config()) })
    },
    async inspectDatabase() {
      const { inspectDatabase } = await import('./main/inspect.ts')
      return inspectDatabase(config().database, ROOT)
    },
    async migrateDatabase(grantTo) {
      const { migrateDatabase } = await import('./main/migrate-database.ts')
      return migrateDatabase(config().database, grantTo)
    },
    async moveStore(options) {
      const { moveStore } = await import('./main/move.ts')
      return moveStore(config(), logOf(config()), options)
    },
    async channels() {
      const { channelsOf } = await import('./main/channel-desk.ts')
      return channelsOf(config())
    },
    async chains() {
      const { chainsOf } = await import('./main/chains.ts')
      return chainsOf(config())
    },
    reportBug: (error) => logOf(config()).error('a bug', errorFields(error)),
  }
}

function logOf({ log, agentKey, ownerPassphrase, database }: Config): Log {
  const write = (line: string) => void process.stderr.write(line)
  const url = database.kind === 'postgres' ? database.url : null
  return logger({ level: log, clock: systemClock, write, secrets: [agentKey, ownerPassphrase, url] })
}

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
  const program = programOf(lazyConfig())
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
