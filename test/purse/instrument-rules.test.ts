import { describe, expect, it } from 'vitest'
import { checkBudget } from '../../src/actions/agent/read.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { recover } from '../../src/actions/recover.ts'
import { instrumentView } from '../../src/actions/views.ts'
import { balances, buy, makeCard } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { eventsOf, MINUTE, openPurse, ruleOf } from './desk.ts'

async function carded(terms: Partial<RequestInput> = {}) {
  const purse = await openPurse()
  const card = await makeCard(purse, { usage_limit: undefined, constraints: {}, ...terms })
  const at = (payee: object, amount = '10.00') => buy(purse, card, amount, { payee })
  return { purse, card, at, view: () => instrumentView(purse.bursar, card.instrument_id) }
}

describe('security: a card for some categories', () => {
  it.each([
    [['software'], '5734'],
    [['software'], 'software'],
    [['5734'], 'computer software stores'],
    [['SOFTWARE '], 'Software'],
    [['airlines', 'software'], '5734'],
  ])('named %j pays the category %j', async (merchant_categories, merchant_category) => {
    const { at } = await carded({ constraints: { merchant_categories } })
    expect((await at({ name: 'Acme', merchant_category })).status).toBe('captured')
  })

  it('pays no other', async () => {
    const { at } = await carded({ constraints: { merchant_categories: ['software'] } })
    expect((await at({ name: 'Acme', merchant_category: '7995' })).refusal).toMatchInlineSnapshot(`
      {
        "code": "merchant_category_not_allowed",
        "hint": "This instrument does not pay this kind of merchant. Say what the merchant really is, never another; ask your user.",
        "message": "Merchant category 7995 is not one the instrument allows.",
        "rule": "instrument.constraints.merchant_categories",
      }
    `)
  })

  it('pays nobody whose category is not known', async () => {
    const { at } = await carded({ constraints: { merchant_categories: ['software'] } })
    expect((await at({ name: 'Acme' })).refusal).toMatchInlineSnapshot(`
      {
        "code": "merchant_category_not_allowed",
        "hint": "This instrument does not pay this kind of merchant. Say what the merchant really is, never another; ask your user.",
        "message": "The instrument is limited to some merchant categories, and the payee has none. Say payee.merchant_category.",
        "rule": "instrument.constraints.merchant_categories",
      }
    `)
  })

  it('is declined by the issuer when the merchant was relabeled, and nothing is taken', async () => {
    const { purse, at, view } = await carded({ constraints: { merchant_categories: ['software'] } })
    const paid = await at({ name: 'Bursar Test: Casino', merchant_category: '5734' })
    expect(paid.status).toBe('voided')
    expect(paid.refusal).toMatchInlineSnapshot(`
      {
        "code": "rail_declined",
        "hint": "It was declined, and no money moved. Do not retry with other details; tell your user.",
        "message": "The card issuer declined the payment: merchant_category_blocked.",
        "rule": "issuer.merchant_category_blocked",
      }
    `)
    expect(await view()).toMatchObject({ remaining_amount: '300.00', usage_consumed: 0 })
    await expectBooksToAgree(purse)
  })
})

describe('security: a card for some payees', () => {
  const constraints = { payees: ['Acme Software', 'Größe GmbH'] }
  it.each([
    'Acme Software',
    'ACME  SOFTWARE',
    ' acme software ',
    'Ａｃｍｅ Software',
    'GRÖSSE GMBH'.replace('SS', 'ß'),
    'Gro\u0308ße GmbH',
  ])('pays %j', async (name) => {
    const { at } = await carded({ constraints })
    expect((await at({ name })).status).toBe('captured')
  })

  it.each(['Acme', 'Acme Software Inc', 'Ac\u200bme Software', 'Асme Software', 'Acme-Software', '.*'])(
    'does not pay %j',
    async (name) => {
      const { at } = await carded({ constraints })
      expect(ruleOf(await at({ name }))).toEqual(['refused', 'payee_not_allowed', 'instrument.constraints.payees'])
    },
  )

  it('says no more than that', async () => {
    const { at } = await carded({ constraints })
    expect((await at({ name: 'Mallory' })).refusal).toMatchInlineSnapshot(`
      {
        "code": "payee_not_allowed",
        "hint": "This instrument does not pay this payee. Do not rename the payee; ask your user.",
        "message": "The payee is not one the instrument allows.",
        "rule": "instrument.constraints.payees",
      }
    `)
  })
})

