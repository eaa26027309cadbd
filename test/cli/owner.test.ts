import { beforeAll, describe, expect, it } from 'vitest'
import { bursar, command, newHome, owner, PASSPHRASE } from './fixture.ts'

describe('the owner, at the command line', () => {
  it('makes, funds, freezes and lists wallets', async () => {
    const home = await newHome()
    const made = await owner(home, 'wallet', 'create', 'travel', '--currency', 'EUR', '--time-zone', 'Europe/Berlin')
    expect(made).toMatchObject({
      name: 'travel',
      currency: 'EUR',
      mode: 'sandbox',
      available_amount: '0.00',
      time_zone: 'Europe/Berlin',
    })
    expect(await owner(home, 'wallet', 'fund', 'travel', '250.00')).toMatchObject({ available_amount: '250.00' })
    expect(await owner(home, 'wallet', 'freeze', made.wallet_id, '--reason', 'lost')).toMatchObject({
      status: 'frozen',
    })
    expect(await owner(home, 'wallet', 'unfreeze', 'travel')).toMatchObject({ status: 'active' })
    const wallets = await owner(home, 'wallet', 'list')
    expect(wallets.map(({ name }: { name: string }) => name).sort()).toEqual(['sandbox', 'travel'])
    expect(await owner(home, 'wallet', 'show', 'travel')).toEqual(
      wallets.find((wallet: { name: string }) => wallet.name === 'travel'),
    )
  })

  it('sets by amount how sure an approval must be', async () => {
    const home = await newHome()
    await owner(home, 'wallet', 'approvals', 'sandbox', 'host:50.00', 'operator')
    const [event] = await owner(home, 'journal', 'list', '--wallet', 'sandbox', '--limit', '1')
    expect(event).toMatchObject({
      type: 'wallet.approvals_changed',
      details: {
        approvals: [
          { up_to: '50.00', assurance: 'host' },
          { up_to: null, assurance: 'operator' },
        ],
      },
    })
  })

  it('sets, replaces, lists and removes limits', async () => {
    const home = await newHome()
    const set = ['limit', 'set', 'sandbox', '--scope', 'category', '--value', '5942', '--window', 'week']
    await owner(home, ...set, '--max-amount', '80.00', '--over', 'ask')
    const limit = await owner(home, ...set, '--max-count', '0', '--max-amount', '75.00', '--over', 'ask')
    expect(limit).toMatchObject({ scope: 'category', window: 'week', max_amount: '75.00', max_count: 0, over: 'ask' })
    const ours = async () =>
      (await owner(home, 'limit', 'list', 'sandbox')).filter(({ scope }: { scope: string }) => scope === 'category')
    expect(await ours()).toEqual([expect.objectContaining({ limit_id: limit.limit_id })])
    await owner(home, 'limit', 'remove', limit.limit_id)
    expect(await ours()).toEqual([])
  })

  it('adds an agent with a key that is shown once, rotates and revokes it', async () => {
    const home = await newHome()
    const added = await owner(home, 'agent', 'add', 'shopper')
    const rotated = await owner(home, 'agent', 'rotate', 'shopper')
    expect(rotated).toMatchObject({ agent_id: added.agent_id, name: 'shopper' })
    expect(rotated.key).not.toBe(added.key)
    const listed = await command(home, ['agent', 'list', '--json'])
    expect(listed.stdout).not.toContain(rotated.key)
    expect(await owner(home, 'agent', 'revoke', added.agent_id)).toMatchObject({ name: 'shopper', status: 'revoked' })
  })

  it('stops and allows all spending', async () => {
    const home = await newHome()
    expect(await owner(home, 'freeze-all', '--reason', 'strange')).toEqual({ frozen: true })
    expect(await owner(home, 'unfreeze-all')).toEqual({ frozen: false })
    const events = await owner(home, 'journal', 'list', '--instance')
    expect(events.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['spending.frozen', 'spending.unfrozen']),
    )
  })

  describe('what gives power', () => {
    let home: string
    beforeAll(async () => {
      home = await newHome()
    })
    const count = async () =>
      JSON.parse((await command(home, ['journal', 'list', '--limit', '1000', '--json'])).stdout).length

    it.each([
      [['wallet', 'create', 'mine']],
      [['wallet', 'fund', 'sandbox', '1.00']],
      [['wallet', 'unfreeze', 'sandbox']],
      [['wallet', 'approvals', 'sandbox', 'none']],
      [['limit', 'set', 'sandbox', '--scope', 'wallet', '--window', 'day', '--max-count', '1']],
      [['limit', 'remove', 'lim_1']],
      [['agent', 'add', 'mine']],
      [['agent', 'rotate', 'default']],
      [['instrument', 'unfreeze', 'inst_1']],
      [['payment', 'refund', 'pay_1']],
      [['unfreeze-all']],
    ])('security: needs the passphrase: %j', async (args) => {
      const before = await count()
      for (const given of [{}, { BURSAR_OWNER_PASSPHRASE: 'correct horse batterY' }]) {
        const { code, stdout, stderr } = await command(home, [...args, '--json'], given)
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
        expect(JSON.parse(stderr).error.code).toBe('passphrase_wrong')
      }
      // The one failed sign-in, and nothing else.
      expect(await count()).toBe(before + 1)
    })
  })

  it('security: freezes and revokes without a passphrase', async () => {
    const home = await newHome()
    for (const args of [['wallet', 'freeze', 'sandbox'], ['agent', 'revoke', 'default'], ['freeze-all']])
      expect((await bursar(home, args)).code).toBe(0)
  })

  it('shows tables to people, without colors in a pipe', async () => {
    const { stdout } = await bursar(await newHome(), ['wallet', 'list'], { FORCE_COLOR: '1', CI: '1' })
    expect(stdout.replace(/wal_[0-9a-f-]+/, 'wal_…').replace(/ {2,}/g, '  ')).toMatchInlineSnapshot(`
      "wallet  name  mode  status  available  held  currency
      wal_…  sandbox  sandbox  active  1000.00  0.00  USD
      "
    `)
  })

  it('security: never shows the passphrase', async () => {
    const home = await newHome()
    const more = { BURSAR_OWNER_PASSPHRASE: PASSPHRASE, BURSAR_LOG: 'debug' }
    for (const args of [['wallet', 'fund', 'sandbox', '1.00'], ['wallet', 'fund', PASSPHRASE, '1.00'], ['doctor']]) {
      const { stdout, stderr } = await bursar(home, args, more)
      expect(stdout + stderr).not.toContain(PASSPHRASE)
    }
  })
})
