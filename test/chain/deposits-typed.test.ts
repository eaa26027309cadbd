import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fund } from '../../src/actions/owner/fund.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { ON_POSTGRES } from '../support/store.ts'
import { makeScene } from './scene.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

describe('security: money on a chain is not typed in', () => {
  it('by its owner', async () => {
    const { purse } = await makeScene(chain)
    const typed = fund(purse.bursar, purse.authority, purse.wallet.id, '1.00')
    await expect(typed).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  // What PostgreSQL's tables refuse is in test/store/wall.test.ts.
  it.skipIf(ON_POSTGRES)('into the tables', async () => {
    const { purse } = await makeScene(chain)
    const db = new Database(purse.path)
    const insert = (seq: number | bigint, n: number, amount: bigint) => () =>
      db
        .prepare(
          `INSERT INTO entries (journal, seq, n, wallet_id, payment_id, kind, debit, credit, amount)
           VALUES (?, ?, ?, ?, NULL, 'fund', 'external', 'available', ?)`,
        )
        .run(purse.wallet.id, seq, n, purse.wallet.id, amount)
    const [deposit] = await purse.bursar.store.read.list('deposits', { walletId: purse.wallet.id })
    const comes = 'money on a chain comes from a deposit'
    expect(insert(9999, 0, 1n)).toThrow(comes)
    expect(insert(deposit!.seq, 7, 1000n * UNIT + 1n)).toThrow(comes)
    // A deposit is credited once: a second time it is nobody's.
    expect(insert(deposit!.seq, 7, 1000n * UNIT)).toThrow(comes)
    expect(() => db.prepare('UPDATE deposits SET amount = amount + 1').run()).toThrow('never changed')
    expect(() => db.prepare('DELETE FROM deposits').run()).toThrow('never deleted')
    db.close()
  })
})
