import { isUptoPermit2Payload, PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress } from '@x402/evm'
import { UptoEvmScheme } from '@x402/evm/upto/client'
import { describe, expect, it } from 'vitest'
import { PERMIT2, UPTO_PROXY } from '../../src/core/permit.ts'
import { typedDataOf } from '../../src/core/transfer.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import {
  asksV2,
  BASE,
  ENTRY,
  ENTRY_V1,
  IDENTIFIER,
  offerWith,
  offerWithV1,
  PAYER,
  quoted,
  said,
  transferFor,
} from './x402-fixture.ts'

const SETTLER = '0x90F79bf6EB2c4f870365E785982E1f101E93b906'
const EXTRA = { ...ENTRY.extra, assetTransferMethod: 'permit2', facilitatorAddress: SETTLER }
const UPTO = { ...ENTRY, scheme: 'upto', extra: EXTRA }
const PERMIT = { kind: 'permit2', facilitator: SETTLER } as const

/** What the official client signs and sends for this entry. */
async function official() {
  const signed: Record<string, unknown>[] = []
  const signer = {
    address: PAYER.address,
    signTypedData: async (data: never) => {
      signed.push(data)
      return PAYER.signTypedData(data)
    },
  }
  const { payload } = await new UptoEvmScheme(signer).createPaymentPayload(2, UPTO as never)
  return { typedData: signed[0] as { message: object }, payload: payload as { permit2Authorization: object } }
}

describe('upto', () => {
  it('is settled by whom the seller names, in EIP-55', () => {
    const small = offerWith({ scheme: 'upto', extra: { ...EXTRA, facilitatorAddress: SETTLER.toLowerCase() } })
    expect(small).toMatchObject({ scheme: 'upto', method: 'permit2', amount: 10_000n, facilitator: SETTLER })
  })

  it.each<[string, object]>([
    ['an exact price', { extra: EXTRA }],
    ['an exact price by authorization', { extra: { ...ENTRY.extra, facilitatorAddress: SETTLER } }],
    ['another method', { scheme: 'upto', extra: { ...EXTRA, assetTransferMethod: 'eip3009' } }],
    ['half an address', { scheme: 'upto', extra: { ...EXTRA, facilitatorAddress: SETTLER.slice(0, 20) } }],
    ['a number', { scheme: 'upto', extra: { ...EXTRA, facilitatorAddress: 7 } }],
    [
      'an address that was mistyped',
      { scheme: 'upto', extra: { ...EXTRA, facilitatorAddress: SETTLER.replace('F', 'f') } },
    ],
    ['nobody', { scheme: 'upto', extra: { ...EXTRA, facilitatorAddress: undefined } }],
  ])('security: is settled by nobody with %s', (_, change) => {
    expect(offerWith(change)?.facilitator).toBe(null)
  })

  it('is signed and sent as the official client does it, but for what must differ', async () => {
    const { typedData, payload } = await official()
    const { quote, offer } = quoted(asksV2({ accepts: [UPTO] }))
    const transfer = await transferFor(offer, PERMIT)
    const ours = typedDataOf(transfer, BASE.usdc)
    const { nonce, deadline } = ours.message
    expect({ ...typedData, message: { ...typedData.message, nonce, deadline } }).toEqual(ours)
    const header = said(x402.proof(quote, offer, transfer, IDENTIFIER).value)
    expect(isUptoPermit2Payload(header.payload as never)).toBe(true)
    expect(header).toMatchObject({ x402Version: 2, accepted: UPTO })
    const permit2Authorization = { ...payload.permit2Authorization, nonce: `${nonce}`, deadline: `${deadline}` }
    expect(header.payload).toEqual({ signature: transfer.signature, permit2Authorization })
    expect([PERMIT2, UPTO_PROXY]).toEqual([PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress])
  })

  it('ends with the second before the payment is over', async () => {
    const { offer } = quoted(asksV2({ accepts: [UPTO] }))
    const transfer = await transferFor(offer, PERMIT)
    expect(typedDataOf(transfer, BASE.usdc).message.deadline).toBe(BigInt(transfer.validBefore) - 1n)
  })

  it.each<[string, object, object]>([
    ['an authorization for a permit', UPTO, { kind: 'eip3009', facilitator: null }],
    ['a permit for an authorization', ENTRY, PERMIT],
    ['a permit that another settles', UPTO, { ...PERMIT, facilitator: PAYER.address }],
    ['a permit of more', UPTO, { ...PERMIT, value: 10_001n }],
    ['a permit of less', UPTO, { ...PERMIT, value: 9_999n }],
    ['a permit for another', UPTO, { ...PERMIT, to: PAYER.address }],
    ['a permit for an exact price by Permit2', { ...ENTRY, extra: EXTRA }, PERMIT],
  ])('security: no header carries %s', async (_, entry, change) => {
    const { quote, offer } = quoted(asksV2({ accepts: [entry] }))
    const transfer = await transferFor(offer, change)
    expect(() => x402.proof(quote, offer, transfer, IDENTIFIER)).toThrow(RangeError)
  })

  it('security: has no version 1', async () => {
    const offer = offerWithV1({ ...ENTRY_V1, scheme: 'upto', extra: EXTRA })!
    const { quote } = quoted(asksV2({ accepts: [UPTO] }))
    const transfer = await transferFor(offer, PERMIT)
    expect(() => x402.proof({ ...quote, version: 1 }, offer, transfer, IDENTIFIER)).toThrow(RangeError)
  })
})
