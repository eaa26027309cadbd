import { join } from 'node:path'
import { hostDesk } from '../actions/owner/desk.ts'
import { hostProof } from '../approvals/host.ts'
import type { ServeOptions } from '../cli/program.ts'
import type { Config } from '../config.ts'
import type { EventOf, Fact } from '../core/event.ts'
import { createApp } from '../http/app.ts'
import { consoleOf } from '../http/console.ts'
import type { HttpDeps } from '../http/deps.ts'
import { type Listening, listen, PATIENCE } from '../http/listen.ts'
import { restRoutes } from '../http/rest.ts'
import type { Bursar } from '../ports.ts'
import type { Log } from '../telemetry.ts'
import { pushDesk } from './channels.ts'
import { makeSandbox } from './create.ts'
import { startTelling } from './notify.ts'
import { openBursar, type Running } from './open.ts'
import { startRecovery } from './recovery.ts'

/** How long payments in flight may take to finish, and then their answers to leave, once the process is told to end. */
const DRAIN_MS = 10_000
const LEAVE_MS = 2_000

interface Program {
  readonly version: string
  /** Where the package is. */
  readonly root: string
}

interface Started {
  readonly config: Config
  readonly log: Log
  readonly program: Program
  readonly options: ServeOptions
}

/**
 * `bursar serve`: until SIGTERM or SIGINT. Then nothing new is taken, waits end, payments in flight finish (bounded), and the
 * process ends; a second signal ends it at once.
 *
 * @throws `config_invalid`
 */
export async function serveHttp(config: Config, log: Log, program: Program, options: ServeOptions): Promise<void> {
  const running = await openBursar(config, log)
  const { bursar } = running
  // Behind a proxy all come from its address.
  const patience = options.behindProxy ? { ...PATIENCE, connectionsOfOne: Number.POSITIVE_INFINITY } : PATIENCE
  const server = await listen(options, patience)
  try {
    await makeSandbox(bursar, config, program.version)
    const { app, close } = appOf(running, server, { config, log, program, options })
    await note(bursar, { type: 'process.started', details: { version: program.version, surface: 'serve' } })
    const stopRecovery = startRecovery(config, bursar, log)
    const telling = tellingOf(running, server, { config, log, options })
    server.answer(app.fetch)
    tell(server, options)
    await signalled()
    process.once('SIGTERM', endNow).once('SIGINT', endNow)
    server.refuse()
    await close(DRAIN_MS)
    await server.close(LEAVE_MS)
    await Promise.all([stopRecovery(), telling.stop()])
    await note(bursar, { type: 'process.stopped', details: { surface: 'serve' } })
  } finally {
    await server.close(0)
    await running.close()
  }
}

function appOf(running: Running, server: Listening, { config, log, program, options }: Started) {
  const origins = originsOf(server, options)
  const [origin] = origins as [string]
  const bursar: Bursar = { ...running.bursar, consoleUrl: async () => `${origin}/console` }
  const deps: HttpDeps = {
    ...{ bursar, origin, version: program.version, desk: hostDesk(bursar, hostProof) },
    ...{ noteKey: running.noteKey, changes: running.changes, push: pushDesk(config.home) },
    unlock: (passphrase) => running.unlock(passphrase, 'http'),
    log: (level, message, fields) => log[level](message, fields),
  }
  const console = consoleOf(deps, join(program.root, 'dist', 'console'))
  const access = { origins, behindProxy: options.behindProxy }
  return createApp(deps, { access, console, rest: restRoutes })
}

function tellingOf(
  { bursar, changes }: Running,
  server: Listening,
  { config, log, options }: Omit<Started, 'program'>,
) {
  const [origin] = originsOf(server, options)
  const linking: Bursar = { ...bursar, consoleUrl: async () => `${origin}/console` }
  return startTelling({ bursar: linking, linked: 'all', changes, home: config.home, log })
}

/** The address that links are made with comes first. That of all addresses is no name that anyone asks for. */
function originsOf({ origins }: Listening, { url }: ServeOptions): readonly string[] {
  const named = origins.filter((origin) => !['0.0.0.0', '[::]'].includes(new URL(origin).hostname))
  return [...new Set([...(url === null ? [] : [url]), ...named])]
}

function tell({ origins }: Listening, { url }: ServeOptions): void {
  const [origin] = url === null ? origins : [url]
  process.stderr.write(
    `bursar serves ${origin}: MCP at /mcp, REST at /api/v1/agent-payments, the console at /console\n`,
  )
}

async function signalled(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
}

/** What was stored is safe; what was not, was not done. */
function endNow(): never {
  process.exit(1)
}

type ProcessFact = Pick<EventOf<'process.started'> | EventOf<'process.stopped'>, 'type' | 'details'>

/** Starts and stops are in the journal of the instance. */
async function note(bursar: Bursar, fact: ProcessFact): Promise<void> {
  const whole = { actor: { role: 'system' as const, id: 'bursar' }, ...fact } as Fact
  await bursar.store.update({}, () => ({ facts: [whole], result: null }))
}
