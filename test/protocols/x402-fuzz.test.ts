import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical } from '../../src/core/canonical.ts'
import type { Quote } from '../../src/core/offer.ts'
import type { Transfer } from '../../src/core/types.ts'
import type { WebResponse } from '../../src/ports/web.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { answer, base64, ENTRY, ENTRY_V1, IDENTIFIER, PAYER, RESOURCE } from './x402-fixture.ts'

const V2 = {
  ...{ x402Version: 2, error: 'Payment required', resource: RESOURCE, accepts: [ENTRY, { ...ENTRY, scheme: 'upto' }] },
  extensions: { 'payment-identifier': { info: { required: true }, schema: {} } },
}
const V1 = {
  x402Version: 1,
  error: 'X-PAYMENT is required',
  accepts: [ENTRY_V1, { ...ENTRY_V1, network: 'avalanche' }],
}

/** What a seller may write in place of anything, as JSON. */
const nasty = fc.oneof(
  fc.json({ stringUnit: 'binary', maxDepth: 4 }),
  fc.constantFrom('null', '""', '{}', '[]', '-0', '1e999', '-1e999', '1e-999', '9007199254740993', '"\\ud800"'),
  fc.constantFrom('{"__proto__":{"amount":"1"}}', '{"constructor":{"prototype":{"amount":"1"}}}', '{"toJSON":1}'),
  fc.constantFrom('"0x0000000000000000000000000000000000000000"', '"eip155:0"', '"10000"', '10000', '"0"', '"exact"'),
  fc.nat(200).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
  fc.bigInt().map((units) => `"${units}"`),
  fc.double().map((number) => `${number}`),
  fc.string({ unit: 'binary', maxLength: 5_000 }).map((text) => JSON.stringify(text)),
)

/** Where something can be put in place of something in a value: paths of names. */
function places(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, one]) => places(one, [...path, name]))]
}

/** JSON of a value with another JSON text at a place of it. */
function written(value: unknown, path: readonly string[], text: string): string {
  const marked = structuredClone({ '': value }) as Record<string, unknown>
  const names = ['', ...path]
  const last = names.pop() as string
  const parent = names.reduce((one, name) => one[name] as Record<string, unknown>, marked)
  parent[last] = '\u0001'
  return JSON.stringify(marked[''] as unknown).replace('"\\u0001"', () => text)
}

const mutated = (honest: unknown) =>
  fc.tuple(fc.constantFrom(...places(honest)), nasty).map(([path, text]) => written(honest, path, text))
const torn = (honest: unknown) =>
  fc.tuple(fc.nat(2_000), fc.uint8Array({ maxLength: 8 })).map(([at, bytes]) => {
    const whole = Buffer.from(JSON.stringify(honest))
    return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + bytes.length)])
  })
const anything = fc.oneof(
  ...[V2, V1].map((honest) => mutated(honest).map((text) => Buffer.from(text))),
  ...[V2, V1].map((honest) => torn(honest)),
  nasty.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
)
const header = fc.oneof(
  { weight: 9, arbitrary: anything.map((bytes) => bytes.toString('base64')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
)

/** What every quote keeps to, whatever the seller wrote. */
function isSound(quote: Quote): void {
  expect(quote.offers.length).toBeLessThanOrEqual(32)
  for (const words of Object.values(quote.words)) expect(words?.length ?? 0).toBeLessThanOrEqual(2_000)
  if (quote.resourceUrl !== null) expect(new URL(quote.resourceUrl).protocol).toMatch(/^https?:$/)
  for (const offer of quote.offers) {
    expect(offer.version).toBe(quote.version)
    expect(offer.amount > 0n && offer.amount < 10n ** 30n).toBe(true)
    expect(`${offer.amount}`).toBe(
      String(offer.accepted[quote.version === 2 ? 'amount' : 'maxAmountRequired']).replace(/^0+/, ''),
    )
    expect(Number.isSafeInteger(offer.timeoutSeconds) && offer.timeoutSeconds > 0).toBe(true)
    for (const word of [offer.scheme, offer.method, offer.flow]) expect(word).toMatch(/^[a-z0-9][a-z0-9_-]{0,39}$/)
    if (offer.network !== null) expect(offer.network).toMatch(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/)
    if (offer.asset !== null) expect(offer.asset).toMatch(/^eip155:[1-9][0-9]*\/erc20:0x[0-9a-fA-F]{40}$/)
    if (offer.payTo !== null) expect(offer.payTo).toMatch(/^0x[0-9a-fA-F]{40}$/)
    expect(canonical(JSON.parse(JSON.stringify(offer.accepted)))).toBe(canonical(offer.accepted))
    isProvable(quote, offer)
  }
}

/** A payment of an offer that can be paid has a header, and it carries the offer as it came. */
function isProvable(quote: Quote, offer: Quote['offers'][number]): void {
  const { scheme, method, asset, payTo, amount, accepted } = offer
  if (scheme !== 'exact' || method !== 'eip3009' || asset === null || payTo === null) return
  const transfer: Transfer = {
    ...{ paymentId: IDENTIFIER, walletId: 'wal_1', asset, from: PAYER.address, to: payTo, value: amount },
    ...{ validBefore: 4_102_444_800, nonce: `0x${'a'.repeat(64)}`, signature: `0x${'5a'.repeat(64)}1b` },
    ...{ fromBlock: 1, status: 'open', txHash: null, block: null, voidProof: null, signedAt: 0 },
    ...{ kind: 'eip3009', facilitator: null, moved: null },
  }
  const { value } = x402.proof(quote, offer, transfer, IDENTIFIER)
  expect(value.length).toBeLessThanOrEqual(8_192)
  const sent = JSON.parse(Buffer.from(value, 'base64').toString())
  if (quote.version === 2) expect(canonical(sent.accepted)).toBe(canonical(accepted))
  else expect([sent.scheme, sent.network]).toEqual([accepted.scheme, accepted.network])
}

const asked = fc
  .record({ header, body: anything, inHeader: fc.boolean() })
  .map(
    ({ header: value, body, inHeader }): WebResponse =>
      answer({ body, headers: inHeader ? { 'payment-required': value } : {} }),
  )

describe('security: whatever a seller writes', () => {
  it('a quote is sound, or there is none', () => {
    let quotes = 0
    fc.assert(
      fc.property(asked, (response) => {
        const quote = x402.quote(response)
        if (quote === null) return
        quotes += quote.offers.length
        isSound(quote)
      }),
      { numRuns: 3_000 },
    )
    // Enough of it was nearly honest.
    expect(quotes).toBeGreaterThan(300)
  })

  it('a claim is one of three, with a hash or without', () => {
    const settled = { success: true, transaction: `0x${'5a'.repeat(32)}`, network: 'eip155:8453' }
    const nearly = fc.oneof(mutated(settled), torn(settled).map(String), nasty)
    fc.assert(
      fc.property(fc.oneof(nearly.map(base64), header), (value) => {
        const claim = x402.claim(answer({ status: 200, headers: { 'payment-response': value } }))
        if (claim === null) return
        expect(typeof claim.success).toBe('boolean')
        if (claim.transaction !== null) expect(claim.transaction).toMatch(/^0x[0-9a-f]{64}$/)
      }),
      { numRuns: 1_000 },
    )
  })

  it('nothing that all objects inherit is changed', () => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    fc.assert(
      fc.property(asked, (response) => {
        x402.quote(response)
        x402.claim(response)
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
        expect(({} as Record<string, unknown>).amount).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })
})
