import type { IncomingHttpHeaders } from 'node:http'
import type { Address, Hex } from 'viem'

/** What a payer signed (EIP-3009), as it stands in the header: numbers are decimal strings. */
export interface Authorization {
  readonly from: Address
  readonly to: Address
  readonly value: string
  readonly validAfter: string
  readonly validBefore: string
  readonly nonce: Hex
}

/** A header that pays. What could not be read in it is null. */
export interface Payment {
  /** As it came. */
  readonly header: string
  /** Of x402, by the name of the header. */
  readonly version: 1 | 2
  /** The JSON in it. */
  readonly content: Readonly<Record<string, unknown>> | null
  readonly authorization: Authorization | null
  readonly signature: Hex | null
}

/** Null for a request that does not pay. */
export function paymentIn(headers: IncomingHttpHeaders): Payment | null {
  const [second, first] = [headers['payment-signature'], headers['x-payment']]
  const header = second ?? first
  if (header === undefined) return null
  const content = objectIn(String(header))
  const payload = content?.payload as Partial<Payment> | undefined
  const { authorization = null, signature = null } = payload ?? {}
  return { header: String(header), version: second === undefined ? 1 : 2, content, authorization, signature }
}

function objectIn(header: string): Payment['content'] {
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString()) as Payment['content']
  } catch {
    return null
  }
}

/** How all headers of x402 are written. */
export function encoded(content: unknown): string {
  return Buffer.from(JSON.stringify(content)).toString('base64')
}
