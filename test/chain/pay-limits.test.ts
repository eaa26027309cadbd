import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freezeWallet, unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { removeLimit, setLimit } from '../../src/actions/owner/limit.ts'
import { question } from '../../src/actions/question.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { send } from '../support/chain-purse.ts'
import { later, makeScene, ruleOf, type Scene, signed, yes } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

/** Amounts of any size count as soon as they are in a block. */
const AT_ONCE = { confirmations: [{ up_to: null, at: 'one_block' }] }

const limit = ({ purse }: Scene, input: Parameters<typeof setLimit>[3]) =>
  setLimit(purse.bursar, purse.authority, purse.wallet.id, input)
const balance = (address: string) => chain.balance(address as `0x${string}`)

describe('an amount', () => {
  it.each(['1.1234567', '0.0000001', '0', '-1', '1e2', '1,5', ' 1', '+1', '', '9'.repeat(21)])(
    'security: of %j is refused, and nothing is signed',
    async (amount) => {
      const scene = await makeScene(chain)
      const refused = await scene.pay(stranger().address, amount)
      expect(ruleOf(refused)).toEqual(['refused', 'amount_invalid', 'amount'])
      expect(await signed(scene)).toEqual([])
    },
  )

  it('of the smallest unit is paid to the unit', async () => {
    const scene = await makeScene(chain)
    const shop = stranger().address
    expect((await scene.pay(shop, '0.000001')).status).toBe('captured')
    expect((await scene.pay(shop, '1.000001')).status).toBe('captured')
    expect(await balance(shop)).toBe(1_000_002n)
  })
})

