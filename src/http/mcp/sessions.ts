import { randomUUID } from 'node:crypto'
import { isInitializeRequest, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { createServer, type Shared } from '../../mcp/server.ts'
import { afterwards } from '../shared/client.ts'
import type { AgentPrincipal } from '../shared/principal.ts'
import { Refused } from '../shared/problem.ts'
import { authInfoOf, depsOf, type HttpMcpDeps, type Seated } from './deps.ts'

interface Session extends Seated {
  readonly transport: WebStandardStreamableHTTPServerTransport
  /** What it was opened with: a token that says less, or more, opens another. */
  readonly scopes: string
  /** Requests that are being answered, streams too. */
  open: number
  /** By this process's monotonic clock. */
  used: number
}

/**
 * The sessions of one credential, for clients up to 2025-11-25, which can only be asked something over one. Whoever comes with
 * another credential finds none of them.
 */
export interface Sessions {
  answer(request: Request, body: unknown, principal: AgentPrincipal): Promise<Response>
  /** Ends those that nobody used for too long. */
  sweep(): void
  count(): number
  close(): Promise<void>
}

/** @param all how many the agent has, with whatever credential */
export function sessionsOf(deps: HttpMcpDeps, shared: Shared, all: () => number): Sessions {
  const sessions = new Map<string, Session>()
  const { sessionsMax, idleMs } = deps.bounds

  async function end(id: string): Promise<void> {
    const session = sessions.get(id)
    sessions.delete(id)
    await session?.transport.close()
  }

  async function opened(principal: AgentPrincipal): Promise<Session> {
    if (all() >= sessionsMax) await makeRoom()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    const scopes = principal.scopes.join(' ')
    const { caller } = principal
    const session: Session = { transport, scopes, caller, open: 0, used: performance.now() }
    await createServer(depsOf(deps, session), 'legacy', shared).connect(transport)
    return session
  }

  /** Clients come back with a new session and leave the old one: the one that was unused longest goes. */
  async function makeRoom(): Promise<void> {
    const [oldest] = [...sessions].filter(([, { open }]) => open === 0).sort(([, a], [, b]) => a.used - b.used)
    if (!oldest)
      throw new Refused('rate_limited', `There are ${sessionsMax} sessions in use already.`, { 'retry-after': '10' })
    await end(oldest[0])
  }

  return {
    async answer(request, body, principal) {
      const id = request.headers.get('mcp-session-id')
      const begins = id === null && isInitializeRequest(body)
      const session = begins ? await opened(principal) : id === null ? undefined : sessions.get(id)
      if (!session) return id === null ? noSession() : sessionNotFound()
      if (session.scopes !== principal.scopes.join(' ')) return sessionNotFound()
      session.caller = principal.caller
      session.open += 1
      afterwards(request, () => {
        session.used = performance.now()
        session.open -= 1
      })
      const authInfo = authInfoOf(principal, deps.metadataUrl)
      return session.transport.handleRequest(request, { authInfo, ...(body !== undefined && { parsedBody: body }) })
    },
    sweep() {
      const before = performance.now() - idleMs
      for (const [id, { open, used }] of sessions) if (open === 0 && used < before) end(id).catch(() => undefined)
    },
    count: () => sessions.size,
    async close() {
      await Promise.allSettled([...sessions.keys()].map(end))
    },
  }
}

/** As the specification and the SDKs have it: the client begins anew. */
export function sessionNotFound(): Response {
  return rpcError(404, -32001, 'Session not found')
}

function noSession(): Response {
  return rpcError(400, -32000, 'Bad Request: Mcp-Session-Id header is required')
}

export function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
