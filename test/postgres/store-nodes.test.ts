import { describe, expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { bouncer, testWithBouncer } from '../support/postgres-bouncer.ts'
import { cluster } from '../support/postgres-cluster.ts'
import { SHOP } from '../support/purse.ts'
import { availableOf, cent, makeCardOf, makePostgresPurse, problemsOf } from './store-purse.ts'

describe('behind a PgBouncer in transaction mode', () => {
  testWithBouncer('steps, readers and duties work as they do without', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse((await bouncer(url)).url)
    const card = await makeCardOf(purse, purse.caller)
    const input = { instrument_id: card.instrument_id, amount: '20.00', payee: SHOP, purpose: 'one' }
    expect((await pay(purse.bursar, purse.caller, input)).status).toBe('captured')
    await Promise.all(Array.from({ length: 40 }, () => cent(purse.store, purse)))
    const lead = purse.store.nodes.lead('watch')
    while (!lead.isHeld()) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await problemsOf(purse)).toEqual([])
  })
})

describe('a primary that fails', () => {
  it('loses nothing that was answered, and nothing is written twice', async () => {
    const servers = await cluster()
    const { url } = await servers.database()
    const purse = await makePostgresPurse(url)
    const before = await availableOf(purse)
    let done = 0
    let stop = false
    const working = Promise.all(
      [1, 2, 3].map(async () => {
        while (!stop) {
          await cent(purse.store, purse)
          done += 1
        }
      }),
    )
    const enough = async (count: number): Promise<void> => {
      while (done < count) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await enough(20)
    await servers.killPrimary()
    await servers.promote()
    await enough(done + 20)
    stop = true
    await working
    expect(await availableOf(purse)).toBe(before + BigInt(done))
    expect(await problemsOf(purse)).toEqual([])
  })
})

describe('a decision costs the same after any history', () => {
  it('takes and writes its rows by keys and indexes alone', async () => {
    const { url, adminUrl } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const card = await makeCardOf(purse, purse.caller)
    const input = { instrument_id: card.instrument_id, amount: '20.00', payee: SHOP, purpose: 'one' }
    const paid = await pay(purse.bursar, purse.caller, input)
    const [request] = await purse.store.read.list('requests', {})
    const { agentId } = purse.caller
    const spender = { agent: agentId, session: 'x', payee: 'x', origin: null, category: null, protocol: 'x' }
    const times = { denied_since: 0, taken_back_since: 0 }
    const windows = { hour: 'x', day: 'x', week: 'x', month: 'x' }
    const keys = [
      { payment: paid.payment_id, windows, chain_max: 4 },
      { request: request!.id, credential: 'x', minting: 1, passkey: 'x', code: 'x', chain_max: 4 },
      {
        instrument: card.instrument_id,
        spender,
        windows,
        same: { agent: agentId, fingerprint: 'x', key: null, since: 0 },
      },
      { agent: agentId, same: { agent: agentId, fingerprint: 'x', key: 'x', since: 0, began: 1, bought_since: 0 } },
      { agent: agentId, asking: { agent: agentId, fingerprint: 'x', ...times } },
      { agent: agentId, asking: { agent: agentId, wallet: purse.walletId, payee: 'x', amount: '1', ...times } },
      {
        wallet: purse.walletId,
        relayer: 'x',
        nonce: 1,
        today: 'x',
        deposit: { tx_hash: 'x', position: 0 },
        spender,
        shape: 'x',
      },
      { limit: 'x', chain_max: 4 },
    ]
    const walked = await asked(adminUrl, async (client) => {
      await client.query('BEGIN')
      await client.query('SELECT bursar.lock($1, $2)', [JSON.stringify(keys), '{}'])
      for (const key of keys) await client.query('SELECT bursar.snapshot($1)', [JSON.stringify(key)])
      const { rows } = await client.query(
        "SELECT relname FROM pg_stat_xact_user_tables WHERE schemaname = 'bursar' AND seq_scan > 0",
      )
      return rows.map(({ relname }) => relname)
    })
    // One row.
    expect(walked).toEqual(['instance'])
  })
})
