import { Client, InMemoryTransport, type JSONRPCMessage } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { revokeAgent } from '../../src/actions/owner/agents.ts'
import { Bridge } from '../../src/connect/bridge.ts'
import { endpointOf } from '../../src/connect/connect.ts'
import type { Rail } from '../../src/ports.ts'
import type { Result } from '../mcp/support.ts'
import { makeSite, type Site } from '../support/http.ts'
import { CARD, SHOP } from '../support/purse.ts'

const TIMING = { readMs: 0, pollMs: 10, followMs: 10, heartbeatMs: 10, formWithinMs: 2_000 }
const ERAS = ['modern', 'old'] as const
type Era = (typeof ERAS)[number]

function site(after?: Site): Promise<Site> {
  return makeSite({ app: () => ({ timing: TIMING }), ...(after && { after }) })
}

interface Bridged {
  readonly raw: Client
  readonly bridge: Bridge
  readonly asked: string[]
  readonly logs: string[]
  call(name: string, args: object): Promise<Result>
}

/** A host that speaks in this era to the bridge, as over stdio. */
async function bridged({ origin, key }: Pick<Site, 'origin' | 'key'>, era: Era): Promise<Bridged> {
  const [near, far] = InMemoryTransport.createLinkedPair()
  const logs: string[] = []
  const bridge = new Bridge(endpointOf(origin), key, {
    toHost: (message) => far.send(message as never),
    log: (message) => void logs.push(message),
  })
  far.onmessage = (message) => void bridge.fromHost(message as JSONRPCMessage)
  await far.start()
  const asked: string[] = []
  const approve = async ({ params }: { params: { message: string } }) => {
    asked.push(params.message)
    return { action: 'accept', content: { decision: 'approve' } }
  }
  const info = { name: 'host', version: '1' }
  const capabilities = { elicitation: {} } as never
  const client =
    era === 'old'
      ? (new OldClient(info, { capabilities }) as unknown as Client)
      : new Client(info, { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } })
  if (era === 'old') (client as unknown as OldClient).setRequestHandler(ElicitRequestSchema, approve as never)
  else client.setRequestHandler('elicitation/create', approve as never)
  await client.connect(near as never)
  onTestFinished(async () => {
    await client.close()
    await bridge.close()
  })
  return {
    ...{ raw: client, bridge, asked, logs },
    call: async (name, args) => (await client.callTool({ name, arguments: args as never })) as unknown as Result,
  }
}

async function card(host: Bridged, amount = '300.00'): Promise<string> {
  const { structuredContent } = await host.call('request_instrument', { ...CARD, amount })
  return (structuredContent!.instrument as { instrument_id: string }).instrument_id
}

const buy = (instrument_id: string) => ({ instrument_id, amount: '12.00', payee: SHOP, purpose: 'a book' })

