import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { getPayment, listPayments as listOwn } from '../../src/actions/agent/read.ts'
import { pageOfPayments } from '../../src/actions/lists.ts'
import { freezeAll, unfreezeAll } from '../../src/actions/owner/freeze.ts'
import { listPayments, showPayment } from '../../src/actions/owner/inspect.ts'
import { provePayment } from '../../src/actions/owner/journal.ts'
import type { Caller, PaymentView } from '../../src/actions/wire.ts'
import type { Bursar, Reader } from '../../src/ports.ts'
import { bundled, Child } from '../support/children.ts'
import { collected } from '../support/collected.ts'
import { buy, type Purse, SHOP } from '../support/purse.ts'
import { bodiless, makeOldPurse, month, type OldPurse, refuseThree, rowsOf } from './archive-purse.ts'
import { makeCardOf } from './store-purse.ts'

const REFUSED = { status: 'refused' }
const WHOLE = { ok: true, complete: true, archived: 0, problems: [] }

/** An old purse where three payments were refused in each of these months, and a card that lasts. */
async function makeRefusing(months: readonly number[]) {
  const purse = await makeOldPurse()
  purse.time.now = month(0)
  const card = await makeCardOf(purse, purse.caller, { expires_in: '365d', per_payment_max: undefined })
  const refused: (readonly string[])[] = []
  for (const n of months) {
    purse.time.now = month(n)
    refused.push(await refuseThree(purse, card))
  }
  purse.time.now = month(3)
  return { purse, card, refused }
}

const tableOf = async (purse: OldPurse, table: 'payments' | 'purchases' | 'texts') =>
  table === 'texts' ? collected(purse.store.read.texts()) : collected(purse.store.read.all(table))

