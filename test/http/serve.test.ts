import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bursar, CARD, ENTRY, emptyHome, environment, newHome, OWNER, owner, PASSPHRASE } from '../cli/fixture.ts'

interface Serving {
  readonly child: ChildProcess
  readonly origin: string
  readonly said: () => string
  ended(signal: NodeJS.Signals): Promise<{ code: number | null }>
}

/** `bursar serve` on a free port, once it says where it is. */
async function serving(home: string): Promise<Serving> {
  const child = spawn(process.execPath, [ENTRY, 'serve', '--listen', '127.0.0.1:0'], {
    env: environment(home, OWNER),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  let out = ''
  child.stdout.on('data', (data) => {
    out += data
  })
  const origin = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (data) => {
      said += data
      const [, at] = /bursar serves (http:\/\/localhost:\d+): MCP at \/mcp/.exec(said) ?? []
      if (at) resolve(at)
    })
    child.once('exit', () => reject(new Error(said)))
  })
  return {
    ...{ child, origin, said: () => said },
    async ended(signal) {
      child.kill(signal)
      const [code] = (await once(child, 'exit')) as [number | null]
      expect(out).toBe('')
      return { code }
    },
  }
}

async function host(url: string, key: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' })
  const env = { PATH: process.env.PATH ?? '', HOME: emptyHome(), BURSAR_AGENT_KEY: key }
  const transport = new StdioClientTransport({ command: process.execPath, args: [ENTRY, 'connect', url], env })
  await client.connect(transport)
  onTestFinished(async () => {
    await client.close()
    // It opened nothing, not even a home of its own.
    expect(readdirSync(env.HOME)).toEqual([])
  })
  return client
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
const call = async (client: Client, name: string, args: object): Promise<any> =>
  (await client.callTool({ name, arguments: args as never })).structuredContent

describe('bursar serve', () => {
  it('serves agents by `bursar connect`, owners by REST and command line, and ends when it is told to', async () => {
    const home = await newHome()
    const { origin, ended } = await serving(home)
    const { key } = await owner(home, 'agent', 'add', 'shopper')
    const agent = await host(origin, key)
    const { request_id, approval } = await call(agent, 'request_instrument', CARD)
    expect(approval.url).toBe(`${origin}/console/inbox/${request_id}`)
    const authorization = `Basic ${Buffer.from(`${userInfo().username}:${PASSPHRASE}`).toString('base64')}`
    const approved = await fetch(`${origin}/api/v1/agent-payments/requests/${request_id}/approve`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{}',
    })
    const { instrument } = (await approved.json()) as { instrument: { instrument_id: string } }
    const paid = await call(agent, 'pay_with_instrument', {
      ...{ instrument_id: instrument.instrument_id, amount: '12.00', purpose: 'a book' },
      payee: { name: 'Bursar Test: Software Shop' },
    })
    expect(paid).toMatchObject({ status: 'captured', agent_id: expect.stringMatching(/^agt_/) })
    expect((await fetch(`${origin}/console`, { redirect: 'manual' })).status).toBeLessThan(400)
    expect(await ended('SIGTERM')).toEqual({ code: 0 })
    const events = (await owner(home, 'journal', 'list', '--limit', '1000')) as { type: string; details: object }[]
    const processes = events.filter(({ type }) => type.startsWith('process.'))
    expect(processes.map(({ type, details }) => [type, details])).toEqual(
      expect.arrayContaining([
        ['process.started', expect.objectContaining({ surface: 'serve' })],
        ['process.stopped', { surface: 'serve' }],
      ]),
    )
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'owner.signed_in', details: expect.objectContaining({ channel: 'http' }) }),
    )
    expect((await bursar(home, ['journal', 'verify'])).code).toBe(0)
  })

  it('makes a sandbox in an empty home, as `bursar mcp` does, and ends on SIGINT', async () => {
    const home = emptyHome()
    const { origin, ended, said } = await serving(home)
    expect((await fetch(`${origin}/readyz`)).status).toBe(200)
    expect(said()).toContain('A sandbox was made.')
    expect(await ended('SIGINT')).toEqual({ code: 0 })
  })

  it('security: refuses to be reached by others without TLS, exit 2', async () => {
    const { code, stdout, stderr } = await bursar(emptyHome(), ['serve', '--listen', '0.0.0.0:0'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^config_invalid: .*--tls-cert and --tls-key, or --behind-proxy/)
  })
})

describe('bursar connect', () => {
  it('security: wants a key, and an address that nobody else reads, exit 2', async () => {
    const home = emptyHome()
    const without = await bursar(home, ['connect', 'http://127.0.0.1:1'])
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('BURSAR_AGENT_KEY')])
    const key = { BURSAR_AGENT_KEY: `bak_${'x'.repeat(43)}` }
    const open = await bursar(home, ['connect', 'http://pay.example.com'], key)
    expect([open.code, open.stderr]).toEqual([2, expect.stringMatching(/^config_invalid: .*https/)])
    expect(open.stderr).not.toContain(key.BURSAR_AGENT_KEY)
  })

  it('ends with its host, also where nothing can be reached', async () => {
    const { code } = await bursar(emptyHome(), ['connect', 'http://127.0.0.1:1'], { BURSAR_AGENT_KEY: 'x'.repeat(20) })
    expect(code).toBe(0)
  })
})
