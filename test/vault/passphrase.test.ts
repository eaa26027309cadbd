import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { isForUserOnly } from '../../src/vault/files.ts'
import type { Keychain } from '../../src/vault/keychain.ts'
import { makeVaultPassphrase, vaultPassphrase, vaultPassphrases } from '../../src/vault/passphrase.ts'

const posix = process.platform !== 'win32'
const MADE_UP = /^(?:[0-9a-f]{6}-){4}[0-9a-f]{6}$/
const SANDBOX = { keychain: false, live: false }
const LIVE = { keychain: false, live: true }
const INTO_KEYCHAIN = { keychain: true, live: true }
const invalid = expect.objectContaining({ name: 'BursarError', code: 'config_invalid' })

const root = fs.mkdtempSync(join(tmpdir(), 'bursar-passphrase-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

let count = 0
function freshHome(): string {
  const home = join(root, `home-${count++}`)
  fs.mkdirSync(home, { mode: 0o700 })
  return home
}

/** A secret as a service manager gives it: in a directory that everyone may look into. */
function givenFile(text: string, mode = 0o400): string {
  const directory = join(root, `secrets-${count++}`)
  fs.mkdirSync(directory, { mode: 0o755 })
  const path = join(directory, 'vault')
  fs.writeFileSync(path, text)
  fs.chmodSync(path, mode)
  return path
}

/** A keychain in memory that counts how often it is asked. */
function fakeKeychain(entries: Record<string, string> = {}): Keychain & { asked: number; entries: typeof entries } {
  const keychain = {
    entries,
    asked: 0,
    async get(account: string) {
      keychain.asked++
      return entries[account] ?? null
    },
    async set(account: string, secret: string) {
      keychain.asked++
      entries[account] = secret
    },
  }
  return keychain
}

const noKeychain: Keychain = {
  get: () => Promise.reject(new Error('AccessDenied SECRETTEXT')),
  set: () => Promise.reject(new Error('AccessDenied SECRETTEXT')),
}

async function all(sources: Parameters<typeof vaultPassphrases>[0]): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { from, passphrase } of vaultPassphrases(sources)) found.push(`${from} ${passphrase}`)
  return found
}

describe('the passphrase of the vault', () => {
  it('comes from the file, then the keychain, then the home; and where there is none, from nowhere', async () => {
    const home = freshHome()
    expect(await vaultPassphrase({ file: null, home, keychain: fakeKeychain() })).toBeNull()
    fs.writeFileSync(join(home, 'vault.passphrase'), 'of the home\n', { mode: 0o600 })
    fs.writeFileSync(join(home, 'vault.keychain'), '')
    const keychain = fakeKeychain({ [home]: 'of the keychain' })
    const file = givenFile('of the file\n')
    expect(await all({ file, home, keychain })).toEqual([
      'file of the file',
      'keychain of the keychain',
      'home of the home',
    ])
    expect(await vaultPassphrase({ file: null, home, keychain })).toEqual({
      passphrase: 'of the keychain',
      from: 'keychain',
    })
    expect(await vaultPassphrase({ file: null, home, keychain: noKeychain })).toEqual({
      passphrase: 'of the home',
      from: 'home',
    })
  })

  it('security: asks the keychain only in a home that chose it, and only when its turn comes', async () => {
    const home = freshHome()
    const keychain = fakeKeychain({ [home]: 'of the keychain' })
    expect(await vaultPassphrase({ file: null, home, keychain })).toBeNull()
    await makeVaultPassphrase({ file: null, home, keychain }, SANDBOX)
    fs.writeFileSync(join(home, 'vault.keychain'), '')
    await vaultPassphrase({ file: givenFile('of the file'), home, keychain })
    expect(keychain.asked).toBe(0)
    await vaultPassphrase({ file: null, home, keychain })
    expect(keychain.asked).toBe(1)
  })

  it('takes all of the file but the line break at its end', async () => {
    for (const [text, passphrase] of [
      ['pass phrase', 'pass phrase'],
      [' pass \n', ' pass '],
      ['pass\r\n', 'pass'],
      ['pass\n\n', 'pass\n'],
    ] as const)
      expect(await vaultPassphrase({ file: givenFile(text), home: freshHome() })).toEqual({ passphrase, from: 'file' })
  })

  it('is not made up where the file that is named has none', async () => {
    const directory = freshHome()
    for (const file of [
      join(directory, 'missing'),
      directory,
      givenFile(''),
      givenFile('\n'),
      givenFile('x'.repeat(200_000)),
    ]) {
      const home = freshHome()
      await expect(vaultPassphrase({ file, home })).rejects.toThrow(invalid)
      await expect(makeVaultPassphrase({ file, home }, SANDBOX)).rejects.toThrow(invalid)
      expect(fs.readdirSync(home)).toEqual([])
    }
  })

  it.runIf(posix)('security: is not taken from a file that others can read or write, or from a pipe', async () => {
    for (const mode of [0o440, 0o420, 0o404, 0o402, 0o444, 0o640, 0o644, 0o666]) {
      // Where tests run as root, its group's right to read is the one that may pass.
      if (process.getuid?.() === 0 && (mode & 0o077) === 0o040) continue
      const error = await vaultPassphrase({ file: givenFile('SECRETTEXT', mode), home: freshHome() }).catch((e) => e)
      expect(error).toEqual(invalid)
      expect(error.message).toContain('chmod 400')
      expect(inspect(error)).not.toContain('SECRETTEXT')
    }
    const pipe = join(freshHome(), 'pipe')
    execFileSync('mkfifo', ['-m', '600', pipe])
    await expect(vaultPassphrase({ file: pipe, home: freshHome() })).rejects.toThrow('regular file')
  })

  it('security: a secret is its user’s, or of root, who lets in no one else', () => {
    const [user, root, other] = [1000, 0, 1001]
    const readable = (uid: number, gid: number, mode: number) =>
      isForUserOnly({ uid, gid, mode: 0o100000 | mode }, user)
    expect(readable(user, user, 0o400)).toBe(true)
    expect(readable(root, root, 0o400)).toBe(true)
    // As systemd gives credentials: the group's bits are those of the access list.
    expect(readable(root, root, 0o440)).toBe(true)
    expect(readable(root, user, 0o440)).toBe(false)
    expect(readable(user, root, 0o440)).toBe(false)
    expect(readable(root, root, 0o460)).toBe(false)
    expect(readable(root, root, 0o444)).toBe(false)
    expect(readable(other, other, 0o400)).toBe(false)
  })
})

