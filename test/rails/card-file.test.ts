import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  ask,
  type Bench,
  bench,
  MINUTE_MS,
  newPath,
  PLACES,
  type Place,
  paymentTerms,
  raw,
  TestClock,
  testMerchant,
} from './card-fixture.ts'

describe.each(PLACES)('the books in $name', ({ places }) => {
  const newPlace = places()

  test('keeps everything over a restart', async () => {
    const clock = new TestClock()
    const before = await bench(await newPlace(), clock)
    const card = await before.card({ usageLimit: 2 })
    const terms = paymentTerms(clock, card, testMerchant('Multiple Captures'))
    await before.rail.pay(terms)
    const { cursor } = await before.rail.changes(null)
    await before.close()
    clock.ms += 2 * MINUTE_MS
    const later = await bench(before.place, clock)
    expect((await later.rail.changes(cursor)).records).toMatchObject([
      { paymentId: terms.paymentId, record: { captured: 4900n } },
    ])
    expect(await later.pay(card)).toMatchObject({ state: 'closed' })
    expect(await later.pay(card)).toMatchObject({ declineCode: 'payment_count_exceeded' })
  })

  test('security: refuses wrong books whoever writes them', async () => {
    const at = await bench(await newPlace())
    await at.pay(await at.card(), { paymentId: 'pay_w' })
    const wrong = [
      'captured = 4901',
      'refunded = 4901',
      'released = 1',
      "status = 'declined'",
      'card_id = NULL',
      'captured = 1.5',
    ]
    for (const set of wrong)
      await expect(ask(at.place, `UPDATE authorizations SET ${set}`), set).rejects.toThrow(/constraint|cannot store/)
  })
})

describe('the file', () => {
  const file = (): Place => ({ path: newPath(), database: null })
  const pathOf = ({ place }: Bench) => place.path!

  test('waits for a busy file without blocking, and is open to this user alone', async () => {
    const at = await bench(file())
    const card = await at.card()
    const other = raw(pathOf(at))
    other.exec('BEGIN IMMEDIATE')
    const paying = at.pay(card)
    while (at.waits.length < 20) await new Promise(setImmediate)
    other.exec('COMMIT')
    expect(await paying).toMatchObject({ state: 'closed' })
    expect(Math.max(...at.waits)).toBeLessThan(30)
    expect(statSync(pathOf(at)).mode & 0o777).toBe(0o600)
  })

  test('gives up on a file that stays busy, having changed nothing', async () => {
    const at = await bench(file())
    const card = await at.card()
    const other = raw(pathOf(at))
    other.exec('BEGIN IMMEDIATE')
    await expect(at.pay(card)).rejects.toThrow('locked')
    other.exec('COMMIT')
    expect((await at.rail.changes(null)).records).toEqual([])
  })

  test('refuses a newer schema, and a file of another program, and leaves both alone', async () => {
    const at = await bench(file())
    await at.close()
    const newer = raw(pathOf(at))
    newer.pragma('user_version = 2')
    await expect(bench(at.place)).rejects.toThrow('newer bursar')
    const path = newPath()
    const foreign = raw(path)
    foreign.exec('CREATE TABLE notes (text TEXT)')
    await expect(bench({ path, database: null })).rejects.toThrow('not a sandbox')
    expect(foreign.pragma('journal_mode', { simple: true })).toBe('delete')
  })
})
