import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { recover } from '../../src/actions/recover.ts'
import { leafHash } from '../../src/core/merkle.ts'
import { verifyProof } from '../../src/core/proof.ts'
import { journalNoteKey } from '../../src/store/shared/journals.ts'
import { journalKeyFile } from '../../src/vault/keys.ts'
import { bursar, ENTRY, emptyHome, environment, OWNER, PASSPHRASE, type Ran } from '../cli/fixture.ts'
import { basic } from '../support/http.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { type Served, startServer } from '../support/served.ts'
import { openNode } from './node-open.ts'
import { problemsOf } from './node-purse.ts'

const API = '/api/v1/agent-payments'
const PURCHASES = 24

let database: TestDatabase
let template: string

/** The first node's home, whose keys all others have. */
beforeAll(async () => {
  database = await testDatabase()
  template = emptyHome()
  const { code, stderr } = await bursar(template, ['init', '--name', 'owner'], { ...OWNER, ...reaching() })
  expect([code, stderr]).toEqual([0, expect.anything()])
  return () => database.drop()
})

const reaching = () => ({ BURSAR_DATABASE_URL: database.url })

function newHome(): string {
  const home = emptyHome()
  cpSync(template, home, { recursive: true })
  return home
}

async function serve(home: string): Promise<Served> {
  const args = [ENTRY, 'serve', '--listen', '127.0.0.1:0']
  const served = await startServer(args, environment(home, { BURSAR_LOG: 'error', ...reaching() }))
  onTestFinished(() => void served.process.kill('SIGKILL'))
  return served
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
type Body = any

/** One call of the REST API: by the agent's key, or by the owner. */
async function call(
  served: Served,
  method: string,
  path: string,
  key: string | null,
  body?: Record<string, unknown>,
): Promise<Body> {
  const authorization = key === null ? basic('owner', PASSPHRASE) : { authorization: `Bearer ${key}` }
  const idempotent = body && 'payee' in body ? { 'idempotency-key': String(body.purpose) } : {}
  const response = await fetch(`${served.origin}${API}${path}`, {
    method,
    headers: { ...authorization, ...idempotent, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Body
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer
}

async function host(served: Served, key: string): Promise<Client> {
  const client = new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  const requestInit = { headers: { authorization: `Bearer ${key}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${served.origin}/mcp`), { requestInit }))
  onTestFinished(() => client.close().catch(() => undefined))
  return client
}

async function tool(client: Client, name: string, args: Record<string, unknown>): Promise<Body> {
  return (await client.callTool({ name, arguments: args })).structuredContent
}

const CARD = { type: 'virtual_card', amount: '300.00', currency: 'USD', expires_in: '30d', purpose: 'Tools' }
const buying = (instrument_id: string, purpose: string) => ({
  ...{ instrument_id, amount: '0.50', payee: { name: 'Shop', merchant_category: '5734' }, purpose },
})

let agents = 0

/** An agent that was added through this node, with its key. */
async function addAgent(served: Served): Promise<string> {
  agents += 1
  const scopes = ['bursar:read', 'bursar:request', 'bursar:pay']
  return (await call(served, 'POST', '/agents', null, { name: `agent-${agents}`, scopes })).key
}

async function approvedCard(asked: Served, approved: Served, key: string): Promise<string> {
  const request = await call(asked, 'POST', '/requests', key, { ...CARD, purpose: `Tools ${agents}` })
  const { instrument } = await call(approved, 'POST', `/requests/${request.request_id}/approve`, null, {})
  return instrument.instrument_id
}

describe('two nodes of bursar serve on one database', () => {
  test('are one: what is asked on one is approved on the other, paid on either, and heard and proven on both', async () => {
    const [a, b] = await Promise.all([serve(newHome()), serve(newHome())])
    const key = await addAgent(a)
    const [onA, onB] = [await host(a, key), await host(b, key)]
    const asked = await tool(onA, 'request_instrument', CARD)
    expect(asked.status).toBe('pending')
    const { instrument } = await call(b, 'POST', `/requests/${asked.request_id}/approve`, null, {})
    const id = instrument.instrument_id as string
    // At once, without waiting for any notice.
    expect((await tool(onA, 'check_budget', {})).instruments).toMatchObject([{ instrument_id: id }])
    const heard: string[] = []
    onA.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri))
    await onA.listen({ resourceSubscriptions: [`bursar://instruments/${id}`] })
    const paid = await tool(onB, 'pay_with_instrument', buying(id, 'On B'))
    expect(paid.status).toBe('captured')
    await vi.waitFor(() => expect(heard).toContain(`bursar://instruments/${id}`), { timeout: 20_000, interval: 10 })
    const again = await tool(onA, 'pay_with_instrument', buying(id, 'On B'))
    expect([again.payment_id, again.replayed]).toEqual([paid.payment_id, true])
    for (const [payer, reader] of [
      [onA, onB],
      [onB, onA],
    ] as const)
      for (let n = 0; n < 5; n++) {
        const { payment_id, status } = await tool(
          payer,
          'pay_with_instrument',
          buying(id, `${agents} ${n} ${payer === onA}`),
        )
        expect([status, (await tool(reader, 'get_payment', { payment_id })).status]).toEqual(['captured', 'captured'])
      }
    const { proof, event, vkey } = await call(a, 'GET', `/payments/${paid.payment_id}/proof`, null)
    const noteKey = journalNoteKey(Buffer.from(journalKeyFile(join(template, 'journal.key')).publicKey, 'base64'))
    expect(vkey).toBe(noteKey.vkey)
    const log = { origin: `${noteKey.name}/${JSON.parse(event).wallet_id}`, keys: [noteKey] }
    expect(verifyProof(proof, leafHash(event), log).size).toBeGreaterThan(0)
  })

  test('security: when one is killed while it pays, the other has what was told, and pays nothing twice', async () => {
    const [a, b] = await Promise.all([serve(newHome()), serve(newHome())])
    const key = await addAgent(b)
    const card = await approvedCard(a, b, key)
    const told = new Map<string, string>()
    const purposes = Array.from({ length: PURCHASES }, (_, n) => `Order-${n}`)
    const killed = new Promise<void>((resolve) => {
      for (const purpose of purposes)
        void call(a, 'POST', '/payments', key, buying(card, purpose)).then(
          ({ payment_id }) => {
            told.set(purpose, payment_id)
            if (told.size === 3) a.process.kill('SIGKILL')
          },
          () => resolve(),
        )
      void a.ended.then(() => resolve())
    })
    await killed
    await a.ended
    expect(told.size).toBeGreaterThanOrEqual(3)
    const node = await openNode(template, database.url)
    onTestFinished(() => node.close())
    for (const purpose of purposes) {
      const first = await call(b, 'POST', '/payments', key, buying(card, purpose))
      if (told.has(purpose)) expect(first.payment_id).toBe(told.get(purpose))
      expect(['captured', 'authorized', 'in_doubt']).toContain(first.status)
    }
    await recover(node.bursar)
    const { payments } = await call(b, 'GET', '/payments?limit=100', key)
    expect(payments.map(({ status, purpose }: Body) => [purpose, status]).toSorted()).toEqual(
      purposes.map((purpose) => [purpose, 'captured']).toSorted(),
    )
    expect(await problemsOf(node, database.adminUrl, template)).toEqual([])
  })

  test('security: a node with another journal key does not start', async () => {
    const home = newHome()
    rmSync(join(home, 'journal.key'))
    const more = { ...OWNER, ...reaching() }
    const ran: Ran = await bursar(home, ['serve', '--listen', '127.0.0.1:0'], more)
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('config_invalid')
  })
})
