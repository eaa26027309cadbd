import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { decodePaymentRequiredHeader, decodePaymentSignatureHeader } from '@x402/core/http'
import { parsePaymentPayload } from '@x402/core/schemas'
import type { FacilitatorClient, RoutesConfig } from '@x402/core/server'
import type { Network, PaymentPayload } from '@x402/core/types'
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/server'
import { ExactEvmScheme } from '@x402/evm/exact/server'
import { UptoEvmScheme } from '@x402/evm/upto/server'
import {
  declarePaymentIdentifierExtension,
  PAYMENT_IDENTIFIER,
  validatePaymentIdentifier,
} from '@x402/extensions/payment-identifier'
import { paymentMiddleware, x402ResourceServer } from '@x402/hono'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NETWORKS } from '../../src/core/network.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { ASSET, answerOf, BASE, IDENTIFIER, quoted, SHOP, transferFor } from './x402-fixture.ts'

const [BASE_ID, SEPOLIA] = ['eip155:8453', 'eip155:84532'] as const
const SCHEMES = ['exact', 'upto', 'batch-settlement']

/** Knows every scheme here, and is asked no more than that. */
const FACILITATOR = {
  getSupported: async () => ({
    kinds: SCHEMES.flatMap((scheme) =>
      [BASE_ID, SEPOLIA].map((network) => ({
        ...{ x402Version: 2, scheme, network },
        extra: { facilitatorAddress: SHOP, receiverAuthorizer: SHOP },
      })),
    ),
    extensions: [],
    signers: {},
  }),
} as unknown as FacilitatorClient

const exact = (more: object = {}) => ({
  scheme: 'exact',
  network: BASE_ID as Network,
  payTo: SHOP,
  price: '$0.01',
  ...more,
})
const price = { amount: '10000', asset: BASE.usdc.address, extra: { name: 'USD Coin', version: '2' } }
const ROUTES = {
  'GET /plain': { accepts: exact(), description: 'A report', mimeType: 'text/plain' },
  'GET /units': { accepts: exact({ price, maxTimeoutSeconds: 120 }) },
  'GET /upfront': { accepts: exact({ extra: { paymentFlow: 'upfront' } }) },
  'GET /permit2': { accepts: exact({ extra: { assetTransferMethod: 'permit2' } }) },
  'GET /upto': { accepts: exact({ scheme: 'upto' }) },
  'GET /batch': { accepts: exact({ scheme: 'batch-settlement' }) },
  'GET /many': { accepts: [exact({ network: SEPOLIA, price: '$2' }), exact({ scheme: 'upto' }), exact()] },
  'GET /identified': {
    accepts: exact(),
    extensions: { [PAYMENT_IDENTIFIER]: declarePaymentIdentifierExtension(true) },
  },
} as RoutesConfig

const seller = new x402ResourceServer(FACILITATOR)
let server: ServerType
let url = ''

