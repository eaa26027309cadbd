import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { Audit } from '../support/audit.ts'
import { booksOf, type Disk, issuerOf, openDisk, wideWallet } from '../support/disk.ts'
import { sqliteBooks } from '../support/store.ts'

const SERVERS = 8
const SCALE = Number(process.env.BURSAR_RACE_SCALE ?? 1)
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

const home = mkdtempSync(join(tmpdir(), 'bursar-servers-'))
const times: string[] = []
let clients: Client[] = []
let disk: Disk

interface Paid {
  readonly status: string
  readonly code: string | undefined
  readonly id: string | undefined
  readonly ms: number
}

async function connect(n: number): Promise<Client> {
  const transport = new StdioClientTransport({
    ...{ command: process.execPath, args: [MAIN, 'mcp'], stderr: 'ignore' },
    env: { PATH: process.env.PATH ?? '', BURSAR_HOME: home, BURSAR_SESSION: `server-${n}` },
  })
  const client = new Client({ name: `host ${n}`, version: '1' })
  await client.connect(transport)
  return client
}

beforeAll(async () => {
  clients = await Promise.all(Array.from({ length: SERVERS }, (_, n) => connect(n)))
  disk = await openDisk(home)
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await disk?.close()
  rmSync(home, { recursive: true, force: true })
  process.stdout.write(`${times.join('\n')}\n`)
})

let purchases = 0

async function pay(client: Client, instrument_id: string, amount: string, more: object = {}): Promise<Paid> {
  purchases += 1
  const input = {
    instrument_id,
    amount,
    payee: { name: 'Shop', merchant_category: '5734' },
    purpose: `Purchase ${purchases}`,
    ...more,
  }
  const from = performance.now()
  const { structuredContent } = await client.callTool({ name: 'pay_with_instrument', arguments: input })
  const { status, refusal, payment_id } = structuredContent as {
    status: string
    refusal?: { code: string }
    payment_id?: string
  }
  return { status, code: refusal?.code, id: payment_id, ms: performance.now() - from }
}

/** All servers at once, each with all its calls in flight. */
async function race(
  name: string,
  calls: number,
  call: (client: Client) => Promise<Paid>,
): Promise<(what: string) => number> {
  const all = await Promise.all(clients.flatMap((client) => Array.from({ length: calls }, () => call(client))))
  times.push(
    `${name}: ${all.length} calls over ${SERVERS} servers, slowest ${Math.max(...all.map(({ ms }) => ms)).toFixed(0)} ms`,
  )
  return (what) => all.filter(({ status, code }) => (code ?? status) === what).length
}

async function card(currency: string, amount: string, more: object = {}): Promise<string> {
  const { bursar, agentId, authority } = disk
  const terms = { type: 'virtual_card', amount, currency, expires_in: '1d', purpose: 'a race', ...more }
  const { request_id } = await requestInstrument(bursar, { agentId, sessionId: 'parent', credentialId: null }, terms)
  const proof = hostProof(authority.ownerId, (await question(bursar, request_id)).digest, 'race')
  return ((await approve(bursar, request_id, proof, {})) as RequestView).instrument!.instrument_id
}

async function whole(): Promise<void> {
  await recover(disk.bursar)
  const audit = new Audit(disk.bursar.store.read, disk.publicKey, sqliteBooks(booksOf(home)), issuerOf(home))
  expect(await audit.problems(true)).toEqual([])
  await audit.close()
  expect((await verifyStore(disk.bursar, journalNoteKey(disk.publicKey))).problems).toEqual([])
}

describe.sequential(`security: ${SERVERS} servers on one home`, () => {
  test('all start at once in an empty home, which one of them makes', async () => {
    expect(disk.created).toBe(false)
    expect((await disk.bursar.store.read.list('wallets', {})).map(({ name }) => name)).toEqual(['sandbox'])
  })

  test('spend one instrument and one use count exactly, over hundreds of calls in flight', async () => {
    await wideWallet(disk, 'EUR', '100000.00')
    const calls = 25 * SCALE
    const one = await card('EUR', '70.00')
    const amounts = await race('one instrument', calls, (client) => pay(client, one, '0.70'))
    expect([amounts('captured'), amounts('amount_exceeds_remaining') + amounts('usage_limit_reached')]).toEqual([
      100,
      SERVERS * calls - 100,
    ])
    const uses = await card('EUR', '70.00', { usage_limit: 37 })
    const counts = await race('one use count', calls, (client) => pay(client, uses, '0.01'))
    expect([counts('captured'), counts('usage_limit_reached')]).toEqual([37, SERVERS * calls - 37])
    await whole()
  })

  test('reach one day limit exactly, and make one payment of one purchase', async () => {
    const wallet = await wideWallet(disk, 'SEK', '100000.00')
    const one = await card('SEK', '90000.00')
    const limit = { scope: 'wallet', window: 'day', max_amount: '40.00', over: 'deny' }
    await setLimit(disk.bursar, disk.authority, wallet, limit)
    const days = await race('one day limit', 15 * SCALE, (client) => pay(client, one, '0.70'))
    expect([days('captured'), days('limit_exceeded')]).toEqual([57, SERVERS * 15 * SCALE - 57])
    const same = await race('one purchase', 5, (client) => pay(client, one, '0.05', { purpose: 'the same' }))
    expect(same('captured') + same('authorized')).toBe(SERVERS * 5)
    expect(await disk.bursar.store.read.list('payments', { instrumentId: one, amount: 5n })).toHaveLength(1)
    await whole()
  })
})
