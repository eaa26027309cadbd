import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Caller } from '../../actions/wire.ts'
import type { McpDeps } from '../../mcp/deps.ts'
import type { Shared } from '../../mcp/server.ts'
import type { AgentPrincipal } from '../shared/principal.ts'

/** What MCP over HTTP is served with. Who calls comes with each request. */
export interface HttpMcpDeps extends Omit<McpDeps, 'caller'> {
  /** Where the metadata of this resource are (RFC 9728). */
  readonly metadataUrl: string
  readonly bounds: Bounds
}

export interface Bounds {
  /** Sessions of earlier clients that one agent may have at a time. */
  readonly sessionsMax: number
  /** Streams of subscriptions that one agent may have at a time. */
  readonly subscriptionsMax: number
  /** How long a session that nobody uses is kept, in milliseconds. */
  readonly idleMs: number
  /** Between two looks at whether what is open may stay open, in milliseconds. */
  readonly sweepMs: number
  /** Bytes that wait for a client that does not read. */
  readonly unreadBytes: number
}

export const BOUNDS: Omit<Bounds, 'unreadBytes'> = {
  sessionsMax: 16,
  subscriptionsMax: 16,
  idleMs: 30 * 60_000,
  sweepMs: 1_000,
}

/** As handlers are given it. The token itself goes no further. */
export function authInfoOf({ caller, scopes }: AgentPrincipal, metadataUrl: string): AuthInfo {
  return {
    ...{ token: '', clientId: caller.credentialId ?? '', scopes: [...scopes], resourceMetadataUrl: metadataUrl },
    extra: { caller },
  }
}

/** The deps of one caller. */
export function depsFor(deps: HttpMcpDeps, caller: Caller): McpDeps {
  return { ...deps, caller }
}

/** Who calls over a connection that stays. */
export interface Seated {
  caller: Caller
}

/**
 * The deps of whoever calls now: a connection may be kept over midnight, and what is asked over it then is of that day. Else many
 * that were kept would be the limits of as many days.
 */
export function depsOf(deps: HttpMcpDeps, seated: Seated): McpDeps {
  return {
    ...deps,
    get caller() {
      return seated.caller
    },
  }
}

export type { Shared }
