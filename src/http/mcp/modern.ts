import { createMcpHandler, InMemoryServerEventBus, type ServerEventBus } from '@modelcontextprotocol/server'
import type { Caller } from '../../actions/wire.ts'
import { TIMING } from '../../mcp/deps.ts'
import { watch } from '../../mcp/follow.ts'
import { createServer, type Shared } from '../../mcp/server.ts'
import { afterwards } from '../shared/client.ts'
import type { AgentPrincipal } from '../shared/principal.ts'
import { authInfoOf, depsFor, type HttpMcpDeps } from './deps.ts'

/** Revision 2026-07-28: a server for each request, and one bus of news for each credential, so that nobody hears of others. */
export interface Modern {
  answer(request: Request, body: unknown, principal: AgentPrincipal): Promise<Response>
  /** Requests that are being answered, subscriptions too. */
  count(): number
  close(): Promise<void>
}

export function modernOf(deps: HttpMcpDeps, shared: Shared, agentId: string): Modern {
  const bus = new FollowedBus(() => {
    const timing = { ...TIMING, ...deps.timing }
    const caller = { agentId, sessionId: '', credentialId: null }
    return watch({ deps: depsFor(deps, caller), timing }, (uri) => bus.publish({ kind: 'resource_updated', uri })).stop
  })
  const handler = createMcpHandler(
    ({ authInfo }) => createServer(depsFor(deps, authInfo?.extra?.caller as Caller), 'modern', shared),
    {
      ...{ legacy: 'reject', bus, maxSubscriptions: deps.bounds.subscriptionsMax },
      onerror: (error) => deps.log('debug', 'A message could not be handled.', { error: error.message }),
    },
  )
  let open = 0
  return {
    answer(request, body, principal) {
      open += 1
      afterwards(request, () => {
        open -= 1
      })
      const authInfo = authInfoOf(principal, deps.metadataUrl)
      return handler.fetch(request, { authInfo, ...(body !== undefined && { parsedBody: body }) })
    },
    count: () => open,
    close: () => handler.close(),
  }
}

/** Reads the journals while somebody listens. */
class FollowedBus implements ServerEventBus {
  readonly #bus = new InMemoryServerEventBus()
  readonly #begin: () => () => void
  #end: (() => void) | null = null

  constructor(begin: () => () => void) {
    this.#begin = begin
  }

  get listeners(): number {
    return this.#bus.listenerCount
  }

  publish(event: Parameters<ServerEventBus['publish']>[0]): void {
    this.#bus.publish(event)
  }

  subscribe(listener: Parameters<ServerEventBus['subscribe']>[0]): () => void {
    this.#end ??= this.#begin()
    const unsubscribe = this.#bus.subscribe(listener)
    return () => {
      unsubscribe()
      if (this.listeners > 0) return
      this.#end?.()
      this.#end = null
    }
  }
}
