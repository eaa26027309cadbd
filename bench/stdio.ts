import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Figure } from './measure.ts'
import { perSecond, perSecondOf, progress, ratioOf } from './measure.ts'
import { makePurse, temporaryFolder } from './purse.ts'

const ROUNDS = 9
const CALLS = 1_000
const PAYMENTS = 400
const IN_FLIGHT = 32
const SETTLE_MS = 1_500

/** The root of the package: this runs from dist/. */
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const BARE = [join(ROOT, 'bench', 'bare-server.mjs')]
const BURSAR = [join(ROOT, 'dist', 'main.js'), 'mcp']
const SHOP = { name: 'Acme Software', merchant_category: '5734', country: 'US' }

interface Server {
  readonly client: Client
  readonly pid: number
}

export async function checkBudget(): Promise<Figure> {
  progress('tools/call check_budget over stdio')
  const { folder } = await filledHome()
  const answer = join(folder, 'answer.json')
  const bursar = await connected(BURSAR, folder)
  await writeFile(answer, JSON.stringify(await bursar.client.callTool({ name: 'check_budget', arguments: {} })))
  const bare = await connected(BARE, folder)
  const same = await connected(BARE, folder, { BENCH_ANSWER: answer })
  const millisecondsOf = (server: Server, name: string) => async () =>
    1000 / (await perSecond(CALLS, () => answered(server, name, {})))
  const ratio = await ratioOf(ROUNDS, millisecondsOf(bursar, 'check_budget'), millisecondsOf(bare, 'answer'), 'ms')
  const alike = await ratioOf(ROUNDS, millisecondsOf(bursar, 'check_budget'), millisecondsOf(same, 'answer'), 'ms')
  await Promise.all([bursar, bare, same].map(({ client }) => client.close()))
  return {
    name: 'tools/call check_budget over stdio',
    against: 'time of a bare one-tool server on the same SDK, which answers with a word',
    ratio,
    target: '<= 1.5',
    note: `${alike.toFixed(2)} where it gives the same answer of ${Math.round((await stat(answer)).size / 1000)} kB`,
  }
}

export async function payments(): Promise<Figure> {
  progress('pay_with_instrument over stdio')
  const { folder, instrumentId } = await filledHome()
  const server = await connected(BURSAR, folder)
  let paid = 0
  const pay = () =>
    answered(server, 'pay_with_instrument', {
      instrument_id: instrumentId,
      amount: '1.00',
      payee: SHOP,
      purpose: `Purchase ${paid++}`,
    })
  const ratio = await ratioOf(
    ROUNDS,
    () => perSecondOf(IN_FLIGHT, 2 * PAYMENTS, pay),
    () => perSecond(PAYMENTS, pay),
  )
  await server.client.close()
  return {
    name: `pay_with_instrument over stdio, durable, ${IN_FLIGHT} in flight`,
    against: 'rate of one after the other',
    ratio,
    target: '>= 2.5',
  }
}

export async function start(): Promise<Figure> {
  progress('start: spawn to initialize answered')
  const { folder } = await filledHome()
  const ratio = await ratioOf(
    2 * ROUNDS,
    () => startMs(BURSAR, folder),
    () => startMs(BARE, folder),
    'ms',
  )
  return {
    name: 'start: spawn to initialize answered, warm disk',
    against: 'time of that bare server, unbundled',
    ratio,
    target: '<= 1.3',
  }
}

export async function memory(): Promise<Figure> {
  progress('memory, idle')
  const { folder } = await filledHome()
  const ratio = await ratioOf(
    ROUNDS,
    () => idleMegabytes(BURSAR, folder),
    () => idleMegabytes(BARE, folder),
    'MB',
  )
  return {
    name: 'memory, idle stdio',
    against: 'resident set of that bare server',
    ratio,
    target: '<= 1.6',
  }
}

/** A home with plenty of money and one card, as an owner would have left it. */
async function filledHome(): Promise<{ readonly folder: string; readonly instrumentId: string }> {
  const folder = await temporaryFolder()
  const purse = await makePurse(folder)
  await purse.close()
  return { folder, instrumentId: purse.instrumentId }
}

function environment(folder: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', BURSAR_HOME: folder, BURSAR_LOG: 'error' }
}

async function connected(args: readonly string[], folder: string, more: Record<string, string> = {}): Promise<Server> {
  const env = { ...environment(folder), ...more }
  const transport = new StdioClientTransport({ command: process.execPath, args: [...args], env })
  const client = new Client({ name: 'bench', version: '1.0.0' })
  await client.connect(transport)
  return { client, pid: transport.pid ?? 0 }
}

async function answered({ client }: Server, name: string, args: Record<string, unknown>): Promise<void> {
  const { isError, structuredContent } = await client.callTool({ name, arguments: args })
  const status = (structuredContent as { status?: string } | undefined)?.status ?? 'captured'
  if (isError || status !== 'captured') throw new Error(`A measured call of ${name} failed: ${status}.`)
}

/** By hand, so that no client library is part of what is measured. */
async function startMs(args: readonly string[], folder: string): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, args, { env: environment(folder), stdio: ['pipe', 'pipe', 'inherit'] })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } }
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
  await once(child.stdout, 'data')
  const took = performance.now() - began
  child.stdin.end()
  await once(child, 'exit')
  return took
}

/** After a client connected, listed the tools, and left it alone for a while. */
async function idleMegabytes(args: readonly string[], folder: string): Promise<number> {
  const { client, pid } = await connected(args, folder)
  await client.listTools()
  await sleep(SETTLE_MS)
  const [, kilobytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  await client.close()
  return Number(kilobytes) / 1024
}
