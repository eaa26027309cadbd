import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import type { Bursar, Store } from '../../src/ports.ts'
import { testDatabase } from '../support/postgres.ts'
import { SHOP } from '../support/purse.ts'
import { makeCardOf, makePostgresPurse, makeWallet } from './store-purse.ts'

const PAYMENTS = 40

describe('a payment that asks nobody', () => {
  it('is decided on once, with a credential of which it spends', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const { caller } = await makeWallet(purse, 'payer')
    const card = await makeCardOf(purse, caller, { usage_limit: undefined })
    let steps = 0
    let decided = 0
    const counting: Store['update'] = (key, decide) => {
      steps += 1
      return purse.store.update(key, (snapshot) => {
        decided += 1
        return decide(snapshot)
      })
    }
    const bursar: Bursar = { ...purse.bursar, store: { ...purse.store, update: counting } }
    const input = { instrument_id: card.instrument_id, amount: '1.00', payee: SHOP, purpose: 'once' }
    expect((await pay(bursar, caller, input)).status).toBe('captured')
    expect(steps).toBeGreaterThan(1)
    expect(decided).toBe(steps)
  })

  it('finds what it looks for by the index that has just that, by plans made while there was nothing', async () => {
    const { url, ownerUrl } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const card = await makeCardOf(purse, purse.caller, { amount: '500.00', usage_limit: undefined })
    const buy = (purpose: string) =>
      pay(purse.bursar, purse.caller, { instrument_id: card.instrument_id, amount: '1.00', payee: SHOP, purpose })
    await buy('first')
    const client = new pg.Client({ connectionString: ownerUrl })
    await client.connect()
    for (let n = 0; n < PAYMENTS; n++) expect((await buy(`number ${n}`)).status).toBe('captured')
    const node = await purse.node()
    await purse.close()
    const read = async (): Promise<number> => {
      const { rows } = await client.query(
        `SELECT sum(idx_tup_read)::integer AS rows FROM pg_stat_user_indexes WHERE relid = 'bursar.payments'::regclass`,
      )
      return rows[0].rows
    }
    // What a connection counted is told when it ends.
    let rows = await read()
    for (let before = -1; rows !== before || rows === 0; rows = await read()) {
      before = rows
      await new Promise((resolve) => setTimeout(resolve, 100))
      await client.query('SELECT pg_stat_clear_snapshot()')
    }
    await client.end()
    await node.close()
    expect(rows / PAYMENTS).toBeLessThan(10)
  })
})
