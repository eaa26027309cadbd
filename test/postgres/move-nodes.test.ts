import { expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { move } from '../../src/store/move/index.ts'
import { SHOP } from '../support/purse.ts'
import { emptyDatabase, keyOf, newFile, problemsOf, purseOn, side } from './move-purse.ts'
import { makeCardOf, makePostgresPurse } from './store-purse.ts'

const NODES = 3
/** More than any of them gets to before the purse is moved. */
const PAYMENTS_MAX = 300

it('a purse that is moved out of PostgreSQL while its nodes pay has what they acknowledged', async () => {
  const from = await emptyDatabase()
  const purse = await makePostgresPurse(from)
  const card = await makeCardOf(purse, purse.caller, { usage_limit: undefined })
  const stores = [purse.store, await purse.node(), await purse.node()].slice(0, NODES)
  const told: { payment_id: string; status: string }[] = []
  let paid = 0
  const codes: unknown[] = []
  const working = stores.map(async (store, n) => {
    for (let i = 0; i < PAYMENTS_MAX; i++) {
      const input = { instrument_id: card.instrument_id, amount: '0.01', payee: SHOP, purpose: `${n} ${i}` }
      try {
        told.push(await pay({ ...purse.bursar, store }, purse.caller, input))
        if (i === 0) paid += 1
      } catch (error) {
        codes.push((error as { code?: unknown }).code)
        return
      }
    }
  })
  await expect.poll(() => paid, { timeout: 30_000 }).toBe(NODES)
  const to = newFile()
  await move({ source: await side(from), target: await side(to), key: keyOf(purse) })
  await Promise.all(working)
  expect(codes).toEqual(stores.map(() => 'config_invalid'))
  const there = await purseOn({ ...purse, path: to }, to)
  const kept = await there.bursar.store.read.list('payments', {})
  const byId = new Map(kept.map(({ id, status }) => [id, status]))
  expect(told.filter(({ payment_id, status }) => byId.get(payment_id) !== status)).toEqual([])
  expect(kept.map(({ id }) => id)).toEqual((await purse.store.read.list('payments', {})).map(({ id }) => id))
  expect(await problemsOf(there)).toEqual([])
}, 120_000)
