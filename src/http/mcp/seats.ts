import type { Shared } from '../../mcp/server.ts'
import { liveChain } from '../shared/chain.ts'
import type { AgentPrincipal } from '../shared/principal.ts'
import type { HttpMcpDeps } from './deps.ts'
import { type Modern, modernOf } from './modern.ts'
import { type Sessions, sessionsOf } from './sessions.ts'
import { type Streams, streamsOf } from './sse.ts'

/** What the server keeps for one credential while it is in use. It ends with the credential. */
export interface Seat {
  readonly agentId: string
  readonly modern: Modern
  readonly sessions: Sessions
  readonly streams: Streams
}

export interface Seats {
  of(principal: AgentPrincipal): Seat
  close(): Promise<void>
}

export function seatsOf(deps: HttpMcpDeps, shared: Shared): Seats {
  const seats = new Map<string, Seat>()

  async function sweep(): Promise<void> {
    for (const [credentialId, seat] of [...seats]) {
      const { modern, sessions, streams } = seat
      const chain = await liveChain(deps.bursar, credentialId)
      if (seats.get(credentialId) !== seat) continue
      if (chain === null) {
        seats.delete(credentialId)
        closed(seat).catch(() => undefined)
        continue
      }
      sessions.sweep()
      if (modern.count() + sessions.count() + streams.count() === 0) seats.delete(credentialId)
    }
  }

  const countOf = (agentId: string, kind: 'sessions' | 'streams'): number =>
    [...seats.values()].filter((seat) => seat.agentId === agentId).reduce((sum, seat) => sum + seat[kind].count(), 0)

  // A database that is away ends nobody: nothing is answered meanwhile, either.
  const sweepSoon = (): void => {
    sweep().catch((error) => deps.log('warn', 'Seats could not be looked after.', { error: String(error) }))
  }
  const timer = setInterval(sweepSoon, deps.bounds.sweepMs).unref()
  // What is revoked by this process ends at once; by another, within a second.
  const unsubscribe = deps.changes(({ subjectId }) => {
    if (subjectId.startsWith('agt_') || subjectId.startsWith('crd_')) sweepSoon()
  })

  return {
    of({ id, caller }) {
      const credentialId = caller.credentialId ?? ''
      const before = seats.get(credentialId)
      if (before) return before
      const seat = {
        agentId: id,
        modern: modernOf(deps, shared, id),
        sessions: sessionsOf(deps, shared, () => countOf(id, 'sessions')),
        streams: streamsOf(deps, shared, () => countOf(id, 'streams')),
      }
      seats.set(credentialId, seat)
      return seat
    },
    async close() {
      clearInterval(timer)
      unsubscribe()
      await Promise.allSettled([...seats.values()].map(closed))
    },
  }
}

async function closed({ modern, sessions, streams }: Seat): Promise<void> {
  await Promise.allSettled([modern.close(), sessions.close(), streams.close()])
}
