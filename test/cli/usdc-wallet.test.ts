import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { addressOf, homeWithWallet, type Scene, startScene } from './chain-fixture.ts'
import { agent, bursar, command, emptyHome, OWNER, owner, refused } from './fixture.ts'

const USDC = 1_000_000n
const COIN = 10n ** 18n
const SELLER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
let scene: Scene
beforeAll(async () => {
  scene = await startScene()
})
afterEach(() => scene.nodes[0].mend())
afterAll(() => scene.stop())

const create = (name: string, ...options: string[]) => [
  ...['wallet', 'create', name, '--asset', 'USDC', '--network', scene.chain.network],
  ...options,
]

describe('a wallet in USDC', () => {
  it('is made, funded, limited and paid from in five minutes', { timeout: 180_000 }, async () => {
    const { home, wallet, account, relayer } = await homeWithWallet(scene)
    const { chain } = scene
    expect(wallet).toMatchObject({
      ...{ name: 'shopping', mode: 'sandbox', currency: 'USDC', available_amount: '0.000000', asset: chain.asset },
      confirmations: [{ at: 'one_block' }, { at: 'safe' }, { at: 'finalized' }],
      relayer: { daily_max: '1.000000000' },
    })
    expect(account).not.toBe(relayer)
    const fund = () => owner(home, 'wallet', 'fund', 'shopping')
    expect(await fund()).toMatchObject({ account: wallet.account, credited: [], unconfirmed_amount: '0.000000' })

    const hash = await chain.mint(account, 25n * USDC)
    await chain.mint(account, 250n * USDC)
    expect(await fund()).toMatchObject({
      ...{ credited: [{ tx_hash: hash, amount: '25.000000' }], unconfirmed_amount: '250.000000' },
      ...{ available_amount: '25.000000', currency: 'USDC', agree: true },
    })
    await chain.mine(4)
    expect(await fund()).toMatchObject({ credited: [{ amount: '250.000000' }], available_amount: '275.000000' })

    await chain.give(relayer, COIN)
    expect(await owner(home, 'relayer', 'limit', relayer, '0.5')).toMatchObject({ daily_max: '0.500000000' })
    expect(await owner(home, 'relayer', 'list')).toEqual([
      {
        ...{ relayer: `${chain.network}:${relayer}`, coins: '1.000000000', native: 'ETH' },
        ...{ daily_max: '0.500000000', spent_today: '0.000000000', held_today: '0.000000000' },
      },
    ])

    const payment = await pay(home)
    expect(payment).toMatchObject({ status: 'captured', amount: '12.500000' })
    expect(await chain.balance(SELLER)).toBe(12_500_000n)
    const shown = await owner(home, 'payment', 'show', payment.payment_id)
    expect(shown.receipt.rail_ref).toMatch(/^0x[0-9a-f]{64}$/)
    expect(await owner(home, 'wallet', 'reconcile', 'shopping')).toMatchObject({
      ...{ agree: true, chain: '262.500000', books: '262.500000', status: 'active' },
    })
    expect((await bursar(home, ['journal', 'verify'])).code).toBe(0)
  })

  /** An agent asks, the owner approves, the agent pays. */
  async function pay(home: string) {
    const { call } = await agent(home)
    const { request_id, instrument } = await call('request_instrument', {
      ...{ type: 'usdc', amount: '50.00', currency: 'USDC', expires_in: '1d', purpose: 'a book' },
    })
    const instrument_id = instrument?.instrument_id ?? (await approved(home, request_id))
    return call('pay_with_instrument', {
      ...{ instrument_id, amount: '12.50', purpose: 'a book' },
      payee: { address: SELLER, network: scene.chain.network },
    })
  }

  async function approved(home: string, request_id: string): Promise<string> {
    await owner(home, 'request', 'approve', request_id, '--yes')
    const [instrument] = await owner(home, 'instrument', 'list')
    return instrument.instrument_id
  }

  it('waits for a deposit as long as it is told', async () => {
    const { home, account } = await homeWithWallet(scene)
    expect(await owner(home, 'wallet', 'fund', 'shopping', '--wait', '1')).toMatchObject({ credited: [] })
    // Longer than any test lasts: it has to end when the deposit is there.
    const waiting = owner(home, 'wallet', 'fund', 'shopping', '--wait', '3600')
    await scene.chain.mint(account, USDC)
    expect(await waiting).toMatchObject({ credited: [{ amount: '1.000000' }] })
  })

  it('says both numbers where they differ, freezes, and follows the chain when told', {
    timeout: 120_000,
  }, async () => {
    const { home, account } = await homeWithWallet(scene)
    const { chain } = scene
    await chain.mint(account, 5n * USDC)
    await owner(home, 'wallet', 'fund', 'shopping')
    await chain.takeAway(account, 2n * USDC)
    const differing = await command(home, ['wallet', 'reconcile', 'shopping', '--json'])
    expect(differing.code).toBe(4)
    expect(JSON.parse(differing.stdout)).toMatchObject({
      ...{ chain: '3.000000', books: '5.000000', agree: false, status: 'frozen' },
    })
    const funding = await command(home, ['wallet', 'fund', 'shopping'])
    expect(funding).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('The account holds 3.000000 USDC; the books say 5.000000.'),
    })
    expect((await command(home, ['wallet', 'reconcile', 'shopping', '--accept', '--json'])).code).toBe(1)
    expect(await owner(home, 'wallet', 'reconcile', 'shopping', '--accept')).toMatchObject({
      ...{ available_amount: '3.000000', status: 'frozen' },
    })
    expect(await refused(home, ['wallet', 'reconcile', 'shopping', '--accept'])).toMatchObject({ code: 'wrong_state' })
    await owner(home, 'wallet', 'unfreeze', 'shopping')
    expect(await owner(home, 'wallet', 'reconcile', 'shopping')).toMatchObject({ agree: true, status: 'active' })
  })

  it('has confirmations by amount, at birth and later', async () => {
    const tiers = ['--confirmation', 'one_block:20.00', '--confirmation', 'finalized']
    const { home, wallet } = await homeWithWallet(scene, ...tiers)
    expect(wallet.confirmations).toEqual([
      { up_to: '20.000000', at: 'one_block' },
      { up_to: null, at: 'finalized' },
    ])
    expect((await owner(home, 'wallet', 'confirmations', 'shopping', 'safe')).confirmations).toEqual([
      { up_to: null, at: 'safe' },
    ])
    expect(await refused(home, ['wallet', 'confirmations', 'shopping', 'safe:1.00'])).toMatchObject({
      code: 'argument_invalid',
    })
    expect(await refused(home, ['wallet', 'confirmations', 'sandbox', 'safe'])).toMatchObject({ code: 'wrong_state' })
  })

  it('shares its relayer with the others, or pays fees itself', async () => {
    const { home, relayer } = await homeWithWallet(scene)
    const shared = await owner(home, ...create('second'))
    expect(addressOf(shared.relayer.relayer)).toBe(relayer)
    const own = await owner(home, ...create('third', '--relayer', 'own'))
    expect(own.relayer.relayer).toBe(own.account)
    expect(await owner(home, 'relayer', 'list')).toHaveLength(2)
    expect(readdirSync(join(home, 'accounts'))).toHaveLength(4)
  })

  it('shows people where to send what, and its account in lists', async () => {
    const { home, account, relayer } = await homeWithWallet(scene)
    const { stdout } = await bursar(home, create('second'), OWNER)
    expect(stdout).toMatch(new RegExp(`Send ETH for fees there to +${relayer}`))
    const list = await command(home, ['wallet', 'list'])
    expect(list.stdout).toContain(`${scene.chain.network}:0x${account.slice(2, 6).toLowerCase()}…`)
    expect(Math.max(...list.stdout.split('\n').map((line) => line.length))).toBeLessThan(140)
  })

  it('says that the chain cannot be asked, or is not set up', async () => {
    const { home } = await homeWithWallet(scene)
    scene.nodes[0].down()
    expect(await refused(home, ['wallet', 'fund', 'shopping'])).toMatchObject({ exit: 1, code: 'rail_unavailable' })
    scene.nodes[0].mend()
    await owner(home, 'network', 'remove', scene.chain.network)
    for (const args of [['wallet', 'fund', 'shopping'], ['wallet', 'reconcile', 'shopping'], create('other')])
      expect(await refused(home, args)).toMatchObject({ exit: 2, code: 'config_invalid' })
    expect(await owner(home, 'relayer', 'list')).toMatchObject([{ coins: null }])
    expect(await refused(home, ['wallet', 'reconcile', 'sandbox'])).toMatchObject({ code: 'wrong_state' })
    expect(await refused(home, ['wallet', 'fund', 'shopping', '5.00'])).toMatchObject({ code: 'argument_invalid' })
  })

  it.each([
    ['an asset without a network', ['--asset', 'USDC']],
    ['a network without an asset', ['--network', 'eip155:84532']],
    ['a key without an asset', ['--import']],
    ['a relayer without an asset', ['--relayer', 'own']],
    ['two currencies', ['--asset', 'USDC', '--network', 'eip155:84532', '--currency', 'EUR']],
    ['another asset', ['--asset', 'USDT', '--network', 'eip155:84532']],
    ['an unknown confirmation', ['--asset', 'USDC', '--network', 'eip155:84532', '--confirmation', 'soon']],
  ])('is a matter of usage, exit 2: %s', async (_what, options) => {
    const { code, stdout } = await command(emptyHome(), ['wallet', 'create', 'x', ...options], OWNER)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})
