import type { ServerResponse } from 'node:http'
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server'
import { SSEServerTransport } from '@modelcontextprotocol/server-legacy/sse'
import { createServer, type Shared } from '../../mcp/server.ts'
import { msUntil } from '../shared/client.ts'
import type { AgentPrincipal } from '../shared/principal.ts'
import { Refused } from '../shared/problem.ts'
import { authInfoOf, depsOf, type HttpMcpDeps, type Seated } from './deps.ts'

/** HTTP+SSE of 2024-11-05, for the oldest clients: one stream of events, and messages that are posted beside it. */
export interface Streams {
  /** Answers over the response of Node itself. */
  open(principal: AgentPrincipal, outgoing: ServerResponse): Promise<void>
  /** Whether the stream that the message is for is one of this credential. */
  post(id: string, body: unknown, request: Request, principal: AgentPrincipal): Promise<boolean>
  count(): number
  close(): Promise<void>
}

/** @param all how many the agent has, with whatever credential */
export function streamsOf(deps: HttpMcpDeps, shared: Shared, all: () => number): Streams {
  const streams = new Map<string, Seated & { readonly wire: SSEServerTransport; readonly scopes: string }>()
  return {
    async open({ caller, scopes, expiresAt }, outgoing) {
      if (all() >= deps.bounds.sessionsMax)
        throw new Refused('rate_limited', 'There are too many streams already.', { 'retry-after': '10' })
      const wire = new SSEServerTransport('/messages', outgoing)
      const stream = { wire, scopes: scopes.join(' '), caller }
      streams.set(wire.sessionId, stream)
      const end = expiresAt === null ? null : setTimeout(() => outgoing.end(), msUntil(expiresAt, deps.bursar.clock))
      outgoing.once('close', () => {
        if (end) clearTimeout(end)
        streams.delete(wire.sessionId)
      })
      // Node writes what is asked for and does not wait: a client that does not read is cut off.
      const write = wire.send.bind(wire)
      wire.send = async (message, options) => {
        if (outgoing.writableLength > deps.bounds.unreadBytes) outgoing.destroy()
        else await write(message, options)
      }
      await createServer(depsOf(deps, stream), 'legacy', shared).connect(wire as unknown as Transport)
    },
    async post(id, body, request, principal) {
      const stream = streams.get(id)
      if (stream?.scopes !== principal.scopes.join(' ')) return false
      stream.caller = principal.caller
      await stream.wire.handleMessage(body as JSONRPCMessage, {
        request,
        authInfo: authInfoOf(principal, deps.metadataUrl) as never,
      })
      return true
    },
    count: () => streams.size,
    async close() {
      await Promise.allSettled([...streams.values()].map(({ wire }) => wire.close()))
    },
  }
}
