import { type Address, type Hex, parseTransaction } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { limitRelayer } from '../../src/actions/owner/chain.ts'
import { listWallets } from '../../src/actions/owner/inspect.ts'
import { TRANSFER_GAS } from '../../src/core/transfer.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { ON_POSTGRES } from '../support/store.ts'
import { broadcasts, expectGivenBack, makeScene, pass, ruleOf, type Scene, signed } from './scene.ts'
import { feeOf } from './scene-books.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterEach(() => chain.automine())
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as Address)
const wei = ({ purse }: Scene) => chain.publicClient.getBalance({ address: purse.relayerAddress as Address })
const limit = ({ purse }: Scene, coins: string) =>
  limitRelayer(purse.bursar, purse.authority, purse.wallet.relayer!, coins)

describe('a relayer', () => {
  it('security: without coins sends nothing, and nothing is signed', async () => {
    const scene = await makeScene(chain)
    const had = await wei(scene)
    await chain.give(scene.purse.relayerAddress as Address, 1000n)
    const paid = await scene.pay(stranger().address, '25.00')
    expect(ruleOf(paid)).toEqual(['voided', 'rail_declined', 'chain.relayer_out_of_coins'])
    expect([await signed(scene), await broadcasts(scene)]).toEqual([[], []])
    await expectGivenBack(scene)
    await chain.give(scene.purse.relayerAddress as Address, had)
    expect((await scene.pay(stranger().address, '25.00')).status).toBe('captured')
  })

  it('security: at its limit of the day sends nothing, and nothing is signed; with a higher one it goes on', async () => {
    const scene = await makeScene(chain)
    await limit(scene, '0.000001')
    const shop = stranger().address
    const refused = await scene.pay(shop, '25.00', { purpose: 'A book' })
    expect(ruleOf(refused)).toEqual(['voided', 'rail_declined', 'chain.daily_fees_reached'])
    expect([await signed(scene), await broadcasts(scene)]).toEqual([[], []])
    await expectGivenBack(scene)
    await limit(scene, '10')
    const paid = await scene.pay(shop, '25.00', { purpose: 'A book' })
    expect([paid.status, paid.replayed]).toEqual(['captured', undefined])
  })

  it('security: is asked beforehand for no less than a transfer to somebody new takes', async () => {
    const scene = await makeScene(chain)
    await scene.pay(stranger().address, '1.00')
    const [sent] = await broadcasts(scene)
    expect(parseTransaction(sent?.raw as Hex).gas).toBeLessThanOrEqual(TRANSFER_GAS)
  })

  it('security: pays by its own balance to the wei what the books count, rounded up for each transaction', async () => {
    const scene = await makeScene(chain)
    const before = await wei(scene)
    for (let times = 0; times < 3; times += 1) await scene.pay(stranger().address, '1.00')
    await scene.recover()
    const rows = await broadcasts(scene)
    expect(rows).toHaveLength(3)
    for (const { txHash, fee } of rows) expect(fee).toBe(await feeOf(chain, txHash))
    const spent = rows.reduce((sum, { fee }) => sum + (fee ?? 0n), 0n)
    const took = before - (await wei(scene))
    expect(spent * 10n ** 9n).toBeGreaterThanOrEqual(took)
    expect(spent * 10n ** 9n - took).toBeLessThan(3n * 10n ** 9n)
    const [view] = (await listWallets(scene.purse.bursar)).filter(
      ({ wallet_id }) => wallet_id === scene.purse.wallet.id,
    )
    expect(view?.relayer).toMatchObject({ held_today: '0.000000000' })
  })

  it('security: holds what a transaction may cost until it is known what it did', async () => {
    const scene = await makeScene(chain, { impatient: true })
    await chain.automine(false)
    const paid = await scene.pay(stranger().address, '1.00')
    const [row] = await broadcasts(scene)
    const days = async () => (await scene.purse.bursar.store.read.list('fee_days', {}))[0]
    expect([(await days())?.held, (await days())?.spent]).toEqual([row?.maxFee, 0n])
    await chain.mine()
    await scene.recover()
    expect((await scene.get(paid)).status).toBe('captured')
    expect([(await days())?.held, (await days())?.spent]).toEqual([0n, await feeOf(chain, row?.txHash ?? '')])
  })

  it('security: many payments at once stay within the limit of the day; what is signed is paid when it is raised', async () => {
    const scene = await makeScene(chain, { impatient: true })
    await chain.automine(false)
    await scene.pay(stranger().address, '0.01')
    const { maxFee } = (await broadcasts(scene))[0]!
    // Enough for three of that price and a half.
    const gwei = (maxFee * 7n) / 2n
    await limit(scene, `${gwei / 10n ** 9n}.${`${gwei % 10n ** 9n}`.padStart(9, '0')}`)
    const shops = Array.from({ length: 8 }, () => stranger().address)
    const paid = await Promise.all(shops.map((shop) => scene.pay(shop, '1.00')))
    const held = async () => (await scene.purse.bursar.store.read.list('fee_days', {}))[0]?.held ?? 0n
    expect(await held()).toBeLessThanOrEqual(gwei)
    expect((await broadcasts(scene)).length).toBeLessThanOrEqual(3)
    for (const { status, refusal } of paid)
      expect([status, refusal?.rule]).toEqual(
        status === 'voided' ? ['voided', 'chain.daily_fees_reached'] : ['in_doubt', undefined],
      )
    await limit(scene, '10')
    await chain.automine()
    const open = paid.filter(({ status }) => status === 'in_doubt')
    for (const one of open) expect((await scene.settle(one)).status).toBe('captured')
    const moved = (await Promise.all(shops.map(balance))).filter((units) => units > 0n)
    expect(moved).toEqual(open.map(() => UNIT))
  })

  it('security: that can send no more of what is signed leaves it held, and it is given back on proof', async () => {
    const scene = await makeScene(chain, {
      impatient: true,
      books: (books) => ({ ...books, broadcast: async () => ({ kind: 'over_fees' }) }),
    })
    const paid = await scene.pay(stranger().address, '25.00')
    expect([paid.status, (await signed(scene)).length, await broadcasts(scene)]).toEqual(['in_doubt', 1, []])
    await pass(chain, 301)
    expect(ruleOf(await scene.settle(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
    await expectGivenBack(scene)
  })

  // What PostgreSQL's tables refuse is in test/store/wall.test.ts.
  it.skipIf(ON_POSTGRES)('security: over its limit is refused by the tables themselves', async () => {
    const scene = await makeScene(chain)
    await scene.pay(stranger().address, '1.00')
    await scene.recover()
    await limit(scene, '0.000001')
    const { path } = scene.purse
    const { default: Database } = await import('better-sqlite3')
    const db = new Database(path)
    const add = () => db.prepare('UPDATE fee_days SET held = held + 1000000000').run()
    expect(add).toThrow('over the fees of a day')
    expect(() => db.prepare('DELETE FROM fee_days').run()).toThrow('never deleted')
    expect(() => db.prepare('UPDATE broadcasts SET fee = 0').run()).toThrow('a fee is paid once')
    db.close()
  })
})
