import pg from 'pg'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Attempts } from '../../src/store/postgres/attempts.ts'
import { testDatabase } from '../support/postgres.ts'
import { cent, makePostgresPurse, makeWallet, type PostgresPurse, problemsOf } from './store-purse.ts'

async function wallets(purse: PostgresPurse, count: number): Promise<string[]> {
  const made: string[] = []
  for (let n = 0; n < count; n++) made.push((await makeWallet(purse, `w${n}`)).walletId)
  return made
}

/** A session that has the locks of these wallets until it commits. */
async function holderOf(url: string, walletIds: readonly string[]): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN')
  await client.query('SELECT 1 FROM bursar.heads WHERE journal = ANY ($1) FOR NO KEY UPDATE', [walletIds])
  return client
}

describe('wallets that others have for long', () => {
  it('are not tried again after their time, whoever they waited behind', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const ids = await wallets(purse, 2)
    const store = await purse.node({ connections: 1 })
    const holder = await holderOf(url, ids)
    const make = vi.spyOn(Attempts.prototype, 'make')
    const now = performance.now.bind(performance)
    let later = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + later)
    onTestFinished(() => {
      make.mockRestore()
      clock.mockRestore()
    })
    const both = Promise.allSettled(ids.map((id) => cent(store, purse, id)))
    await vi.waitFor(() => expect(make.mock.calls.some(([, locked]) => locked)).toBe(true), { timeout: 30_000 })
    // By now the other one waits for its turn.
    await new Promise((resolve) => setTimeout(resolve, 200))
    later = 60_000
    const tried = make.mock.calls.length
    await holder.query('COMMIT')
    await holder.end()
    const results = await both
    const late = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
    expect(late.map(({ reason }) => reason.code)).toEqual(['busy'])
    expect(make.mock.calls.length).toBe(tried)
  })

  it('are left to themselves when all of their waits together are long, though none is', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const ids = await wallets(purse, 14)
    const store = await purse.node({ connections: 1 })
    const holders: pg.Client[] = []
    for (const id of ids) holders.push(await holderOf(url, [id]))
    const make = vi.spyOn(Attempts.prototype, 'make')
    onTestFinished(() => make.mockRestore())
    const all = Promise.all(ids.map((id) => cent(store, purse, id)))
    const watcher = new pg.Client({ connectionString: url })
    await watcher.connect()
    const waiting =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
    while ((await watcher.query(waiting)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await watcher.end()
    for (const holder of holders) {
      await new Promise((resolve) => setTimeout(resolve, 120))
      await holder.query('COMMIT')
      await holder.end()
    }
    await all
    expect(make.mock.calls[0]?.[0]).toHaveLength(ids.length)
    expect(await make.mock.results[0]?.value).toEqual({ kind: 'again', locked: true })
    expect(await problemsOf(purse)).toEqual([])
  })
})