describe('security: a card for some countries', () => {
  const constraints = { countries: ['us', 'DE'] }
  it('pays them', async () => {
    const { at } = await carded({ constraints })
    expect((await at({ name: 'Acme', country: 'US' })).status).toBe('captured')
    expect((await at({ name: 'Acme', country: 'de' })).status).toBe('captured')
  })

  it('pays no other, and nobody whose country is not known', async () => {
    const { at } = await carded({ constraints })
    expect((await at({ name: 'Acme', country: 'JP' })).refusal).toMatchInlineSnapshot(`
      {
        "code": "country_not_allowed",
        "hint": "This instrument does not pay merchants in this country. Ask your user.",
        "message": "The country JP is not one the instrument allows.",
        "rule": "instrument.constraints.countries",
      }
    `)
    expect((await at({ name: 'Acme' })).refusal).toMatchInlineSnapshot(`
      {
        "code": "country_not_allowed",
        "hint": "This instrument does not pay merchants in this country. Ask your user.",
        "message": "The instrument is limited to some countries, and the payee has none. Say payee.country.",
        "rule": "instrument.constraints.countries",
      }
    `)
  })
})

describe('security: a card for a way, an address or a network that cards do not have', () => {
  it('pays nothing by another protocol', async () => {
    const { at } = await carded({ constraints: { protocols: ['x402'] } })
    const paid = await at({ name: 'Acme' })
    expect(ruleOf(paid)).toEqual(['refused', 'protocol_not_allowed', 'instrument.constraints.protocols'])
  })

  it.each([{ addresses: ['eip155:1:0xabc'] }, { networks: ['eip155:8453'] }, { origins: ['https://acme.example'] }])(
    '%j is not to be had: nobody could hold it to that',
    async (constraints) => {
      await expect(carded({ constraints })).rejects.toMatchObject({ code: 'argument_invalid' })
    },
  )
})

describe('security: a card with a number of uses', () => {
  it('pays three times and no fourth', async () => {
    const { purse, card, view } = await carded({ usage_limit: 3 })
    for (let n = 0; n < 3; n++) expect((await buy(purse, card, '10.00')).status).toBe('captured')
    expect(await view()).toMatchObject({ status: 'limit_reached', usage_consumed: 3, remaining_amount: '270.00' })
    expect((await buy(purse, card, '10.00')).refusal).toMatchInlineSnapshot(`
      {
        "code": "usage_limit_reached",
        "hint": "All uses are spent. If another payment is needed, ask with request_instrument.",
        "message": "All 3 uses are taken.",
        "rule": "instrument.usage_limit",
      }
    `)
    expect((await checkBudget(purse.bursar, purse.caller)).instruments).toEqual([])
    expect(
      (await eventsOf(purse, card.instrument_id)).filter((type) => type === 'instrument.limit_reached'),
    ).toHaveLength(1)
    await expectBooksToAgree(purse)
  })

  it('is not ended by a last use that the rail declined', async () => {
    const { purse, card, at, view } = await carded({ usage_limit: 2 })
    await buy(purse, card, '10.00')
    expect((await at({ name: 'Bursar Test: Decline do_not_honor' })).status).toBe('voided')
    expect(await view()).toMatchObject({ status: 'active', usage_consumed: 1, remaining_amount: '290.00' })
    expect((await buy(purse, card, '10.00')).status).toBe('captured')
    expect((await view()).status).toBe('limit_reached')
  })

  it('is not ended while a use may yet come back', async () => {
    const { purse, card, at, view } = await carded({ usage_limit: 2 })
    expect((await at({ name: 'Bursar Test: Reversal' })).status).toBe('authorized')
    expect((await buy(purse, card, '10.00')).status).toBe('captured')
    expect(await view()).toMatchObject({ status: 'active', usage_consumed: 2 })
    expect(ruleOf(await buy(purse, card, '1.00'))).toEqual(['refused', 'usage_limit_reached', 'instrument.usage_limit'])
    purse.time.now += MINUTE
    await recover(purse.bursar)
    expect(await view()).toMatchObject({ status: 'active', usage_consumed: 1 })
    expect((await buy(purse, card, '10.00')).status).toBe('captured')
    expect((await view()).status).toBe('limit_reached')
    await expectBooksToAgree(purse)
  })

  it('is used once by many calls at once', async () => {
    const { purse, card } = await carded({ usage_limit: 1 })
    const many = await Promise.all(Array.from({ length: 12 }, () => buy(purse, card, '10.00')))
    expect(many.filter(({ status }) => status === 'captured')).toHaveLength(1)
    expect(await balances(purse)).toMatchObject({ held: 0n, external: -(100_000n + 9_900_000n - 1_000n) })
  })
})