describe('a new passphrase', () => {
  it('is made up for a sandbox wallet, once, in a file of the home', async () => {
    const home = freshHome()
    const keychain = fakeKeychain()
    const made = await makeVaultPassphrase({ file: null, home, keychain }, SANDBOX)
    expect(made).toEqual({ passphrase: expect.stringMatching(MADE_UP), from: 'home' })
    expect(await makeVaultPassphrase({ file: null, home, keychain }, SANDBOX)).toEqual(made)
    expect(await vaultPassphrase({ file: null, home, keychain })).toEqual(made)
    expect(fs.readdirSync(home)).toEqual(['vault.passphrase'])
    if (posix) expect(fs.statSync(join(home, 'vault.passphrase')).mode & 0o777).toBe(0o600)
    expect((await makeVaultPassphrase({ file: null, home: freshHome(), keychain }, SANDBOX)).passphrase).not.toBe(
      made.passphrase,
    )
  })

  it('security: does not lie beside the key of a live wallet', async () => {
    const home = freshHome()
    const sources = { file: null, home, keychain: fakeKeychain() }
    for (const before of ['no passphrase yet', 'one that was made up']) {
      const error = await makeVaultPassphrase(sources, LIVE).catch((thrown) => thrown)
      expect(error, before).toEqual(invalid)
      expect(error.message).toContain('--keychain')
      expect(error.message).toContain('BURSAR_VAULT_PASSPHRASE_FILE')
      await makeVaultPassphrase(sources, SANDBOX)
    }
    const file = givenFile('of the file')
    expect(await makeVaultPassphrase({ ...sources, file }, LIVE)).toEqual({ passphrase: 'of the file', from: 'file' })
  })

  it('is kept in the keychain where the owner wants it there, and earlier keys still open', async () => {
    const home = freshHome()
    const keychain = fakeKeychain()
    const sources = { file: null, home, keychain }
    const sandbox = await makeVaultPassphrase(sources, SANDBOX)
    const made = await makeVaultPassphrase(sources, { keychain: true, live: false })
    expect(made).toEqual({ passphrase: expect.stringMatching(MADE_UP), from: 'keychain' })
    expect(made.passphrase).not.toBe(sandbox.passphrase)
    expect(keychain.entries).toEqual({ [home]: made.passphrase })
    expect(fs.readFileSync(join(home, 'vault.keychain'), 'utf8')).not.toContain(made.passphrase)
    for (const wanted of [SANDBOX, LIVE, INTO_KEYCHAIN])
      expect(await makeVaultPassphrase(sources, wanted)).toEqual(made)
    expect(await all(sources)).toEqual([`keychain ${made.passphrase}`, `home ${sandbox.passphrase}`])
  })

  it('is the one that the keychain has already for this home', async () => {
    const home = freshHome()
    const keychain = fakeKeychain({ [home]: 'from before' })
    const made = await makeVaultPassphrase({ file: null, home, keychain }, INTO_KEYCHAIN)
    expect(made).toEqual({ passphrase: 'from before', from: 'keychain' })
  })

  it('is not made where the keychain cannot keep it', async () => {
    const forgetful: Keychain = { get: async () => null, set: async () => undefined }
    for (const keychain of [noKeychain, forgetful]) {
      const home = freshHome()
      const error = await makeVaultPassphrase({ file: null, home, keychain }, INTO_KEYCHAIN).catch((thrown) => thrown)
      expect(error).toEqual(invalid)
      expect(error.message).toContain('BURSAR_VAULT_PASSPHRASE_FILE')
      expect(inspect(error)).not.toContain('SECRETTEXT')
      expect(fs.readdirSync(home)).toEqual([])
    }
  })

  it('security: never takes the place of one that sealed keys and cannot be read now', async () => {
    const home = freshHome()
    const entries: Record<string, string> = {}
    await makeVaultPassphrase({ file: null, home, keychain: fakeKeychain(entries) }, INTO_KEYCHAIN)
    const before = { ...entries }
    const locked = { ...fakeKeychain(entries), get: noKeychain.get }
    for (const keychain of [locked, noKeychain, fakeKeychain()])
      await expect(makeVaultPassphrase({ file: null, home, keychain }, INTO_KEYCHAIN)).rejects.toThrow(
        'the passphrase of this home',
      )
    expect(entries).toEqual(before)
    expect(fs.readdirSync(home)).toEqual(['vault.keychain'])
  })

  it('security: of two that put one into the keychain at once, none is replaced', async () => {
    const home = freshHome()
    const keychain = fakeKeychain()
    const slow: Keychain = {
      get: keychain.get,
      async set(account, secret) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        await keychain.set(account, secret)
      },
    }
    const sources = { file: null, home, keychain: slow }
    const made = await Promise.allSettled([1, 2, 3].map(() => makeVaultPassphrase(sources, INTO_KEYCHAIN)))
    const got = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value.passphrase] : []))
    expect(got).toEqual([keychain.entries[home]])
  })
})
