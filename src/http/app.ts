import { setMaxListeners } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, Hono } from 'hono'
import { BursarError } from '../core/errors.ts'
import { type Access, admitted } from './access.ts'
import { type Authenticate, authenticator, type Sessions } from './auth/authenticator.ts'
import { challenged, METADATA, metadataOf } from './auth/resource.ts'
import type { HttpDeps } from './deps.ts'
import { LIMITS, type Limits, type Meters, metersOf } from './limits.ts'
import { BOUNDS, type Bounds } from './mcp/deps.ts'
import { mcpRoutes } from './mcp/routes.ts'
import type { HumanPrincipal } from './owner/principal.ts'
import { begin, endOf, finish, msUntil } from './shared/client.ts'
import { bugResponse, problemResponse } from './shared/problem.ts'
import { bounded } from './stream.ts'

export interface AppOptions {
  readonly access: Access
  readonly limits?: Partial<Limits>
  readonly bounds?: Partial<Bounds>
  readonly timing?: Parameters<typeof mcpRoutes>[0]['timing']
  /** False: the console alone. */
  readonly mcp?: false
  /** Mounted at {@link REST}: its paths begin there. */
  rest?(deps: HttpDeps, authenticate: Authenticate, ended: AbortSignal): Hono
  /** Mounted at `/console`: its paths begin there. */
  readonly console?: { readonly routes: Hono; readonly sessions: Sessions; close?(): void }
}

export const REST = '/api/v1/agent-payments'

export interface App {
  readonly app: Hono
  /**
   * Waits are cut short, and payments in flight end, or were waited for this long; then streams and sessions end. Whoever
   * calls it has the server take no new requests.
   */
  close(withinMs: number): Promise<void>
}

/** Everything that bursar serves over HTTP. */
export function createApp(deps: HttpDeps, options: AppOptions): App {
  const limits = { ...LIMITS, ...options.limits }
  const meters = metersOf(limits)
  const authenticate = authenticator(deps, { meters, limits }, options.console?.sessions ?? null)
  const metadataUrl = `${deps.origin}${METADATA}/mcp`
  const bounds = { ...BOUNDS, unreadBytes: limits.unreadBytes, ...options.bounds }
  const timing = options.timing && { timing: options.timing }
  const mcp = mcpRoutes({ ...deps, metadataUrl, bounds, ...timing }, authenticate)
  const open = new Set<Promise<void>>()
  const ended = new AbortController()
  // One for each stream that is open.
  setMaxListeners(0, ended.signal)
  const app = new Hono()
  app.onError((error, c) => answerTo(error, c, deps, metadataUrl))
  app.notFound(() => problemResponse(new BursarError('not_found', 'There is nothing at this address.')))
  app.use(async (c, next) => {
    await arrived(c, options, limits, meters)
    const answered = next()
    open.add(answered)
    await answered.finally(() => open.delete(answered))
    departs(c, deps, limits, ended.signal)
  })
  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    await deps.bursar.store.read.heads()
    return c.json({ status: 'ready', version: deps.version })
  })
  for (const path of options.mcp === false ? [] : ['', '/mcp'])
    app.get(`${METADATA}${path}`, async (c) =>
      c.json(await metadataOf(deps, path), 200, { 'cache-control': 'max-age=3600' }),
    )
  if (options.mcp !== false) app.route('/', mcp.routes)
  if (options.rest) app.route(REST, options.rest(deps, authenticate, ended.signal))
  if (options.console) app.route('/console', options.console.routes)
  return {
    app,
    async close(withinMs) {
      await Promise.race([Promise.all([mcp.drain(), Promise.allSettled(open)]), sleep(withinMs, null, { ref: false })])
      ended.abort()
      options.console?.close?.()
      await mcp.close()
    },
  }
}

/** Before a request is looked at any closer. @throws `forbidden`, `request_too_large`, `rate_limited` */
async function arrived(c: Context, { access, console }: AppOptions, limits: Limits, meters: Meters): Promise<void> {
  const { incoming } = c.env as { incoming: IncomingMessage & { rawBody?: Buffer } }
  const { headers } = c.req.raw
  const client = admitted(access, {
    peer: incoming.socket.remoteAddress ?? '',
    encrypted: 'encrypted' in incoming.socket,
    header: (name) => headers.get(name),
  })
  begin(c.req.raw, client)
  if (Number(headers.get('content-length')) > limits.bodyBytes) throw tooLarge(limits)
  // Its length is known at the end only: it is read here, where there is a bound. @hono/node-server takes it from there.
  if (headers.has('transfer-encoding')) incoming.rawBody = await readWithin(incoming, limits)
  if (headers.has('authorization')) return
  const owner = await signedIn(c.req.raw, console?.sessions)
  await (owner === null ? meters.stranger(client.address) : meters.page(owner.id))
}

/** Whose page this is. Others at the same address, as an agent of the same machine is, use up nothing of what is theirs. */
async function signedIn(request: Request, sessions?: Sessions): Promise<HumanPrincipal | null> {
  // The browser sends the cookie along with what pages of other ports ask.
  if (/^(?:same|cross)-site$/.test(request.headers.get('sec-fetch-site') ?? '')) return null
  try {
    return (await sessions?.principal(request)) ?? null
  } catch (error) {
    // Without the token of its session it is anybody's.
    if (error instanceof BursarError) return null
    throw error
  }
}

async function readWithin(incoming: IncomingMessage, limits: Limits): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > limits.bodyBytes) throw tooLarge(limits)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge({ bodyBytes }: Limits): BursarError {
  return new BursarError('request_too_large', `A request has at most ${bodyBytes} bytes.`)
}

/** What holds for every answer; and a stream is one that ends with what it was asked for with, or with the server. */
function departs(c: Context, { bursar, origin }: HttpDeps, { unreadBytes }: Limits, ended: AbortSignal): void {
  const request = c.req.raw
  const { headers, body } = c.res
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true
  if (isStream && body !== null) {
    const ends = new AbortController()
    const stop = (): void => ends.abort()
    ended.addEventListener('abort', stop, { once: true })
    const time = endOf(request)
    const timer = time === null ? null : setTimeout(stop, msUntil(time, bursar.clock)).unref()
    const done = (): void => {
      ended.removeEventListener('abort', stop)
      if (timer) clearTimeout(timer)
      finish(request)
    }
    c.res = new Response(bounded(body, unreadBytes, done, ends.signal), c.res)
  } else (c.env as { outgoing: ServerResponse }).outgoing.once('close', () => finish(request))
  for (const [name, value] of Object.entries(HEADERS)) if (!c.res.headers.has(name)) c.res.headers.set(name, value)
  if (origin.startsWith('https:')) c.res.headers.set('strict-transport-security', 'max-age=31536000')
}

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
}

function answerTo(error: Error, c: Context, deps: HttpDeps, metadataUrl: string): Response {
  if (error instanceof BursarError) return problemResponse(challenged(error, metadataUrl))
  if (c.req.raw.signal.aborted) return new Response(null, { status: 499 })
  deps.log('error', 'A request failed.', { error: error.stack ?? error.message })
  return bugResponse()
}
