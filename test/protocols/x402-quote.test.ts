import { describe, expect, it } from 'vitest'
import { x402 } from '../../src/protocols/x402/index.ts'
import { ASSET, answer, asksV1, asksV2, base64, ENTRY, offerWith, RESOURCE, SHOP } from './x402-fixture.ts'

const HONEST = { x402Version: 2, resource: RESOURCE, accepts: [ENTRY] }
const header = (value: string) => answer({ headers: { 'payment-required': value } })
const resourceOf = (bytes: number) => ({
  ...RESOURCE,
  note: 'ä'.repeat((bytes - JSON.stringify({ ...RESOURCE, note: '' }).length) / 2),
})

describe('a quote', () => {
  it.each([200, 400, 401, 403, 404, 500, 502])('is not in an answer with status %i', (status) => {
    expect(x402.quote({ ...asksV2(), status })).toBeNull()
    expect(x402.quote({ ...asksV1(), status })).toBeNull()
  })

  it('is what an honest seller says', () => {
    expect(x402.quote(asksV2())).toEqual({
      version: 2,
      offers: [
        {
          ...{ position: 0, version: 2, scheme: 'exact', method: 'eip3009', flow: 'authorization' },
          ...{ network: 'eip155:8453', asset: ASSET, amount: 10_000n, payTo: SHOP, timeoutSeconds: 60 },
          ...{ facilitator: null, domain: { name: 'USD Coin', version: '2' }, accepted: ENTRY },
        },
      ],
      resource: RESOURCE,
      resourceUrl: RESOURCE.url,
      identifier: null,
      words: { error: 'Payment required', description: 'A report' },
    })
  })

  it.each([
    ['nothing', ''],
    ['no base64', '%%%%'],
    ['base64 without its end', base64({ ...HONEST, error: 'xy' }).replace(/=+$/, '')],
    [
      'base64 of URLs',
      base64({ ...HONEST, error: '??>>??>>' })
        .replaceAll('/', '_')
        .replaceAll('+', '-'),
    ],
    ['base64 with a space', `${base64(HONEST)} `],
    ['no JSON', base64('{')],
    ['JSON and more', base64(`${JSON.stringify(HONEST)} x`)],
    ['a byte order mark', base64(`\ufeff${JSON.stringify(HONEST)}`)],
    ['no UTF-8', Buffer.from(JSON.stringify({ ...HONEST, error: '\u00e9' }), 'latin1').toString('base64')],
    ['a list', base64([HONEST])],
    ['null', base64('null')],
    ['a number', base64('402')],
    ['no version', base64({ ...HONEST, x402Version: undefined })],
    ['version 1', base64({ ...HONEST, x402Version: 1 })],
    ['version 3', base64({ ...HONEST, x402Version: 3 })],
    ['a version in quotes', base64({ ...HONEST, x402Version: '2' })],
    ['no list of offers', base64({ ...HONEST, accepts: ENTRY })],
    ['an empty list of offers', base64({ ...HONEST, accepts: [] })],
    ['a property that sets what objects inherit', base64(`{"__proto__":{},${JSON.stringify(HONEST).slice(1)}`)],
    ['one that is written otherwise', base64(JSON.stringify(HONEST).replace('"name"', '"\\u005f_proto__":{},"name"'))],
    ['nesting without end', base64(`${'['.repeat(12_000)}`)],
    ['nesting with an end', base64(`{"a":${'['.repeat(6_000)}${']'.repeat(6_000)}}`)],
  ])('is not read from a header with %s', (_, value) => {
    expect(x402.quote(header(value))).toBeNull()
    // Nor is the body read then.
    expect(x402.quote({ ...asksV1(), header: () => value })).toBeNull()
  })

  it('is read from 16 KiB of JSON, and from no byte more', () => {
    const required = (bytes: number) => ({
      ...HONEST,
      pad: 'x'.repeat(bytes - JSON.stringify({ ...HONEST, pad: '' }).length),
    })
    expect(x402.quote(header(base64(required(16_384))))?.offers).toHaveLength(1)
    for (const bytes of [16_387, 20_000, 1_000_000]) expect(x402.quote(header(base64(required(bytes))))).toBeNull()
  })

  it('is that of version 2 where the body says version 1 as well', () => {
    const { body } = asksV1({ accepts: [] })
    expect(x402.quote({ ...asksV2(), body })?.version).toBe(2)
    expect(x402.quote({ ...asksV2(), body: asksV1().body })?.version).toBe(2)
  })

  it('keeps an entry as it came, with what nobody knows in it', () => {
    const accepted = {
      ...ENTRY,
      outputSchema: { a: [null, 1.5, { b: 'é' }] },
      extra: { ...ENTRY.extra, feePayer: '0x1' },
    }
    expect(offerWith(accepted)?.accepted).toStrictEqual(accepted)
  })

  it('leaves out what is not well formed, and says at which place the others were', () => {
    const accepts = [null, 'exact', [ENTRY], {}, ENTRY, { ...ENTRY, amount: '0' }, { ...ENTRY, amount: '7' }, 5]
    const { offers } = x402.quote(asksV2({ accepts }))!
    expect(offers.map(({ position, amount }) => [position, amount])).toEqual([
      [4, 10_000n],
      [6, 7n],
    ])
  })

  it('has no offers where none is well formed', () => {
    expect(x402.quote(asksV2({ accepts: [{ ...ENTRY, amount: '-1' }] }))?.offers).toEqual([])
  })

  it('is of the first 32 entries', () => {
    const { offers } = x402.quote(asksV2({ accepts: Array.from({ length: 40 }, () => ({ ...ENTRY, extra: null })) }))!
    expect(offers.map(({ position }) => position)).toEqual(Array.from({ length: 32 }, (_, i) => i))
  })
})

