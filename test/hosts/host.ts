import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { ENTRY, environment } from '../cli/fixture.ts'

/** The clients that hosts are built on: today's in both eras, and the older SDK. */
export const CLIENTS = ['modern', 'legacy', 'old'] as const
export type Kind = (typeof CLIENTS)[number]

/** What a host can do when its user is to be asked. */
export const MANNERS = ['form', 'url only', 'none', 'declines at once', 'never answers'] as const
export type Manner = (typeof MANNERS)[number]
/** Its user reads the form, and says no. */
export type Denying = 'denies'

export interface Result {
  readonly isError?: boolean
  readonly content: readonly { readonly type: string; readonly text: string }[]
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  readonly structuredContent?: any
}

export interface Host {
  readonly asked: readonly string[]
  /** Every message that the server sent since the client was connected. */
  readonly traffic: readonly object[]
  call(name: string, args: object): Promise<Result>
  close(): Promise<void>
}

const CAPABILITIES: { readonly [M in Manner | Denying]: object } = {
  form: { elicitation: { form: {} } },
  'url only': { elicitation: { url: {} } },
  none: {},
  'declines at once': { elicitation: {} },
  'never answers': { elicitation: {} },
  denies: { elicitation: {} },
}

/**
 * A host of this kind and manner, with `dist/main.js mcp` behind a real pipe. Its client has listed the tools, and so
 * holds every answer to the schema of its tool.
 */
export async function startHost(kind: Kind, manner: Manner | Denying, home: string): Promise<Host> {
  const asked: string[] = []
  const answer = async ({ params }: { params: { message: string } }) => {
    asked.push(params.message)
    if (manner === 'never answers') await new Promise(() => undefined)
    if (manner === 'declines at once') return { action: 'decline' as const }
    return { action: 'accept' as const, content: { decision: manner === 'denies' ? 'deny' : 'approve' } }
  }
  const server = { command: process.execPath, args: [ENTRY, 'mcp'], env: environment(home), stderr: 'ignore' as const }
  const info = { name: 'host', version: '1' }
  const capabilities = CAPABILITIES[manner]
  // biome-ignore lint/suspicious/noExplicitAny: the same calls on two generations of one client
  let client: any
  if (kind === 'old') {
    const old = new OldClient(info, { capabilities })
    if ('elicitation' in capabilities) old.setRequestHandler(ElicitRequestSchema, answer)
    await old.connect(new OldStdio(server))
    client = old
  } else {
    const mode = kind === 'modern' ? 'auto' : 'legacy'
    client = new Client(info, { capabilities, versionNegotiation: { mode } })
    if ('elicitation' in capabilities) client.setRequestHandler('elicitation/create', answer)
    await client.connect(new StdioClientTransport(server))
  }
  const traffic: object[] = []
  const { onmessage } = client.transport
  client.transport.onmessage = (message: object, ...more: unknown[]) => {
    traffic.push(message)
    onmessage(message, ...more)
  }
  await client.listTools()
  return {
    ...{ asked, traffic },
    call: (name, args) => {
      const params = { name, arguments: args }
      return kind === 'old' ? client.callTool(params, undefined) : client.callTool(params)
    },
    close: () => client.close(),
  }
}
