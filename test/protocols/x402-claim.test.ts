import { encodePaymentResponseHeader } from '@x402/core/http'
import { describe, expect, it } from 'vitest'
import { x402 } from '../../src/protocols/x402/index.ts'
import { answer, base64 } from './x402-fixture.ts'

const HASH = `0x${'5a'.repeat(32)}`
const SETTLED = { success: true, transaction: HASH, network: 'eip155:8453' } as const
const claimed = (content: unknown, status = 200) =>
  x402.claim(answer({ status, headers: { 'payment-response': base64(content) } }))

describe('a claim', () => {
  it.each([200, 204, 402, 500])('is read as official sellers write it, with status %i', (status) => {
    const header = encodePaymentResponseHeader(SETTLED)
    expect(x402.claim(answer({ status, headers: { 'payment-response': header } }))).toEqual({
      ...{ success: true, transaction: HASH },
    })
    expect(x402.claim(answer({ status, headers: { 'x-payment-response': header } }))).toEqual({
      ...{ success: true, transaction: HASH },
    })
  })

  it('of version 2 comes before one of version 1, also where it cannot be read', () => {
    const first = base64({ ...SETTLED, success: false })
    expect(
      x402.claim(answer({ headers: { 'payment-response': first, 'x-payment-response': base64(SETTLED) } }))?.success,
    ).toBe(false)
    expect(
      x402.claim(answer({ headers: { 'payment-response': '%', 'x-payment-response': base64(SETTLED) } })),
    ).toBeNull()
  })

  it.each<unknown>([false, 'true', 1, null, undefined, {}, [[true]]])('of the success %j is of none', (success) => {
    expect(claimed({ ...SETTLED, success })).toEqual({ success: false, transaction: HASH })
  })

  it.each<[unknown, string | null]>([
    [HASH, HASH],
    [HASH.toUpperCase(), HASH],
    ['', null],
    [HASH.slice(0, -1), null],
    [`${HASH}0`, null],
    [` ${HASH}`, null],
    [`${HASH}\n`, null],
    [HASH.slice(2), null],
    [`0x${'g'.repeat(64)}`, null],
    ['<b>paid</b>', null],
    [[HASH], null],
    [{ toString: HASH }, null],
    [7, null],
    [null, null],
    [undefined, null],
  ])('of the transaction %j names %j', (transaction, expected) => {
    expect(claimed({ ...SETTLED, transaction })).toEqual({ success: true, transaction: expected })
  })

  it.each([
    ['no header', {}],
    ['nothing', { 'payment-response': '' }],
    ['no base64', { 'payment-response': '{"success":true}' }],
    ['no JSON', { 'payment-response': base64('success') }],
    ['a list', { 'payment-response': base64([SETTLED]) }],
    ['null', { 'payment-response': base64('null') }],
    ['text', { 'payment-response': base64('"success"') }],
    ['a property that sets what objects inherit', { 'payment-response': base64('{"__proto__":{"success":true}}') }],
    ['more than 16 KiB', { 'payment-response': base64({ ...SETTLED, pad: 'x'.repeat(16_384) }) }],
    ['nesting without end', { 'payment-response': base64('['.repeat(12_000)) }],
  ])('is not in %s', (_, headers) => {
    expect(x402.claim(answer({ status: 200, headers: headers as Record<string, string> }))).toBeNull()
  })

  it('is not read from a body', () => {
    expect(x402.claim(answer({ status: 200, body: JSON.stringify(SETTLED) }))).toBeNull()
  })
})
