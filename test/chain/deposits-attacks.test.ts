import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { acceptDifference } from '../../src/actions/owner/chain.ts'
import { unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { reconcile } from '../../src/actions/transfer/reconcile.ts'
import type { Rail } from '../../src/ports.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type ChainPurse, type ChainPurseOptions, openChainPurse, UNIT } from '../support/chain-purse.ts'
import { startProxy } from '../support/node-proxy.ts'
import { temporaryFolder } from '../support/purse.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ slotsInAnEpoch: 4 })
})
afterAll(() => chain.stop())

const ONE_BLOCK = [{ up_to: null, at: 'one_block' }]
const FINAL_AFTER = 9

async function open(folder: string, options: ChainPurseOptions = {}): Promise<ChainPurse> {
  const purse = await openChainPurse(folder, chain, { confirmations: ONE_BLOCK, ...options })
  onTestFinished(() => purse.close())
  return purse
}

const look = ({ bursar, wallet }: ChainPurse) => reconcile(bursar, wallet.id, false)
const mint = ({ address }: ChainPurse, units: bigint) => chain.mint(address as Address, units)
const take = ({ address }: ChainPurse, units: bigint) => chain.takeAway(address as Address, units)
const accept = ({ bursar, authority, wallet }: ChainPurse) => acceptDifference(bursar, authority, wallet.id)
const unfreeze = ({ bursar, authority, wallet }: ChainPurse) => unfreezeWallet(bursar, authority, wallet.id)

/** What the wallet has, and whether it may spend it. */
async function stateOf({ bursar: { store }, wallet }: ChainPurse) {
  const { available } = (await store.read.one('accounts', { walletId: wallet.id }))!
  return [available, (await store.read.one('wallets', { id: wallet.id }))!.status]
}

interface Meanwhile {
  readonly beforeOpening?: () => Promise<unknown>
  readonly beforeHead?: () => Promise<unknown>
  /** After the chain was asked, and before the answer is heard. */
  readonly afterStatement?: () => Promise<unknown>
}

/** The rail, where something happens in the middle of a look. */
function meanwhile({ beforeOpening, beforeHead, afterStatement }: Meanwhile): (rail: Rail) => Rail {
  return (rail) => ({
    ...rail,
    accounts: {
      ...rail.accounts!,
      async opening(wallet) {
        await beforeOpening?.()
        return rail.accounts!.opening(wallet)
      },
      async head(wallet) {
        await beforeHead?.()
        return rail.accounts!.head(wallet)
      },
      async statement(...asked) {
        const statement = await rail.accounts!.statement(...asked)
        await afterStatement?.()
        return statement
      },
    },
  })
}

describe('security: money is never counted twice', () => {
  it('around the first look, when the account was in use and something left it by hand', async () => {
    const purse = await open(temporaryFolder())
    await mint(purse, 100n * UNIT)
    await take(purse, 10n * UNIT)
    expect(await look(purse)).toMatchObject({ chain: '90.000000', books: '100.000000' })
    await chain.mine(FINAL_AFTER)
    expect(await look(purse)).toMatchObject({ chain: '90.000000', books: '100.000000' })
    expect(await stateOf(purse)).toEqual([100n * UNIT, 'frozen'])
  })

  it('when two processes take their first look while a deposit becomes final', async () => {
    const folder = temporaryFolder()
    const second = await open(folder)
    const beforeOpening = async () => {
      await mint(second, 30n * UNIT)
      await look(second)
      await chain.mine(FINAL_AFTER)
    }
    const first = await open(folder, { rail: meanwhile({ beforeOpening }) })
    await look(first)
    expect(await look(second)).toMatchObject({ chain: '30.000000', books: '30.000000' })
    expect(await stateOf(first)).toEqual([30n * UNIT, 'active'])
  })
})

describe('security: nobody freezes a wallet from outside', () => {
  it('by a deposit that another process credits in the middle of a look', async () => {
    const folder = temporaryFolder()
    const second = await open(folder)
    await look(second)
    const rail = meanwhile({ beforeHead: () => mint(second, 1n), afterStatement: () => look(second) })
    const first = await open(folder, { rail })
    await look(first)
    expect(await stateOf(first)).toEqual([1n, 'active'])
  })

  it('by a node that is behind, alone or as one of two', async () => {
    const behind = await startProxy(chain.url)
    onTestFinished(() => behind.stop())
    for (const nodes of [[behind.url], [chain.url, behind.url]]) {
      const purse = await open(temporaryFolder(), { nodes })
      await look(purse)
      await mint(purse, UNIT)
      await look(purse)
      behind.lag(3)
      await expect(look(purse)).rejects.toThrow()
      behind.mend()
      expect(await look(purse)).toMatchObject({ chain: '1.000000', books: '1.000000' })
      expect(await stateOf(purse)).toEqual([UNIT, 'active'])
    }
  })

  it('by a coin in a block that does not last, and comes back in another', async () => {
    const purse = await open(temporaryFolder())
    await look(purse)
    await mint(purse, UNIT)
    await look(purse)
    await chain.reorg(1)
    expect(await look(purse)).toMatchObject({ chain: '0.000000', books: '0.000000' })
    expect(await stateOf(purse)).toEqual([UNIT, 'active'])
  })
})

describe('a difference that its owner accepts', () => {
  it('is none any more, and can be accepted no second time', async () => {
    const purse = await open(temporaryFolder())
    await look(purse)
    await mint(purse, 7n * UNIT)
    await look(purse)
    await take(purse, 2n * UNIT)
    await look(purse)
    await accept(purse)
    expect(await stateOf(purse)).toEqual([5n * UNIT, 'frozen'])
    await unfreeze(purse)
    expect(await look(purse)).toMatchObject({ chain: '5.000000', books: '5.000000' })
    await expect(accept(purse)).rejects.toMatchObject({ code: 'wrong_state' })
  })

  it('security: is accepted once, however many accept it at once', async () => {
    const purse = await open(temporaryFolder())
    await look(purse)
    await mint(purse, 50n * UNIT)
    await look(purse)
    await take(purse, 10n * UNIT)
    const accepted = await Promise.allSettled([accept(purse), accept(purse)])
    expect(accepted.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await stateOf(purse))[0]).toBe(40n * UNIT)
  })

  it('lets a deposit back in that was accepted as lost', async () => {
    const purse = await open(temporaryFolder())
    await look(purse)
    const hash = await mint(purse, 7n * UNIT)
    await look(purse)
    const raw = await chain.rpc<string>('eth_getRawTransactionByHash', [hash]).catch(() => null)
    await chain.reorg(1)
    await chain.mine(FINAL_AFTER)
    await look(purse)
    await accept(purse)
    expect(await stateOf(purse)).toEqual([0n, 'frozen'])
    // The same bytes again, or else as much from elsewhere: either way the books can follow.
    if (raw === null) await mint(purse, 7n * UNIT)
    else await chain.rpc('eth_sendRawTransaction', [raw]).catch(() => mint(purse, 7n * UNIT))
    await chain.mine()
    const { chain: holds, books } = await look(purse)
    if (holds !== books) await accept(purse)
    expect((await stateOf(purse))[0]).toBe(7n * UNIT)
  })
})
