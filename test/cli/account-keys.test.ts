import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressOf, homeWithWallet, type Scene, startScene, textIn, tokenOf } from './chain-fixture.ts'
import { bursar, emptyHome, newHome, OWNER, owner, PASSPHRASE, refused } from './fixture.ts'
import { typed } from './typed.ts'

/** Of the second account that every local chain has: known to everybody. */
const KEY = '59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'

let scene: Scene
beforeAll(async () => {
  scene = await startScene()
})
afterAll(() => scene.stop())

const create = (name: string, ...options: string[]) => [
  ...['wallet', 'create', name, '--asset', 'USDC', '--network', scene.chain.network],
  ...options,
]

describe('the key of an account', () => {
  it('security: is read from stdin and never shown, logged, journaled or written in the clear', {
    timeout: 180_000,
  }, async () => {
    const home = await newHome()
    await owner(home, 'network', 'set', scene.chain.network, '--node', scene.urls[0], ...tokenOf(scene.chain))
    const more = { ...OWNER, BURSAR_LOG: 'debug' }
    let said = ''
    const run = async (args: readonly string[], input = '') => {
      const { code, stdout, stderr } = await bursar(home, args, more, input)
      said += stdout + stderr
      return { code, stdout, stderr }
    }
    const made = await run(create('imported', '--import', '--json'), `0x${KEY}\n`)
    expect(addressOf(JSON.parse(made.stdout).account)).toBe(privateKeyToAddress(`0x${KEY}`))
    expect(await run(create('again', '--import'), `${KEY}\n`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^already_exists/m),
    })
    expect((await run(create('wrong', '--import', '--json'), `${KEY}${KEY}\n`)).stderr).toContain('argument_invalid')
    expect((await run(create('none', '--import'))).code).toBe(1)
    for (const args of [
      create(KEY),
      create('x', `--import=${KEY}`),
      create('x', '--import', `0x${KEY}`),
      ['wallet', 'show', 'x', KEY],
    ])
      expect((await run(args)).code).toBe(2)
    expect((await run([...create('x', `--import=0x${KEY}`), '--json'])).code).toBe(2)
    for (const args of [
      ['wallet', 'show', 'imported'],
      ['wallet', 'list', '--json'],
      ['journal', 'export'],
      ['doctor'],
      ['wallet', 'create', '--help'],
    ])
      await run(args)
    const secrets = [KEY, BigInt(`0x${KEY}`).toString(), Buffer.from(KEY, 'hex').toString('base64')]
    for (const secret of secrets) expect(said.toLowerCase()).not.toContain(secret.toLowerCase())
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(home, name)).isFile(),
    )
    expect(files).toContain(join('accounts', `${privateKeyToAddress(`0x${KEY}`).toLowerCase()}.json`))
    for (const name of files) {
      const bytes = readFileSync(join(home, name))
      for (const secret of [...secrets, Buffer.from(KEY, 'hex')])
        expect([name, bytes.includes(secret)]).toEqual([name, false])
    }
  })

  it.skipIf(process.platform === 'win32')('security: is for its owner alone', async () => {
    const { home } = await homeWithWallet(scene)
    const mode = (...path: string[]) => (statSync(join(home, ...path)).mode & 0o777).toString(8)
    expect([mode('accounts'), mode('networks.json'), mode('vault.passphrase')]).toEqual(['700', '600', '600'])
    for (const name of readdirSync(join(home, 'accounts'))) expect(mode('accounts', name)).toBe('600')
  })

  it('security: of real money is not sealed with what lies beside it', async () => {
    const home = await newHome()
    await owner(home, 'network', 'set', 'eip155:8453', '--node', 'https://node.invalid', '--unchecked')
    const live = ['wallet', 'create', 'real', '--asset', 'USDC', '--network', 'eip155:8453']
    expect(await refused(home, live)).toMatchObject({ exit: 2, code: 'config_invalid' })
    expect(textIn(home, 'vault.passphrase')).toBe(null)
    const file = join(emptyHome(), 'passphrase')
    writeFileSync(file, 'a passphrase from elsewhere\n', { mode: 0o600 })
    const { code, stdout } = await bursar(home, [...live, '--json'], { ...OWNER, BURSAR_VAULT_PASSPHRASE_FILE: file })
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { mode: 'live', currency: 'USDC' }])
    expect(await refused(home, [...live.slice(0, 2), 'play', ...live.slice(3), '--mode', 'sandbox'])).toMatchObject({
      exit: 2,
    })
  })

  it('is in a backup with keys, with what opens it', async () => {
    const { home } = await homeWithWallet(scene)
    const path = join(emptyHome(), 'copy.db')
    const { keys } = await owner(home, 'backup', path, '--with-keys')
    for (const name of [
      'networks.json',
      'vault.passphrase',
      ...readdirSync(join(home, 'accounts')).map((key) => join('accounts', key)),
    ])
      expect([name, textIn(keys, name)]).toEqual([name, textIn(home, name)])
    const { stdout } = await bursar(keys, ['doctor', '--json'], { BURSAR_DATABASE_URL: `file:${path}` })
    const found = JSON.parse(stdout).filter(({ check }: { check: string }) => check === 'account key')
    expect(found).toMatchObject([{ ok: true }, { ok: true }])
  })

  it('is asked for unseen at a terminal, after the passphrase', async () => {
    const home = await newHome()
    await owner(home, 'network', 'set', scene.chain.network, '--node', scene.urls[0], ...tokenOf(scene.chain))
    const { code, out, err, asked } = await typed(home, create('typed', '--import'), [PASSPHRASE, ` ${KEY} `])
    expect(asked).toEqual(["The owner's passphrase", 'The private key of the account'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(privateKeyToAddress(`0x${KEY}`))
    expect(out).not.toContain(KEY)
    expect(await typed(home, create('left', '--import'), [PASSPHRASE, 'ctrl-c'])).toMatchObject({ code: 1 })
  })
})
