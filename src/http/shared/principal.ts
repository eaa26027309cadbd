import type { Caller } from '../../actions/wire.ts'
import type { AgentScope } from '../../core/types.ts'

/** An agent, by its credential. Nothing in a request but the credential says who it is. */
export interface AgentPrincipal {
  readonly role: 'agent'
  /** The agent's id. */
  readonly id: string
  readonly caller: Caller
  readonly scopes: readonly AgentScope[]
  /** Who acts for whom, as the token's `act` claim says (RFC 8693, §4.1), the one that acts first. For the journal only. */
  readonly actors: readonly string[]
  /** When what it came with ends by itself, in milliseconds since the epoch; null: not before it is revoked. */
  readonly expiresAt: number | null
}
