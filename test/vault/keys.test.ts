import { execFile } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as Keys from '../../src/vault/keys.ts'

const run = promisify(execFile)
const posix = process.platform !== 'win32'
const PASSPHRASE = 'correct horse battery staple'
const invalid = expect.objectContaining({ name: 'BursarError', code: 'config_invalid' })

const root = fs.mkdtempSync(join(tmpdir(), 'bursar-keys-'))
const script = join(root, 'create.mjs')
let count = 0
const freshPath = () => join(root, `keys-${count++}`, 'deep', 'a.key')

let ownerPath = ''
let owner: Keys.KeyPair
beforeAll(async () => {
  ownerPath = freshPath()
  owner = await Keys.ownerKeyFile(ownerPath, PASSPHRASE)
})
afterAll(() => fs.rmSync(root, { recursive: true }))

describe('key pair', () => {
  it('signs what its raw public key verifies', () => {
    const pair = Keys.makeKeyPair()
    const signature = Keys.signerOf(pair)(Buffer.from('bytes'))
    const raw = Buffer.from(pair.publicKey, 'base64')
    expect(raw).toHaveLength(32)
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' })
    expect(verify(null, Buffer.from('bytes'), key, signature)).toBe(true)
    expect(verify(null, Buffer.from('other'), key, signature)).toBe(false)
  })

  it('does not print its private half', () => {
    expect(JSON.stringify(Keys.makeKeyPair())).not.toContain('PRIVATE')
    expect(JSON.parse(JSON.stringify(Keys.makeKeyPair())).privateKey).toEqual({})
  })
})

