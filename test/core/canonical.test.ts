import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, digestOf, fromBase64, sha256 } from '../../src/core/canonical.ts'

describe('canonical', () => {
  it('writes the example of RFC 8785 §3.2.2, less its integer beyond 2^53', () => {
    const value = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`)
    expect(canonical(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('orders names by UTF-16 code units, not by code points (RFC 8785 §3.2.3)', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    expect(Object.values(JSON.parse(canonical(value)))).toHaveLength(7)
    expect(canonical(value)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    )
  })

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
    ['433fffffffffffff', '9007199254740991'],
  ])('writes the double %s as %s (RFC 8785 appendix B)', (bits, text) => {
    expect(canonical(double(bits))).toBe(text)
  })

  it.each([
    ['7fefffffffffffff', 'the largest double'],
    ['4340000000000000', '2^53'],
    ['c340000000000000', '-2^53'],
    ['4430000000000000', '295147905179352830000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['7fffffffffffffff', 'NaN'],
    ['7ff0000000000000', 'Infinity'],
    ['fff0000000000000', '-Infinity'],
  ])('refuses the double %s: %s', (bits) => {
    expect(() => canonical(double(bits))).toThrow(TypeError)
    expect(() => canonical({ a: [double(bits)] })).toThrow(TypeError)
  })

  const loop: unknown[] = []
  loop.push(loop)
  it.each<[string, unknown]>([
    ['undefined at the root', undefined],
    ['undefined in an array', [undefined]],
    ['a hole in an array', new Array(1)],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a name that is a symbol', { [Symbol('a')]: 1 }],
    ['a date', new Date(0)],
    ['bytes', Buffer.of(1)],
    ['a map', new Map()],
    ['an object that writes itself', { toJSON: () => 1 }],
    ['half a surrogate pair', '\ud83d'],
    ['half a surrogate pair in a name', { '\ude00': 1 }],
    ['a value that contains itself', loop],
  ])('refuses %s at any depth', (_, value) => {
    expect(() => canonical(value)).toThrow(TypeError)
    if (value !== undefined) expect(() => canonical({ a: [{ b: value }] })).toThrow(TypeError)
  })

  it('leaves out properties that are undefined, as JSON does', () => {
    expect(canonical({ b: 1, a: undefined })).toBe('{"b":1}')
  })

  it('gives one text for one value, whatever the order of its names, and reads back as that value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 4 }), (value) => {
        fc.pre(accepted(value))
        const text = canonical(value)
        expect(canonical(JSON.parse(text))).toBe(text)
        expect(canonical(reversed(value))).toBe(text)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('sha256', () => {
  it('hashes strings as UTF-8 and bytes as they are', () => {
    expect(sha256('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(sha256('')).toEqual(createHash('sha256').digest())
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => sha256(bytes).equals(createHash('sha256').update(bytes).digest())),
    )
    expect(sha256('é')).toEqual(sha256(Buffer.from('é')))
  })

  it('digests the canonical text: equal values have equal digests', () => {
    expect(digestOf({ b: 1, a: 'é' })).toBe(sha256('{"a":"é","b":1}').toString('hex'))
    expect(digestOf({ a: 'é', b: 1 })).toBe(digestOf({ b: 1, a: 'é' }))
  })
})

describe('fromBase64', () => {
  it('reads only the one spelling of each bytes', () => {
    expect(fromBase64('AQI=')).toEqual(Buffer.of(1, 2))
    expect(fromBase64('')).toEqual(Buffer.alloc(0))
    for (const other of ['AQI', 'AQJ=', 'AQI==', 'AQ I=', 'AQI=\n', '-_8=', '*']) expect(fromBase64(other)).toBeNull()
  })
})

function double(bits: string): number {
  return Buffer.from(bits, 'hex').readDoubleBE()
}

function accepted(value: unknown): boolean {
  try {
    canonical(value)
    return true
  } catch {
    return false
  }
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).reverse()
  return Object.assign(Object.create(null), Object.fromEntries(entries.map(([name, item]) => [name, reversed(item)])))
}
