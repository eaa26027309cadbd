import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, describe, expect, it } from 'vitest'

/** Built by vitest's global set-up. */
const PROGRAM = resolve(import.meta.dirname, '../../dist/main.js')
const homes: string[] = []

afterAll(() => {
  for (const path of homes) rmSync(path, { recursive: true, force: true })
})

function home(): string {
  const path = mkdtempSync(join(tmpdir(), 'bursar-stdio-'))
  homes.push(path)
  return path
}

const environment = (BURSAR_HOME: string) => ({ PATH: process.env.PATH ?? '', BURSAR_HOME, BURSAR_LOG: 'error' })

/** A bare process, whose stdin and stdout are the test's to misuse. */
function start(path = home()): ChildProcessWithoutNullStreams & { out: () => string } {
  const child = spawn(process.execPath, [PROGRAM, 'mcp'], { env: environment(path) })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  return Object.assign(child, { out: () => text })
}

async function ends(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  const [code] = child.exitCode === null && child.signalCode === null ? await once(child, 'exit') : [child.exitCode]
  return code as number | null
}

const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`
const OPENING =
  line({
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  }) + line({ method: 'notifications/initialized' })
const call = (id: number, name: string, args: object): string =>
  line({ id, method: 'tools/call', params: { name, arguments: args } })

const CARD = {
  type: 'virtual_card',
  amount: '40.00',
  currency: 'USD',
  usage_limit: 3,
  expires_in: '1d',
  purpose: 'Tools',
}

describe('over a real pipe', () => {
  it.each(['modern', 'legacy', 'old'] as const)(
    'serves a %s client: request, approve by form, pay',
    async (kind) => {
      const server = { command: process.execPath, args: [PROGRAM, 'mcp'], env: environment(home()) }
      const answer = async () => ({ action: 'accept', content: { decision: 'approve' } }) as const
      const info = { name: 'host', version: '1' }
      const capabilities = { elicitation: {} }
      let client: Client
      if (kind === 'old') {
        const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
        const old = new OldClient(info, { capabilities })
        old.setRequestHandler(ElicitRequestSchema, answer)
        await old.connect(new OldStdio(server))
        client = old as unknown as Client
      } else {
        client = new Client(info, { capabilities, versionNegotiation: { mode: kind === 'modern' ? 'auto' : 'legacy' } })
        client.setRequestHandler('elicitation/create', answer)
        await client.connect(new StdioClientTransport(server))
      }
      const asked = await client.callTool({ name: 'request_instrument', arguments: CARD })
      const { instrument } = asked.structuredContent as { instrument: { instrument_id: string } }
      const payment = {
        instrument_id: instrument.instrument_id,
        amount: '10.00',
        payee: { name: 'Acme' },
        purpose: 'x',
      }
      const paid = await client.callTool({ name: 'pay_with_instrument', arguments: payment })
      expect(paid.structuredContent).toMatchObject({ status: 'captured' })
      await client.close()
    },
    30_000,
  )

  it('exits with 0 at the end of input, even before the first message', async () => {
    const child = start()
    child.stdin.end()
    expect(await ends(child)).toBe(0)
    expect(child.out()).toBe('')
  }, 30_000)

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'exits with 0 on %s, with its input still open',
    async (signal) => {
      const child = start()
      child.stdin.write(OPENING)
      await once(child.stdout, 'data')
      child.kill(signal)
      expect(await ends(child)).toBe(0)
    },
    30_000,
  )

  it('answers what came in before the input ended, and writes nothing but frames', async () => {
    const child = start()
    const junk = 'not json\n{"jsonrpc":"2.0"}\n'
    child.stdin.end(
      `${OPENING}${junk}${call(1, 'check_budget', {})}${call(2, 'request_instrument', CARD)}${call(3, 'nothing', {})}`,
    )
    expect(await ends(child)).toBe(0)
    const messages = child
      .out()
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text))
    expect(messages.map(({ id }) => id).sort()).toEqual([0, 1, 2, 3])
    expect(messages.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true)
  }, 30_000)

  it('cuts waits short when its host leaves', async () => {
    const child = start()
    child.stdin.write(OPENING + call(1, 'request_instrument', CARD))
    await expect.poll(child.out, { timeout: 10_000 }).toContain('request_id')
    const request_id = /req_[0-9a-f-]{36}/.exec(child.out())?.[0]
    const began = performance.now()
    child.stdin.end(call(2, 'get_request', { request_id, wait_seconds: 25 }))
    expect(await ends(child)).toBe(0)
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(child.out()).toContain('"id":2')
  }, 30_000)

  it('exits when nobody reads its output any more', async () => {
    const child = start()
    child.stdin.write(OPENING)
    await once(child.stdout, 'data')
    child.stdout.destroy()
    for (let id = 1; id < 4; id++) child.stdin.write(call(id, 'check_budget', {}))
    expect(await ends(child)).toBe(0)
  }, 30_000)

  it.each(['end of input', 'SIGTERM'])(
    'security: finishes the payment that is under way on %s',
    async (how) => {
      const path = home()
      const first = start(path)
      first.stdin.write(
        line({
          id: 0,
          method: 'initialize',
          params: {
            protocolVersion: '2025-11-25',
            capabilities: { elicitation: {} },
            clientInfo: { name: 'x', version: '1' },
          },
        }),
      )
      first.stdin.write(line({ method: 'notifications/initialized' }) + call(1, 'request_instrument', CARD))
      await expect.poll(first.out, { timeout: 10_000 }).toContain('elicitation/create')
      const { id } = JSON.parse(first.out().trim().split('\n').at(-1) as string)
      first.stdin.write(line({ id, result: { action: 'accept', content: { decision: 'approve' } } }))
      await expect.poll(first.out, { timeout: 10_000 }).toContain('inst_')
      const instrument_id = /inst_[0-9a-f-]{36}/.exec(first.out())?.[0]
      // The sandbox takes four seconds to answer this merchant.
      first.stdin.write(
        call(2, 'pay_with_instrument', {
          instrument_id,
          amount: '10.00',
          payee: { name: 'Bursar Test: Slow Answer' },
          purpose: 'x',
        }),
      )
      await new Promise((resolve) => setTimeout(resolve, 500))
      if (how === 'SIGTERM') first.kill('SIGTERM')
      else first.stdin.end()
      expect(await ends(first)).toBe(0)
      expect(first.out()).toContain('"status":"captured"')
      const second = start(path)
      second.stdin.end(OPENING + call(1, 'list_payments', {}))
      expect(await ends(second)).toBe(0)
      expect(second.out()).toContain('"status":"captured"')
    },
    40_000,
  )
})
