// An agent that pays, with the official MCP client and nothing of bursar's own.
//
//   node docs/examples/agent.mjs            with a card of the sandbox, over `bursar mcp` in your BURSAR_HOME
//   node docs/examples/agent.mjs URL 0.05   fetches a page for at most 0.05 USDC
//
// It plays the host as well: where bursar asks its human, it asks at the terminal.
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

const say = (text) => process.stdout.write(`${text}\n`)

const client = new Client(
  { name: 'example', version: '1' },
  { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
)
client.setRequestHandler('elicitation/create', async ({ params }) => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`\n${params.message}\n\napprove or deny? `)
  terminal.close()
  return { action: 'accept', content: { decision: answer.trim() } }
})

/** A refusal is an answer, not an exception: its text says what to do next. */
async function call(name, args) {
  const { content, structuredContent, isError } = await client.callTool({ name, arguments: args })
  say(`${name}: ${content[0].text}`)
  return { ...structuredContent, isError }
}

async function paysByCard() {
  const request = await call('request_instrument', {
    type: 'virtual_card',
    amount: '50.00',
    currency: 'USD',
    usage_limit: 2,
    expires_in: '1d',
    purpose: 'A plugin for the editor',
    constraints: { merchant_categories: ['software'] },
  })
  if (!request.instrument) return
  const payee = { name: 'Bursar Test: Software Shop', merchant_category: '5734' }
  const purchase = { instrument_id: request.instrument.instrument_id, amount: '12.00', payee, purpose: 'The plugin' }
  await call('pay_with_instrument', purchase)
  // The reply might have been lost. The same call is the same purchase: nothing is paid twice.
  await call('pay_with_instrument', purchase)
}

async function paysAtTheDoor(url, max_amount) {
  const request = await call('request_instrument', {
    type: 'usdc',
    amount: '5.00',
    currency: 'USDC',
    expires_in: '1d',
    purpose: 'What is behind the door',
    constraints: { origins: [new URL(url).origin] },
  })
  if (!request.instrument) return
  const page = { instrument_id: request.instrument.instrument_id, url, purpose: 'What is behind the door' }
  await call('fetch_with_payment', { ...page, max_amount: '0' })
  const { body, payment } = await call('fetch_with_payment', { ...page, max_amount })
  if (body !== undefined) say(`\n${body}\n`)
  if (payment) await call('get_payment', { payment_id: payment.payment_id, wait_seconds: 5 })
}

await client.connect(new StdioClientTransport({ command: process.execPath, args: [MAIN, 'mcp'], env: process.env }))
const [url, max_amount = '0.05'] = process.argv.slice(2)
await (url === undefined ? paysByCard() : paysAtTheDoor(url, max_amount))
await client.close()
