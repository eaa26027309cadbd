// First: what keys take in work is for seal.test.ts.
import '../support/light-work.cjs'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importAccount, listAccounts, makeAccount, openAccount } from '../../src/vault/accounts.ts'
import type { PrivateKey } from '../../src/vault/private-key.ts'
import { seal, unseal } from '../../src/vault/seal.ts'

const posix = process.platform !== 'win32'
const PASSPHRASE = 'correct horse battery staple'
/** The order of secp256k1 (SEC 2): one more than the highest private key. */
const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
const SECRET = 'c0ffee00deadbeef00112233445566778899aabbccddeeff0123456789abcdef'
const ADDRESS = privateKeyToAddress(`0x${SECRET}`)
const invalid = expect.objectContaining({ name: 'BursarError', code: 'config_invalid' })

const root = fs.mkdtempSync(join(tmpdir(), 'bursar-accounts-'))
let count = 0
const freshFolder = () => join(root, `home-${count++}`, 'accounts')
const fileOf = (folder: string, address: string) => join(folder, `${address.toLowerCase()}.json`)

const folder = freshFolder()
let made = ''
let key: PrivateKey
beforeAll(async () => {
  made = await makeAccount(folder, PASSPHRASE)
  await importAccount(folder, PASSPHRASE, SECRET)
  key = await openAccount(folder, PASSPHRASE, ADDRESS)
})
afterAll(() => fs.rmSync(root, { recursive: true }))

