import { privateKeyToAccount } from 'viem/accounts'
import { NETWORKS } from '../../src/core/network.ts'
import type { Offer, Quote } from '../../src/core/offer.ts'
import { type Authorization, nonceOf, typedDataOf } from '../../src/core/transfer.ts'
import type { Transfer } from '../../src/core/types.ts'
import type { WebResponse } from '../../src/ports/web.ts'
import { x402 } from '../../src/protocols/x402/index.ts'

export const PAYER = privateKeyToAccount(`0x${'c0ffee'.repeat(10)}0001`)
export const SHOP = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
export const BASE = NETWORKS.find(({ id }) => id === 'eip155:8453')!
export const ASSET = `${BASE.id}/erc20:${BASE.usdc.address}`
export const IDENTIFIER = 'pay_019cd7a0-0000-7000-8000-000000000001'

/** An entry that can be paid, in the spelling of v2 and of v1. */
export const ENTRY = {
  scheme: 'exact',
  network: 'eip155:8453',
  amount: '10000',
  asset: BASE.usdc.address,
  payTo: SHOP,
  maxTimeoutSeconds: 60,
  extra: { name: 'USD Coin', version: '2' },
}
export const ENTRY_V1 = {
  scheme: 'exact',
  network: 'base',
  maxAmountRequired: '10000',
  resource: 'https://api.example.com/report',
  description: 'A report',
  mimeType: 'application/json',
  payTo: SHOP,
  maxTimeoutSeconds: 60,
  asset: BASE.usdc.address,
  extra: { name: 'USD Coin', version: '2' },
}
export const RESOURCE = { url: 'https://api.example.com/report', description: 'A report', mimeType: 'text/plain' }

export interface Answer {
  readonly status?: number
  /** By names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly truncated?: boolean
}

/** What a seller answered. */
export function answer({ status = 402, headers = {}, body = '', truncated = false }: Answer): WebResponse {
  return {
    ...{ url: 'https://api.example.com/report', origin: 'https://api.example.com', status, truncated },
    header: (name) => headers[name] ?? null,
    body: Buffer.from(body as string),
  }
}

/** As {@link answer}, from a real one. */
export async function answerOf(response: Response): Promise<WebResponse> {
  const body = Buffer.from(await response.arrayBuffer())
  return answer({ status: response.status, headers: Object.fromEntries(response.headers), body })
}

export function base64(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')
}

/** A 402 of v2, with what is given in place of what an honest seller says. */
export function asksV2(change: object = {}): WebResponse {
  const required = { x402Version: 2, error: 'Payment required', resource: RESOURCE, accepts: [ENTRY], ...change }
  return answer({ headers: { 'payment-required': base64(required) } })
}

export function asksV1(change: object = {}): WebResponse {
  const body = JSON.stringify({ x402Version: 1, error: 'X-PAYMENT is required', accepts: [ENTRY_V1], ...change })
  return answer({ body })
}

/** What is read of one entry that differs from an honest one; undefined where it is dropped. */
export function offerWith(change: object): Offer | undefined {
  return x402.quote(asksV2({ accepts: [{ ...ENTRY, ...change }] }))?.offers[0]
}

export function offerWithV1(change: object): Offer | undefined {
  return x402.quote(asksV1({ accepts: [{ ...ENTRY_V1, ...change }] }))?.offers[0]
}

/** A quote with one offer, which is taken. @throws when there is none */
export function quoted(response: WebResponse, position = 0): { readonly quote: Quote; readonly offer: Offer } {
  const quote = x402.quote(response)
  const offer = quote?.offers.find((one) => one.position === position)
  if (!quote || !offer) throw new Error('Nothing is offered.')
  return { quote, offer }
}

/** What pays an offer of a token that names itself as USDC on Base does: signed by {@link PAYER}. */
export async function transferFor(offer: Offer, change: Partial<Authorization> = {}): Promise<Transfer> {
  const authorization: Authorization = {
    ...{
      paymentId: IDENTIFIER,
      asset: offer.asset ?? '',
      from: PAYER.address,
      to: offer.payTo ?? '',
      value: offer.amount,
    },
    ...{ validBefore: 4_102_444_800, nonce: nonceOf(IDENTIFIER) },
    ...{ kind: 'eip3009', facilitator: null, ...change },
  }
  const signature = await PAYER.signTypedData(typedDataOf(authorization, BASE.usdc) as never)
  return {
    ...{ ...authorization, walletId: 'wal_1', signature, fromBlock: 7, status: 'open' },
    ...{ txHash: null, block: null, moved: null, voidProof: null, signedAt: 0 },
  }
}

/** What a header says, read by hand. */
export function said(value: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(value, 'base64').toString())
}
