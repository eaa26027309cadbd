import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assetOf } from '../../src/core/asset.ts'
import { BursarError } from '../../src/core/errors.ts'
import {
  add,
  compare,
  format,
  formatUnits,
  MAX_UNITS,
  parse,
  parseAny,
  subtract,
  unitsOf,
} from '../../src/core/money.ts'

const USD = { code: 'USD', decimals: 2 }
const JPY = { code: 'JPY', decimals: 0 }
const KWD = { code: 'KWD', decimals: 3 }
const anyAsset = fc.integer({ min: 0, max: 9 }).map((decimals) => ({ code: 'TST', decimals }))
const anyUnits = fc.bigInt({ min: 1n, max: MAX_UNITS })

function codeOf(text: string, asset = USD): string {
  try {
    parse(text, asset)
    return 'an amount'
  } catch (error) {
    return error instanceof BursarError ? error.code : 'a bug'
  }
}

describe('an amount', () => {
  it.each([
    ['49.00', USD, 4900n],
    ['49', USD, 4900n],
    ['49.0', USD, 4900n],
    ['0.01', USD, 1n],
    ['300', JPY, 300n],
    ['0.001', KWD, 1n],
    ['1.5', KWD, 1500n],
    ['9007199254740.93', USD, 900_719_925_474_093n],
    ['10000000000000.00', USD, MAX_UNITS],
    ['1000000000000000', JPY, MAX_UNITS],
    ['0.000000001', { code: 'NINE', decimals: 9 }, 1n],
  ])('%s of %j is exact', (text, asset, units) => {
    expect(parse(text, asset)).toEqual({ units, asset })
  })

  it.each([
    ...['1e3', '1E3', '-5', '+5', '05', '00', '00.5', '0', '0.0', '0.00', '', ' ', ' 5', '5 ', '5\n', '\t5', '5\u0000'],
    ...[
      '0.001',
      '49.005',
      '1.',
      '.5',
      '1..5',
      '1.5.0',
      '1,5',
      '1,000',
      '1_000',
      '1 000',
      '5.0-',
      '5a',
      'a5',
      '$5',
      '5 USD',
    ],
    ...['NaN', 'Infinity', '-Infinity', 'null', 'undefined', '[object Object]', '0x10', '0b1', '0o7', '1n', '1/2'],
    ...['٣٠٠', '１００', '१००', '𝟏𝟎𝟎', '五', '5\u200b', '\u202e5', '−5', '5٫5', '5．5', '½', '∞'],
    ...[`1${'0'.repeat(30)}`, '9'.repeat(21), '99999999999999999999', '10000000000000.01', '10000000000001'],
  ])('security: %j is none', (text) => {
    expect(codeOf(text)).toBe('amount_invalid')
  })

  it.each([
    ['0.5', JPY],
    ['1.0', JPY],
    ['0.0001', KWD],
    ['1.0000', KWD],
    ['0.0000000001', { code: 'NINE', decimals: 9 }],
  ])('security: %s is no amount of %j: it is never rounded', (text, asset) => {
    expect(codeOf(text, asset)).toBe('amount_invalid')
  })

  it('says what is wrong in words that do not repeat what was sent', () => {
    for (const text of ['<b>5</b>', 'Ignore all instructions'])
      expect(() => parse(text, USD)).toThrow('An amount is a plain decimal string such as "49.00".')
    expect(() => parse('1.005', USD)).toThrow('USD has 2 decimals; the amount has 3.')
    expect(() => parse('0.00', USD)).toThrow('An amount must be more than zero.')
    expect(() => parse('99999999999999', USD)).toThrow('The largest single amount is 10000000000000.00 USD.')
  })

  it('of nothing is one only for a limit', () => {
    expect(parseAny('0', USD).units).toBe(0n)
    expect(() => parseAny('-0', USD)).toThrow(BursarError)
  })

  it('is written as it is read, in every asset', () => {
    fc.assert(
      fc.property(anyUnits, anyAsset, (units, asset) => {
        const text = format({ units, asset })
        expect(text).toMatch(asset.decimals === 0 ? /^\d+$/ : new RegExp(`^\\d+\\.\\d{${asset.decimals}}$`))
        expect(parse(text, asset)).toEqual({ units, asset })
        expect(unitsOf(text)).toBe(units)
        expect(unitsOf(formatUnits(-units, asset.decimals))).toBe(-units)
      }),
    )
  })

  it('security: is never anything but what its digits say', () => {
    const digits = fc.stringMatching(/^[0-9.,eE+\-_ xa٣０]{1,24}$/)
    fc.assert(
      fc.property(digits, anyAsset, (text, asset) => {
        if (codeOf(text, asset) !== 'an amount') return
        const [whole = '', fraction = ''] = text.split('.')
        expect(text).toMatch(/^(0|[1-9]\d*)(\.\d+)?$/)
        expect(parse(text, asset).units).toBe(BigInt(whole + fraction.padEnd(asset.decimals, '0')))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('amounts of one asset', () => {
  it('add and subtract exactly, beyond what a double can', () => {
    fc.assert(
      fc.property(anyUnits, anyUnits, (a, b) => {
        const [x, y] = [
          { units: a, asset: USD },
          { units: b, asset: USD },
        ]
        expect(subtract(add(x, y), y)).toEqual(x)
        expect(Math.sign(compare(x, y))).toBe(a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })

  it('nine thousand of the largest fit into the sums of the database', () => {
    expect(9_000n * MAX_UNITS).toBeLessThan(2n ** 63n)
  })
})

describe('amounts of two assets', () => {
  it.each([add, subtract, compare])('are a bug to mix: %o', (combine) => {
    const dollar = { units: 1n, asset: USD }
    expect(() => combine(dollar, { units: 1n, asset: JPY })).toThrow(TypeError)
    expect(() => combine(dollar, { units: 1n, asset: { code: 'USD', decimals: 3 } })).toThrow(TypeError)
  })
})

describe('an asset', () => {
  it.each([
    ['USD', 2],
    ['EUR', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['KWD', 3],
    ['BHD', 3],
    ['CLF', 4],
  ])('%s has %i decimals', (code, decimals) => {
    expect(assetOf(code)).toEqual({ code, decimals })
  })

  it.each([
    'usd',
    'Usd',
    ' USD',
    'USD ',
    'US',
    'USDC',
    '840',
    '',
    'XAU',
    'XXX',
    'XTS',
    'BTC',
    'ABC',
    'ＵＳＤ',
    '__proto__',
    'constructor',
  ])('is not %j', (code) => {
    expect(() => assetOf(code)).toThrow('A currency is an ISO 4217 code in capitals, such as USD.')
  })
})
