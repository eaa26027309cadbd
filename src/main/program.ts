import type { Program } from '../cli/program.ts'
import type { Config } from '../config.ts'
import { systemClock } from '../system.ts'
import { errorFields, type Log, logger } from '../telemetry.ts'

/** Which program this is, and the folder of its package. */
export type Built = Pick<Program, 'version' | 'root'>

/** The parts are put together where a command needs them, and load only then: an agent's host waits for `bursar mcp`. */
export function programOf(built: Built, config: () => Config): Program {
  return {
    ...built,
    config,
    async open() {
      const { openExisting } = await import('./open.ts')
      return openExisting(config(), logOf(config()))
    },
    async create(owner) {
      const { createHome } = await import('./create.ts')
      return createHome(config(), logOf(config()), { ...owner, version: built.version })
    },
    async serveMcp() {
      const { serveMcp } = await import('./serve.ts')
      await serveMcp(config(), logOf(config()), built)
    },
    async serveHttp(options) {
      const { serveHttp } = await import('./serve-http.ts')
      await serveHttp(config(), logOf(config()), built, options)
    },
    async connect(url) {
      const { connect } = await import('../connect/connect.ts')
      await connect({ url, key: config().agentKey, log: logOf(config()) })
    },
    async inspectDatabase() {
      const { inspectDatabase } = await import('./inspect.ts')
      return inspectDatabase(config().database, built.root)
    },
    async migrateDatabase(grantTo) {
      const { migrateDatabase } = await import('./migrate-database.ts')
      return migrateDatabase(config().database, grantTo)
    },
    async moveStore(options) {
      const { moveStore } = await import('./move.ts')
      return moveStore(config(), logOf(config()), options)
    },
    async channels() {
      const { channelsOf } = await import('./channel-desk.ts')
      return channelsOf(config())
    },
    async chains() {
      const { chainsOf } = await import('./chains.ts')
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