describe('refused payments', () => {
  it('leave with their month, and with what they were to buy; all else stays', async () => {
    const { purse, refused } = await makeRefusing([0, 1, 2, 3])
    const ids = refused.flat()
    const texts = await tableOf(purse, 'texts')
    expect([await rowsOf(purse, ids), (await tableOf(purse, 'purchases')).length]).toEqual([ids, 4])
    expect(await purse.archive()).toMatchObject({ refused_payments: 6 })
    expect(await rowsOf(purse, ids)).toEqual(refused.slice(2).flat())
    expect(await tableOf(purse, 'purchases')).toHaveLength(2)
    const paid = purse.paid.map(({ payment_id }) => payment_id)
    expect([await rowsOf(purse, paid), await tableOf(purse, 'texts')]).toEqual([paid, texts])
    expect(await purse.verify()).toMatchObject({ ok: true, complete: false, problems: [] })
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    expect(await purse.store.read.altered()).toEqual([])
    expect(await purse.archive()).toMatchObject({ cleared: 0, refused_payments: 0 })
    purse.time.now = month(4)
    expect(await purse.archive('2026-06')).toMatchObject({ refused_payments: 3 })
    expect(await rowsOf(purse, ids)).toEqual(refused.at(-1))
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
  })

  it('are in the file, whole', async () => {
    const { purse, refused } = await makeRefusing([0])
    await purse.archive()
    const text = readFileSync(join(purse.out, 'bursar-2026-03.jsonl'), 'utf8')
    for (const id of refused.flat()) {
      const lines = text.split('\n').filter((line) => line.includes(`"payment_id":"${id}"`))
      expect(lines.map((line) => JSON.parse(line).event.type)).toEqual(['payment.attempted', 'payment.refused'])
    }
  })

  it('are decided on anew by the same call, before and after; one that was captured is the same payment still', async () => {
    const { purse, card } = await makeRefusing([])
    const { bursar, caller, authority, time } = purse
    const input = (idempotency_key: string) => ({
      ...{ instrument_id: card.instrument_id, amount: '7.00', payee: SHOP, purpose: 'The same', idempotency_key },
    })
    time.now = month(0)
    const captured = await pay(bursar, caller, { ...input('captured'), amount: '8.00' })
    await freezeAll(bursar, authority)
    const refused = await pay(bursar, caller, input('refused'))
    const again = await pay(bursar, caller, input('refused'))
    await unfreezeAll(bursar, authority)
    time.now = month(3)
    expect([captured.status, refused.status, again.status]).toEqual(['captured', 'refused', 'refused'])
    expect(again.payment_id).not.toBe(refused.payment_id)
    expect((await purse.archive()).refused_payments).toBe(2)
    const same = await pay(bursar, caller, { ...input('captured'), amount: '8.00' })
    expect([same.payment_id, same.replayed]).toEqual([captured.payment_id, true])
    const other = await pay(bursar, caller, { ...input('captured'), amount: '9.00' })
    expect(other.refusal?.code).toBe('idempotency_conflict')
    const anew = await pay(bursar, caller, input('refused'))
    expect([anew.status, anew.replayed]).toEqual(['captured', undefined])
    expect([refused.payment_id, again.payment_id]).not.toContain(anew.payment_id)
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
  })

  it('stay while an event of theirs has its body', async () => {
    const { purse, refused } = await makeRefusing([0])
    await purse.archive('2026-03')
    expect(await rowsOf(purse, refused.flat())).toEqual(refused.flat())
    const archive = await purse.store.archive()
    const [over, cardless, unbought] = await Promise.all(
      refused.flat().map(async (id) => (await purse.store.read.one('payments', { id }))!),
    )
    const forget = (journal: string, { id, seq }: { id: string; seq: number }) =>
      archive.forget(journal, [{ paymentId: id, seq }])
    expect(await forget(purse.walletId, over!)).toBe(0)
    const events = await collected(purse.store.read.events(purse.walletId))
    for (const [n, left] of [0, 1].entries()) {
      const seq = over!.seq - left
      expect([n, await archive.clear(purse.walletId, [{ seq, leaf: events[seq]!.leaf }])]).toEqual([n, 1])
      // By the journal and the place that it has, and no other.
      expect(await forget('instance', over!)).toBe(0)
      expect(await forget(purse.walletId, { ...over!, seq: over!.seq - 1 })).toBe(0)
      expect(await forget(purse.walletId, over!)).toBe(left)
    }
    expect(await rowsOf(purse, refused.flat())).toEqual([cardless!.id, unbought!.id])
    expect(await purse.archive()).toMatchObject({ refused_payments: 2 })
  })

  it('leave while agents pay and are refused', async () => {
    const { purse, card, refused } = await makeRefusing([0, 1])
    const free = await makeCardOf(purse, purse.caller, { usage_limit: undefined, per_payment_max: undefined })
    const agent = async () => {
      for (let n = 0; n < 12; n++) {
        expect((await buy(purse as unknown as Purse, free, '1.00')).status).toBe('captured')
        expect((await buy(purse as unknown as Purse, card, '4000.00')).status).toBe('refused')
      }
    }
    const [archived] = await Promise.all([purse.archive('2026-05', 1), agent()])
    expect(archived.refused_payments).toBe(6)
    expect(await rowsOf(purse, refused.flat())).toEqual([])
    expect(
      (await tableOf(purse, 'payments')).filter((row) => 'status' in row && row.status === 'refused'),
    ).toHaveLength(12)
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
  })

  it('that left are not found, with a word on where they are; lists go on', async () => {
    const { purse, refused } = await makeRefusing([0, 3])
    const { bursar, caller, key } = purse
    await purse.archive()
    const [gone, there] = refused.map(([id]) => id!)
    const missed = { code: 'not_found', message: expect.stringContaining('`bursar journal archive`') }
    await expect(showPayment(bursar, gone!)).rejects.toMatchObject(missed)
    await expect(provePayment(bursar, key, gone!)).rejects.toMatchObject(missed)
    const own = { code: 'not_found', message: expect.stringContaining('archived') }
    await expect(getPayment(bursar, caller, gone!)).rejects.toMatchObject(own)
    const ids = (await listPayments(bursar, {})).map(({ payment_id }) => payment_id)
    expect([ids.includes(gone!), ids.includes(there!)]).toEqual([false, true])
    const older = { cursor: gone!, limit: 2 }
    expect(await listPayments(bursar, older)).toHaveLength(2)
    expect((await listOwn(bursar, caller, older)).payments).toHaveLength(2)
    expect((await pageOfPayments(bursar, {}, older)).items).toHaveLength(2)
  })

  it('that leave while they are shown are not found', async () => {
    const { purse, refused } = await makeRefusing([0])
    const late = Object.create(purse.store.read) as Reader
    late.one = async (table, where) => {
      const row = await purse.store.read.one(table, where)
      if (table === 'payments' && row) await purse.archive()
      return row
    }
    const bursar: Bursar = { ...purse.bursar, store: { ...purse.store, read: late } }
    await expect(showPayment(bursar, refused[0]![0]!)).rejects.toMatchObject({ code: 'not_found' })
  })

  it.each<[string, (bursar: Bursar, caller: Caller) => Promise<readonly PaymentView[]>]>([
    ['the owner', (bursar) => listPayments(bursar, REFUSED)],
    ['an agent', async (bursar, caller) => (await listOwn(bursar, caller, REFUSED)).payments],
    ['pages of REST and the console', async (bursar) => (await pageOfPayments(bursar, REFUSED, {})).items],
  ])('that leave while they are listed are not in the list: of %s', async (_whose, list) => {
    const { purse, refused } = await makeRefusing([0, 3])
    const late = Object.create(purse.store.read) as Reader
    let found = 0
    late.list = async (table, where, page) => {
      const rows = await purse.store.read.list(table, where, page)
      found = rows.length
      await purse.archive()
      return rows
    }
    const bursar: Bursar = { ...purse.bursar, store: { ...purse.store, read: late } }
    const ids = (await list(bursar, purse.caller)).map(({ payment_id }) => payment_id)
    expect([found, ids]).toEqual([6, [...refused[1]!].reverse()])
  })
})

describe('an archive that is killed', () => {
  let script = ''
  beforeAll(async () => {
    script = await bundled('test/postgres/archiver.ts')
  })
  afterAll(() => rmSync(dirname(script), { recursive: true, force: true }))

  it.each(['unforgotten', 'forgotten'])('where a refused payment is `%s` verifies, and goes on', async (point) => {
    const { purse, refused } = await makeRefusing([0, 1])
    const { database, out, time, pair, authority } = purse
    const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
    const child = new Child(script, [database.ownerUrl, out, String(time.now), key, authority.ownerId, point])
    await child.ended
    expect([child.process.signalCode, child.lines]).toEqual(['SIGKILL', [point]])
    const [gone, rows] = [await bodiless(purse), await rowsOf(purse, refused.flat())]
    expect([gone > 0, rows.length < 6]).toEqual([true, point === 'forgotten'])
    expect(await purse.verify(out)).toMatchObject(WHOLE)
    expect(await purse.verify()).toMatchObject({ ok: true, complete: false })
    expect(await purse.archive()).toMatchObject({ refused_payments: rows.length })
    expect(await rowsOf(purse, refused.flat())).toEqual([])
    expect(await purse.verify(out)).toMatchObject(WHOLE)
  })
})
