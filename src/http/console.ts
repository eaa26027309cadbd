import { Hono } from 'hono'
import { BursarError } from '../core/errors.ts'
import { approvalRoutes } from './console/approvals.ts'
import { confirmRoutes } from './console/confirm.ts'
import { deskOf } from './console/desk.ts'
import { entryRoutes } from './console/entry.ts'
import { eventRoutes } from './console/events.ts'
import { fileRoutes } from './console/files.ts'
import { inboxRoutes } from './console/inbox.ts'
import { Lock } from './console/lock.ts'
import { pushRoutes } from './console/push.ts'
import { reduceRoutes } from './console/reduce.ts'
import { Sessions } from './console/sessions.ts'
import type { HttpDeps } from './deps.ts'

export interface Console {
  /** Mounted at `/console`: their paths begin there. */
  readonly routes: Hono
  readonly sessions: Sessions
  /** Ends all sessions, and the streams of their pages. */
  close(): void
}

/**
 * The owner's console: a page, and what only a human with a passkey gets done there.
 *
 * @param folder where the browser's part of bursar was built
 */
export function consoleOf(deps: HttpDeps, folder: string): Console {
  const { store, clock } = deps.bursar
  const isLive = async (id: string): Promise<boolean> => (await store.read.one('passkeys', { id }))?.revokedAt === null
  const sessions = new Sessions(clock, deps.origin, isLive)
  const desk = deskOf(deps, sessions, new Lock(clock))
  const api = new Hono()
  api.use(async (c, next) => {
    // What agents and programs come with is worth nothing here, and whoever sends it is no browser.
    if (c.req.header('authorization') !== undefined)
      throw new BursarError('forbidden', 'The console takes no credential but a passkey.')
    await next()
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
  })
  const parts = [entryRoutes, inboxRoutes, approvalRoutes, confirmRoutes, reduceRoutes, eventRoutes, pushRoutes]
  for (const routes of parts) api.route('/', routes(desk))
  api.all('/*', () => {
    throw new BursarError('not_found', 'There is nothing at this address.')
  })
  const routes = new Hono()
  routes.route('/api', api)
  routes.route('/', fileRoutes(deps, folder))
  return { routes, sessions, close: () => sessions.close() }
}
