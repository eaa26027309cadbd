import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { agent, bursar, emptyHome, newHome, owner } from './fixture.ts'

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('bursar mcp', () => {
  it('makes a sandbox in an empty home, and tells its passphrase once', async () => {
    const home = emptyHome()
    chmodSync(home, 0o755)
    const first = await agent(home)
    expect(await first.call('check_budget', {})).toMatchObject({
      wallets: [{ name: 'sandbox', mode: 'sandbox', currency: 'USD', available_amount: '1000.00' }],
    })
    const passphrase = readFileSync(join(home, 'owner.passphrase'), 'utf8').trim()
    expect(passphrase).toMatch(/^([0-9a-f]{6}-){4}[0-9a-f]{6}$/)
    expect(JSON.parse(first.stderr())).toMatchObject({
      owner_passphrase: passphrase,
      owner_passphrase_file: join(home, 'owner.passphrase'),
    })
    const second = await agent(home)
    expect(second.stderr()).toBe('')
    expect(
      (await bursar(home, ['wallet', 'fund', 'sandbox', '1.00'], { BURSAR_OWNER_PASSPHRASE: passphrase })).code,
    ).toBe(0)
  })

  it.skipIf(process.platform === 'win32')('security: keeps everything from other users', async () => {
    const home = emptyHome()
    chmodSync(home, 0o755)
    await agent(home)
    // Opened beside the serving, by the first look at the rail's books.
    await vi.waitFor(() => expect(existsSync(join(home, 'sandbox-cards.db'))).toBe(true), { timeout: 30_000 })
    expect(mode(home)).toBe('700')
    for (const name of [
      'bursar.db',
      'bursar.db-wal',
      'journal.key',
      'owner.key',
      'owner.passphrase',
      'sandbox-cards.db',
    ])
      expect([name, mode(join(home, name))]).toEqual([name, '600'])
  })

  it.skipIf(process.platform === 'win32')('security: refuses keys in a home that others reach', async () => {
    const home = await newHome()
    chmodSync(home, 0o755)
    const { code, stderr } = await bursar(home, ['mcp'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`chmod 700 ${home}`) })
  })

  it('is set up once by eight processes that start in an empty home at once', async () => {
    const home = emptyHome()
    const agents = await Promise.all(Array.from({ length: 8 }, () => agent(home)))
    const budgets = await Promise.all(agents.map(({ call }) => call('check_budget', {})))
    expect(
      new Set(budgets.map(({ wallets }) => wallets.map(({ wallet_id }: { wallet_id: string }) => wallet_id).join()))
        .size,
    ).toBe(1)
    expect(agents.filter((one) => one.stderr() !== '')).toHaveLength(1)
    await Promise.all(agents.map(({ close }) => close()))
    const events = JSON.parse((await bursar(home, ['journal', 'list', '--limit', '1000', '--json'])).stdout)
    const count = (type: string) => events.filter((event: { type: string }) => event.type === type).length
    expect(['instance.created', 'owner.created', 'wallet.created', 'wallet.funded'].map(count)).toEqual([1, 1, 1, 1])
    expect((await bursar(home, ['journal', 'verify'])).code).toBe(0)
  })

  it('goes on where a process was killed between the owner key and the owner', async () => {
    const home = emptyHome()
    await (await agent(home)).close()
    for (const name of ['bursar.db', 'bursar.db-wal', 'bursar.db-shm']) rmSync(join(home, name), { force: true })
    const passphrase = readFileSync(join(home, 'owner.passphrase'), 'utf8').trim()
    await (await agent(home)).close()
    expect(
      (await bursar(home, ['wallet', 'fund', 'sandbox', '1.00'], { BURSAR_OWNER_PASSPHRASE: passphrase })).code,
    ).toBe(0)
  })

  it('takes a passphrase that the operator gave, and writes no file of it', async () => {
    const home = emptyHome()
    const given = { BURSAR_OWNER_PASSPHRASE: 'given by the operator' }
    const { close, stderr } = await agent(home, given)
    await close()
    expect(stderr()).not.toContain('given by')
    expect(existsSync(join(home, 'owner.passphrase'))).toBe(false)
    expect((await bursar(home, ['wallet', 'fund', 'sandbox', '1.00'], given)).code).toBe(0)
  })

  it('security: makes no new key for journals whose key is gone', async () => {
    const home = await newHome()
    rmSync(join(home, 'journal.key'))
    expect(await bursar(home, ['mcp'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^config_invalid: /),
    })
    expect(existsSync(join(home, 'journal.key'))).toBe(false)
  })

  it('serves an agent with a key to whoever has the key, by name or id', async () => {
    const home = await newHome()
    const { agent_id, key } = await owner(home, 'agent', 'add', 'shopper')
    for (const BURSAR_AGENT of ['shopper', agent_id]) {
      const shopper = await agent(home, { BURSAR_AGENT, BURSAR_AGENT_KEY: key, BURSAR_SESSION: 'nightly' })
      const { request_id } = await shopper.call('request_instrument', {
        ...{ type: 'virtual_card', amount: '1.00', currency: 'USD', expires_in: '1d', purpose: 'x' },
      })
      const [request] = await owner(home, 'journal', 'list', '--wallet', 'sandbox').then((events) =>
        events.filter(
          (event: { type: string; request_id?: string }) =>
            event.request_id === request_id && event.type === 'request.created',
        ),
      )
      expect(request).toMatchObject({ actor: { role: 'agent', id: agent_id }, session_id: 'nightly' })
    }
  })

  it('security: serves nobody else, exit 2', async () => {
    const home = await newHome()
    const { key } = await owner(home, 'agent', 'add', 'shopper')
    const { key: other } = await owner(home, 'agent', 'add', 'other')
    const { key: next } = await owner(home, 'agent', 'rotate', 'other')
    await owner(home, 'agent', 'revoke', 'other')
    const tries = [
      { BURSAR_AGENT: 'nobody' },
      { BURSAR_AGENT: 'shopper' },
      { BURSAR_AGENT: 'shopper', BURSAR_AGENT_KEY: other },
      { BURSAR_AGENT: 'other', BURSAR_AGENT_KEY: next },
      { BURSAR_AGENT: 'shopper', BURSAR_AGENT_KEY: `${key}x` },
      { BURSAR_AGENT_KEY: key },
    ]
    for (const env of tries) {
      const { code, stdout, stderr } = await bursar(home, ['mcp'], env)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^agent_unknown: /)
      expect(stderr).not.toContain(key)
    }
  })

  it('keeps stdout for the protocol, and logs JSON lines on stderr at the level that was asked for', async () => {
    const home = await newHome()
    const { call, close, stderr } = await agent(home, { BURSAR_LOG: 'debug' })
    await call('check_budget', {})
    await close()
    const lines = stderr()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.every(({ time, level }) => time && level)).toBe(true)
    expect(lines.map(({ message }) => message)).toContain('step')
  })
})