describe('journal key file', () => {
  it('is made once and then read', () => {
    const path = freshPath()
    const made = Keys.journalKeyFile(path)
    expect(Keys.journalKeyFile(path).publicKey).toBe(made.publicKey)
    expect(Keys.readJournalKeyFile(path).publicKey).toBe(made.publicKey)
    expect(fs.readdirSync(join(path, '..'))).toEqual(['a.key'])
  })

  it.runIf(posix)('is for its user only, and so is its directory', () => {
    const path = freshPath()
    Keys.journalKeyFile(path)
    expect(fs.statSync(path).mode & 0o777).toBe(0o600)
    expect(fs.statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  })

  it.runIf(posix)('security: is refused when others can read or write it, with the command that mends it', () => {
    const path = freshPath()
    const made = Keys.journalKeyFile(path)
    for (const mode of [0o640, 0o620, 0o604, 0o602, 0o644, 0o666]) {
      fs.chmodSync(path, mode)
      expect(() => Keys.journalKeyFile(path)).toThrow(invalid)
      expect(() => Keys.readJournalKeyFile(path)).toThrow(`chmod 600 ${path}`)
    }
    fs.chmodSync(path, 0o600)
    expect(Keys.readJournalKeyFile(path).publicKey).toBe(made.publicKey)
  })

  it.runIf(posix)('security: is neither made nor read in a directory that others can reach', () => {
    const path = freshPath()
    const directory = join(path, '..')
    fs.mkdirSync(directory, { recursive: true })
    fs.chmodSync(directory, 0o755)
    expect(() => Keys.journalKeyFile(path)).toThrow(`chmod 700 ${directory}`)
    expect(fs.readdirSync(directory)).toEqual([])
    fs.chmodSync(directory, 0o700)
    Keys.journalKeyFile(path)
    fs.chmodSync(directory, 0o770)
    expect(() => Keys.readJournalKeyFile(path)).toThrow(`chmod 700 ${directory}`)
  })

  it('is never overwritten, and what it holds is never in an error', () => {
    for (const text of [
      '',
      'SECRETTEXT',
      '-----BEGIN PRIVATE KEY-----\nSECRETTEXT\n-----END PRIVATE KEY-----\n',
      'x'.repeat(200_000),
    ]) {
      const path = freshPath()
      fs.mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
      fs.writeFileSync(path, text, { mode: 0o600 })
      expect(() => Keys.journalKeyFile(path)).toThrow(invalid)
      expect(() => Keys.journalKeyFile(path)).not.toThrow(/SECRETTEXT/)
      expect(fs.readFileSync(path, 'utf8')).toBe(text)
    }
  })

  it('is refused when it is missing, a directory, or a key of another kind', () => {
    const path = freshPath()
    expect(() => Keys.readJournalKeyFile(path)).toThrow('ENOENT')
    fs.mkdirSync(path, { recursive: true, mode: 0o700 })
    expect(() => Keys.readJournalKeyFile(path)).toThrow(invalid)
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' })
    fs.writeFileSync(join(path, 'b.key'), pem, { mode: 0o600 })
    expect(() => Keys.readJournalKeyFile(join(path, 'b.key'))).toThrow('Ed25519')
  })
})

describe('owner key file', () => {
  it('opens with its passphrase, and shows its public key without', async () => {
    const read = await Keys.ownerKeyFile(ownerPath, PASSPHRASE)
    expect(read.publicKey).toBe(owner.publicKey)
    expect(read.privateKey.equals(owner.privateKey)).toBe(true)
    expect(Keys.readOwnerPublicKey(ownerPath)).toBe(owner.publicKey)
  })

  it('security: stays shut for another passphrase, and is not replaced', async () => {
    const before = fs.readFileSync(ownerPath)
    await expect(Keys.ownerKeyFile(ownerPath, 'other')).rejects.toMatchObject({ code: 'passphrase_wrong' })
    expect(fs.readFileSync(ownerPath)).toEqual(before)
  })

  it('security: holds no private key in the clear', () => {
    const der = owner.privateKey.export({ format: 'der', type: 'pkcs8' })
    const text = fs.readFileSync(ownerPath, 'utf8')
    expect(text).not.toContain(der.subarray(-32).toString('base64').slice(0, 20))
    expect(text).not.toContain('PRIVATE')
  })

  it('security: is refused with another public key beside it', async () => {
    const other = rewritten((file) => ({ ...file, public_key: Keys.makeKeyPair().publicKey }))
    await expect(Keys.readOwnerKeyFile(other, PASSPHRASE)).rejects.toThrow('two halves')
  })

  it('is refused when it is damaged', async () => {
    const paths = [
      rewritten(() => null),
      rewritten((file) => ({ ...file, v: 2 })),
      rewritten((file) => ({ ...file, public_key: 'AA==' })),
      rewritten((file) => ({ ...file, sealed: undefined })),
      rewritten((file) => ({ ...file, sealed: { ...(file.sealed as object), tag: 'AAAAAAAAAAAAAAAAAAAAAA==' } })),
    ]
    for (const path of paths) await expect(Keys.ownerKeyFile(path, PASSPHRASE)).rejects.toThrow(invalid)
  })

  it.runIf(posix)('security: is refused when others can read it', async () => {
    const path = rewritten((file) => file)
    fs.chmodSync(path, 0o644)
    await expect(Keys.readOwnerKeyFile(path, PASSPHRASE)).rejects.toThrow(`chmod 600 ${path}`)
    expect(() => Keys.readOwnerPublicKey(path)).toThrow(`chmod 600 ${path}`)
  })
})

describe('many processes at once', () => {
  beforeAll(async () => {
    const contents = `
      import { journalKeyFile, ownerKeyFile } from ${JSON.stringify(join(import.meta.dirname, '../../src/vault/keys.ts'))}
      const [kind, path, startAt] = process.argv.slice(2)
      while (Date.now() < Number(startAt)) {}
      const pair = kind === 'owner' ? await ownerKeyFile(path, ${JSON.stringify(PASSPHRASE)}) : journalKeyFile(path)
      console.log(pair.publicKey)`
    const stdin = { contents, resolveDir: import.meta.dirname, loader: 'ts' } as const
    await build({ stdin, bundle: true, platform: 'node', format: 'esm', outfile: script, logLevel: 'error' })
  })

  // Three are enough for the owner's key, which takes each of them 0.3 s and 128 MiB, twice.
  it.each([
    ['journal', 8],
    ['owner', 3],
  ])(
    'make one %s key between %i of them',
    async (kind, processes) => {
      const path = freshPath()
      const startAt = String(Date.now() + 700)
      const outputs = await Promise.all(
        Array.from({ length: processes }, () => run(process.execPath, [script, kind, path, startAt])),
      )
      const keys = new Set(outputs.map(({ stdout }) => stdout.trim()))
      expect(keys.size).toBe(1)
      expect(Buffer.from([...keys][0]!, 'base64')).toHaveLength(32)
      expect(fs.readdirSync(join(path, '..'))).toEqual(['a.key'])
    },
    30_000,
  )
})

function rewritten(change: (file: Record<string, unknown>) => unknown): string {
  const path = freshPath()
  fs.mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
  fs.writeFileSync(path, JSON.stringify(change(JSON.parse(fs.readFileSync(ownerPath, 'utf8')))), { mode: 0o600 })
  return path
}
