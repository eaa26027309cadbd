import { type Address, encodeFunctionData, erc20Abi, type Hex, toEventSelector } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { reconcile } from '../../src/actions/transfer/reconcile.ts'
import { OPENING_BALANCE } from '../../src/core/transfer.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type ChainPurse, openChainPurse, UNIT } from '../support/chain-purse.ts'
import { temporaryFolder } from '../support/purse.ts'
import { clock, counted, lastEvent, makeScene, type Scene, type SceneOptions } from './scene.ts'
import { contractWith, mined, stranger } from './transfers.ts'

const TRANSFER = 'Transfer(address,address,uint256)'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterEach(() => chain.automine())
afterAll(() => chain.stop())

const look = ({ bursar, wallet }: ChainPurse) => reconcile(bursar, wallet.id, false)
const deposits = ({ bursar, wallet }: ChainPurse) => bursar.store.read.list('deposits', { walletId: wallet.id })
const status = async ({ bursar, wallet }: ChainPurse) =>
  (await bursar.store.read.one('wallets', { id: wallet.id }))?.status
const available = async ({ bursar, wallet }: ChainPurse) =>
  (await bursar.store.read.one('accounts', { walletId: wallet.id }))?.available
const mint = ({ purse }: Scene, units: bigint) => chain.mint(purse.address as Address, units)

/** Steps of the store whose event is of this type fail, as if the process had died before them. */
function dyingBefore(type: string, dying: () => boolean): NonNullable<SceneOptions['store']> {
  return (store) => ({
    ...store,
    update: (key, decide) =>
      store.update(key, (snapshot) => {
        const change = decide(snapshot)
        if (dying() && change.facts.some((fact) => fact.type === type)) throw new Error('died')
        return change
      }),
  })
}

describe('what an account held before it was a wallet', () => {
  it('is its opening balance, once, and what comes later is seen one by one', async () => {
    const folder = temporaryFolder()
    const purse = await openChainPurse(folder, chain, { clock })
    await chain.mint(purse.address as Address, 30n * UNIT)
    await chain.mint(purse.address as Address, 12n * UNIT)
    await chain.mine(3)
    const later = await chain.mint(purse.address as Address, 5n * UNIT)
    for (let times = 0; times < 3; times += 1) await look(purse)
    const seen = (await deposits(purse)).toSorted((a, b) => a.seq - b.seq)
    expect(seen.map(({ txHash, amount }) => [txHash, amount])).toEqual([
      [OPENING_BALANCE, 42n * UNIT],
      [later, 5n * UNIT],
    ])
    expect([await available(purse), await status(purse)]).toEqual([47n * UNIT, 'active'])
    await purse.close()
  })

  it('security: is credited once, though the process died before it wrote how far it looked', async () => {
    const folder = temporaryFolder()
    let isDying = true
    const store = dyingBefore('wallet.scanned', () => isDying)
    const purse = await openChainPurse(folder, chain, { clock, store })
    await chain.mint(purse.address as Address, 30n * UNIT)
    await chain.mine(3)
    await expect(look(purse)).rejects.toThrow('died')
    await chain.mint(purse.address as Address, 5n * UNIT)
    isDying = false
    await look(purse)
    expect([await available(purse), await status(purse)]).toEqual([35n * UNIT, 'active'])
    await look(purse)
    expect([await available(purse), await status(purse)]).toEqual([35n * UNIT, 'active'])
    await purse.close()
  })
})

