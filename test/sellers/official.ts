import { getRequestListener } from '@hono/node-server'
import { decodePaymentSignatureHeader } from '@x402/core/http'
import type { ProtectedRequestHook, RouteConfig } from '@x402/core/server'
import { x402HTTPResourceServer, x402ResourceServer } from '@x402/core/server'
import type { PaymentPayload } from '@x402/core/types'
import { ExactEvmScheme } from '@x402/evm/exact/server'
import { paymentMiddlewareFromHTTPServer as expressMiddleware } from '@x402/express'
import {
  declarePaymentIdentifierExtension,
  extractPaymentIdentifier,
  PAYMENT_IDENTIFIER,
  paymentIdentifierResourceServerExtension,
} from '@x402/extensions/payment-identifier'
import { paymentMiddlewareFromHTTPServer as honoMiddleware } from '@x402/hono'
import express from 'express'
import { Hono } from 'hono'
import type { Address } from 'viem'
import type { Chain } from '../support/chain.ts'
import { type Door, openDoor } from './door.ts'
import { type Facilitator, OTHER_NETWORK, OTHER_TOKEN } from './facilitator.ts'
import { GOODS, UNITS } from './goods.ts'
import { newAddress } from './sender.ts'

export interface OfficialOptions {
  readonly chain: Chain
  readonly facilitator: Facilitator
  /** A new address without it. */
  readonly payTo?: Address
  /** {@link UNITS} without it. */
  readonly units?: bigint
  /** Awaited by every priced page before it answers, with its path. What it throws is a failed page. */
  readonly work?: (path: string) => Promise<void> | void
}

/**
 * An honest seller, by the official packages:
 *
 * | page | |
 * |---|---|
 * | `GET /free` | free |
 * | `GET /report`, `GET /text` | JSON, plain text |
 * | `POST /echo` | answers the body |
 * | `GET /price/10000` | for as many units |
 * | `GET /choice` | three offers: on {@link OTHER_NETWORK}, by Permit2, and the one that is honest here |
 * | `GET /once` | takes a payment identifier: the same payment again is the same answer and no other payment |
 * | `GET /upfront` | settles before it has the resource ready |
 * | `GET /broken`, `GET /upfront-broken` | status 500: one is not paid then, the other is |
 */
export interface OfficialSeller extends Door {
  readonly payTo: Address
  readonly units: bigint
}

export async function startExpressSeller(options: OfficialOptions): Promise<OfficialSeller> {
  const terms = termsOf(options)
  const app = express()
  app.use(express.text({ type: '*/*' }))
  app.use(expressMiddleware(serverOf(terms)))
  app.use(async (request, response) => {
    const { status, type, body } = await page(terms, request.path, String(request.body ?? ''))
    response.status(status).type(type).send(body)
  })
  return { ...(await openDoor(app)), payTo: terms.payTo, units: terms.units }
}

export async function startHonoSeller(options: OfficialOptions): Promise<OfficialSeller> {
  const terms = termsOf(options)
  const app = new Hono()
  app.use(honoMiddleware(serverOf(terms)))
  app.all('*', async (context) => {
    const { status, type, body } = await page(terms, context.req.path, await context.req.text())
    return context.body(body, status, { 'content-type': type })
  })
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return { ...(await openDoor(listener)), payTo: terms.payTo, units: terms.units }
}

type Terms = Required<OfficialOptions>

function termsOf(options: OfficialOptions): Terms {
  return { payTo: newAddress(), units: UNITS, work: () => undefined, ...options }
}

interface Page {
  readonly status: 200 | 500
  readonly type: string
  readonly body: string
}

async function page(terms: Terms, path: string, sent: string): Promise<Page> {
  if (path === '/free') return { status: 200, type: 'text/plain', body: 'free' }
  if (path.endsWith('broken') || !(await isWorked(terms, path)))
    return { status: 500, type: 'text/plain', body: 'broken' }
  if (path === '/text') return { status: 200, type: 'text/plain', body: GOODS }
  if (path === '/echo') return { status: 200, type: 'text/plain', body: sent }
  return { status: 200, type: 'application/json', body: JSON.stringify({ report: GOODS }) }
}

/** Caught here: the packages and frameworks print what is thrown. */
async function isWorked({ work }: Terms, path: string): Promise<boolean> {
  try {
    await work(path)
    return true
  } catch {
    return false
  }
}

/** The version of the protocol is 2: these packages have no server of version 1. */
function serverOf(terms: Terms): x402HTTPResourceServer {
  const resources = new x402ResourceServer(terms.facilitator)
    .register(terms.chain.network, new ExactEvmScheme())
    .register(OTHER_NETWORK, new ExactEvmScheme())
    .registerExtension(paymentIdentifierResourceServerExtension)
  const server = new x402HTTPResourceServer(resources, routesOf(terms))
  return server.onProtectedRequest(rememberingPayments(resources))
}

type Offer = Exclude<RouteConfig['accepts'], readonly unknown[]>

function routesOf(terms: Terms): Record<string, RouteConfig> {
  const { units } = terms
  const priced = { accepts: offer(terms) }
  const upfront = { accepts: offer(terms, { extra: { paymentFlow: 'upfront' } }) }
  return {
    'GET /report': { ...priced, description: 'A report', mimeType: 'application/json' },
    'GET /text': priced,
    'POST /echo': priced,
    'GET /price/:units': {
      accepts: offer(terms, { price: ({ path }) => price(terms, BigInt(path.slice('/price/'.length))) }),
    },
    'GET /choice': {
      accepts: [
        offer(terms, {
          network: OTHER_NETWORK,
          price: { ...price(terms, units), asset: OTHER_TOKEN },
        }),
        offer(terms, { extra: { assetTransferMethod: 'permit2' } }),
        offer(terms),
      ],
    },
    'GET /once': { ...priced, extensions: { [PAYMENT_IDENTIFIER]: declarePaymentIdentifierExtension() } },
    'GET /upfront': upfront,
    'GET /broken': priced,
    'GET /upfront-broken': upfront,
  }
}

function offer(terms: Terms, change: Partial<Offer> = {}): Offer {
  const { chain, payTo, units } = terms
  return { scheme: 'exact', network: chain.network, payTo, price: price(terms, units), ...change }
}

function price({ chain }: Terms, units: bigint) {
  return { amount: `${units}`, asset: chain.token, extra: { name: 'USD Coin', version: '2' } }
}

/**
 * What the extension asks of a seller, and the package leaves to him: a payment that was settled opens its page again,
 * and another payment by the same name is refused. The package refuses with 403, where the extension says 409.
 */
function rememberingPayments(resources: x402ResourceServer): ProtectedRequestHook {
  const settled = new Map<string, string>()
  resources.onAfterSettle(async ({ paymentPayload, result }) => {
    const payment = paymentPayload as PaymentPayload
    const id = extractPaymentIdentifier(payment)
    if (id !== null && result.success) settled.set(id, JSON.stringify(payment.payload))
  })
  return async ({ paymentHeader }, { extensions }) => {
    if (paymentHeader === undefined || extensions?.[PAYMENT_IDENTIFIER] === undefined) return
    const payment = decodePaymentSignatureHeader(paymentHeader)
    const before = settled.get(extractPaymentIdentifier(payment) ?? '')
    if (before === undefined) return
    if (before === JSON.stringify(payment.payload)) return { grantAccess: true }
    return { abort: true, reason: 'This identifier is another payment.' }
  }
}