describe('what is sold', () => {
  it.each<[string, unknown, unknown]>([
    ['an honest one', RESOURCE, RESOURCE],
    ['more than is known', { ...RESOURCE, licence: { a: 1 } }, { ...RESOURCE, licence: { a: 1 } }],
    ['2 KiB', resourceOf(2048), resourceOf(2048)],
    ['more than 2 KiB', resourceOf(2050), null],
    ['nothing', undefined, null],
    ['null', null, null],
    ['a text', 'https://api.example.com/report', null],
    ['a list', [RESOURCE], null],
    ['no URL', { description: 'x' }, null],
    ['what official facilitators would refuse', { ...RESOURCE, tags: ['a', 'b', 'c', 'd', 'e', 'f'] }, null],
    ['half a surrogate pair', { ...RESOURCE, description: '\ud800' }, null],
  ])('is kept as it came, or not at all: %s', (_, resource, expected) => {
    const quote = x402.quote(asksV2({ resource }))
    expect(quote?.resource).toStrictEqual(expected)
    expect(quote?.offers).toHaveLength(1)
  })

  it.each<[unknown, string | null]>([
    ['https://api.example.com/report?day=1#a', 'https://api.example.com/report?day=1#a'],
    ['http://127.0.0.1:4021/a', 'http://127.0.0.1:4021/a'],
    ['HTTPS://API.example.com', 'https://api.example.com/'],
    ['https://api.example.com\\@evil.example/', 'https://api.example.com/@evil.example/'],
    ['/report', null],
    ['//evil.example/a', null],
    ['https:api.example.com', null],
    ['mcp://tool/report', null],
    ['javascript:alert(1)', null],
    ['file:///etc/passwd', null],
    ['https://', null],
    [' https://api.example.com', null],
    [`https://api.example.com/${'a'.repeat(2_000)}`, null],
    [7, null],
    [['https://api.example.com/report'], null],
  ])('at %j is at %j', (url, expected) => {
    expect(x402.quote(asksV2({ resource: { ...RESOURCE, url } }))?.resourceUrl).toBe(expected)
  })

  it('is described in words that are raw, and cut', () => {
    const words = (error: unknown, description: unknown) =>
      x402.quote(asksV2({ error, resource: { ...RESOURCE, description } }))?.words
    expect(words('a\u202eb', 'c\nd')).toEqual({ error: 'a\u202eb', description: 'c\nd' })
    expect(words('x'.repeat(2_001), 'y'.repeat(2_001))).toEqual({
      error: 'x'.repeat(2_000),
      description: 'y'.repeat(2_000),
    })
    for (const other of [undefined, null, 5, ['a'], { a: 1 }])
      expect(words(other, other)).toEqual({ error: null, description: null })
  })
})

describe('an identifier', () => {
  const offered = (extension: unknown) =>
    x402.quote(asksV2({ extensions: { 'payment-identifier': extension, bazaar: { info: {} } } }))?.identifier
  const schema = { type: 'object' }

  it.each([
    { info: { required: true }, schema },
    { info: { required: false }, schema },
    { info: {}, schema },
    { info: { required: true, more: [1] } },
  ])('that is wanted as %j is answered', (extension) => {
    expect(offered(extension)).toStrictEqual(extension)
  })

  it.each<unknown>([
    ...[undefined, null, 'yes', [[]], {}, { info: null }, { info: 'required' }, { info: [] }],
    ...[{ info: { required: 'true' } }, { info: { required: null } }, { info: { required: 1 } }],
    ...[{ info: { required: true, id: 'pay_of_somebody_else' } }, { info: { required: true, id: null } }],
    ...[{ info: { required: true }, schema: 'x'.repeat(1024) }, { info: { required: true, a: '\udfff' } }],
  ])('that is wanted as %j is not', (extension) => {
    expect(offered(extension)).toBeNull()
  })

  it.each([undefined, null, 'payment-identifier', ['payment-identifier'], {}])(
    'is not wanted with %j',
    (extensions) => {
      expect(x402.quote(asksV2({ extensions }))?.identifier).toBeNull()
    },
  )
})
