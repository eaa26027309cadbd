import { decodePaymentSignatureHeader } from '@x402/core/http'
import type { PaymentPayload } from '@x402/core/types'
import { recoverTypedDataAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import type { Offer } from '../../src/core/offer.ts'
import { nonceOf } from '../../src/core/transfer.ts'
import type { Transfer } from '../../src/core/types.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { asksV1, asksV2, BASE, ENTRY, IDENTIFIER, PAYER, quoted, RESOURCE, SHOP, transferFor } from './x402-fixture.ts'

const IDENTIFIED = { 'payment-identifier': { info: { required: true }, schema: { type: 'object' } } }
const NONCE = nonceOf(IDENTIFIER)
const OTHER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

/** What an official seller reads in the header for what is asked. */
async function paid(response = asksV2()): Promise<PaymentPayload> {
  const { quote, offer } = quoted(response)
  return decodePaymentSignatureHeader(x402.proof(quote, offer, await transferFor(offer), IDENTIFIER).value)
}

/** The same value, with the properties of all objects in another order. */
function reversed<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, one]) => [name, reversed(one)]),
  ) as T
}

describe('a proof', () => {
  it('of version 2 carries what was offered, what was sold and what was signed', async () => {
    const { payload, ...rest } = await paid()
    expect(rest).toEqual({ x402Version: 2, accepted: ENTRY, resource: RESOURCE })
    expect(payload).toEqual({
      signature: expect.stringMatching(/^0x[0-9a-f]{128}1[bc]$/),
      authorization: {
        ...{ from: PAYER.address, to: SHOP, value: '10000', validAfter: '0', validBefore: '4102444800', nonce: NONCE },
      },
    })
  })

  it('of version 1 carries the scheme and the network as the seller wrote them', async () => {
    const { quote, offer } = quoted(asksV1())
    const { name, value } = x402.proof(quote, offer, await transferFor(offer), IDENTIFIER)
    expect(name).toBe('x-payment')
    const { payload, ...rest } = decodePaymentSignatureHeader(value)
    expect(rest).toEqual({ x402Version: 1, scheme: 'exact', network: 'base' })
    expect(payload).toEqual((await paid()).payload)
  })

  it('carries a signature that anyone can check against what it says', async () => {
    const { payload } = await paid()
    const { signature, authorization } = payload as { signature: `0x${string}`; authorization: Record<string, string> }
    const names = [
      'from:address',
      'to:address',
      'value:uint256',
      'validAfter:uint256',
      'validBefore:uint256',
      'nonce:bytes32',
    ]
    const fields = names.map((one) => one.split(':')).map(([name, type]) => ({ name, type }))
    const address = await recoverTypedDataAddress({
      domain: { name: 'USD Coin', version: '2', chainId: 8453, verifyingContract: BASE.usdc.address as `0x${string}` },
      types: { TransferWithAuthorization: fields },
      primaryType: 'TransferWithAuthorization',
      message: authorization,
      signature,
    } as never)
    expect(address).toBe(PAYER.address)
  })

  it('leaves out what was not said, and every extension that is not answered', async () => {
    expect(await paid(asksV2({ resource: undefined }))).not.toHaveProperty('resource')
    expect(await paid()).not.toHaveProperty('extensions')
    const extensions = { ...IDENTIFIED, bazaar: { info: { a: 1 } }, eip2612GasSponsoring: { info: {} } }
    expect((await paid(asksV2({ extensions }))).extensions).toEqual({
      'payment-identifier': { info: { required: true, id: IDENTIFIER }, schema: { type: 'object' } },
    })
  })

  it('is the same for the same, whatever the order of what is in it', async () => {
    const { quote, offer } = quoted(asksV2({ extensions: IDENTIFIED }))
    const transfer = await transferFor(offer)
    const header = x402.proof(quote, offer, transfer, IDENTIFIER)
    expect(x402.proof(quote, offer, transfer, IDENTIFIER)).toEqual(header)
    expect(x402.proof(reversed(quote), reversed(offer), reversed(transfer), IDENTIFIER)).toEqual(header)
    expect(x402.proof(quote, offer, transfer, `${IDENTIFIER}x`)).not.toEqual(header)
  })

  it.each<[string, Partial<Offer>, Partial<Transfer>]>([
    ['another amount', {}, { value: 9_999n }],
    ['a higher amount', {}, { value: 10_001n }],
    ['another account', {}, { to: OTHER }],
    ['an account that is spelled otherwise', {}, { to: SHOP.toLowerCase() }],
    ['another token', {}, { asset: `eip155:8453/erc20:${OTHER}` }],
    ['another network', {}, { asset: `eip155:1/erc20:${BASE.usdc.address}` }],
    ['a token that could not be read', { asset: null }, {}],
    ['an account that could not be read', { payTo: null }, {}],
    ['a maximum', { scheme: 'upto' }, {}],
    ['a way that is unknown', { scheme: 'unknown' }, {}],
    ['another signature', { method: 'permit2' }, {}],
    ['the other version', { version: 1 }, {}],
  ])('security: is refused for %s', async (_, change, other) => {
    const { quote, offer } = quoted(asksV2())
    const transfer = await transferFor(offer)
    expect(() => x402.proof(quote, { ...offer, ...change }, { ...transfer, ...other }, IDENTIFIER)).toThrow(RangeError)
  })

  it.each([
    '',
    'x'.repeat(15),
    'x'.repeat(129),
    `${'x'.repeat(16)}\n`,
    'with some spaces',
    'ümlaut-ümlaut-ümlaut',
    '"},{"',
  ])('is refused with the identifier %j', async (identifier) => {
    const { quote, offer } = quoted(asksV2())
    const transfer = await transferFor(offer)
    expect(() => x402.proof(quote, offer, transfer, identifier)).toThrow(RangeError)
  })

  it('is given with an identifier of 16 to 128 characters', async () => {
    const { quote, offer } = quoted(asksV2())
    const transfer = await transferFor(offer)
    for (const identifier of ['x'.repeat(16), 'aZ09_-'.repeat(21), 'x'.repeat(128)])
      expect(x402.proof(quote, offer, transfer, identifier).name).toBe('payment-signature')
  })

  it('leaves out what is sold where there is no room for it, and fits in 8 KiB whatever the seller wrote', async () => {
    const fill = (value: object, bytes: number) => ({
      ...value,
      note: 'x'.repeat(bytes - JSON.stringify({ ...value, note: '' }).length),
    })
    const entry = fill({ ...ENTRY, amount: '9'.repeat(30) }, 4_096)
    const resource = fill(RESOURCE, 2_048)
    const extension = fill({ info: { required: true } }, 1_024)
    const { quote, offer } = quoted(
      asksV2({ accepts: [entry], resource, extensions: { 'payment-identifier': extension } }),
    )
    expect(quote).toMatchObject({ resource, identifier: extension })
    const transfer = await transferFor(offer, { validBefore: Number.MAX_SAFE_INTEGER })
    const { value } = x402.proof(quote, offer, transfer, 'x'.repeat(128))
    expect(value.length).toBeLessThanOrEqual(8_192)
    expect(decodePaymentSignatureHeader(value)).not.toHaveProperty('resource')
    expect(decodePaymentSignatureHeader(value)).toMatchObject({ accepted: entry })
    expect(await paid(asksV2({ resource }))).toMatchObject({ resource })
  })

  it('is refused over 8 KiB', async () => {
    const { quote, offer } = quoted(asksV2())
    const transfer = await transferFor(offer)
    const header = (bytes: number) => {
      const accepted = { ...ENTRY, note: 'x'.repeat(bytes) }
      return x402.proof({ ...quote, resource: null }, { ...offer, accepted }, transfer, IDENTIFIER).value
    }
    const room = Math.floor((8_192 - header(0).length) * 0.75)
    expect(header(room - 2).length).toBeLessThanOrEqual(8_192)
    expect(() => header(room + 3)).toThrow(RangeError)
  })

  it('carries what is nested as deep as is kept', async () => {
    const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
    const accepts = [{ ...ENTRY, note: nested(61) }]
    const extensions = { 'payment-identifier': { info: { required: true, a: nested(60) } } }
    expect(await paid(asksV2({ accepts, resource: { ...RESOURCE, a: nested(61) }, extensions }))).toMatchObject({
      accepted: accepts[0],
      resource: { a: nested(61) },
      extensions: { 'payment-identifier': { info: { a: nested(60) } } },
    })
  })
})