describe('security: what is over', () => {
  it('the instrument is refused: its amount, its payments, its uses', async () => {
    const terms = { amount: '50.00', per_payment_max: '30.00', usage_limit: 2 }
    const scene = await makeScene(chain, { terms })
    const rule = async (amount: string) => ruleOf(await scene.pay(stranger().address, amount))
    expect(await rule('30.000001')).toEqual(['refused', 'per_payment_max_exceeded', 'instrument.per_payment_max'])
    expect((await scene.pay(stranger().address, '30.00')).status).toBe('captured')
    expect(await rule('20.000001')).toEqual(['refused', 'amount_exceeds_remaining', 'instrument.amount'])
    expect((await scene.pay(stranger().address, '1.00')).status).toBe('captured')
    expect(await rule('1.00')).toEqual(['refused', 'usage_limit_reached', 'instrument.usage_limit'])
    expect(await signed(scene)).toHaveLength(2)
  })

  it('what the wallet holds is refused', async () => {
    const scene = await makeScene(chain, { funds: 20n })
    const refused = await scene.pay(stranger().address, '20.000001')
    expect(ruleOf(refused)).toEqual(['refused', 'insufficient_funds', 'wallet.available'])
    expect((await scene.pay(stranger().address, '20.00')).status).toBe('captured')
  })

  it.each([
    ['payment', '9.99', ['10.00']],
    ['session', '25.00', ['10.00', '10.00', '5.000001']],
    ['day', '25.00', ['10.00', '10.00', '5.000001']],
    ['hour', '20.00', ['10.00', '10.00', '0.000001']],
  ])('a limit per %s is refused', async (window, max_amount, amounts) => {
    const scene = await makeScene(chain)
    const scope = window === 'session' ? 'session' : 'wallet'
    const { limit_id } = await limit(scene, { scope, window, max_amount, over: 'deny' })
    const paid = []
    for (const amount of amounts) paid.push(ruleOf(await scene.pay(stranger().address, amount)))
    expect(paid.at(-1)).toEqual(['refused', 'limit_exceeded', limit_id])
    expect(paid.slice(0, -1).every(([status]) => status === 'captured')).toBe(true)
    expect(await signed(scene)).toHaveLength(amounts.length - 1)
  })

  it.each([
    ['as stored', (account: string) => account],
    ['in lower case', (account: string) => account.toLowerCase()],
  ])('a limit on one account (%s) is refused, and on that account alone', async (_, write) => {
    const scene = await makeScene(chain)
    const [shop, other] = [stranger().address, stranger().address]
    const scopeValue = write(`${chain.network}:${shop}`)
    const { limit_id } = await limit(scene, {
      scope: 'payee',
      scopeValue,
      window: 'day',
      max_amount: '10',
      over: 'deny',
    })
    expect((await scene.pay(shop.toLowerCase(), '6.00')).status).toBe('captured')
    expect(ruleOf(await scene.pay(shop, '4.01'))).toEqual(['refused', 'limit_exceeded', limit_id])
    expect((await scene.pay(other, '11.00')).status).toBe('captured')
    expect((await scene.pay(shop, '4.00')).status).toBe('captured')
    expect(ruleOf(await scene.pay('', '0.01', { payee: { address: shop, name: 'Another' } }))[2]).toBe(limit_id)
  })

  it('a limit on an account is not set on what only looks like one', async () => {
    const scene = await makeScene(chain)
    const { address } = stranger()
    const rule = { scope: 'payee', window: 'day', max_amount: '10', over: 'deny' }
    for (const scopeValue of [address, `EIP155:31337:${address}`, `eip155:31337:${address.slice(0, -1)}`])
      await expect(limit(scene, { ...rule, scopeValue })).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('a limit per payee counts each account by itself', async () => {
    const scene = await makeScene(chain)
    const [shop, other] = [stranger().address, stranger().address]
    const { limit_id } = await limit(scene, { scope: 'payee', window: 'day', max_amount: '10', over: 'deny' })
    expect((await scene.pay(shop, '10.00')).status).toBe('captured')
    expect(ruleOf(await scene.pay(shop, '0.01'))).toEqual(['refused', 'limit_exceeded', limit_id])
    expect((await scene.pay(other, '10.00')).status).toBe('captured')
  })

  it('twenty payments at once never take more than the limit', async () => {
    const scene = await makeScene(chain)
    await limit(scene, { scope: 'wallet', window: 'day', max_amount: '70', over: 'deny' })
    const paid = await Promise.all(Array.from({ length: 20 }, () => scene.pay(stranger().address, '10.00')))
    expect(paid.filter(({ status }) => status === 'captured')).toHaveLength(7)
    expect(paid.filter(({ refusal }) => refusal?.code === 'limit_exceeded')).toHaveLength(13)
    expect(await signed(scene)).toHaveLength(7)
  })

  it('the limit that asks waits for a human, and is signed and paid only after the yes', async () => {
    const scene = await makeScene(chain, AT_ONCE)
    const shop = stranger().address
    const asked = await scene.pay(shop, '120.00')
    expect([asked.status, await signed(scene)]).toEqual(['awaiting_approval', []])
    const { facts } = await question(scene.purse.bursar, asked.payment_id)
    expect(facts).toContainEqual(['Pays', `${shop} (for the first time)`])
    expect(facts).toContainEqual(['On', chain.network])
    expect((await yes(scene, asked)).status).toBe('captured')
    expect(await balance(shop)).toBe(120_000_000n)
    await expect(yes(scene, asked)).rejects.toMatchObject({ code: 'not_pending' })
    expect(await signed(scene)).toHaveLength(1)
  })
})

describe('security: a yes', () => {
  async function asked(): Promise<{ scene: Scene; id: { payment_id: string } }> {
    const scene = await makeScene(chain, AT_ONCE)
    const id = await scene.pay(stranger().address, '120.00')
    return { scene, id }
  }

  it('lifts no limit that denies by then', async () => {
    const { scene, id } = await asked()
    const { limit_id } = await limit(scene, { scope: 'wallet', window: 'day', max_amount: '100', over: 'deny' })
    expect(ruleOf(await yes(scene, id))).toEqual(['denied', 'limit_exceeded', limit_id])
    expect(await signed(scene)).toEqual([])
  })

  it('lifts no freeze, and pays nothing that was spent meanwhile', async () => {
    const { scene, id } = await asked()
    const { bursar, authority, wallet } = scene.purse
    await freezeWallet(bursar, { ownerId: authority.ownerId, channel: 'test' }, wallet.id)
    expect(ruleOf(await yes(scene, id))).toEqual(['denied', 'spending_frozen', 'wallet.status'])
    await unfreezeWallet(bursar, authority, wallet.id)
    const second = await scene.pay(stranger().address, '120.00')
    for (const amount of ['100.00', '100.00']) await scene.pay(stranger().address, amount)
    expect(ruleOf(await yes(scene, second))).toEqual(['denied', 'amount_exceeds_remaining', 'instrument.amount'])
    expect(await signed(scene)).toHaveLength(2)
  })

  it('after its time is a no', async () => {
    const { scene, id } = await asked()
    later(16 * 60)
    await expect(yes(scene, id)).rejects.toMatchObject({ code: 'approval_expired' })
    await scene.recover()
    expect([(await scene.get(id)).status, await signed(scene)]).toEqual(['expired', []])
  })

  it('is good for five minutes from the yes, not from the question', async () => {
    const { scene, id } = await asked()
    later(14 * 60)
    await chain.warp(14 * 60)
    expect((await yes(scene, id)).status).toBe('captured')
    const [transfer] = await signed(scene)
    const answered = (await scene.row(id)).authorizedAt!
    expect(transfer?.validBefore).toBe(Math.floor((answered + 300_000) / 1000))
  })
})

describe('a wallet without its limits', () => {
  it('security: pays nothing', async () => {
    const scene = await makeScene(chain)
    const { bursar, authority, wallet } = scene.purse
    const { limit_id } = await limit(scene, { scope: 'wallet', window: 'day', max_amount: '1000', over: 'deny' })
    await removeLimit(bursar, authority, limit_id)
    const refused = await send(scene.purse, scene.inst, stranger().address, '1.00')
    expect(ruleOf(refused)).toEqual(['refused', 'limits_missing', 'wallet.limits'])
    expect((await bursar.store.read.one('accounts', { walletId: wallet.id }))?.held).toBe(0n)
  })
})