describe.each(ERAS)('bursar connect (%s)', (era) => {
  it('carries tools, questions and answers', async () => {
    const host = await bridged(await site(), era)
    expect((await host.raw.listTools()).tools).toHaveLength(8)
    const paid = await host.call('pay_with_instrument', buy(await card(host)))
    expect(paid.structuredContent).toMatchObject({ status: 'captured' })
    expect(host.asked).toHaveLength(1)
  })

  it('goes on where the server was started anew, and what was paid is paid once', async () => {
    const first = await site()
    const host = await bridged(first, era)
    const id = await card(host)
    await host.call('pay_with_instrument', buy(id))
    await first.close()
    // Nothing listens: what was not sent is tried again until something does.
    const tries = () => host.logs.filter((line) => line === 'the server is tried again').length
    const reading = host.call('check_budget', {})
    await vi.waitFor(() => expect(tries()).toBeGreaterThan(0))
    const paying = host.call('pay_with_instrument', buy(id))
    await vi.waitFor(() => expect(tries()).toBeGreaterThan(2))
    const second = await site(first)
    expect((await reading).isError).toBeUndefined()
    expect((await paying).structuredContent).toMatchObject({ status: 'captured', replayed: true })
    expect((await host.call('list_payments', {})).structuredContent?.payments).toHaveLength(1)
    // What it asks now, it is asked over the connection that there is now.
    await card(host, '200.00')
    expect(host.asked).toHaveLength(2)
    await second.close()
  })

  it('hears again of what it had subscribed to', async () => {
    const first = await site()
    const host = await bridged(first, era)
    const heard: string[] = []
    await subscribe(host, era, 'bursar://journal', () => heard.push('journal'))
    await first.close()
    await site(first)
    await host.call('check_budget', {})
    if (era === 'modern') await subscribe(host, era, 'bursar://journal', () => heard.push('journal'))
    await card(host)
    await vi.waitFor(() => expect(heard).toContain('journal'))
  })

  it('security: says that a payment may have been made where its answer was lost, and does not send it again', async () => {
    let calls = 0
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const rail = (real: Rail): Rail => ({
      ...real,
      async pay(terms) {
        calls += 1
        await held
        return real.pay(terms)
      },
    })
    const first = await makeSite({ app: () => ({ timing: TIMING }), wrapRail: rail })
    const host = await bridged(first, era)
    const id = await card(host)
    const paying = host.call('pay_with_instrument', buy(id))
    await vi.waitFor(() => expect(calls).toBe(1))
    // As if its process was killed: every connection breaks off.
    await first.server.close(0)
    const { isError, content } = await paying
    expect([isError, content[0]?.text]).toEqual([true, expect.stringContaining('it may have been done')])
    release()
    await site(first)
    const repeated = await host.call('pay_with_instrument', buy(id))
    expect(repeated.structuredContent).toMatchObject({ status: 'captured', replayed: true })
    expect(calls).toBe(1)
  })

  it('tells the host what the server says to a key that has ended', async () => {
    const one = await site()
    await expect(bridged({ ...one, key: 'bak_wrong' }, era)).rejects.toThrow()
    const host = await bridged(one, era)
    await revokeAgent(one.deps.bursar, one.purse.authority, one.agentId)
    const { isError, content } = await host.call('check_budget', {})
    expect([isError, content[0]?.text]).toEqual([true, expect.stringMatching(/^unauthenticated: .*ended/)])
  })

  it('cancels what the host cancels', async () => {
    const one = await site()
    const host = await bridged(one, era)
    const { request_id } = (await pendingRequest(one)) as { request_id: string }
    const cancel = new AbortController()
    const params = { name: 'get_request', arguments: { request_id, wait_seconds: 25 } }
    const waiting =
      era === 'old'
        ? (host.raw as unknown as OldClient).callTool(params, undefined, { signal: cancel.signal })
        : host.raw.callTool(params, { signal: cancel.signal })
    setImmediate(() => cancel.abort())
    await expect(waiting).rejects.toThrow()
    expect((await host.call('check_budget', {})).isError).toBeUndefined()
  })
})

/** A request that waits for a human. */
async function pendingRequest({ purse, agentId, deps }: Site): Promise<object> {
  const [credential] = await purse.bursar.store.read.list('credentials', { agentId })
  const caller = { agentId, sessionId: 's', credentialId: credential?.id ?? null }
  return requestInstrument(deps.bursar, caller, CARD)
}

async function subscribe(host: Bridged, era: Era, uri: string, heard: () => void): Promise<void> {
  if (era === 'modern') {
    host.raw.setNotificationHandler('notifications/resources/updated', heard)
    await host.raw.listen({ resourceSubscriptions: [uri] })
    return
  }
  const { ResourceUpdatedNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
  host.raw.setNotificationHandler(ResourceUpdatedNotificationSchema as never, heard as never)
  await host.raw.subscribeResource({ uri })
}

describe('security: the key', () => {
  it('goes over TLS, or stays on this machine', () => {
    expect(endpointOf('https://pay.example.com').href).toBe('https://pay.example.com/mcp')
    expect(endpointOf('http://127.0.0.1:8787/mcp').href).toBe('http://127.0.0.1:8787/mcp')
    for (const url of [
      'http://pay.example.com',
      'http://10.0.0.1:8787',
      'ftp://x',
      'pay.example.com',
      'https://a:b@x',
      '',
    ])
      expect(() => endpointOf(url)).toThrow('https://')
  })
})