describe('account keys', () => {
  it('are sealed in a file each, named by the address', async () => {
    expect(listAccounts(folder)).toEqual([made, ADDRESS].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)))
    expect(fs.readdirSync(folder)).toHaveLength(2)
    const file = JSON.parse(fs.readFileSync(fileOf(folder, ADDRESS), 'utf8'))
    expect(Object.keys(file)).toEqual(['v', 'address', 'sealed'])
    expect(file).toMatchObject({ v: 1, address: ADDRESS, sealed: { purpose: `bursar account key ${ADDRESS}` } })
    const secret = await unseal(JSON.stringify(file.sealed), PASSPHRASE, `bursar account key ${ADDRESS}`)
    expect(secret.toString('hex')).toBe(SECRET)
  })

  it.runIf(posix)('are for their user only, and so is their folder', () => {
    expect(fs.statSync(folder).mode & 0o777).toBe(0o700)
    expect(fs.statSync(fileOf(folder, made)).mode & 0o777).toBe(0o600)
  })

  it('lists nothing where there is no folder, and nothing that is not a key', () => {
    expect(listAccounts(freshFolder())).toEqual([])
    const other = freshFolder()
    fs.mkdirSync(other, { recursive: true })
    for (const name of ['readme.txt', `${ADDRESS}.json`, `${ADDRESS.toLowerCase()}.json.0a.tmp`, '0x12.json'])
      fs.writeFileSync(join(other, name), '')
    expect(listAccounts(other)).toEqual([])
    expect(() => listAccounts(join(other, 'readme.txt'))).toThrow(invalid)
  })

  it('opens by the address in any of its forms', async () => {
    expect((await openAccount(folder, PASSPHRASE, ADDRESS.toLowerCase())).address).toBe(ADDRESS)
    const gone = openAccount(folder, PASSPHRASE, '0x00000000000000000000000000000000000000aa')
    await expect(gone).rejects.toMatchObject({ code: 'key_unavailable' })
    const path = openAccount(folder, PASSPHRASE, `../accounts/${ADDRESS}`)
    await expect(path).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('takes the same key again, in any of its forms, and leaves the file as it is', async () => {
    const before = fs.readFileSync(fileOf(folder, ADDRESS))
    expect(await importAccount(folder, PASSPHRASE, `0x${SECRET.toUpperCase()}`)).toBe(ADDRESS)
    await expect(importAccount(folder, 'other', SECRET)).rejects.toMatchObject({ code: 'passphrase_wrong' })
    expect(fs.readFileSync(fileOf(folder, ADDRESS))).toEqual(before)
  })

  it.each([
    '',
    '0x',
    SECRET.slice(1),
    `${SECRET}0`,
    `0X${SECRET}`,
    `0x0x${SECRET}`,
    ` ${SECRET}`,
    `${SECRET}\n`,
    `${SECRET.slice(1)}g`,
    'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
    '0'.repeat(64),
    ORDER,
    'f'.repeat(64),
  ])('security: refuses what is no private key, without quoting it (%#)', async (text) => {
    const other = freshFolder()
    const error = await importAccount(other, PASSPHRASE, text).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'BursarError', code: 'argument_invalid' })
    if (text.length > 2) expect(inspect(error)).not.toContain(text.trim())
    expect(fs.existsSync(other)).toBe(false)
  })

  it('takes the lowest and the highest private key', async () => {
    const other = freshFolder()
    for (const text of ['1'.padStart(64, '0'), `${ORDER.slice(0, -1)}0`])
      expect(await importAccount(other, PASSPHRASE, text)).toBe(privateKeyToAddress(`0x${text}`))
  })

  it('security: stays shut for another passphrase', async () => {
    await expect(openAccount(folder, 'other', ADDRESS)).rejects.toMatchObject({ code: 'passphrase_wrong' })
  })

  it('security: does not open as another account', async () => {
    const text = fs.readFileSync(fileOf(folder, made), 'utf8')
    // As it is; with the address changed; and sealed again, by someone who has the passphrase.
    const sealed = JSON.parse(await seal(Buffer.from(SECRET, 'hex'), PASSPHRASE, `bursar account key ${made}`))
    const swapped = [
      [ADDRESS, text, 'not the key of this account'],
      [ADDRESS, text.replace(`"address": "${made}"`, `"address": "${ADDRESS}"`), 'another purpose'],
      [made, JSON.stringify({ v: 1, address: made, sealed }), 'the key of another account'],
    ] as const
    for (const [address, content, why] of swapped) {
      const opening = openAccount(withFile(address, content), PASSPHRASE, address)
      await expect(opening).rejects.toThrow(invalid)
      await expect(opening).rejects.toThrow(why)
    }
  })

  it('is refused when it is damaged', async () => {
    const file = JSON.parse(fs.readFileSync(fileOf(folder, ADDRESS), 'utf8'))
    const short = JSON.parse(await seal(Buffer.from(SECRET.slice(2), 'hex'), PASSPHRASE, file.sealed.purpose))
    const zero = JSON.parse(await seal(Buffer.alloc(32), PASSPHRASE, file.sealed.purpose))
    for (const content of [
      'SECRETTEXT',
      'null',
      JSON.stringify({ ...file, v: 2 }),
      JSON.stringify({ ...file, sealed: undefined }),
      JSON.stringify({ ...file, sealed: { ...file.sealed, tag: 'AAAAAAAAAAAAAAAAAAAAAA==' } }),
      JSON.stringify({ ...file, sealed: short }),
      JSON.stringify({ ...file, sealed: zero }),
    ]) {
      const error = await openAccount(withFile(ADDRESS, content), PASSPHRASE, ADDRESS).catch((thrown) => thrown)
      expect(error).toEqual(invalid)
      expect(inspect(error)).not.toContain('SECRETTEXT')
    }
  })

  it.runIf(posix)('security: is refused when others can reach it or its folder', async () => {
    const other = withFile(ADDRESS, fs.readFileSync(fileOf(folder, ADDRESS), 'utf8'))
    fs.chmodSync(fileOf(other, ADDRESS), 0o640)
    await expect(openAccount(other, PASSPHRASE, ADDRESS)).rejects.toThrow(`chmod 600 ${fileOf(other, ADDRESS)}`)
    fs.chmodSync(fileOf(other, ADDRESS), 0o600)
    fs.chmodSync(other, 0o750)
    await expect(openAccount(other, PASSPHRASE, ADDRESS)).rejects.toThrow(`chmod 700 ${other}`)
    await expect(makeAccount(other, PASSPHRASE)).rejects.toThrow(`chmod 700 ${other}`)
    expect(fs.readdirSync(other)).toHaveLength(1)
  })

  it('security: shows its address and nothing else, however it is printed', () => {
    expect(inspect(key, { showHidden: true, depth: null, getters: true })).toBe(`PrivateKey { address: '${ADDRESS}' }`)
    expect(JSON.stringify({ key })).toBe(JSON.stringify({ key: { address: ADDRESS } }))
    expect(`${key}`).toBe('[object Object]')
    expect(structuredClone(key)).toEqual({ address: ADDRESS })
    expect({ ...key }).toEqual({ address: ADDRESS })
    expect(Reflect.ownKeys(key)).toEqual(['address'])
  })

  it('security: no key is in a file in the clear', () => {
    const text = fs.readFileSync(fileOf(folder, ADDRESS), 'utf8')
    expect(text.toLowerCase()).not.toContain(SECRET.slice(0, 16))
    expect(text).not.toContain(Buffer.from(SECRET, 'hex').toString('base64').slice(0, 20))
  })
})

/** A folder with one file in it. */
function withFile(address: string, content: string): string {
  const other = freshFolder()
  fs.mkdirSync(other, { recursive: true, mode: 0o700 })
  fs.writeFileSync(fileOf(other, address), content, { mode: 0o600 })
  return other
}
