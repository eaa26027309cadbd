import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { onTestFinished } from 'vitest'
import type { Answer, Result } from '../mcp/support.ts'

/** Every kind of client that users have: of both eras, the older SDK, and its first transport. */
export const CLIENTS = ['modern', 'legacy', 'old', 'sse'] as const
export type Kind = (typeof CLIENTS)[number]

export interface Question {
  readonly mode?: string
  readonly message: string
  readonly url?: string
}

export interface Options {
  readonly elicitation?: object
  readonly answer?: (question: Question) => Answer | Promise<Answer>
  readonly headers?: Readonly<Record<string, string>>
  readonly fetch?: typeof fetch
}

export interface Connected {
  readonly kind: Kind
  readonly raw: Client
  readonly asked: Question[]
  /** Of a client that has one. */
  sessionId(): string | undefined
  call(name: string, args: object): Promise<Result>
  close(): Promise<void>
}

const INFO = { name: 'host', version: '1' }

/** A client of this kind, connected over HTTP. */
export async function connect(origin: string, kind: Kind, key: string, options: Options = {}): Promise<Connected> {
  const asked: Question[] = []
  const onAsk = async ({ params }: { params: Question }): Promise<Answer> => {
    asked.push(params)
    return (options.answer ?? (() => ({ action: 'cancel' as const })))(params)
  }
  const elicitation = options.elicitation ?? {}
  const capabilities = { elicitation } as never
  const headers = { authorization: `Bearer ${key}`, ...options.headers }
  const http = { requestInit: { headers }, ...(options.fetch && { fetch: options.fetch }) }
  const isOld = kind === 'old' || kind === 'sse'
  const client = isOld
    ? (new OldClient(INFO, { capabilities }) as unknown as Client)
    : new Client(INFO, {
        capabilities,
        ...(kind === 'modern' && { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
      })
  if (isOld) (client as unknown as OldClient).setRequestHandler(ElicitRequestSchema, onAsk as never)
  else client.setRequestHandler('elicitation/create', onAsk as never)
  const transport =
    kind === 'sse'
      ? new SSEClientTransport(new URL(`${origin}/sse`), http)
      : kind === 'old'
        ? new OldTransport(new URL(`${origin}/mcp`), http)
        : new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), http)
  await client.connect(transport as never)
  onTestFinished(() => client.close())
  return {
    ...{ kind, raw: client, asked },
    sessionId: () => (transport as { sessionId?: string }).sessionId,
    async call(name, args) {
      const params = { name, arguments: args as Record<string, unknown> }
      const result = isOld ? await (client as unknown as OldClient).callTool(params) : await client.callTool(params)
      return result as unknown as Result
    },
    close: () => client.close(),
  }
}
