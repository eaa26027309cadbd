import { Client, type ClientOptions, InMemoryTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import type { Transport as OldTransport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { hostDesk } from '../../src/actions/owner/desk.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Changed, McpDeps, Timing } from '../../src/mcp/deps.ts'
import { serverFactory } from '../../src/mcp/server.ts'
import type { Bursar } from '../../src/ports.ts'
import type { Purse } from '../support/purse.ts'

/** The three clients that users have: today's, the same in the older era, and the older SDK. */
export const CLIENTS = ['modern', 'legacy', 'old'] as const
export type Kind = (typeof CLIENTS)[number]

export interface Answer {
  action: 'accept' | 'decline' | 'cancel'
  content?: Record<string, string>
}

export interface HostOptions {
  /** What the host says it can show; undefined: nothing. */
  readonly elicitation?: object
  /** How its user answers; every question is recorded in `asked`. */
  readonly answer?: (message: string) => Answer | Promise<Answer>
  readonly timing?: Partial<Timing>
  readonly deps?: Partial<McpDeps>
}

export interface Result {
  isError?: boolean
  content: { type: string; text: string }[]
  structuredContent?: Record<string, unknown>
}

export interface Connected {
  readonly asked: string[]
  readonly logs: unknown[]
  readonly bursar: Bursar
  readonly deps: McpDeps
  readonly raw: Client
  call(name: string, args: object, options?: object): Promise<Result>
  close(): Promise<void>
}

/** A connected client of the given kind, to a server over the purse, through in-memory pipes and the real stdio entry. */
export async function connect(purse: Purse, kind: Kind, options: HostOptions = {}): Promise<Connected> {
  const { deps, logs } = depsOf(purse, options)
  const [near, far] = InMemoryTransport.createLinkedPair()
  const handle = serveStdio(serverFactory(deps), { transport: far as never })
  const asked: string[] = []
  const onAsk = async ({ params }: { params: { message: string } }): Promise<Answer> => {
    asked.push(params.message)
    return (options.answer ?? (() => ({ action: 'cancel' as const })))(params.message)
  }
  const raw = await clientOf(kind, near, options.elicitation, onAsk)
  return {
    asked,
    logs,
    bursar: deps.bursar,
    deps,
    raw,
    call: (name, args, more) => callTool(raw, kind, name, args, more),
    async close() {
      await raw.close()
      await handle.close()
    },
  }
}

export function depsOf(purse: Purse, options: HostOptions = {}): { deps: McpDeps; logs: unknown[] } {
  const listeners = new Set<(changed: Changed) => void>()
  const logs: unknown[] = []
  const changed = (subjectId: string, walletId: string | null): void => {
    for (const listener of listeners) listener({ subjectId, walletId })
  }
  const bursar = { ...purse.bursar, notify: { changed } }
  const deps: McpDeps = {
    bursar,
    caller: purse.caller,
    desk: hostDesk(bursar, hostProof),
    version: '0.0.0',
    log: (...line) => void logs.push(line),
    changes(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    timing: { readMs: 0, pollMs: 10, followMs: 10, heartbeatMs: 10, formWithinMs: 300, ...options.timing },
    ...options.deps,
  }
  return { deps, logs }
}

const INFO = { name: 'host', version: '1' }

async function clientOf(
  kind: Kind,
  transport: InMemoryTransport,
  elicitation: object | undefined,
  onAsk: (request: { params: { message: string } }) => Promise<Answer>,
): Promise<Client> {
  const capabilities = elicitation === undefined ? {} : { elicitation }
  if (kind === 'old') {
    const client = new OldClient(INFO, { capabilities: capabilities as never })
    if (elicitation !== undefined) client.setRequestHandler(ElicitRequestSchema, onAsk as never)
    await client.connect(transport as unknown as OldTransport)
    return client as unknown as Client
  }
  const era: ClientOptions = kind === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {}
  const client = new Client(INFO, { capabilities: capabilities as never, ...era })
  if (elicitation !== undefined) client.setRequestHandler('elicitation/create', onAsk as never)
  await client.connect(transport)
  return client
}

async function callTool(client: Client, kind: Kind, name: string, args: object, options?: object): Promise<Result> {
  const params = { name, arguments: args as Record<string, unknown> }
  const result =
    kind === 'old'
      ? await (client as unknown as OldClient).callTool(params, undefined, options)
      : await client.callTool(params, options)
  return result as unknown as Result
}
