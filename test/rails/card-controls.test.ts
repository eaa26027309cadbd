import { describe, expect, test } from 'vitest'
import type { PaymentTerms, ProvisionTerms } from '../../src/ports.ts'
import type { DeclineCode } from '../../src/rails/card/issuer.ts'
import { type Bench, bench, DAY_MS, MINUTE_MS, PLACES, testMerchant } from './card-fixture.ts'

type Made = Awaited<ReturnType<Bench['card']>>

interface Case {
  readonly name: string
  readonly card?: Partial<ProvisionTerms>
  /** What passes on the same card, so that the decline has one cause only. */
  readonly passes?: Partial<PaymentTerms>
  readonly after?: (bench: Bench, card: Made) => Promise<void> | void
  readonly pays?: Partial<PaymentTerms>
  readonly code: DeclineCode
}

const cases: readonly Case[] = [
  {
    name: 'an amount over its life',
    card: { amount: 5000n },
    passes: { amount: 4900n },
    pays: { amount: 101n },
    code: 'spending_controls',
  },
  {
    name: 'an amount over the most per payment',
    card: { perPaymentMax: 5000n },
    passes: { amount: 5000n },
    pays: { amount: 5001n },
    code: 'spending_controls',
  },
  { name: 'one payment more than its count', card: { usageLimit: 1 }, passes: {}, code: 'payment_count_exceeded' },
  {
    name: 'a merchant category outside its own controls',
    card: { constraints: { merchantCategories: ['5734'] } },
    passes: {},
    pays: { payee: { name: 'Lucky', category: '7995' } },
    code: 'merchant_category_blocked',
  },
  {
    name: 'a casino that the agent calls software',
    card: { constraints: { merchantCategories: ['5734'] } },
    passes: {},
    pays: { payee: { name: '  bursar test:  CASINO', category: '5734', country: 'US' } },
    code: 'merchant_category_blocked',
  },
  {
    name: 'a merchant without a category when categories are controlled',
    card: { constraints: { merchantCategories: ['5734'] } },
    pays: { payee: { name: 'Somebody' } },
    code: 'merchant_category_blocked',
  },
  {
    name: 'everything when no category is allowed',
    card: { constraints: { merchantCategories: [] } },
    code: 'merchant_category_blocked',
  },
  {
    name: 'a country outside its own controls, whatever the agent says of it',
    card: { constraints: { countries: ['US'] } },
    passes: {},
    pays: { payee: { name: 'Bursar Test: Overseas Shop', country: 'US' } },
    code: 'merchant_country_blocked',
  },
  {
    name: 'a merchant of unknown country when countries are controlled',
    card: { constraints: { countries: ['US'] } },
    pays: { payee: { name: 'Somebody' } },
    code: 'merchant_country_blocked',
  },
  {
    name: 'a merchant outside its own controls',
    card: { constraints: { payees: ['notion'] } },
    passes: {},
    pays: { payee: { name: 'Notion Labs' } },
    code: 'merchant_blocked',
  },
  { name: 'another currency', passes: {}, pays: { currency: 'EUR' }, code: 'invalid_currency' },
  {
    name: 'a frozen card',
    passes: {},
    after: ({ rail }, { railRef }) => rail.setStatus(railRef, 'frozen'),
    code: 'card_inactive',
  },
  {
    name: 'a closed card',
    passes: {},
    after: ({ rail }, { railRef }) => rail.setStatus(railRef, 'closed'),
    code: 'card_canceled',
  },
  {
    name: 'an expired card, by its own clock',
    passes: {},
    after: ({ clock }) => {
      clock.ms += 30 * DAY_MS
    },
    code: 'card_expired',
  },
  {
    name: 'a payment that comes too late',
    pays: { validUntil: Date.UTC(2026, 10, 21) - 1 },
    code: 'authorization_expired',
  },
  { name: 'an unknown card', pays: { railRef: 'sandbox_card_none' }, code: 'invalid_card' },
  { name: 'the card of another instrument', pays: { instrumentId: 'inst_other' }, code: 'invalid_card' },
]

describe.each(PLACES)('card controls in $name', ({ places }) => {
  const newPlace = places()

  test.each(cases)('security: declines $name', async ({ card: terms, passes, after, pays, code }) => {
    const at = await bench(await newPlace())
    const card = await at.card(terms)
    if (passes) expect(await at.pay(card, passes)).toMatchObject({ state: 'closed', captured: passes.amount ?? 4900n })
    await after?.(at, card)
    const record = await at.pay(card, pays)
    expect(record).toMatchObject({ state: 'declined', declineCode: code, authorized: 0n, captured: 0n, refunded: 0n })
  })

  test('begins a payment at the very moment until which it is valid', async () => {
    const at = await bench(await newPlace())
    expect(await at.pay(await at.card(), { validUntil: at.clock.now() })).toMatchObject({ state: 'closed' })
  })

  test('pays again after it is active again, and never after it was closed', async () => {
    const at = await bench(await newPlace())
    const card = await at.card()
    await at.rail.setStatus(card.railRef, 'frozen')
    await at.rail.setStatus(card.railRef, 'active')
    expect(await at.pay(card)).toMatchObject({ state: 'closed' })
    await at.rail.setStatus(card.railRef, 'closed')
    await at.rail.setStatus(card.railRef, 'frozen')
    await expect(at.rail.setStatus(card.railRef, 'active')).rejects.toThrow('closed for good')
    await expect(at.rail.setStatus('none', 'frozen')).rejects.toThrow('no card')
    expect(await at.pay(card)).toMatchObject({ declineCode: 'card_canceled' })
  })

  test('a declined and a wholly reversed payment use nothing up, a refunded one stays used', async () => {
    const at = await bench(await newPlace())
    const card = await at.card({ usageLimit: 1, amount: 4900n })
    await at.pay(card, { amount: 5000n })
    await at.pay(card, testMerchant('Reversal'))
    expect(await at.pay(card)).toMatchObject({ declineCode: 'spending_controls' })
    at.clock.ms += MINUTE_MS
    expect(await at.pay(card, { paymentId: 'pay_used' })).toMatchObject({ captured: 4900n })
    await at.rail.refund('pay_used', 'ref_1', 4900n)
    expect(await at.pay(card, { amount: 1n })).toMatchObject({ state: 'declined' })
  })

  test('gives an unused remainder back to the card, and counts what was forced', async () => {
    const at = await bench(await newPlace())
    const card = await at.card({ amount: 10_000n })
    await at.pay(card, { ...testMerchant('Partial Capture'), amount: 10_000n })
    expect(await at.pay(card, { amount: 6001n })).toMatchObject({ declineCode: 'spending_controls' })
    await at.pay(card, { paymentId: 'pay_tipped', amount: 5000n })
    await at.network.forcePost('pay_tipped', 'tip', 900n)
    expect(await at.pay(card, { amount: 101n })).toMatchObject({ declineCode: 'spending_controls' })
    expect(await at.pay(card, { amount: 100n })).toMatchObject({ captured: 100n })
  })

  test('a payment that is forced after it was reversed counts as one', async () => {
    const at = await bench(await newPlace())
    const card = await at.card({ usageLimit: 1 })
    await at.pay(card, { paymentId: 'pay_back', ...testMerchant('Never Captured') })
    await at.network.reverse('pay_back', 'm1', 4900n)
    await at.network.forcePost('pay_back', 'm2', 4900n)
    expect(await at.pay(card)).toMatchObject({ declineCode: 'payment_count_exceeded' })
  })
})
