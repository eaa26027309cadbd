import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Rail } from '../../src/ports.ts'
import { luhnSum } from '../../src/rails/card/sandbox/pan.ts'
import { ask, bench, cardTerms, MINUTE_MS, PLACES, paymentTerms, testMerchant } from './card-fixture.ts'

async function allChanges(rail: Rail, cursor: string | null) {
  const found = []
  for (;;) {
    const page = await rail.changes(cursor)
    if (page.records.length === 0) return { found, cursor }
    found.push(...page.records)
    cursor = page.cursor
  }
}

describe.each(PLACES)('the card rail on a network in $name', ({ places }) => {
  const newPlace = places()

  describe('provision', () => {
    test('makes one card for an instrument, however often and at once it is asked', async () => {
      const at = await bench(await newPlace())
      const terms = cardTerms(at.clock)
      const made = await Promise.all(Array.from({ length: 20 }, () => at.rail.provision(terms)))
      expect(new Set(made.map(({ railRef }) => railRef)).size).toBe(1)
      expect(made[0]?.display).toMatch(/^•••• \d{4}$/)
      expect(made[0]?.railRef).toMatch(/^sandbox_card_/)
    })

    test('throws when the same instrument is provisioned otherwise', async () => {
      const at = await bench(await newPlace())
      const terms = cardTerms(at.clock)
      await at.rail.provision(terms)
      await expect(at.rail.provision({ ...terms, amount: terms.amount + 1n })).rejects.toThrow('ordered otherwise')
    })
  })

  describe('pay', () => {
    test('security: fifty calls at once with one payment id pay once', async () => {
      const at = await bench(await newPlace())
      const terms = paymentTerms(at.clock, await at.card())
      const records = await Promise.all(Array.from({ length: 50 }, () => at.rail.pay(terms)))
      expect(new Set(records.map((record) => inspect(record))).size).toBe(1)
      expect(await ask(at.place, 'SELECT spent, payments FROM cards')).toEqual([{ spent: 4900, payments: 1 }])
    })

    test('security: fifty payments at once never go over the card', async () => {
      const at = await bench(await newPlace())
      const card = await at.card({ amount: 49_000n })
      const records = await Promise.all(Array.from({ length: 50 }, () => at.pay(card)))
      expect(records.filter(({ state }) => state === 'closed')).toHaveLength(10)
    })

    test('throws on an id that was used for other terms, and changes nothing', async () => {
      const at = await bench(await newPlace())
      const card = await at.card()
      const terms = paymentTerms(at.clock, card)
      const first = await at.rail.pay(terms)
      const other = await at.card()
      const others = [
        { amount: 4901n },
        { currency: 'EUR' },
        { payee: { name: 'Other' } },
        { railRef: other.railRef },
        { instrumentId: 'inst_other' },
        { validUntil: terms.validUntil + 1 },
      ]
      for (const changed of others) await expect(at.rail.pay({ ...terms, ...changed })).rejects.toThrow('other terms')
      expect(await at.rail.pay(terms)).toEqual(first)
    })

    test('an answer does not change once it was declined, even when the card would allow it now', async () => {
      const at = await bench(await newPlace())
      const card = await at.card()
      const terms = paymentTerms(at.clock, card)
      await at.rail.setStatus(card.railRef, 'frozen')
      const first = await at.rail.pay(terms)
      await at.rail.setStatus(card.railRef, 'active')
      expect(await at.rail.pay(terms)).toEqual(first)
    })

    test('refuses a payment of nothing as a bug', async () => {
      const at = await bench(await newPlace())
      await expect(at.pay(await at.card(), { amount: 0n })).rejects.toThrow('no amount')
    })

    test('keeps exact amounts that a double cannot', async () => {
      const at = await bench(await newPlace())
      const amount = 999_999_999_999_999n
      expect(await at.pay(await at.card({ amount }), { amount })).toMatchObject({
        authorized: amount,
        captured: amount,
      })
    })
  })

  describe('refund', () => {
    test('counts once by its id, never over what was captured', async () => {
      const at = await bench(await newPlace())
      const card = await at.card()
      const { paymentId } = paymentTerms(at.clock, card)
      await at.pay(card, { paymentId })
      expect(await at.rail.refund(paymentId, 'ref_1', 1900n)).toMatchObject({ captured: 4900n, refunded: 1900n })
      const again = await Promise.all(Array.from({ length: 10 }, () => at.rail.refund(paymentId, 'ref_1', 1900n)))
      expect(again.every(({ refunded }) => refunded === 1900n)).toBe(true)
      await expect(at.rail.refund(paymentId, 'ref_1', 1901n)).rejects.toThrow('other content')
      await expect(at.rail.refund(paymentId, 'ref_2', 3001n)).rejects.toThrow('does not allow')
      expect(await at.rail.refund(paymentId, 'ref_3', 3000n)).toMatchObject({ state: 'closed', refunded: 4900n })
    })

    test('throws for a payment that is not known, is declined, or took nothing', async () => {
      const at = await bench(await newPlace())
      const card = await at.card()
      await at.pay(card, { paymentId: 'pay_no', currency: 'EUR' })
      await at.pay(card, { paymentId: 'pay_open', ...testMerchant('Never Captured') })
      for (const paymentId of ['pay_none', 'pay_no', 'pay_open'])
        await expect(at.rail.refund(paymentId, 'ref', 1n)).rejects.toThrow()
    })
  })

  describe("the merchant's side", () => {
    test('captures and reverses within the hold, forces beyond it, each message once', async () => {
      const at = await bench(await newPlace())
      await at.pay(await at.card(), { paymentId: 'pay_m', amount: 10_000n, ...testMerchant('Never Captured') })
      const totals = async () => {
        const found = await at.issuer.retrieveAuthorization('pay_m')
        return [found?.status, found?.captured, found?.refunded]
      }
      for (const _ of [1, 2]) await at.network.capture('pay_m', 'm1', 3000n, false)
      expect(await totals()).toEqual(['pending', 3000n, 0n])
      for (const _ of [1, 2]) await at.network.reverse('pay_m', 'm2', 2000n)
      await expect(at.network.capture('pay_m', 'm3', 5001n, false)).rejects.toThrow('does not allow')
      await expect(at.network.reverse('pay_m', 'm3', 5001n)).rejects.toThrow('does not allow')
      await at.network.capture('pay_m', 'm4', 4000n, true)
      expect(await totals()).toEqual(['closed', 7000n, 0n])
      await expect(at.network.capture('pay_m', 'm5', 1n, false)).rejects.toThrow('does not allow')
      for (const _ of [1, 2]) await at.network.forcePost('pay_m', 'm6', 4000n)
      await at.network.refund('pay_m', 'script_expiry', 1n)
      expect(await totals()).toEqual(['closed', 11_000n, 1n])
      for (const amount of [0n, -1n]) await expect(at.network.forcePost('pay_m', 'm7', amount)).rejects.toThrow()
    })

    test('a message on its way is dropped when the payment ended before', async () => {
      const at = await bench(await newPlace())
      await at.pay(await at.card(), { paymentId: 'pay_d', ...testMerchant('Delayed Capture') })
      await at.network.reverse('pay_d', 'm1', 4900n)
      at.clock.ms += 30 * MINUTE_MS
      expect(await at.issuer.retrieveAuthorization('pay_d')).toMatchObject({ status: 'reversed', captured: 0n })
    })
  })

  describe('changes', () => {
    test('gives each change after the cursor once, in order, also those that came due', async () => {
      const at = await bench(await newPlace())
      const card = await at.card()
      await at.pay(card, { paymentId: 'pay_a', ...testMerchant('Delayed Capture') })
      await at.pay(card, { paymentId: 'pay_b' })
      const first = await at.rail.changes(null)
      expect(first.records.map(({ paymentId }) => paymentId)).toEqual(['pay_a', 'pay_b'])
      expect(await at.rail.changes(first.cursor)).toEqual({ records: [], cursor: first.cursor })
      at.clock.ms += MINUTE_MS
      const second = await at.rail.changes(first.cursor)
      expect(second.records).toMatchObject([{ paymentId: 'pay_a', record: { state: 'closed', captured: 4900n } }])
      await expect(at.rail.changes('7')).rejects.toThrow('cursor')
    })

    test('misses none among more than fit on a page, and none when the file was replaced by another', async () => {
      const at = await bench(await newPlace())
      const card = await at.card({ amount: 1_000_000n })
      await Promise.all(
        Array.from({ length: 510 }, () => at.pay(card, { amount: 10n, ...testMerchant('Delayed Capture') })),
      )
      const before = await allChanges(at.rail, null)
      expect(new Set(before.found.map(({ paymentId }) => paymentId)).size).toBe(510)
      at.clock.ms += MINUTE_MS
      const after = await allChanges(at.rail, before.cursor)
      expect(after.found.filter(({ record }) => record.captured === 10n)).toHaveLength(510)
      const other = await bench(await newPlace())
      await other.pay(await other.card())
      expect((await other.rail.changes(after.cursor)).records).toHaveLength(1)
    })
  })

  test('security: the card number is valid, and appears in no answer and no error', async () => {
    const at = await bench(await newPlace())
    const seen: unknown[] = []
    const note = async (work: Promise<unknown>) => void seen.push(await work.catch((error: unknown) => error))
    const terms = cardTerms(at.clock)
    await note(at.rail.provision(terms))
    await note(at.rail.provision({ ...terms, amount: 1n }))
    const card = { ...(await at.rail.provision(terms)), instrumentId: terms.instrumentId }
    seen.push(card)
    for (const name of ['Software Shop', 'Lost Reply', 'Decline do_not_honor']) {
      const payment = paymentTerms(at.clock, card, testMerchant(name))
      for (const said of [payment, payment, { ...payment, amount: 1n }]) await note(at.rail.pay(said))
      await note(at.rail.refund(payment.paymentId, 'ref', 5000n))
      await note(at.issuer.retrieveAuthorization(payment.paymentId))
    }
    await note(at.rail.changes(null))
    await note(at.rail.setStatus(card.railRef, 'closed'))
    await note(at.rail.setStatus(card.railRef, 'active'))
    const [{ pan }] = (await ask(at.place, 'SELECT pan FROM cards')) as [{ pan: string }]
    expect(pan).toMatch(/^400000\d{10}$/)
    expect(luhnSum(pan) % 10).toBe(0)
    expect(luhnSum('4242424242424242') % 10).toBe(0)
    expect(card.display).toContain(pan.slice(-4))
    const shown = inspect(seen, { depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null })
    expect(shown).toContain('do_not_honor')
    expect(shown.replace(/\D/g, '')).not.toContain(pan.slice(0, 12))
    expect(shown).not.toContain(pan)
  })
})
