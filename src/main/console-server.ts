import { join } from 'node:path'
import { hostDesk } from '../actions/owner/desk.ts'
import { hostProof } from '../approvals/host.ts'
import { BursarError } from '../core/errors.ts'
import { createApp } from '../http/app.ts'
import { consoleOf } from '../http/console.ts'
import type { HttpDeps } from '../http/deps.ts'
import { listen } from '../http/listen.ts'
import { restRoutes } from '../http/rest.ts'
import type { Bursar } from '../ports.ts'
import type { Log } from '../telemetry.ts'
import type { Running } from './open.ts'

export interface Served {
  close(): Promise<void>
}

/** The console alone, on this machine: no MCP, and no passphrase is taken. @throws `config_invalid` where the port is taken */
export async function serveConsole(
  running: Running,
  bursar: Bursar,
  port: number,
  log: Log,
  program: { readonly version: string; readonly root: string },
): Promise<Served> {
  const server = await listen({ host: '127.0.0.1', port, tls: null })
  const [origin] = server.origins as [string]
  const deps: HttpDeps = {
    ...{ bursar, origin, version: program.version, desk: hostDesk(bursar, hostProof) },
    ...{ noteKey: running.noteKey, changes: running.changes },
    unlock: () => Promise.reject(new BursarError('forbidden', 'The passphrase is not taken here.')),
    log: (level, message, fields) => log[level](message, fields),
  }
  const { app, close } = createApp(deps, {
    access: { origins: server.origins, behindProxy: false },
    console: consoleOf(deps, join(program.root, 'dist', 'console')),
    rest: restRoutes,
    mcp: false,
  })
  server.answer(app.fetch)
  return {
    async close() {
      server.refuse()
      await close(0)
      await server.close(0)
    },
  }
}
