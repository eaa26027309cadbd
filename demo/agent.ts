import { Client, type ElicitRequestFormParams } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { PaymentView, PriceView, RefusalView, RequestView } from '../src/actions/wire.ts'
import { bursar, environment, MAIN } from './house.ts'
import type { Human } from './human.ts'

/** What a tool answered: the view that programs read, and the blocks of text that the model reads. */
export interface Answer<View> {
  readonly view: View
  readonly texts: readonly string[]
  readonly isError: boolean
}
type Refusable = { readonly refusal?: RefusalView }

/** One agent with its host: a real MCP client over a real pipe to `bursar mcp`. */
export interface Agent {
  readonly client: Client
  call<View>(tool: string, args: object): Promise<Answer<View>>
  request(args: object): Promise<Answer<RequestView & Refusable>>
  pay(args: Purchase): Promise<Answer<PaymentView>>
  fetch(args: Errand): Promise<Answer<Fetched>>
  close(): Promise<void>
}

export interface Purchase {
  readonly instrument_id: string
  readonly amount: string
  readonly payee: { readonly name?: string; readonly merchant_category?: string; readonly address?: string }
  readonly purpose: string
}

export interface Errand {
  readonly instrument_id: string
  readonly url: string
  readonly max_amount: string
  readonly purpose: string
}

/** The resource, its price, or the payment that there is instead. `status`: HTTP's, or the payment's. */
export interface Fetched {
  readonly status: number | string
  readonly body?: string
  readonly price?: PriceView
  readonly payment?: PaymentView
  readonly refusal?: RefusalView
}

/**
 * Starts `bursar mcp`, or another command that speaks it, and connects to it, as an agent's host does.
 *
 * @param human who is asked when bursar asks; without one the host says that it cannot ask anybody
 */
export async function startAgent(
  env: Readonly<Record<string, string>>,
  human: Human | null,
  command: readonly string[] = ['mcp'],
): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, ...command],
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
    const { stderr } = await bursar(command, env)
    throw new Error(`bursar ${command.join(' ')} did not start: ${error.message}\n${stderr}`)
  })
  const call = async <View>(name: string, args: object): Promise<Answer<View>> => {
    const result = await client.callTool({ name, arguments: args as Record<string, unknown> })
    const texts = result.content.map((block) => (block.type === 'text' ? block.text : ''))
    return { view: (result.structuredContent ?? {}) as View, texts, isError: result.isError === true }
  }
  return {
    client,
    call,
    request: (args) => call('request_instrument', args),
    pay: (args) => call('pay_with_instrument', args),
    fetch: (args) => call('fetch_with_payment', args),
    close: () => client.close(),
  }
}
