import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { bursar, emptyHome, newHome, owner, PASSPHRASE } from '../cli/fixture.ts'
import { typed } from '../cli/typed.ts'
import { receiver, verified } from './receiver.ts'

let home: string
beforeAll(async () => {
  home = await newHome()
})

const file = () => readFileSync(join(home, 'channels.json'), 'utf8')

describe('bursar notify', () => {
  it('adds, lists, tests and removes a channel; the owner’s passphrase is asked for what changes something', async () => {
    const hook = await receiver()
    const url = `${hook.url}/secret-path`
    const added = await typed(home, ['notify', 'add', 'webhook', 'hook', '--json'], [url, PASSPHRASE])
    expect([added.code, added.asked]).toEqual([0, ['The URL', "The owner's passphrase"]])
    const { secret, ...view } = JSON.parse(added.out) as Record<string, string>
    expect(view).toEqual({ name: 'hook', kind: 'webhook', to: new URL(url).host })
    expect(JSON.parse(file())).toEqual({ hook: { kind: 'webhook', url, secret } })
    const listed = await typed(home, ['notify', 'list'], [])
    expect(listed.out).toContain('hook')
    expect(listed.out).not.toMatch(/secret-path|whsec/)
    expect((await typed(home, ['notify', 'test', 'hook'], [])).code).toBe(0)
    expect(() => verified(hook.got[0]!)).toThrow('No matching signature found')
    expect(JSON.parse(hook.got[0]!.body.toString()).type).toBe('bursar.test')
    expect((await typed(home, ['notify', 'remove', 'hook'], ['wrong'])).code).not.toBe(0)
    expect(file()).toContain('hook')
    expect((await typed(home, ['notify', 'remove', 'hook'], [PASSPHRASE])).code).toBe(0)
    expect(JSON.parse(file())).toEqual({})
  })

  it('adds each kind', async () => {
    const kinds: string[][] = [
      ['slack', 'work', 'https://hooks.slack.example/services/T/B/x'],
      ['ntfy', 'phone', 'https://ntfy.example/topic', '--token', 'tk_1'],
      ['email', 'mail', '--smtp', 'smtps://me:pw@mail.example', '--from', 'b@example.com', '--to', 'o@example.com'],
      ['webpush', 'browsers', '--subject', 'mailto:o@example.com'],
    ]
    for (const args of kinds) expect((await typed(home, ['notify', 'add', ...args], [PASSPHRASE])).code).toBe(0)
    const listed = await typed(home, ['notify', 'list', '--json'], [])
    expect(JSON.parse(listed.out)).toEqual([
      { name: 'work', kind: 'slack', to: 'hooks.slack.example' },
      { name: 'phone', kind: 'ntfy', to: 'ntfy.example' },
      { name: 'mail', kind: 'email', to: 'o@example.com by mail.example' },
      { name: 'browsers', kind: 'webpush', to: '0 browsers' },
    ])
  })

  it('security: takes no second channel of a name, and moves on nothing that the first was still to be told', async () => {
    const add = (url: string) => typed(home, ['notify', 'add', 'slack', 'team', url], [PASSPHRASE])
    const sent = async () => (await typed(home, ['journal', 'export'], [])).out.match(/"notice.sent"/g)?.length
    expect((await add('https://a.example/x')).code).toBe(0)
    const before = await sent()
    const again = await add('https://b.example/x')
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('already_exists')])
    expect(file()).toContain('a.example')
    expect(before).toBeGreaterThan(0)
    expect(await sent()).toBe(before)
  })

  it('is in a backup with keys, and looked at by doctor', async () => {
    const path = join(emptyHome(), 'copy.db')
    const made = await owner(home, 'backup', path, '--with-keys')
    expect(readFileSync(join(made.keys, 'channels.json'), 'utf8')).toBe(file())
    const examine = async () => {
      const { stdout } = await bursar(home, ['doctor', '--json'])
      expect(stdout).not.toContain('secret-path')
      const all = JSON.parse(stdout) as { check: string; ok: boolean; found: string; mend?: string }[]
      return all.filter(({ check, found }) => check === 'channels' || found.includes('channels.json'))
    }
    const whole = file()
    expect(await examine()).toMatchObject([
      { check: 'key file', ok: true },
      { check: 'channels', ok: true, found: expect.stringContaining('browsers (webpush)') },
    ])
    writeFileSync(join(home, 'channels.json'), '{"work":{"kind":"slack","url":"http://a.example/secret-path"}}')
    expect(await examine()).toMatchObject([
      { check: 'key file', ok: true },
      { check: 'channels', ok: false, mend: expect.stringContaining('bursar notify') },
    ])
    writeFileSync(join(home, 'channels.json'), whole)
    chmodSync(join(home, 'channels.json'), 0o644)
    if (process.platform !== 'win32')
      expect(await examine()).toMatchObject([
        { check: 'key file', ok: false, mend: expect.stringContaining('chmod 600') },
        { check: 'channels', ok: false },
      ])
    chmodSync(join(home, 'channels.json'), 0o600)
  })

  it('security: says what is wrong with a channel, and shows nothing of it', async () => {
    const wrong = await typed(home, ['notify', 'add', 'slack', 'work', 'http://a.example/secret-path'], [PASSPHRASE])
    expect(wrong.code).not.toBe(0)
    expect(wrong.err).toContain('url must be https://…')
    expect(wrong.err).not.toContain('secret-path')
  })
})
