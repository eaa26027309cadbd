import { randomBytes } from 'node:crypto'
import { encodeCBOR } from '@levischuck/tiny-cbor'
import { describe, expect, it } from 'vitest'
import { actChallenge, approvalChallenge, isAsserted, isUsableKey } from '../../src/core/webauthn.ts'
import { Authenticator, FLAGS } from '../support/authenticator.ts'

const CHALLENGE = approvalChallenge('{"a":1}')
const ORIGIN = 'https://pay.example.com'
const CEREMONY = { challenge: CHALLENGE.toString('base64url'), origin: ORIGIN, rpId: 'pay.example.com' }

function passkeyOf({ id, publicKey }: Authenticator, origin = ORIGIN) {
  return { id, publicKey, rpId: new URL(origin).hostname, origin }
}

/** The same bytes but for one bit, as base64url. */
function flipped(text: string, at: number): string {
  const bytes = Buffer.from(text, 'base64url')
  bytes[at] = (bytes[at] as number) ^ 1
  return bytes.toString('base64url')
}

describe.each([-7, -8] as const)('security: an assertion by a key of COSE algorithm %i', (algorithm) => {
  const key = new Authenticator(algorithm)
  const passkey = passkeyOf(key)
  const assertion = key.assert(CEREMONY)

  it('is of this challenge, passkey and page', () => {
    expect(isAsserted(assertion, CHALLENGE, passkey)).toBe(true)
  })

  it('is none with any one byte changed', () => {
    for (const part of ['authenticator_data', 'client_data_json', 'signature'] as const)
      for (let at = 0; at < Buffer.from(assertion[part], 'base64url').length; at++) {
        const changed = { ...assertion, [part]: flipped(assertion[part], at) }
        expect([part, at, isAsserted(changed, CHALLENGE, passkey)]).toEqual([part, at, false])
      }
  })

  it.each<[string, Partial<Parameters<Authenticator['assert']>[0]>]>([
    ['another challenge', { challenge: approvalChallenge('{"a":2}').toString('base64url') }],
    ['the same statement as an act', { challenge: actChallenge('{"a":1}').toString('base64url') }],
    ['another page', { origin: 'https://pay.example.com.evil.test' }],
    ['a page of the same name without TLS', { origin: 'http://pay.example.com' }],
    ['another relying party', { rpId: 'example.com' }],
    ['a user who was there and not verified', { flags: FLAGS.there }],
    ['a user who was verified and not there', { flags: 0x04 }],
    ['nobody', { flags: 0 }],
    ['a registration', { flags: 0x45 }],
    ['extensions that are not there', { flags: 0x85 }],
    ['making a passkey', { client: { type: 'webauthn.create' } }],
    ['a payment', { client: { type: 'payment.get' } }],
    ['a frame in another page', { client: { crossOrigin: true } }],
    ['a frame in a page that is named', { client: { topOrigin: 'https://evil.test' } }],
  ])('of %s, truly signed, is none', (_, other) => {
    expect(isAsserted(key.assert({ ...CEREMONY, ...other }), CHALLENGE, passkey)).toBe(false)
  })

  it('by another key is none, whatever id it gives', () => {
    const thief = new Authenticator(algorithm)
    expect(isAsserted({ ...thief.assert(CEREMONY), passkey_id: key.id }, CHALLENGE, passkey)).toBe(false)
    expect(isAsserted(assertion, CHALLENGE, passkeyOf(thief))).toBe(false)
  })

  it('is good on every port of this machine for a passkey of it, and only there', () => {
    const local = passkeyOf(key, 'http://localhost:8787')
    const at = (origin: string, known = local) =>
      isAsserted(key.assert({ ...CEREMONY, rpId: known.rpId, origin }), CHALLENGE, known)
    expect(at('http://localhost:8787')).toBe(true)
    expect(at('http://localhost:40123')).toBe(true)
    for (const origin of [
      'http://localhost.evil.test',
      'https://localhost:1',
      'http://localhost:1/',
      'http://127.0.0.1:1',
    ])
      expect([origin, at(origin)]).toEqual([origin, false])
    expect(at('http://localhost:1', passkey)).toBe(false)
  })
})

