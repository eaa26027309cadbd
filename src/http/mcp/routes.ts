import { setMaxListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { isJsonContentType, isLegacyRequest } from '@modelcontextprotocol/server'
import { type Context, Hono } from 'hono'
import { BursarError } from '../../core/errors.ts'
import type { AgentPrincipal } from '../shared/principal.ts'
import type { HttpMcpDeps } from './deps.ts'
import { type Seat, seatsOf } from './seats.ts'
import { rpcError, sessionNotFound } from './sessions.ts'

/** Messages in one request; only 2025-03-26 knows of more than one. */
const BATCH_MAX = 8

type Authenticate = (request: Request) => Promise<AgentPrincipal | { readonly role: 'human' }>

export interface McpRoutes {
  readonly routes: Hono
  /** Cuts waits short; resolves when payments in flight have ended. */
  drain(): Promise<void>
  /** Ends all sessions and streams. */
  close(): Promise<void>
}

/** MCP at `/mcp` for clients of both eras, and at `/sse` and `/messages` for the oldest. */
export function mcpRoutes(deps: HttpMcpDeps, authenticate: Authenticate): McpRoutes {
  const closing = new AbortController()
  // One for each session that is subscribed to something.
  setMaxListeners(0, closing.signal)
  const working = new Set<Promise<unknown>>()
  const seats = seatsOf(deps, { closing: closing.signal, working })

  async function seated(request: Request): Promise<{ principal: AgentPrincipal; seat: Seat }> {
    const principal = await authenticate(request)
    if (principal.role !== 'agent') throw new BursarError('forbidden', 'MCP is for agents.')
    return { principal, seat: seats.of(principal) }
  }

  async function mcp(c: Context): Promise<Response> {
    const request = c.req.raw
    const { principal, seat } = await seated(request)
    const body = request.method === 'POST' ? await messageOf(request) : { value: undefined }
    if (body instanceof Response) return body
    const { value } = body
    const bySession = request.method === 'POST' ? await isLegacyRequest(request, value) : hasSession(request)
    return (bySession ? seat.sessions : seat.modern).answer(request, value, principal)
  }

  const routes = new Hono()
  routes.all('/mcp', mcp)
  routes.get('/sse', async (c) => {
    if (c.req.method === 'HEAD') return notAStream()
    const { principal, seat } = await seated(c.req.raw)
    await seat.streams.open(principal, (c.env as { outgoing: ServerResponse }).outgoing)
    // What @hono/node-server takes as: it was answered already.
    return new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
  })
  routes.post('/messages', async (c) => {
    const { principal, seat } = await seated(c.req.raw)
    const body = await messageOf(c.req.raw)
    if (body instanceof Response) return body
    const found = await seat.streams.post(c.req.query('sessionId') ?? '', body.value, c.req.raw, principal)
    return found ? c.text('Accepted', 202) : sessionNotFound()
  })

  return {
    routes,
    async drain() {
      closing.abort()
      await drained(working)
    },
    close: () => seats.close(),
  }
}

/** Until nothing is worked on, and its answers are on their way: the SDK hands them on right after, but not at once. */
async function drained(working: ReadonlySet<Promise<unknown>>): Promise<void> {
  do {
    await Promise.allSettled(working)
    await turn()
  } while (working.size > 0)
}

/** A stream without its body would never end. */
function notAStream(): Response {
  return new Response(null, { status: 405, headers: { allow: 'GET' } })
}

function hasSession(request: Request): boolean {
  return request.headers.has('mcp-session-id')
}

/** The JSON of a request, or the answer to what is none. */
async function messageOf(request: Request): Promise<{ readonly value: unknown } | Response> {
  if (!isJsonContentType(request.headers.get('content-type')))
    return rpcError(415, -32000, 'Unsupported Media Type: Content-Type must be application/json')
  try {
    const value: unknown = JSON.parse(await request.text())
    if (!Array.isArray(value) || value.length <= BATCH_MAX) return { value }
    return rpcError(400, -32600, `Invalid Request: at most ${BATCH_MAX} messages`)
  } catch {
    return rpcError(400, -32700, 'Parse error: the request body is not JSON')
  }
}
