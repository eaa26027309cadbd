import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { categoriesOf, categoryName, categoryOf } from '../../src/core/category.ts'
import { countryOf, fold, merchantOf, payeeKey } from '../../src/core/payee.ts'

describe('a merchant category', () => {
  it.each([
    ['5734', ['5734']],
    [' 7995 ', ['7995']],
    ['gambling', undefined],
    ['software', undefined],
    ['airlines', undefined],
    ['Fast_Food  Restaurants', undefined],
  ])('%j is ISO 18245 codes in rising order', (text, codes) => {
    const found = categoriesOf(text)
    if (codes) expect(found).toEqual(codes)
    expect(found.length).toBeGreaterThan(0)
    expect(found).toEqual([...new Set(found)].toSorted())
    for (const code of found) expect(code).toMatch(/^\d{4}$/)
  })

  it('security: that a payment carries by a name is one that a card for this name allows', () => {
    for (const name of [
      'software',
      'cloud',
      'saas',
      'groceries',
      'restaurants',
      'travel',
      'gambling',
      'airlines',
      'hotels',
    ])
      expect([name, categoriesOf(name).includes(categoryOf(name))]).toEqual([name, true])
  })

  it('security: by a name for software lets no gambling in', () => {
    for (const name of ['software', 'cloud', 'saas', 'groceries', 'travel'])
      expect(categoriesOf(name)).not.toContain('7995')
    expect(categoriesOf('gambling')).toContain('7995')
  })

  it.each([
    '',
    ' ',
    '0',
    '57',
    '573',
    '57340',
    '0000',
    '9999x',
    '５７３４',
    'everything',
    '.*',
    '(',
    'a',
    '__proto__',
    'constructor',
    'x'.repeat(70),
  ])('is not %j', (text) => {
    expect(() => categoriesOf(text)).toThrow('A merchant category is a four-digit MCC')
    expect(() => categoryOf(text)).toThrow('A merchant category is a four-digit MCC')
  })

  it('has a name for people', () => {
    expect(categoryName('5734')).toBe('Computer Software Stores')
    expect(categoryName('0001')).toBe('0001')
  })
})

describe('a payee', () => {
  it('is clean, with one category and country', () => {
    const input = { name: ' Acme\u202e \n Ltd ', merchant_category: 'computer software stores', country: 'us' }
    expect(merchantOf(input)).toEqual({ name: 'Acme Ltd', category: '5734', country: 'US' })
  })

  it.each([{}, { name: '' }, { name: '\u200b \u3164' }, { country: 'US' }, { merchant_category: '5734' }])(
    'is not %j, which names nobody',
    (input) => {
      expect(() => merchantOf(input)).toThrow('A card pays a merchant by payee.name')
    },
  )

  it.each(['XX', 'USA', 'U', '', 'EU', 'ZZ', '__', 'UＳ'])('is not in %j', (country) => {
    expect(() => countryOf(country)).toThrow('country is an ISO 3166-1 code')
  })

  it.each([
    ['ACME ltd', 'Acme  Ltd'],
    ['Ａｃｍｅ Ltd', 'acme ltd'],
    ['Gro\u0308ße', 'GRÖßE'],
    ['Ltd\u00a0Acme', 'ltd acme'],
  ])('written %j is the same as %j', (a, b) => {
    expect(payeeKey({ name: a })).toBe(payeeKey({ name: b }))
  })

  it.each([
    ['Acme', 'Acme Ltd'],
    ['Acme', 'Асme'],
    ['Acme', 'Acme.'],
    ['Oslo', '0slo'],
  ])('security: written %j is another one than %j', (a, b) => {
    expect(payeeKey({ name: a })).not.toBe(payeeKey({ name: b }))
  })

  it('security: named like an address is not that address', () => {
    expect(payeeKey({ name: 'address::0xabc' })).not.toBe(payeeKey({ address: '0xabc' }))
    expect(payeeKey({ address: '0xabc', network: 'eip155:1' })).not.toBe(
      payeeKey({ address: '0xabc', network: 'eip155:8453' }),
    )
  })

  it('is folded once and for all', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 30 })
    fc.assert(
      fc.property(name, (text) => {
        expect(fold(fold(text))).toBe(fold(text))
        expect(fold(` ${text.normalize('NFD')}  `)).toBe(fold(text.normalize('NFC')))
      }),
      { numRuns: 1000 },
    )
  })
})