describe('a deposit', () => {
  it('is credited with who sent it and where, to the unit', async () => {
    const scene = await makeScene(chain)
    const hash = await mint(scene, 1n)
    const seen = await look(scene.purse)
    expect(seen.credited).toEqual([{ tx_hash: hash, amount: '0.000001' }])
    const { deposit } = (await lastEvent(scene, 'wallet.funded')) as { deposit: object }
    const { blockNumber } = await chain.publicClient.getTransactionReceipt({ hash })
    expect(deposit).toMatchObject({ tx_hash: hash, position: 0, block: Number(blockNumber) })
    expect(await available(scene.purse)).toBe(1000n * UNIT + 1n)
  })

  it('can be spent at once', async () => {
    const scene = await makeScene(chain, { funds: 1n })
    const shop = stranger().address
    expect((await scene.pay(shop, '5.00')).refusal?.code).toBe('insufficient_funds')
    await mint(scene, 4n * UNIT)
    await scene.recover()
    expect((await scene.pay(shop, '5.00')).status).toBe('captured')
  })

  it('security: is credited once, though many look at the same moment', async () => {
    const scene = await makeScene(chain)
    const others = await Promise.all([scene.other(), scene.other()])
    await mint(scene, 7n * UNIT)
    await mint(scene, 8n * UNIT)
    const purses = [scene.purse, ...others, scene.purse, ...others]
    await Promise.all(purses.map(look))
    expect([await available(scene.purse), (await deposits(scene.purse)).length]).toEqual([1015n * UNIT, 3])
    expect([await counted(scene, 'wallet.funded'), await status(scene.purse)]).toEqual([3, 'active'])
  })

  it('security: is credited once, though the process died before it wrote how far it looked', async () => {
    let isDying = false
    const scene = await makeScene(chain, { store: dyingBefore('wallet.reconciled', () => isDying) })
    await mint(scene, 7n * UNIT)
    isDying = true
    await expect(look(scene.purse)).rejects.toThrow('died')
    isDying = false
    await chain.mine(3)
    for (let times = 0; times < 2; times += 1) await look(scene.purse)
    expect([await available(scene.purse), (await deposits(scene.purse)).length]).toEqual([1007n * UNIT, 2])
  })

  it('security: of many in one transaction each is credited, and nothing of nothing', async () => {
    const scene = await makeScene(chain)
    const amounts = [3n, 0n, 3n, 5n, 0n]
    const hash = await batch(scene.purse.address as Address, amounts)
    for (let times = 0; times < 2; times += 1) await look(scene.purse)
    const seen = (await deposits(scene.purse)).filter(({ txHash }) => txHash === hash)
    expect(seen.map(({ position, amount }) => [position, amount]).toSorted()).toEqual([
      [0, 3n],
      [2, 3n],
      [3, 5n],
    ])
    expect(await available(scene.purse)).toBe(1000n * UNIT + 11n)
  })

  it('security: of another token is not money', async () => {
    const scene = await makeScene(chain)
    // Writes Transfer(0, wallet, 2^64) when it is called.
    const topics = `73${scene.purse.address.slice(2)}60007f${toEventSelector(TRANSFER).slice(2)}`
    const fake = await contractWith(chain, `0x68${'01'.padEnd(18, '0')}600052${topics}60206000a300`)
    const hash = await mined(chain, '0x', fake)
    expect((await chain.publicClient.getTransactionReceipt({ hash })).logs).toHaveLength(1)
    const seen = await look(scene.purse)
    expect([seen.credited, await available(scene.purse)]).toEqual([[], 1000n * UNIT])
  })

  it.each([
    ['10.00', 0],
    ['10.000001', 1],
    ['20.000001', 2],
  ])(
    'security: of %s counts only when as many blocks (%i) stand behind it as the wallet asks for',
    async (amount, blocks) => {
      const confirmations = [
        { up_to: '10.00', at: 'one_block' },
        { up_to: '20.00', at: 'safe' },
        { up_to: null, at: 'finalized' },
      ]
      const scene = await makeScene(chain, { confirmations })
      const units = BigInt(amount.replace('.', '').padEnd(8, '0'))
      await mint(scene, units)
      for (let block = 0; block < blocks; block += 1) {
        const seen = await look(scene.purse)
        expect([seen.credited, seen.chain, seen.books, await status(scene.purse)]).toEqual([
          [],
          seen.chain,
          seen.chain,
          'active',
        ])
        expect(Number(seen.unconfirmed)).toBe(Number(amount))
        expect(await available(scene.purse)).toBe(1000n * UNIT)
        await chain.mine()
      }
      await look(scene.purse)
      expect(await available(scene.purse)).toBe(1000n * UNIT + units)
    },
  )

  it('security: that comes while the chain runs ahead of the look is not missed', async () => {
    // A chain on which blocks are final as soon as they are there, and come while it is asked.
    let busy: (() => Promise<unknown>) | null = null
    const scene = await makeScene(chain, {
      reads: (reads) => ({
        ...reads,
        async block(at) {
          const run = at === 'finalized' ? busy : null
          busy = at === 'finalized' ? null : busy
          await run?.()
          return reads.block(at)
        },
      }),
    })
    busy = async () => {
      await mint(scene, 9n * UNIT)
      await chain.mine(5)
    }
    await reconcile(scene.purse.bursar, scene.purse.wallet.id, true)
    await look(scene.purse)
    expect([await available(scene.purse), await status(scene.purse)]).toEqual([1009n * UNIT, 'active'])
  })

  it('that a payee sends back is seen, and gives no allowance back', async () => {
    const scene = await makeScene(chain)
    const key: Hex = `0x${'1c'.repeat(32)}`
    const shop = privateKeyToAccount(key).address
    const paid = await scene.pay(shop, '25.00')
    await chain.give(shop, 10n ** 18n)
    await chain.transfer(key, scene.purse.address as Address, 25n * UNIT)
    await look(scene.purse)
    expect([await available(scene.purse), (await scene.get(paid)).status]).toEqual([1000n * UNIT, 'captured'])
    expect((await scene.get(paid)).instrument?.remaining_amount).toBe('275.000000')
  })
})

/** Several transfers of the token in one transaction, out of a contract that was given what it takes. */
async function batch(to: Address, amounts: readonly bigint[]): Promise<Hex> {
  const calls = amounts.map((units) =>
    encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, units] }),
  )
  const code = calls.map((data) => callOf(data)).join('')
  const contract = await contractWith(chain, `0x${code}00`)
  await chain.mint(
    contract,
    amounts.reduce((sum, units) => sum + units, 0n),
  )
  return mined(chain, '0x', contract)
}

/** Code that calls the token with these 68 bytes. */
function callOf(data: Hex): string {
  const words = data.slice(2).padEnd(192, '0').match(/.{64}/g) as string[]
  const stores = words.map((word, i) => `7f${word}60${(i * 32).toString(16).padStart(2, '0')}52`).join('')
  return `${stores}6000600060446000600073${chain.token.slice(2)}5af150`
}
