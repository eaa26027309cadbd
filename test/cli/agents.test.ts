import { expect, it } from 'vitest'
import { agent, bursar, command, newHome, owner, refused } from './fixture.ts'

const DAY_MS = 24 * 60 * 60 * 1000

it('gives an agent keys for less than all, and shows by what it is known', async () => {
  const home = await newHome()
  const grant = [
    '--scope',
    'bursar:read',
    'bursar:pay',
    '--max-amount',
    '50',
    '--currency',
    'USD',
    '--expires-in',
    '30d',
  ]
  const added = await owner(home, 'agent', 'add', 'shopper', ...grant)
  expect(Object.keys(added)).toEqual(['agent_id', 'name', 'credential_id', 'key'])
  const rotated = await owner(home, 'agent', 'rotate', 'shopper', '--overlap', '1h')
  const reads = await owner(home, 'agent', 'add-key', 'shopper', '--scope', 'bursar:read')
  expect(reads).toMatchObject({ scopes: ['bursar:read'], key: expect.stringMatching(/^bak_/) })
  const trust = ['--issuer', 'https://idp.example', '--subject', 'shopper', '--audience', 'https://pay.example']
  const trusted = await owner(home, 'agent', 'trust', 'shopper', ...trust)
  expect(trusted).toMatchObject({ token: { jwks_uri: 'https://idp.example/.well-known/jwks.json' } })
  const listed = await owner(home, 'agent', 'credentials', 'shopper')
  expect(JSON.stringify(listed)).not.toMatch(/bak_|key/)
  expect(listed.map((one: { credential_id: string }) => one.credential_id)).toEqual(
    [trusted, reads, rotated, added].map((one) => one.credential_id),
  )
  const [, , next, old] = listed
  for (const one of [next, old])
    expect(one).toMatchObject({ scopes: ['bursar:read', 'bursar:pay'], max_amount: '50.00', currency: 'USD' })
  expect(Date.parse(next.expires_at) - Date.parse(next.created_at)).toBe(30 * DAY_MS)
  expect(Date.parse(old.expires_at) - Date.parse(next.created_at)).toBe(DAY_MS / 24)
  expect(await owner(home, 'agent', 'revoke-credential', added.credential_id)).toMatchObject({ status: 'revoked' })
  const { stdout } = await command(home, ['agent', 'credentials', 'shopper'])
  expect(stdout).toMatch(
    /tokens of https:\/\/idp\.example .*active\n.*key +read .*\n.*50\.00 USD .*active\n.*50\.00 USD .*revoked/,
  )
})

it.each([
  ['currency_mismatch', ['agent', 'add', 'x', '--max-amount', '5', '--currency', 'XYZ']],
  ['argument_invalid', ['agent', 'add', 'x', '--max-amount', '5']],
  ['amount_invalid', ['agent', 'add', 'x', '--max-amount', '0.001', '--currency', 'USD']],
  ['argument_invalid', ['agent', 'add', 'x', '--expires-in', 'soon']],
  ['not_found', ['agent', 'add', 'x', '--instrument', 'inst_1']],
  ['argument_invalid', ['agent', 'rotate', 'default', '--overlap', '9y']],
  [
    'argument_invalid',
    ['agent', 'trust', 'default', '--issuer', 'http://a.example', '--subject', 's', '--audience', 'a'],
  ],
  ['not_found', ['agent', 'credentials', 'nobody']],
  ['not_found', ['agent', 'revoke-credential', 'crd_none']],
])('says %s of %j', async (code, args) => {
  expect(await refused(await newHome(), args)).toMatchObject({ exit: 1, code })
})

it('security: gives power with the passphrase alone, and takes it without', async () => {
  const home = await newHome()
  const trust = ['agent', 'trust', 'default', '--issuer', 'https://a.example', '--subject', 's', '--audience', 'a']
  for (const args of [['agent', 'add-key', 'default'], trust]) {
    const { code, stderr } = await command(home, [...args, '--json'], { BURSAR_OWNER_PASSPHRASE: 'wrong' })
    expect([code, JSON.parse(stderr).error.code]).toEqual([1, 'passphrase_wrong'])
  }
  const { credential_id } = await owner(home, 'agent', 'add-key', 'default')
  expect((await bursar(home, ['agent', 'revoke-credential', credential_id])).code).toBe(0)
})

it('security: a host has what its key is for, until it ends', async () => {
  const home = await newHome()
  const { key, credential_id } = await owner(home, 'agent', 'add', 'reader', '--scope', 'bursar:read')
  const env = { BURSAR_AGENT: 'reader', BURSAR_AGENT_KEY: key }
  const reader = await agent(home, env)
  expect(await reader.call('check_budget', {})).toMatchObject({ wallets: [{ name: 'sandbox' }] })
  const terms = { type: 'virtual_card', amount: '1.00', currency: 'USD', expires_in: '1d', purpose: 'x' }
  expect(await reader.call('request_instrument', terms)).toMatchObject({ refusal: { code: 'scope_missing' } })
  await owner(home, 'agent', 'revoke-credential', credential_id)
  expect(await reader.call('list_payments', {})).toBe(undefined)
  const { code, stderr } = await bursar(home, ['mcp'], env)
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^agent_unknown: /)])
})
