import * as node from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Buffer as BrowserBuffer } from '../../src/console/verify/buffer.ts'
import * as browser from '../../src/console/verify/crypto.ts'

/** What runs in browsers in place of Node's own must say what Node says: here both are asked the same. */
describe('cryptography in the browser', () => {
  const bytes = Buffer.from('what is signed')
  const jwkOf = (key: node.KeyObject) =>
    key.export({ format: 'jwk' }) as { kty: string; crv: string; x: string; y?: string }

  it('hashes as Node does', () => {
    for (const data of ['', 'ü\0ß', Uint8Array.of(0, 255)]) {
      expect(browser.hash('sha256', data, 'hex')).toBe(node.hash('sha256', data, 'hex'))
      expect(browser.hash('sha256', data, 'binary')).toBe(node.hash('sha256', data, 'binary'))
    }
    expect(() => browser.hash('sha1', '', 'hex')).toThrow(TypeError)
  })

  it.each([
    ['Ed25519', null, node.generateKeyPairSync('ed25519')],
    ['ES256', 'sha256', node.generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ])(
    'security: verifies %s, and nothing that was changed in any byte',
    (_name, algorithm, { publicKey, privateKey }) => {
      const key = browser.createPublicKey({ key: jwkOf(publicKey), format: 'jwk' })
      const signature = node.sign(algorithm, bytes, privateKey)
      expect(browser.verify(algorithm, bytes, key, signature)).toBe(true)
      expect(browser.verify(algorithm === null ? 'sha256' : null, bytes, key, signature)).toBe(false)
      for (const [changed, at] of [
        ...Array.from(signature.keys(), (at) => [signature, at] as const),
        ...Array.from(bytes.keys(), (at) => [bytes, at] as const),
      ]) {
        const other = Buffer.from(changed)
        other[at] = (other[at] as number) ^ 1
        const [said, signed] = changed === bytes ? [other, signature] : [bytes, other]
        expect(browser.verify(algorithm, said, key, signed)).toBe(false)
        expect(node.verify(algorithm, said, publicKey, signed)).toBe(false)
      }
      for (const broken of [Buffer.alloc(0), signature.subarray(1), Buffer.concat([signature, Buffer.of(0)])])
        expect(browser.verify(algorithm, bytes, key, broken)).toBe(false)
    },
  )

  it('security: takes no key that is no point of its curve, and no other kind', () => {
    const [x, y] = [Buffer.alloc(32, 1).toString('base64url'), Buffer.alloc(32, 2).toString('base64url')]
    for (const key of [
      { kty: 'EC', crv: 'P-256', x, y },
      { kty: 'EC', crv: 'P-384', x, y },
      { kty: 'OKP', crv: 'X25519', x },
      { kty: 'OKP', crv: 'Ed25519', x: 'AA' },
    ])
      expect(() => browser.createPublicKey({ key, format: 'jwk' })).toThrow()
  })

  it('has bytes that are written and read as Node’s are', () => {
    for (let length = 0; length < 70; length += 1) {
      const data = node.randomBytes(length)
      for (const encoding of ['base64url', 'base64', 'hex', 'binary'] as const) {
        const text = data.toString(encoding)
        expect(BrowserBuffer.from(data).toString(encoding)).toBe(text)
        expect(Buffer.from(BrowserBuffer.from(text, encoding)).equals(data)).toBe(true)
      }
      expect(Buffer.from(BrowserBuffer.from(data).subarray(1)).equals(data.subarray(1))).toBe(true)
    }
    const both = BrowserBuffer.concat([BrowserBuffer.from('61', 'hex'), BrowserBuffer.from('62', 'hex')])
    expect(both.equals(BrowserBuffer.from('6162', 'hex'))).toBe(true)
  })
})
