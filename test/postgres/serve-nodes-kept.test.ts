import { cpSync } from 'node:fs'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bursar, ENTRY, emptyHome, environment, OWNER, PASSPHRASE } from '../cli/fixture.ts'
import { basic } from '../support/http.ts'
import { asked, type TestDatabase, testDatabase } from '../support/postgres.ts'
import { type Served, startServer } from '../support/served.ts'

const API = '/api/v1/agent-payments'
const FUND = { amount: '10.00' }

let database: TestDatabase
let template: string

beforeAll(async () => {
  database = await testDatabase()
  template = emptyHome()
  const { code, stderr } = await bursar(template, ['init', '--name', 'owner'], { ...OWNER, ...reaching() })
  expect([code, stderr]).toEqual([0, expect.anything()])
  return () => database.drop()
})

const reaching = () => ({ BURSAR_DATABASE_URL: database.url })

async function serve(): Promise<Served> {
  const home = emptyHome()
  cpSync(template, home, { recursive: true })
  const args = [ENTRY, 'serve', '--listen', '127.0.0.1:0']
  const served = await startServer(args, environment(home, { BURSAR_LOG: 'error', ...reaching() }))
  onTestFinished(() => void served.process.kill('SIGKILL'))
  return served
}

interface Got {
  readonly status: number
  readonly replayed: boolean
  readonly location: string | null
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  readonly body: any
}

/** A POST of the owner. */
async function post({ origin }: Served, path: string, key: string, body: object): Promise<Got> {
  const response = await fetch(`${origin}${API}${path}`, {
    method: 'POST',
    headers: { ...basic('owner', PASSPHRASE), 'idempotency-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { status, headers } = response
  const replayed = headers.get('idempotency-replayed') === 'true'
  return { status, replayed, location: headers.get('location'), body: await response.json() }
}

/** The one wallet, and what it has in cents as the database says. */
async function wallet(): Promise<{ id: string; available: number }> {
  const { rows } = await asked(database.adminUrl, (client) =>
    client.query('SELECT wallet_id AS id, available::int AS available FROM bursar.accounts'),
  )
  return rows[0]
}

/** As whoever retries while the first call is worked on does. */
async function patiently(work: () => Promise<Got>): Promise<Got> {
  for (;;) {
    const got = await work()
    if (got.status !== 409) return got
    expect(got.body.code).toBe('busy')
  }
}

describe('security: what the owner asks with one Idempotency-Key of several nodes', () => {
  test('is done once and answered the same: at once, one after the other, and after a restart', async () => {
    const [a, b] = await Promise.all([serve(), serve()])
    const before = await wallet()
    const fund = (at: Served, key: string) => patiently(() => post(at, `/wallets/${before.id}/fund`, key, FUND))
    const both = await Promise.all([fund(a, 'k1'), fund(b, 'k1')])
    expect(both.map(({ replayed }) => replayed).toSorted()).toEqual([false, true])
    const [first] = both
    for (const at of [a, b]) expect(await fund(at, 'k1')).toEqual({ ...first, replayed: true })
    const ended = [a, b].map(async (at) => {
      at.process.kill('SIGTERM')
      await at.ended
    })
    await Promise.all(ended)
    const c = await serve()
    expect(await fund(c, 'k1')).toEqual({ ...first, replayed: true })
    const other = await post(c, `/wallets/${before.id}/fund`, 'k1', { amount: '11.00' })
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_conflict'])
    expect((await wallet()).available).toBe(before.available + 1_000)
    await fund(c, 'k2')
    expect((await wallet()).available).toBe(before.available + 2_000)
  })

  test('is not done again where a node was killed while it did it, and nobody knows', async () => {
    const [a, b] = await Promise.all([serve(), serve()])
    const before = await wallet()
    const path = `/wallets/${before.id}/fund`
    await asked(database.adminUrl, async (client) => {
      await client.query('BEGIN')
      await client.query('SELECT FROM bursar.heads WHERE journal = $1 FOR UPDATE', [before.id])
      const lost = post(a, path, 'k3', FUND).catch(() => null)
      const isClaimed = async () => {
        const { rows } = await asked(database.adminUrl, (other) =>
          other.query("SELECT FROM bursar.kept_calls WHERE key = 'k3'"),
        )
        return rows.length === 1
      }
      await expect.poll(isClaimed, { timeout: 20_000 }).toBe(true)
      a.process.kill('SIGKILL')
      expect(await lost).toBe(null)
      await client.query('ROLLBACK')
    })
    const busy = await post(b, path, 'k3', FUND)
    expect([busy.status, busy.body.code]).toEqual([409, 'busy'])
    // As once its time is over.
    await asked(database.adminUrl, (client) =>
      client.query("UPDATE bursar.kept_calls SET busy_until = 0 WHERE key = 'k3'"),
    )
    const unknown = await post(b, path, 'k3', FUND)
    expect([unknown.status, unknown.body.code]).toEqual([503, 'outcome_unknown'])
    expect((await wallet()).available).toBe(before.available)
    expect((await post(b, path, 'k4', FUND)).status).toBe(200)
    expect((await wallet()).available).toBe(before.available + 1_000)
  })

  test('and answered with a key is in no database: the node that made it gives it again, another says what to do', async () => {
    const [a, b] = await Promise.all([serve(), serve()])
    const agent = { name: 'shopper', scopes: ['bursar:read'] }
    const made = await post(a, '/agents', 'k5', agent)
    expect([made.status, made.body.key]).toEqual([201, expect.stringMatching(/^bak_/)])
    expect(await post(a, '/agents', 'k5', agent)).toEqual({ ...made, replayed: true })
    const there = await post(b, '/agents', 'k5', agent)
    expect([there.status, there.body.code, there.body.detail]).toEqual([
      409,
      'wrong_state',
      expect.stringMatching(/Revoke/),
    ])
    const dump = await asked(database.adminUrl, async (client) => {
      const { rows } = await client.query('SELECT row_to_json(k)::text AS row FROM bursar.kept_calls k')
      return rows.map(({ row }) => row).join('\n')
    })
    expect(dump).toContain('k5')
    expect(dump).not.toContain(made.body.key)
  })
})
