import { describe, expect, it, vi } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { addAgent, revokeAgent, rotateAgent } from '../../src/actions/owner/agents.ts'
import { addCredential } from '../../src/actions/owner/credentials.ts'
import type { AppOptions } from '../../src/http/app.ts'
import { bounded } from '../../src/http/stream.ts'
import { basic, makeSite, type Site } from '../support/http.ts'
import { CARD } from '../support/purse.ts'
import { connect } from './clients.ts'

const TIMING = { readMs: 0, pollMs: 10, followMs: 10, heartbeatMs: 10, formWithinMs: 2_000 }
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

function site(bounds: AppOptions['bounds'] = {}): Promise<Site> {
  return makeSite({ app: () => ({ timing: TIMING, bounds: { sweepMs: 20, ...bounds } }) })
}

function post({ ask }: Site, key: string, message: object, headers: Record<string, string> = {}, path = '/mcp') {
  const all = { authorization: `Bearer ${key}`, ...JSON_HEADERS, ...headers }
  return ask(path, { method: 'POST', headers: all, body: JSON.stringify(message) })
}

const LIST = { jsonrpc: '2.0', id: 7, method: 'tools/list' }
const INITIALIZE = {
  ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
}

describe('security: a session of an earlier client', () => {
  it('is there for the credential that opened it, and for no other, of the same agent either', async () => {
    const one = await site()
    const { bursar } = one.deps
    const { authority } = one.purse
    const host = await connect(one.origin, 'old', one.key)
    const id = host.sessionId() as string
    const { key: other } = await addAgent(bursar, authority, 'other')
    const { key: second } = await addCredential(bursar, authority, one.agentId, {})
    for (const key of [other, second as string]) {
      expect((await post(one, key, LIST, { 'mcp-session-id': id })).status).toBe(404)
      const headers = { authorization: `Bearer ${key}`, 'mcp-session-id': id }
      expect((await one.ask('/mcp', { method: 'DELETE', headers })).status).toBe(404)
      expect((await one.ask('/mcp', { headers: { ...headers, accept: 'text/event-stream' } })).status).toBe(404)
    }
    expect((await post(one, one.key, LIST, { 'mcp-session-id': id })).status).toBe(200)
    expect((await post(one, one.key, LIST, { 'mcp-session-id': `${id}x` })).status).toBe(404)
    expect((await post(one, one.key, LIST)).status).toBe(400)
    await (host.raw as unknown as { transport: { terminateSession(): Promise<void> } }).transport.terminateSession()
    expect((await post(one, one.key, LIST, { 'mcp-session-id': id })).status).toBe(404)
  })

  it('over events takes messages of who opened it alone', async () => {
    const one = await site()
    const { key: other } = await addAgent(one.deps.bursar, one.purse.authority, 'other')
    let endpoint = ''
    const spy: typeof fetch = async (input, init) => {
      if (init?.method === 'POST') endpoint = new URL(String(input)).pathname + new URL(String(input)).search
      return fetch(input, init)
    }
    const host = await connect(one.origin, 'sse', one.key, { fetch: spy })
    expect(endpoint).toMatch(/^\/messages\?sessionId=/)
    expect((await post(one, other, LIST, {}, endpoint)).status).toBe(404)
    expect((await post(one, one.key, LIST, {}, endpoint)).status).toBe(202)
    expect((await post(one, one.key, LIST, {}, '/messages')).status).toBe(404)
    await host.close()
    await vi.waitFor(async () => expect((await post(one, one.key, LIST, {}, endpoint)).status).toBe(404))
  })

  it('ends at once with its agent, whatever is open', async () => {
    const one = await site()
    const modern = await connect(one.origin, 'modern', one.key)
    const subscription = await modern.raw.listen({ resourceSubscriptions: ['bursar://wallets'] })
    const id = await opened(one)
    const streams = await Promise.all([streamOf(one, '/mcp', id), streamOf(one, '/sse')])
    await revokeAgent(one.deps.bursar, one.purse.authority, one.agentId)
    await Promise.all([subscription.closed, ...streams.map(({ ended }) => ended)])
    expect((await post(one, one.key, LIST, { 'mcp-session-id': id })).status).toBe(401)
    await expect(modern.call('check_budget', {})).rejects.toThrow()
  })

  it('ends within a moment where another process ended its credential', async () => {
    const one = await site()
    const { ended } = await streamOf(one, '/mcp', await opened(one))
    // This purse tells nobody of changes, as another process would not.
    await rotateAgent(one.purse.bursar, one.purse.authority, one.agentId)
    await ended
  })

  it.each(['/mcp', '/sse'])('ends its streams when what it came with is over by itself (%s)', async (path) => {
    const one = await site({ sweepMs: 60_000 })
    const caller = { agentId: one.agentId, sessionId: 's', credentialId: await credentialIdOf(one) }
    const { key } = await mintCredential(one.deps.bursar, caller, { expires_in: '1h' })
    const id = path === '/mcp' ? await opened(one, key) : undefined
    one.purse.time.now += 3_600_000 - 200
    const { ended } = await streamOf(one, path, id, key)
    await ended
  })

  it('that nobody uses is forgotten, and so is the oldest where there are too many', async () => {
    const one = await site({ sessionsMax: 2 })
    const open = () => opened(one)
    const known = async (id: string) => (await post(one, one.key, LIST, { 'mcp-session-id': id })).status
    const first = await open()
    const second = await open()
    expect([await known(second), await known(first)]).toEqual([200, 200])
    const third = await open()
    expect([await known(first), await known(second), await known(third)]).toEqual([200, 404, 200])
    const lazy = await site({ idleMs: 50 })
    const id = await opened(lazy)
    const isForgotten = async () =>
      expect((await post(lazy, lazy.key, LIST, { 'mcp-session-id': id })).status).toBe(404)
    // To look at it is to use it.
    await vi.waitFor(isForgotten, { interval: 200 })
  })

  it('where all are in use there is no other; what an agent minted has none beside them', async () => {
    const one = await site({ sessionsMax: 2 })
    const hosts = [await connect(one.origin, 'old', one.key), await connect(one.origin, 'old', one.key)]
    const caller = { agentId: one.agentId, sessionId: 's', credentialId: await credentialIdOf(one) }
    const { key } = await mintCredential(one.deps.bursar, caller, {})
    // Each has a stream of news open.
    await vi.waitFor(async () => expect((await post(one, key, INITIALIZE)).status).toBe(429))
    for (const host of hosts) expect((await host.call('check_budget', {})).isError).toBeUndefined()
  })
})

