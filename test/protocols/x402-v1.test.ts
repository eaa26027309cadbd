import { isPaymentRequired } from '@x402/core/schemas'
import { EVM_NETWORK_CHAIN_ID_MAP } from '@x402/evm/v1'
import { describe, expect, it } from 'vitest'
import { NETWORKS } from '../../src/core/network.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { ASSET, answer, asksV1, asksV2, base64, ENTRY, ENTRY_V1, offerWithV1, SHOP } from './x402-fixture.ts'

const HONEST = { x402Version: 1, error: 'X-PAYMENT is required', accepts: [ENTRY_V1] }

describe('version 1', () => {
  it('is read from the body', () => {
    expect(isPaymentRequired(HONEST)).toBe(true)
    expect(x402.quote(asksV1())).toEqual({
      version: 1,
      offers: [
        {
          ...{ position: 0, version: 1, scheme: 'exact', method: 'eip3009', flow: 'authorization' },
          ...{ network: 'eip155:8453', asset: ASSET, amount: 10_000n, payTo: SHOP, timeoutSeconds: 60 },
          ...{ facilitator: null, domain: { name: 'USD Coin', version: '2' }, accepted: ENTRY_V1 },
        },
      ],
      resource: null,
      resourceUrl: 'https://api.example.com/report',
      identifier: null,
      words: { error: 'X-PAYMENT is required', description: 'A report' },
    })
  })

  it.each([
    ['nothing', ''],
    ['a page', '<html>Payment required</html>'],
    ['version 2, which is read from a header', JSON.stringify({ ...HONEST, x402Version: 2, accepts: [ENTRY] })],
    ['no version', JSON.stringify({ ...HONEST, x402Version: undefined })],
    ['a version in quotes', JSON.stringify({ ...HONEST, x402Version: '1' })],
    ['base64', base64(HONEST)],
    ['a list', JSON.stringify([HONEST])],
    ['an empty list of offers', JSON.stringify({ ...HONEST, accepts: [] })],
    ['no UTF-8', Buffer.from(JSON.stringify({ ...HONEST, error: 'é' }), 'latin1')],
    ['a byte order mark', `\ufeff${JSON.stringify(HONEST)}`],
    ['a property that sets what objects inherit', `{"__proto__":{"accepts":[]},${JSON.stringify(HONEST).slice(1)}`],
    ['nesting without end', '['.repeat(131_072)],
    ['nesting with an end', `{"x402Version":1,"a":${'['.repeat(60_000)}${']'.repeat(60_000)}}`],
    ['more than 128 KiB', JSON.stringify({ ...HONEST, pad: 'x'.repeat(131_072) })],
  ])('is not read from a body with %s', (_, body) => {
    expect(x402.quote(answer({ body }))).toBeNull()
  })

  it('is not read from a body that went on', () => {
    expect(x402.quote({ ...asksV1(), truncated: true })).toBeNull()
  })

  it('knows the networks that bursar pays on by the names that the official package has, and no others', () => {
    for (const [name, number] of Object.entries(EVM_NETWORK_CHAIN_ID_MAP)) {
      const id = `eip155:${number}`
      const network = NETWORKS.some((one) => one.id === id) ? id : null
      expect([name, offerWithV1({ network: name })?.network]).toEqual([name, network])
    }
    for (const network of ['eip155:8453', 'Base', 'base ', 'constructor', '__proto__', 'solana', 'base-mainnet'])
      expect(offerWithV1({ network })).toMatchObject({ network: null, asset: null, method: 'unknown' })
  })

  it('security: with the amounts of both versions is no offer', () => {
    for (const amount of ['10000', '1', '', null, 0]) expect(offerWithV1({ amount })).toBeUndefined()
    expect(offerWithV1({ amount: '10000', maxAmountRequired: undefined })).toBeUndefined()
  })

  it('security: is not mixed with version 2, neither in the list of the one nor of the other', () => {
    expect(x402.quote(asksV1({ accepts: [ENTRY, { ...ENTRY, network: 'base' }] }))?.offers).toEqual([])
    expect(x402.quote(asksV2({ accepts: [ENTRY_V1, { ...ENTRY_V1, network: 'eip155:8453' }] }))?.offers).toEqual([])
  })

  it.each<[string, object]>([
    ['an amount of nothing', { maxAmountRequired: '0' }],
    ['an amount that is a number', { maxAmountRequired: 10_000 }],
    ['an amount below zero', { maxAmountRequired: '-1' }],
    ['an amount of 31 digits', { maxAmountRequired: '1'.repeat(31) }],
    ['no resource', { resource: undefined }],
    ['no description', { description: undefined }],
    ['no account', { payTo: '' }],
    ['half a second', { maxTimeoutSeconds: 0.5 }],
    ['more than 4 KiB', { outputSchema: { a: 'x'.repeat(4_096) } }],
  ])('with %s is no offer', (_, change) => {
    expect(offerWithV1(change)).toBeUndefined()
  })

  it('says of the first entry what is sold', () => {
    const other = { ...ENTRY_V1, resource: 'https://other.example/b', description: 'B' }
    expect(x402.quote(asksV1({ accepts: [other, ENTRY_V1] }))).toMatchObject({
      resourceUrl: 'https://other.example/b',
      words: { description: 'B' },
    })
    expect(x402.quote(asksV1({ accepts: [null, ENTRY_V1], error: 5 }))).toMatchObject({
      resourceUrl: null,
      words: { error: null, description: null },
    })
  })

  it('has no identifiers', () => {
    const extensions = { 'payment-identifier': { info: { required: true } } }
    expect(x402.quote(asksV1({ extensions }))?.identifier).toBeNull()
  })
})
