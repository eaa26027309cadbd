import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { x402Facilitator } from '@x402/core/facilitator'
import { decodePaymentSignatureHeader } from '@x402/core/http'
import { parsePaymentPayload } from '@x402/core/schemas'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { ExactEvmScheme as ExactEvmServer } from '@x402/evm/exact/server'
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/facilitator'
import { paymentMiddleware, x402ResourceServer } from '@x402/hono'
import { Hono } from 'hono'
import { type Address, createWalletClient, http, parseEther, publicActions } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { x402 } from '../../src/protocols/x402/index.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { answerOf, asksV1, ENTRY_V1, IDENTIFIER, PAYER, quoted, SHOP, transferFor } from './x402-fixture.ts'

/** A chain of this number has a name in v1. */
const CHAIN_ID = 84_532

let chain: Chain
let facilitator: x402Facilitator

beforeEach(async () => {
  chain = await startChain({ chainId: CHAIN_ID })
  const account = privateKeyToAccount(generatePrivateKey())
  await chain.give(account.address, parseEther('1'))
  await chain.mint(PAYER.address, 50_000n)
  const wallet = createWalletClient({ account, chain: chain.publicClient.chain, transport: http(chain.url) })
  const client = wallet.extend(publicActions)
  const signer = toFacilitatorEvmSigner({ ...client, address: account.address } as never)
  facilitator = new x402Facilitator()
    .register(chain.network, new ExactEvmScheme(signer))
    .registerV1('base-sepolia' as never, new ExactEvmSchemeV1(signer))
})
afterEach(() => chain.stop())

/** Sells one page, as the official package does. */
async function openShop(): Promise<{ readonly server: ServerType; readonly url: string }> {
  const price = { amount: '10000', asset: chain.token, extra: { name: 'USD Coin', version: '2' } }
  const official = {
    verify: (...args: Parameters<x402Facilitator['verify']>) => facilitator.verify(...args),
    settle: (...args: Parameters<x402Facilitator['settle']>) => facilitator.settle(...args),
    getSupported: async () => facilitator.getSupported(),
  }
  const seller = new x402ResourceServer(official as never).register(chain.network, new ExactEvmServer())
  const accepts = { scheme: 'exact', network: chain.network, payTo: SHOP, price }
  const app = new Hono().use(paymentMiddleware({ 'GET /report': { accepts } }, seller))
  app.get('/report', (c) => c.text('the report'))
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/report` }
}

describe('a payment', () => {
  it('is taken by an official seller, whose claim is read, and moves the amount', async () => {
    const { server, url } = await openShop()
    try {
      const { quote, offer } = quoted(await answerOf(await fetch(url)))
      expect(offer).toMatchObject({ network: chain.network, asset: chain.asset, amount: 10_000n })
      const { name, value } = x402.proof(quote, offer, await transferFor(offer), IDENTIFIER)
      const paid = await fetch(url, { headers: { [name]: value } })
      const claim = x402.claim(await answerOf(paid.clone()))
      expect([paid.status, await paid.text()]).toEqual([200, 'the report'])
      expect(claim).toEqual({ success: true, transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
      const hash = claim!.transaction as Address
      expect((await chain.publicClient.getTransactionReceipt({ hash })).status).toBe('success')
      expect(await chain.balance(SHOP)).toBe(10_000n)
    } finally {
      await new Promise((closed) => server.close(closed))
    }
  })

  it('that the seller does not get is a claim of no success', async () => {
    const { server, url } = await openShop()
    try {
      const { quote, offer } = quoted(await answerOf(await fetch(url)))
      const { name, value } = x402.proof(quote, offer, await transferFor(offer), IDENTIFIER)
      // Between its look and its settlement the money goes elsewhere.
      const settle = facilitator.settle.bind(facilitator)
      facilitator.settle = async (...args) => {
        await chain.takeAway(PAYER.address, 50_000n)
        return settle(...args)
      }
      const refused = await answerOf(await fetch(url, { headers: { [name]: value } }))
      expect(refused.status).toBe(402)
      expect(x402.claim(refused)?.success).toBe(false)
      expect(await chain.balance(SHOP)).toBe(0n)
    } finally {
      await new Promise((closed) => server.close(closed))
    }
  })

  it('of version 1 is verified and settled by the official facilitator', async () => {
    const entry = { ...ENTRY_V1, network: 'base-sepolia', asset: chain.token }
    const { quote, offer } = quoted(asksV1({ accepts: [entry] }))
    expect(offer).toMatchObject({ version: 1, network: chain.network, asset: chain.asset })
    const { name, value } = x402.proof(quote, offer, await transferFor(offer), IDENTIFIER)
    expect(name).toBe('x-payment')
    const payment = decodePaymentSignatureHeader(value)
    expect(parsePaymentPayload(payment).success).toBe(true)
    expect(await facilitator.verify(payment, entry as never)).toMatchObject({ isValid: true, payer: PAYER.address })
    expect(await facilitator.settle(payment, entry as never)).toMatchObject({ success: true })
    expect(await chain.balance(SHOP)).toBe(10_000n)
  })
})