describe('security: what is no assertion', () => {
  const key = new Authenticator()
  const passkey = passkeyOf(key)
  const assertion = key.assert(CEREMONY)

  it.each<[string, object]>([
    ['padded', { signature: `${assertion.signature}==` }],
    ['spelled otherwise', { client_data_json: `${assertion.client_data_json}\n` }],
    ['empty', { authenticator_data: '', client_data_json: '', signature: '' }],
    ['no text', { authenticator_data: 1, client_data_json: null, signature: {} }],
    ['of no JSON', { client_data_json: Buffer.from('{').toString('base64url') }],
    ['of JSON that is no object', { client_data_json: Buffer.from('null').toString('base64url') }],
    ['of bytes that are no UTF-8', { client_data_json: Buffer.from([0x22, 0xff, 0x22]).toString('base64url') }],
    ['of a signature that is no DER', { signature: Buffer.alloc(64, 1).toString('base64url') }],
    ['of zeros', { signature: Buffer.from('3006020100020100', 'hex').toString('base64url') }],
    ['longer than its flags say', { authenticator_data: `${assertion.authenticator_data}AAAA` }],
  ])('%s: says so, and does not throw', (_, other) => {
    expect(isAsserted({ ...assertion, ...other }, CHALLENGE, passkey)).toBe(false)
  })

  it('random bytes are none, and do not throw', () => {
    for (let i = 0; i < 300; i++) {
      const noise = () => randomBytes(i % 90).toString('base64url')
      const any = { passkey_id: key.id, authenticator_data: noise(), client_data_json: noise(), signature: noise() }
      expect(isAsserted(any, CHALLENGE, { ...passkey, publicKey: i % 2 === 0 ? noise() : passkey.publicKey })).toBe(
        false,
      )
    }
  })
})

describe('security: the key of a passkey', () => {
  const cose = (entries: [number, number | Uint8Array][]) =>
    Buffer.from(encodeCBOR(new Map(entries))).toString('base64url')
  const point = Uint8Array.from(Buffer.alloc(32, 7))
  const [x, y] = [new Authenticator(-7).publicKey].map((key) => {
    const bytes = Buffer.from(key, 'base64url')
    return [Uint8Array.from(bytes.subarray(10, 42)), Uint8Array.from(bytes.subarray(45, 77))] as const
  })[0] as readonly [Uint8Array, Uint8Array]
  const P256: [number, number | Uint8Array][] = [
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, x],
    [-3, y],
  ]

  it('is a point on P-256 or a key of Ed25519', () => {
    expect(isUsableKey(cose(P256))).toBe(true)
    expect(
      isUsableKey(
        cose([
          [1, 1],
          [3, -8],
          [-1, 6],
          [-2, point],
        ]),
      ),
    ).toBe(true)
  })

  it.each<[string, [number, number | Uint8Array][]]>([
    ['a point beside the curve', P256.map(([label, value]) => [label, label === -3 ? point : value])],
    ['a short coordinate', P256.map(([label, value]) => [label, label === -2 ? x.subarray(1) : value])],
    ['another curve', P256.map(([label, value]) => [label, label === -1 ? 2 : value])],
    ['another algorithm on the curve', P256.map(([label, value]) => [label, label === 3 ? -8 : value])],
    ['a half of the key', P256.slice(0, 4)],
    ['more than the key', [...P256, [2, point]]],
    [
      'RSA',
      [
        [1, 3],
        [3, -257],
        [-1, point],
        [-2, point],
      ],
    ],
    [
      'Ed448',
      [
        [1, 1],
        [3, -8],
        [-1, 7],
        [-2, point],
      ],
    ],
    ['nothing', []],
  ])('is not %s', (_, entries) => {
    expect(isUsableKey(cose(entries))).toBe(false)
  })

  it('is not what is no CBOR', () => {
    for (const text of ['', '=', 'AA', Buffer.alloc(77, 0xff).toString('base64url'), `${cose(P256)}AA`])
      expect(isUsableKey(text)).toBe(false)
  })
})
