import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { bursar, command, emptyHome, newHome, PASSPHRASE } from './fixture.ts'

const UNKNOWN = 'pay_01900000-0000-7000-8000-000000000000'
const LIMIT = ['limit', 'set', 'sandbox', '--scope', 'wallet', '--window', 'day']

describe('bad input', () => {
  let home: string
  beforeAll(async () => {
    home = await newHome()
  })

  it.each([
    ['no command', []],
    ['an unknown command', ['spend']],
    ['an unknown subcommand', ['wallet', 'steal']],
    ['a group without a command', ['wallet']],
    ['an unknown option', ['wallet', 'list', '--all']],
    ['a missing argument', ['wallet', 'fund', 'sandbox']],
    ['one argument too many', ['wallet', 'show', 'a', 'b']],
    ['an unknown scope', ['limit', 'set', 'sandbox', '--scope', 'moon', '--window', 'day', '--max-count', '1']],
    [
      'an unknown window',
      ['limit', 'set', 'sandbox', '--scope', 'wallet', '--window', 'fortnight', '--max-count', '1'],
    ],
    ['a limit of nothing at all', LIMIT],
    ['a count that is none', [...LIMIT, '--max-count', '1.5']],
    ['an unknown outcome', [...LIMIT, '--max-count', '1', '--over', 'shrug']],
    ['an unknown status', ['payment', 'list', '--status', 'lost']],
    ['uses that are none', ['request', 'approve', UNKNOWN, '--uses', '0']],
    ['an unknown assurance', ['wallet', 'approvals', 'sandbox', 'pinky']],
    ['an unknown mode', ['wallet', 'create', 'x', '--mode', 'dry']],
  ])('is a matter of usage, exit 2: %s', async (_what, args) => {
    const { code, stdout, stderr } = await command(home, args, { BURSAR_OWNER_PASSPHRASE: PASSPHRASE })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toBe('')
  })

  it.each([
    ['not_found', ['wallet', 'show', 'nowhere']],
    ['not_found', ['request', 'show', UNKNOWN]],
    ['not_found', ['request', 'deny', UNKNOWN]],
    ['not_found', ['payment', 'show', UNKNOWN]],
    ['not_found', ['payment', 'refund', UNKNOWN]],
    ['not_found', ['instrument', 'show', 'inst_1']],
    ['not_found', ['instrument', 'freeze', 'inst_1']],
    ['not_found', ['agent', 'revoke', 'nobody']],
    ['not_found', ['limit', 'remove', 'lim_1']],
    ['amount_invalid', ['wallet', 'fund', 'sandbox', '1.001']],
    ['amount_invalid', ['wallet', 'fund', 'sandbox', '1e3']],
    ['amount_invalid', ['wallet', 'fund', 'sandbox', '0']],
    ['amount_invalid', [...LIMIT, '--max-amount', '-5']],
    ['currency_mismatch', ['wallet', 'create', 'x', '--currency', 'XXX']],
    ['already_exists', ['wallet', 'create', 'sandbox']],
    ['already_exists', ['agent', 'add', 'default']],
    ['already_exists', ['init']],
    ['argument_invalid', ['agent', 'add', 'Not A Name']],
    ['argument_invalid', ['request', 'approve', UNKNOWN, '--yes', '--expires-in', 'soon']],
    ['argument_invalid', ['journal', 'verify', '/nowhere/export']],
    ['argument_invalid', ['journal', 'verify', '/']],
    ['argument_invalid', ['backup', '/nowhere/backup.db']],
    ['already_exists', ['backup', '/']],
  ])('is refused, exit 1, with code and hint: %s, %j', async (code, args) => {
    const ran = await command(home, [...args, '--json'], { BURSAR_OWNER_PASSPHRASE: PASSPHRASE })
    expect({ exit: ran.code, stdout: ran.stdout }).toEqual({ exit: 1, stdout: '' })
    expect(JSON.parse(ran.stderr)).toEqual({
      error: { code, message: expect.any(String), hint: expect.stringMatching(/\w/) },
    })
  })

  it('says it in words without --json', async () => {
    const { stderr } = await command(home, ['wallet', 'show', 'nowhere'])
    expect(stderr).toMatch(/^not_found: .+\n.+\n$/)
  })

  it('says what is wrong with the usage as JSON with --json', async () => {
    const { code, stderr } = await command(home, ['wallet', 'list', '--all', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stderr).error).toEqual({
      code: 'usage',
      message: "unknown option '--all'",
      hint: 'Run it with --help.',
    })
  })
})

describe('configuration', () => {
  it.each([
    ['BURSAR_HOMES', '/tmp'],
    ['BURSAR_LOG', 'shout-secret'],
    ['BURSAR_AGENT', 'no body-secret'],
    ['BURSAR_AGENT_KEY', 'secret'],
    ['BURSAR_SESSION', ''],
    ['BURSAR_OWNER_PASSPHRASE', ''],
    ['BURSAR_DATABASE_URL', 'postgres://me:secret@host'],
    ['BURSAR_DATABASE_URL', 'mysql://secret'],
    ['BURSAR_DATABASE_URL', 'secret.db'],
    ['BURSAR_DATABASE_URL', 'file::memory:'],
    ['BURSAR_HOME', ''],
  ])('security: an unknown or malformed %s is named, its value is not: exit 2', async (name, value) => {
    for (const args of [['mcp'], ['wallet', 'list']]) {
      const { code, stdout, stderr } = await bursar(emptyHome(), args, { [name]: value })
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^config_invalid: /)
      expect(stderr).toContain(name)
      expect(stderr).not.toContain('secret')
    }
  })

  it('security: says that a server is not reached, without its password', async () => {
    const url = 'postgres://me:secret@127.0.0.1:1/db'
    const { code, stderr } = await bursar(emptyHome(), ['wallet', 'list'], { BURSAR_DATABASE_URL: url })
    expect(stderr).toContain('No primary was reached at 127.0.0.1:1/db')
    expect(stderr).not.toContain('secret')
    expect(code).not.toBe(0)
  })

  it('makes nothing in an empty home but by `mcp` and `init`: exit 2', async () => {
    const home = emptyHome()
    for (const args of [['wallet', 'list'], ['freeze-all'], ['journal', 'verify'], ['doctor']])
      expect((await command(home, args)).code).toBe(args[0] === 'doctor' ? 4 : 2)
    expect(readdirSync(home)).toEqual([])
  })

  it('takes another database file', async () => {
    const home = await newHome()
    const { code, stderr } = await command(home, ['wallet', 'list'], {
      BURSAR_DATABASE_URL: `file:${join(home, 'other.db')}`,
    })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('There is no bursar') })
    expect((await command(home, ['wallet', 'list'], { BURSAR_DATABASE_URL: `file://${home}/bursar.db` })).code).toBe(0)
  })
})
