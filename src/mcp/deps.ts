import type { McpServer, ServerContext } from '@modelcontextprotocol/server'
import type { Caller } from '../actions/wire.ts'
import type { Bursar, HostDesk } from '../ports.ts'

/** Something that others may want to hear of was committed in this process. */
export interface Changed {
  readonly subjectId: string
  readonly walletId: string | null
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What the MCP surface is given by the composition root. */
export interface McpDeps {
  readonly bursar: Bursar
  /** Who calls over this connection: from the owner's configuration, never from a message. */
  readonly caller: Caller
  readonly desk: HostDesk
  readonly version: string
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void
  /** Subscribes to what is committed in this process; returns the way to stop. */
  changes(listener: (changed: Changed) => void): () => void
  readonly timing?: Partial<Timing>
  /** Puts more on each server than bursar has. Only tests do: what the conformance suite calls. */
  more?(host: Host): void
}

/** Waits, in milliseconds. */
export interface Timing {
  /** How long a form stays open on a 2025-era connection: below the 60 s after which hosts give a tool call up. */
  readonly formWithinMs: number
  /** A decline that comes sooner than this was not read by a human: the host made it. */
  readonly readMs: number
  /** Between two progress notifications. */
  readonly heartbeatMs: number
  /** Between two looks at the store while a call waits for a change that another process may make. */
  readonly pollMs: number
  /** Between two looks at the journals for subscribed resources. */
  readonly followMs: number
  /** How long payments in flight may take to finish once the connection ends. */
  readonly drainMs: number
}

export const TIMING: Timing = {
  formWithinMs: 45_000,
  readMs: 2_000,
  heartbeatMs: 10_000,
  pollMs: 250,
  followMs: 1_000,
  drainMs: 5_000,
}

/** The two families of MCP revisions: up to 2025-11-25, and from 2026-07-28 on. */
export type Era = 'legacy' | 'modern'

/** One connection's server with what it works with. */
export interface Host {
  readonly deps: McpDeps
  readonly timing: Timing
  readonly era: Era
  readonly mcp: McpServer
  /** Fires when the connection is about to end: waits are cut short, payments are not. */
  readonly closing: AbortSignal
  /** Calls that are being worked on, cancelled ones too. */
  readonly working: Set<Promise<unknown>>
}

/** One call of a tool or prompt. */
export interface Call extends Host {
  /** The tool's or prompt's name. */
  readonly name: string
  readonly ctx: ServerContext
}
