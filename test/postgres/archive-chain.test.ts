import { expect, it } from 'vitest'
import { seedChain } from '../store/seed-chain.ts'
import { seedPurchases } from '../store/seed-purchases.ts'
import { collected } from '../support/collected.ts'
import type { Purse } from '../support/purse.ts'
import { makeOldPurse, month } from './archive-purse.ts'

const WHOLE = { ok: true, complete: true, archived: 0, problems: [] }

it('payments on a chain and purchases are archived once their transfers are final', async () => {
  const purse = await makeOldPurse()
  purse.time.now = month(0)
  const chain = await seedChain(purse as unknown as Purse)
  const bought = await seedPurchases(chain)
  purse.time.now = month(3)
  expect(await purse.verify()).toMatchObject(WHOLE)
  const archived = await purse.archive()
  expect(await purse.verify()).toMatchObject({ ok: true, complete: false, archived: archived.cleared })
  expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
  const events = await collected(purse.store.read.events(chain.walletId))
  const there = new Set(events.flatMap(({ body }) => (body === null ? [] : [String(JSON.parse(body).payment_id)])))
  const { read } = purse.store
  for (const id of [...Object.values(chain.ids), ...Object.values(bought)].filter((one) => one.startsWith('pay_'))) {
    const { status } = (await read.one('payments', { id }))!
    const transfer = await read.one('transfers', { paymentId: id })
    const isOpen = ['awaiting_approval', 'authorized', 'in_doubt'].includes(status) || transfer?.status === 'open'
    expect([id, status, there.has(id)]).toEqual([id, status, isOpen])
  }
  expect(there.has(chain.ids.signed!)).toBe(true)
  expect((await read.one('payments', { id: chain.ids.moved! }))!.status).toBe('captured')
})
