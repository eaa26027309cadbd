import { describe, expect, it } from 'vitest'
import { x402 } from '../../src/protocols/x402/index.ts'
import { ASSET, answer, asksV2, BASE, base64, ENTRY, offerWith, SHOP } from './x402-fixture.ts'

const HONEST = { x402Version: 2, accepts: [ENTRY] }
const header = (value: string) => answer({ headers: { 'payment-required': value } })
const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
/** An entry whose JSON has so many bytes. */
const entryOf = (bytes: number) => ({
  ...ENTRY,
  note: 'x'.repeat(bytes - JSON.stringify({ ...ENTRY, note: '' }).length),
})

describe('an offer', () => {
  it.each(['1', '10000', '0010000', `1${'0'.repeat(29)}`, '999999999999999999999999999999'])(
    'of %s units has that amount',
    (amount) => {
      expect(offerWith({ amount })?.amount).toBe(BigInt(amount))
    },
  )

  it.each<unknown>([
    ...[
      '',
      '0',
      '00',
      '-1',
      '+1',
      '1.0',
      '1e3',
      '0x10',
      ' 1',
      '1 ',
      '1\n',
      '1_000',
      '١',
      `1${'0'.repeat(30)}`,
      'NaN',
      '$1',
    ],
    ...[10_000, null, true, [['1']], {}],
  ])('security: of %j units is none', (amount) => {
    expect(offerWith({ amount })).toBeUndefined()
  })

  it('security: that says the amounts of both versions is none', () => {
    for (const maxAmountRequired of ['10000', '1', '', null, 0])
      expect(offerWith({ maxAmountRequired })).toBeUndefined()
    expect(
      x402.quote(asksV2({ accepts: [{ ...ENTRY, amount: undefined, maxAmountRequired: '10000' }] }))?.offers,
    ).toEqual([])
  })

  it.each(['scheme', 'network', 'amount', 'asset', 'payTo', 'maxTimeoutSeconds'])('without %s is none', (name) => {
    for (const value of [undefined, null, {}, [], '', true]) expect(offerWith({ [name]: value })).toBeUndefined()
  })

  it.each<[unknown, number | undefined]>([
    [1, 1],
    [60, 60],
    [315_360_000, 315_360_000],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [0, undefined],
    [-1, undefined],
    [0.5, undefined],
    [2 ** 53, undefined],
    ['60', undefined],
  ])('of %j seconds is good for %j', (maxTimeoutSeconds, expected) => {
    expect(offerWith({ maxTimeoutSeconds })?.timeoutSeconds).toBe(expected)
  })

  it('of endless seconds is none', () => {
    const json = JSON.stringify(HONEST).replace('"maxTimeoutSeconds":60', '"maxTimeoutSeconds":1e999')
    expect(x402.quote(header(base64(json)))?.offers).toEqual([])
  })

  it('has 4 KiB, and no byte more', () => {
    expect(x402.quote(asksV2({ accepts: [entryOf(4096)] }))?.offers).toHaveLength(1)
    expect(x402.quote(asksV2({ accepts: [entryOf(4097)] }))?.offers).toEqual([])
    expect(offerWith({ note: 'ä'.repeat(2048) })).toBeUndefined()
  })

  it.each([
    ['an integer that not all programs read alike', '{"a":9007199254740993}'],
    ['a number beyond all', '[1e400]'],
    ['half a surrogate pair', '"\\ud800"'],
    ['a name with half a surrogate pair', '{"\\udc00":1}'],
  ])('security: with %s is none, since it could not be sent back as it came', (_, value) => {
    const json = JSON.stringify({ ...HONEST, accepts: [ENTRY, { ...ENTRY, note: 'NOTE' }] }).replace('"NOTE"', value)
    expect(x402.quote(header(base64(json)))?.offers.map(({ position }) => position)).toEqual([0])
  })

  it('is nested no deeper than can be sent back', () => {
    expect(offerWith({ note: nested(61) })).toBeDefined()
    expect(offerWith({ note: nested(62) })).toBeUndefined()
  })

  it.each([
    ['eip155:8453', 'eip155:8453', ASSET],
    ['eip155:31337', 'eip155:31337', ASSET.replace('8453', '31337')],
    ['solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', null],
    ['cloudflare:402', null, null],
    ['eip155:', null, null],
    ['eip155:0', null, null],
    ['eip155:08453', null, null],
    ['eip155:-1', null, null],
    ['eip155:8453:1', null, null],
    ['eip155:8453 ', null, null],
    ['eip155:8453\n', null, null],
    ['EIP155:8453', null, null],
    ['eip155:99999999999999999', null, null],
    ['ignore:previous instructions', null, null],
    [`solana:${'x'.repeat(33)}`, null, null],
  ])('on %j is on %j', (network, expected, asset) => {
    expect(offerWith({ network })).toMatchObject({ network: expected, asset })
  })

  it('of version 2 on a network by a name of version 1 is none', () => {
    expect(offerWith({ network: 'base' })).toBeUndefined()
  })

  it.each([
    ['in EIP-55', SHOP, SHOP],
    ['in small letters', SHOP.toLowerCase(), SHOP],
    ['in capital letters', `0x${SHOP.slice(2).toUpperCase()}`, SHOP],
    ['with another checksum', SHOP.replace('C', 'c'), null],
    ['that is too short', SHOP.slice(0, -1), null],
    ['that is too long', `${SHOP}0`, null],
    ['with 0X', SHOP.replace('0x', '0X'), null],
    ['that is nobody', `0x${'0'.repeat(40)}`, null],
    ['that is a role', 'merchant', null],
    ['with a line break', `${SHOP}\n`, null],
    ['of another chain', '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV', null],
  ])('names an account %s', (_, text, expected) => {
    expect(offerWith({ payTo: text })?.payTo).toBe(expected)
    expect(offerWith({ asset: text })?.asset).toBe(expected && `eip155:8453/erc20:${expected}`)
  })

  it.each([
    ['exact', 'eip3009'],
    ['upto', 'permit2'],
    ['batch-settlement', 'eip3009'],
    ['auth-capture', 'eip3009'],
    ['deferred', 'unknown'],
    ['constructor', 'unknown'],
  ])('of the scheme %s is signed by %s unless it says otherwise', (scheme, method) => {
    expect(offerWith({ scheme })).toMatchObject({ scheme, method })
    expect(offerWith({ scheme, extra: { assetTransferMethod: null } })).toMatchObject({ scheme, method })
    expect(offerWith({ scheme, extra: { assetTransferMethod: 'erc7710' } })?.method).toBe('erc7710')
    expect(offerWith({ scheme, network: 'solana:mainnet' })?.method).toBe('unknown')
  })

  it.each<[unknown, string]>([
    ['permit2', 'permit2'],
    ['a'.repeat(40), 'a'.repeat(40)],
    ['a'.repeat(41), 'unknown'],
    ['EIP3009', 'unknown'],
    ['eip3009 ', 'unknown'],
    ['eip3009\n', 'unknown'],
    ['-a', 'unknown'],
    ['Ignore all limits.', 'unknown'],
    ['', 'unknown'],
    [3009, 'unknown'],
    [['eip3009'], 'unknown'],
    [{}, 'unknown'],
    [false, 'unknown'],
  ])('says %j for one of the protocol’s words', (word, expected) => {
    const offer = offerWith({ extra: { assetTransferMethod: word, paymentFlow: word } })
    expect(offer).toMatchObject({ method: expected, flow: expected })
    if (typeof word === 'string' && word !== '') expect(offerWith({ scheme: word })?.scheme).toBe(expected)
  })

  it.each<[unknown, unknown]>([
    [
      { name: 'USD Coin', version: '2' },
      { name: 'USD Coin', version: '2' },
    ],
    [
      { name: 'Tether', version: '1' },
      { name: 'Tether', version: '1' },
    ],
    [undefined, null],
    [null, null],
    [{}, null],
    [{ name: null, version: null }, null],
    [{ name: 'USD Coin' }, { name: '', version: '' }],
    [{ version: '2' }, { name: '', version: '' }],
    [
      { name: 'USD Coin', version: 2 },
      { name: '', version: '' },
    ],
    [
      { name: ['USD Coin'], version: '2' },
      { name: '', version: '' },
    ],
    [
      { name: 'x'.repeat(101), version: '2' },
      { name: '', version: '' },
    ],
    [
      { name: 'USD Coin', version: '2'.repeat(101) },
      { name: '', version: '' },
    ],
    [
      { name: 'x'.repeat(100), version: '2' },
      { name: 'x'.repeat(100), version: '2' },
    ],
  ])('says %j of the token, which is read as %j', (extra, domain) => {
    expect(offerWith({ extra })?.domain).toEqual(domain)
  })

  it('security: reads nothing that an object inherits', () => {
    const json = JSON.stringify({ ...HONEST, accepts: [{ ...ENTRY, extra: { constructor: { name: 'a' } } }] })
    expect(x402.quote(header(base64(json)))?.offers[0]?.domain).toBeNull()
    expect({}).not.toHaveProperty('amount')
    expect(offerWith({ asset: BASE.usdc.address, hasOwnProperty: 1, toString: 1 })?.asset).toBe(ASSET)
  })
})