beforeAll(async () => {
  for (const network of [BASE_ID, SEPOLIA] as const)
    for (const scheme of [new ExactEvmScheme(), new UptoEvmScheme(), new BatchSettlementEvmScheme(SHOP)])
      seller.register(network, scheme)
  const app = new Hono().use(paymentMiddleware(ROUTES, seller))
  await new Promise<void>((listening) => {
    server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => listening())
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((closed) => server.close(closed)))

async function askedFor(path: string) {
  const response = await fetch(url + path)
  const required = decodePaymentRequiredHeader(response.headers.get('payment-required') ?? '')
  return { required, response: await answerOf(response) }
}

describe('an official seller', () => {
  it('is understood, and what it wrote is kept as it is', async () => {
    const { required, response } = await askedFor('/plain?day=1')
    expect(x402.quote(response)).toEqual({
      version: 2,
      offers: [
        {
          ...{ position: 0, version: 2, scheme: 'exact', method: 'eip3009', flow: 'authorization' },
          ...{ network: BASE_ID, asset: ASSET, amount: 10_000n, payTo: SHOP, timeoutSeconds: 300 },
          ...{ facilitator: null, domain: { name: 'USD Coin', version: '2' }, accepted: required.accepts[0] },
        },
      ],
      resource: required.resource,
      resourceUrl: `${url}/plain?day=1`,
      identifier: null,
      words: { error: 'Payment required', description: 'A report' },
    })
  })

  it.each([
    ['/units', { amount: 10_000n, timeoutSeconds: 120, scheme: 'exact', method: 'eip3009', flow: 'authorization' }],
    ['/upfront', { amount: 10_000n, scheme: 'exact', method: 'eip3009', flow: 'upfront' }],
    ['/permit2', { amount: 10_000n, scheme: 'exact', method: 'permit2', flow: 'authorization' }],
    ['/upto', { amount: 10_000n, scheme: 'upto', method: 'permit2', flow: 'authorization' }],
    ['/batch', { amount: 10_000n, scheme: 'batch-settlement', method: 'eip3009', flow: 'authorization' }],
  ])('says at %s how it wants to be paid', async (path, expected) => {
    expect(quoted((await askedFor(path)).response).offer).toMatchObject({ ...expected, asset: ASSET, payTo: SHOP })
  })

  it('offers many ways in its order', async () => {
    const { offers } = x402.quote((await askedFor('/many')).response)!
    const { usdc } = NETWORKS.find(({ id }) => id === SEPOLIA)!
    expect(offers.map(({ position, scheme, asset, amount }) => [position, scheme, asset, amount])).toEqual([
      [0, 'exact', `${SEPOLIA}/erc20:${usdc.address}`, 2_000_000n],
      [1, 'upto', ASSET, 10_000n],
      [2, 'exact', ASSET, 10_000n],
    ])
    expect(offers[0]?.domain).toEqual({ name: usdc.name, version: usdc.version })
  })

  it.each([
    ['/plain', 0],
    ['/units', 0],
    ['/upfront', 0],
    ['/many', 0],
    ['/many', 2],
    ['/identified', 0],
  ])('finds in the payment for %s (%i) what it offered', async (path, position) => {
    const { required, response } = await askedFor(path)
    const { quote, offer } = quoted(response, position)
    const { name, value } = x402.proof(quote, offer, await transferFor(offer), IDENTIFIER)
    expect(name).toBe('payment-signature')
    const payment = decodePaymentSignatureHeader(value)
    expect(parsePaymentPayload(payment).success).toBe(true)
    expect(seller.findMatchingRequirements(required.accepts, payment)).toEqual(required.accepts[position])
    expect(seller.validateExtensions(required, payment)).toEqual({ valid: true })
    expect(payment.resource).toEqual(required.resource)
  })

  it('does not take another offer for its own', async () => {
    const { required, response } = await askedFor('/plain')
    const { quote, offer } = quoted(response)
    const dearer = { ...offer, accepted: { ...offer.accepted, maxTimeoutSeconds: 999 } }
    const payment = decodePaymentSignatureHeader(
      x402.proof(quote, dearer, await transferFor(offer), IDENTIFIER).value,
    ) as PaymentPayload
    expect(seller.findMatchingRequirements(required.accepts, payment)).toBeUndefined()
  })

  it('gets the identifier that it wants, beside what it wrote', async () => {
    const { required, response } = await askedFor('/identified')
    const { quote, offer } = quoted(response)
    const offered = required.extensions?.[PAYMENT_IDENTIFIER]
    expect(quote.identifier).toEqual(offered)
    const { extensions } = decodePaymentSignatureHeader(
      x402.proof(quote, offer, await transferFor(offer), IDENTIFIER).value,
    )
    expect(extensions).toEqual({
      [PAYMENT_IDENTIFIER]: { ...(offered as object), info: { required: true, id: IDENTIFIER } },
    })
    expect(validatePaymentIdentifier(extensions?.[PAYMENT_IDENTIFIER])).toEqual({ valid: true })
  })
})
