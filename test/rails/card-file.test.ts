import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bench, MINUTE_MS, newPath, paymentTerms, raw, TestClock, testMerchant } from './card-fixture.ts'

describe('the file', () => {
  test('keeps everything over a restart', async () => {
    const clock = new TestClock()
    const before = await bench(newPath(), clock)
    const card = await before.card({ usageLimit: 2 })
    const terms = paymentTerms(clock, card, testMerchant('Multiple Captures'))
    await before.rail.pay(terms)
    const { cursor } = await before.rail.changes(null)
    before.close()
    clock.ms += 2 * MINUTE_MS
    const later = await bench(before.path, clock)
    expect((await later.rail.changes(cursor)).records).toMatchObject([
      { paymentId: terms.paymentId, record: { captured: 4900n } },
    ])
    expect(await later.pay(card)).toMatchObject({ state: 'closed' })
    expect(await later.pay(card)).toMatchObject({ declineCode: 'payment_count_exceeded' })
  })

  test('waits for a busy file without blocking, and is open to this user alone', async () => {
    const at = await bench()
    const card = await at.card()
    const other = raw(at.path)
    other.exec('BEGIN IMMEDIATE')
    const paying = at.pay(card)
    while (at.waits.length < 20) await new Promise(setImmediate)
    other.exec('COMMIT')
    expect(await paying).toMatchObject({ state: 'closed' })
    expect(Math.max(...at.waits)).toBeLessThan(30)
    expect(statSync(at.path).mode & 0o777).toBe(0o600)
  })

  test('gives up on a file that stays busy, having changed nothing', async () => {
    const at = await bench()
    const card = await at.card()
    const other = raw(at.path)
    other.exec('BEGIN IMMEDIATE')
    await expect(at.pay(card)).rejects.toThrow('locked')
    other.exec('COMMIT')
    expect((await at.rail.changes(null)).records).toEqual([])
  })

  test('refuses a newer schema, and a file of another program, and leaves both alone', async () => {
    const at = await bench()
    at.close()
    const newer = raw(at.path)
    newer.pragma('user_version = 2')
    await expect(bench(at.path)).rejects.toThrow('newer bursar')
    const path = newPath()
    const foreign = raw(path)
    foreign.exec('CREATE TABLE notes (text TEXT)')
    await expect(bench(path)).rejects.toThrow('not a sandbox')
    expect(foreign.pragma('journal_mode', { simple: true })).toBe('delete')
  })

  test('security: refuses wrong books whoever writes them', async () => {
    const at = await bench()
    await at.pay(await at.card(), { paymentId: 'pay_w' })
    const db = raw(at.path)
    const wrong = [
      'captured = 4901',
      'refunded = 4901',
      'released = 1',
      "status = 'declined'",
      'card_id = NULL',
      'captured = 1.5',
    ]
    for (const set of wrong)
      expect(() => db.exec(`UPDATE authorizations SET ${set}`), set).toThrow(/constraint|cannot store/)
  })
})
