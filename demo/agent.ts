import { Client, type ElicitRequestFormParams } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { PaymentView, RefusalView, RequestView } from '../src/actions/wire.ts'
import { bursar, environment, MAIN } from './house.ts'
import type { Human } from './human.ts'

/** What a tool answered: the view that programs read, and the line that the model reads. */
export interface Answer<View> {
  readonly view: View
  readonly text: string
  readonly isError: boolean
}
type Refusable = { readonly refusal?: RefusalView }

/** One agent with its host: a real MCP client over a real pipe to `bursar mcp`. */
export interface Agent {
  readonly client: Client
  call<View>(tool: string, args: object): Promise<Answer<View>>
  request(args: object): Promise<Answer<RequestView & Refusable>>
  pay(args: Purchase): Promise<Answer<PaymentView>>
  close(): Promise<void>
}

export interface Purchase {
  readonly instrument_id: string
  readonly amount: string
  readonly payee: { readonly name?: string; readonly merchant_category?: string; readonly address?: string }
  readonly purpose: string
}

/**
 * Starts `bursar mcp` and connects to it, as an agent's host does.
 *
 * @param human who is asked when bursar asks; without one the host says that it cannot ask anybody
 */
export async function startAgent(env: Readonly<Record<string, string>>, human: Human | null): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'mcp'],
    env: environment(env),
    // Its log. It tells the passphrase of a new sandbox there once, which is not for the agent.
    stderr: 'ignore',
  })
  const client = new Client(
    { name: 'bursar-demo', version: '1' },
    {
      capabilities: human ? { elicitation: { form: {} } } : {},
      versionNegotiation: { mode: { pin: '2026-07-28' } },
    },
  )
  if (human) client.setRequestHandler('elicitation/create', ({ params }) => human(params as ElicitRequestFormParams))
  await client.connect(transport).catch(async (error: Error) => {
    const { stderr } = await bursar(['mcp'], env)
    throw new Error(`bursar mcp did not start: ${error.message}\n${stderr}`)
  })
  const call = async <View>(name: string, args: object): Promise<Answer<View>> => {
    const result = await client.callTool({ name, arguments: args as Record<string, unknown> })
    const text = result.content.map((block) => (block.type === 'text' ? block.text : '')).join('\n')
    return { view: (result.structuredContent ?? {}) as View, text, isError: result.isError === true }
  }
  return {
    client,
    call,
    request: (args) => call('request_instrument', args),
    pay: (args) => call('pay_with_instrument', args),
    close: () => client.close(),
  }
}
