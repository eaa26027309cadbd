import { describe, expect, it } from 'vitest'
import { bursar, command, newHome, owner } from './fixture.ts'

describe('owners and their passkeys, at the command line', () => {
  it('lets in another human by a code, which is told once', async () => {
    const home = await newHome()
    const ada = await owner(home, 'owner', 'add', 'Ada')
    expect(ada).toMatchObject({ name: 'Ada', has_passphrase: false, passkeys: 0 })
    const invited = await owner(home, 'passkey', 'invite', '--owner', 'Ada')
    expect(invited).toMatchObject({ owner_id: ada.owner_id, code: expect.stringMatching(/^(\w{4}-){3}\w{4}$/) })
    expect((await owner(home, 'passkey', 'invite')).owner_id).not.toBe(ada.owner_id)
    expect(await owner(home, 'owner', 'list')).toMatchObject([{ has_passphrase: true }, { name: 'Ada' }])
    expect(await owner(home, 'passkey', 'list')).toEqual([])
    expect(JSON.stringify(await owner(home, 'journal', 'list', '--instance'))).not.toContain(invited.code)
    const { code, stderr } = await bursar(home, ['passkey', 'revoke', 'none', '--json'], {})
    expect([code, JSON.parse(stderr).error.code]).toEqual([1, 'passphrase_wrong'])
  })

  it('sets from which amount on two owners have to agree, where there are two', async () => {
    const home = await newHome()
    const approvals = ['wallet', 'approvals', 'sandbox', 'host:50.00', '2xpasskey'] as const
    await expect(owner(home, ...approvals)).rejects.toThrow()
    await owner(home, 'owner', 'add', 'Ada')
    expect((await owner(home, ...approvals)).approvals).toEqual([
      { up_to: '50.00', assurance: 'host' },
      { up_to: null, assurance: 'passkey', owners: 2 },
    ])
    for (const tier of ['3xpasskey', '2x', '2xmodel', '2x2xhost', '2xpasskey:1:2'])
      expect((await command(home, ['wallet', 'approvals', 'sandbox', tier])).code).toBe(2)
    const { stdout } = await bursar(home, ['doctor', '--json', '--url', 'http://192.168.1.5:8787'])
    const findings = JSON.parse(stdout) as { check: string; ok: boolean; found: string }[]
    const found = findings.filter(({ check }) => check === 'passkeys' || check === 'console')
    expect(found.map(({ check, ok }) => [check, ok])).toEqual([
      ['console', false],
      ['passkeys', false],
    ])
  })
})
