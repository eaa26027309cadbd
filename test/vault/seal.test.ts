import { beforeAll, describe, expect, it } from 'vitest'
import { canonical, sha256 } from '../../src/core/canonical.ts'
import { seal, unseal } from '../../src/vault/seal.ts'

const SECRET = Buffer.from('the secret that nobody may see')
const PASSPHRASE = 'correct horse battery staple \u00e9'
const damaged = expect.objectContaining({ name: 'BursarError', code: 'config_invalid' })
const wrong = expect.objectContaining({ name: 'BursarError', code: 'passphrase_wrong' })

let sealed = ''
beforeAll(async () => {
  sealed = await seal(SECRET, PASSPHRASE, 'test')
})

describe('seal', () => {
  it('gives the secret back to the passphrase, however its accents were typed', async () => {
    expect(await unseal(sealed, PASSPHRASE, 'test')).toEqual(SECRET)
    expect(await unseal(sealed, PASSPHRASE.normalize('NFD'), 'test')).toEqual(SECRET)
  })

  it('says how it was made: scrypt N=2^17, r=8, p=1 and AES-256-GCM', () => {
    expect(JSON.parse(sealed)).toMatchObject({
      v: 1,
      purpose: 'test',
      kdf: { name: 'scrypt', N: 131072, r: 8, p: 1 },
      cipher: { name: 'aes-256-gcm' },
    })
  })

  it('never makes the same text twice', async () => {
    const [a, b] = [JSON.parse(sealed), JSON.parse(await seal(SECRET, PASSPHRASE, 'test'))]
    expect(a.kdf.salt).not.toBe(b.kdf.salt)
    expect(a.cipher.iv).not.toBe(b.cipher.iv)
    expect(a.ciphertext).not.toBe(b.ciphertext)
  })

  it('refuses an empty passphrase', async () => {
    await expect(seal(SECRET, '', 'test')).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('security: stays shut for another passphrase', async () => {
    await expect(unseal(sealed, `${PASSPHRASE} `, 'test')).rejects.toThrow(wrong)
    await expect(unseal(sealed, '', 'test')).rejects.toThrow(wrong)
  })

  it('security: stays shut for another purpose', async () => {
    await expect(unseal(sealed, PASSPHRASE, 'other')).rejects.toThrow(damaged)
  })

  it('security: stays shut when whoever changed it mended the checksum too', async () => {
    const { ciphertext, tag } = JSON.parse(sealed)
    const changes = [{ ciphertext: flipped(ciphertext) }, { tag: flipped(tag) }, { purpose: 'other' }]
    for (const change of changes)
      await expect(unseal(mended(change), PASSPHRASE, 'purpose' in change ? 'other' : 'test')).rejects.toThrow(wrong)
  })

  it('says that it is damaged, not that the passphrase is wrong, when any character is changed', async () => {
    for (let i = 0; i < sealed.length; i++) {
      const text = `${sealed.slice(0, i)}${String.fromCharCode(sealed.charCodeAt(i) ^ 1)}${sealed.slice(i + 1)}`
      await expect(unseal(text, PASSPHRASE, 'test')).rejects.toThrow(damaged)
    }
  })

  it('says that it is damaged when it is cut, or not an envelope at all', async () => {
    for (let end = 0; end < sealed.length; end += 7)
      await expect(unseal(sealed.slice(0, end), PASSPHRASE, 'test')).rejects.toThrow(damaged)
    const texts = [
      'null',
      '1',
      '"x"',
      '[]',
      '{}',
      '{"v":1}',
      '{"v":1,"purpose":"test","kdf":null}',
      ' '.repeat(70_000),
      sealed.replace('"v":1', '"v":2'),
    ]
    for (const text of texts) await expect(unseal(text, PASSPHRASE, 'test')).rejects.toThrow(damaged)
    for (const value of [null, 1, {}, [], '\ud800', 'AA'])
      for (const name of ['ciphertext', 'tag', 'checksum', 'kdf', 'cipher'])
        await expect(
          unseal(JSON.stringify({ ...JSON.parse(sealed), [name]: value }), PASSPHRASE, 'test'),
        ).rejects.toThrow(damaged)
  })

  it.each([
    ['all memory', { N: 2 ** 30 }],
    ['memory by block size', { r: 2 ** 20 }],
    ['time', { p: 2 ** 20 }],
    ['no work', { N: 2 }],
    ['an N that is no power of two', { N: 2 ** 17 + 1 }],
    ['a negative number', { N: -(2 ** 17), r: -8 }],
    ['a fraction', { r: 8.5 }],
    ['text for a number', { N: '131072' }],
    ['nothing', { N: null, r: null, p: null }],
  ])('security: refuses, before any work, a file that asks for %s', async (_, kdf) => {
    const text = mended({ kdf: { ...JSON.parse(sealed).kdf, ...kdf } })
    await expect(unseal(text, PASSPHRASE, 'test')).rejects.toThrow('scrypt parameters are out of bounds')
  })

  it('never tells the secret or the passphrase in an error', async () => {
    const { ciphertext } = JSON.parse(sealed)
    const texts = [sealed.slice(1), mended({ ciphertext: flipped(ciphertext) }), 'x', SECRET.toString()]
    const errors = await Promise.all(texts.map((text) => unseal(text, PASSPHRASE, 'test').catch(String)))
    for (const error of errors) expect(error).not.toMatch(/horse|secret that/)
  })
})

function mended(change: object): string {
  const { checksum, ...body } = { ...JSON.parse(sealed), ...change }
  return JSON.stringify({ ...body, checksum: sha256(canonical(body)).toString('base64') })
}

function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  return Buffer.from(bytes.with(0, bytes[0]! ^ 1)).toString('base64')
}
