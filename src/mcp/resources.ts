import type { ReadResourceResult, Variables } from '@modelcontextprotocol/server'
import { ResourceTemplate } from '@modelcontextprotocol/server'
import { assertMay } from '../actions/agent/access.ts'
import { checkBudget, getPayment } from '../actions/agent/read.ts'
import type { Host, McpDeps } from './deps.ts'
import { followSubscriptions } from './follow.ts'
import { guarded } from './guard.ts'
import { latestEvents } from './journal.ts'
import { instrumentUri, JOURNAL, paymentUri, WALLETS } from './uris.ts'

const JSON_TYPE = { mimeType: 'application/json' }

/** What an agent may look at, each its own only, and subscriptions to it. */
export function registerResources(host: Host): void {
  const { mcp, deps } = host
  const { bursar, caller } = deps
  const fixed = (name: string, uri: string, description: string, read: () => Promise<unknown>): void => {
    mcp.registerResource(name, uri, { description, ...JSON_TYPE }, () =>
      guarded(host, name, async () => contents(uri, (await mayRead(deps)) && (await read())), uri),
    )
  }
  const each = (
    name: string,
    template: ResourceTemplate,
    description: string,
    read: (id: string) => Promise<unknown>,
  ): void => {
    mcp.registerResource(name, template, { description, ...JSON_TYPE }, (uri: URL, variables: Variables) =>
      guarded(
        host,
        name,
        async () => contents(uri.href, (await mayRead(deps)) && (await read(String(variables.id)))),
        uri.href,
      ),
    )
  }
  fixed(
    'wallets',
    WALLETS,
    'Your wallets, with what is left under each limit.',
    async () => (await checkBudget(bursar, caller)).wallets,
  )
  fixed('journal', JOURNAL, 'The latest events of your wallets.', () => latestEvents(deps))
  const listed = new ResourceTemplate(instrumentUri('{id}'), {
    list: async () => ({ resources: await instrumentsOf(deps) }),
  })
  each(
    'instruments',
    listed,
    'One of your instruments.',
    async (id) => (await checkBudget(bursar, caller, id)).instruments[0],
  )
  const payments = new ResourceTemplate(paymentUri('{id}'), { list: undefined })
  each('payments', payments, 'One of your payments.', (id) => getPayment(bursar, caller, id))
  followSubscriptions(host)
}

/** @throws where what the caller came with may read nothing */
async function mayRead({ bursar, caller }: McpDeps): Promise<true> {
  await assertMay(bursar, caller, 'bursar:read')
  return true
}

function contents(uri: string, value: unknown): ReadResourceResult {
  return { contents: [{ uri, ...JSON_TYPE, text: JSON.stringify(value) }] }
}

async function instrumentsOf(deps: McpDeps): Promise<{ uri: string; name: string }[]> {
  const { bursar, caller } = deps
  await mayRead(deps)
  return (await checkBudget(bursar, caller)).instruments.map(({ instrument_id }) => ({
    uri: instrumentUri(instrument_id),
    name: instrument_id,
  }))
}
