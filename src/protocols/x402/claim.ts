import type { Claim, WebResponse } from '../../ports/web.ts'
import { objectInHeader } from './json.ts'

const HASH = /^0x[0-9a-f]{64}$/i

/** What the seller says of the settlement (x402 v2 §5.3), in the header of v2 or of v1. Null where it says nothing that can be read. */
export function claim(response: WebResponse): Claim | null {
  const header = response.header('payment-response') ?? response.header('x-payment-response')
  const settled = header === null ? null : objectInHeader(header)
  if (settled === null) return null
  const { success, transaction } = settled
  const isHash = typeof transaction === 'string' && HASH.test(transaction)
  return { success: success === true, transaction: isHash ? transaction.toLowerCase() : null }
}