describe('security: what is sent to /mcp', () => {
  it('is JSON, in few messages, by an agent', async () => {
    const one = await site()
    const authorization = `Bearer ${one.key}`
    const sent = async (body: string, type: string) =>
      (await one.ask('/mcp', { method: 'POST', headers: { authorization, 'content-type': type }, body })).status
    expect(await sent('{', 'application/json')).toBe(400)
    expect(await sent(JSON.stringify(LIST), 'text/plain')).toBe(415)
    const batched = (of: number) =>
      post(
        one,
        one.key,
        Array.from({ length: of }, (_, id) => ({ ...LIST, id })),
        { 'mcp-session-id': session },
      )
    const session = await opened(one)
    expect([(await batched(8)).status, (await batched(9)).status]).toEqual([200, 400])
    for (const path of ['/mcp', '/sse', '/messages'])
      expect([
        path,
        (await one.ask(path, { method: path === '/sse' ? 'GET' : 'POST', headers: basic() })).status,
      ]).toEqual([path, 403])
    for (const path of ['/mcp', '/messages', '/sse'])
      expect((await one.ask(path, { method: path === '/sse' ? 'GET' : 'POST', headers: {} })).status).toBe(401)
  })

  it('a question that one credential was asked is not answered with another', async () => {
    const one = await site()
    const { key } = await addCredential(one.deps.bursar, one.purse.authority, one.agentId, {})
    const mine = await connect(one.origin, 'modern', one.key)
    const params = { name: 'request_instrument', arguments: CARD }
    // By hand: the client would answer by itself.
    const ask = (who: string, more: object) =>
      post(one, who, modern('tools/call', { ...params, ...more }), {
        ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'request_instrument' },
      }).then(
        async (response) => (await response.json()) as { result?: Record<string, never>; error?: { code: number } },
      )
    const { result } = await ask(one.key, {})
    const answer = {
      requestState: result?.requestState,
      inputResponses: { approval: { action: 'accept', content: { decision: 'approve' } } },
    }
    expect((await ask(key as string, answer)).error?.code).toBe(-32602)
    expect((await ask(one.key, answer)).result?.structuredContent).toMatchObject({ status: 'approved' })
    await mine.close()
  })
})

describe('security: a client that does not read', () => {
  it('is cut off when so many bytes wait for it, and whoever writes is told', async () => {
    let told: unknown = null
    let done = 0
    let wire: ReadableStreamDefaultController<Uint8Array> | undefined
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        wire = controller
      },
      cancel(reason) {
        told = reason
      },
    })
    const body = bounded(source, 1_000, () => {
      done += 1
    })
    for (let at = 0; at < 12; at += 1) wire?.enqueue(new Uint8Array(100))
    await vi.waitFor(() => expect(told).toBeInstanceOf(Error))
    expect(done).toBe(1)
    await expect(body.getReader().read()).rejects.toThrow('does not read')
  })
})

function modern(method: string, params: object): object {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
  }
  return { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }
}

async function credentialIdOf({ purse, agentId }: Site): Promise<string> {
  const [credential] = await purse.bursar.store.read.list('credentials', { agentId })
  return credential!.id
}

/** The id of a new session. */
async function opened(one: Site, key = one.key): Promise<string> {
  return (await post(one, key, INITIALIZE)).headers.get('mcp-session-id') as string
}

/** A stream of news, and when it ends. */
async function streamOf(one: Site, path: string, id?: string, key = one.key): Promise<{ ended: Promise<void> }> {
  const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...(id && { 'mcp-session-id': id }) }
  const { status, body } = await one.ask(path, { headers })
  expect(status).toBe(200)
  const read = async (): Promise<void> => {
    for await (const _chunk of body as unknown as AsyncIterable<Uint8Array>);
  }
  return { ended: read() }
}
