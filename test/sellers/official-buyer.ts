import { x402Client, x402HTTPClient } from '@x402/core/client'
import type { PaymentRequired } from '@x402/core/types'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { ExactEvmSchemeV1 } from '@x402/evm/v1'
import { wrapFetchWithPayment } from '@x402/fetch'
import type { Address } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Chain } from '../support/chain.ts'

/** A payer by the official packages, with no limits at all: it takes every offer on the chain, and version 1 too. */
export interface OfficialBuyer {
  readonly address: Address
  /** The packages' own `fetch`, which pays: it follows redirects with the payment, and believes what it is told. */
  readonly fetch: typeof globalThis.fetch
  /** The headers that pay, signed anew at every call. @throws what the packages throw */
  sign(quote: PaymentRequired): Promise<Record<string, string>>
  /** What a 402 asks for. @throws where the packages cannot read it */
  quoteIn(asked: Response): Promise<PaymentRequired>
}

/** @param units what it has */
export async function officialBuyer(chain: Chain, units: bigint): Promise<OfficialBuyer> {
  const account = privateKeyToAccount(generatePrivateKey())
  await chain.mint(account.address, units)
  const client = new x402Client()
    .setSpendControls({ maxAmountPerPayment: false, allowedAssets: true })
    .register(chain.network, new ExactEvmScheme(account, { rpcUrl: chain.url }))
    .registerV1('base-sepolia', new ExactEvmSchemeV1(account))
  const http = new x402HTTPClient(client)
  return {
    address: account.address,
    fetch: wrapFetchWithPayment(fetch, http),
    sign: async (quote) => http.encodePaymentSignatureHeader(await http.createPaymentPayload(quote)),
    async quoteIn(asked) {
      const body: unknown = await asked.json().catch(() => undefined)
      return http.getPaymentRequiredResponse((name) => asked.headers.get(name), body)
    },
  }
}
