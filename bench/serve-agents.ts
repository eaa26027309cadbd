import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'undici'

const MODERN = '2026-07-28'
const LEGACY = '2025-11-25'
const META = 'io.modelcontextprotocol'

export interface Answer {
  readonly isError?: boolean
  readonly structuredContent?: { readonly status?: string; readonly refusal?: { readonly code: string } }
}

export interface Agent {
  /** @throws Error for anything but the answer of a tool */
  call(name: string, args: object): Promise<Answer>
  close(): Promise<void>
}

/** The right JSON-RPC over a connection of its own, and nothing else: no client library is part of what is measured. */
export async function connected(origin: string, key: string, era: 'modern' | 'legacy'): Promise<Agent> {
  const client = new Client(origin)
  let id = 0
  let more: Record<string, string> = {}
  const post = async (method: string, params: object, headers: Record<string, string>, isNotice = false) => {
    id += 1
    const {
      statusCode,
      headers: answered,
      body,
    } = await client.request({
      ...{ method: 'POST', path: '/mcp' },
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ authorization: `Bearer ${key}`, ...more, ...headers },
      },
      body: JSON.stringify({ jsonrpc: '2.0', method, params, ...(!isNotice && { id }) }),
    })
    const text = await body.text()
    if (statusCode >= 300) throw new Error(`HTTP ${statusCode}: ${text.slice(0, 200)}`)
    return { answered, result: isNotice ? null : resultOf(text, String(answered['content-type']), id) }
  }
  if (era === 'legacy') {
    const hello = { protocolVersion: LEGACY, capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
    const { answered } = await post('initialize', hello, {})
    more = { 'mcp-session-id': String(answered['mcp-session-id']), 'mcp-protocol-version': LEGACY }
    await post('notifications/initialized', {}, {}, true)
  }
  const _meta = { [`${META}/protocolVersion`]: MODERN, [`${META}/clientCapabilities`]: {} }
  return {
    async call(name, args) {
      const { result } =
        era === 'legacy'
          ? await post('tools/call', { name, arguments: args }, {})
          : await post(
              'tools/call',
              { name, arguments: args, _meta },
              { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': name },
            )
      return result as Answer
    },
    close: () => client.close(),
  }
}

/** A stream of events ends with the answer; other events may come before it. */
function resultOf(text: string, contentType: string, id: number): unknown {
  const bodies = contentType.startsWith('text/event-stream')
    ? text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice('data: '.length)] : []))
    : [text]
  for (const body of bodies) {
    const message = JSON.parse(body) as { id?: number; result?: unknown; error?: unknown }
    if (message.id !== id) continue
    if (message.error) throw new Error(`JSON-RPC: ${JSON.stringify(message.error).slice(0, 200)}`)
    return message.result
  }
  throw new Error('There was no answer.')
}

/**
 * Every agent does one thing after another, one in each beat, for so long; their beats are spread. Who is late does not
 * wait. Gives how long each took, in milliseconds, in ascending order.
 */
export async function load(
  agents: readonly Agent[],
  beatMs: number,
  forMs: number,
  act: (agent: Agent, n: number, turn: number) => Promise<void>,
): Promise<readonly number[]> {
  const took: number[] = []
  const began = performance.now()
  await Promise.all(
    agents.map(async (agent, n) => {
      let due = began + (beatMs * n) / agents.length
      for (let turn = 0; due < began + forMs; turn++, due += beatMs) {
        await sleep(Math.max(0, due - performance.now()))
        const from = performance.now()
        await act(agent, n, turn)
        took.push(performance.now() - from)
      }
    }),
  )
  return took.sort((a, b) => a - b)
}

export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}
