import { type Address, type Hex, parseTransaction } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freezeWallet, unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Broadcast } from '../../src/core/types.ts'
import type { BroadcastOrder, Stored } from '../../src/ports/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { broadcasts, later, makeScene, mempoolIsEmpty, pass, type Scene } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterEach(() => chain.automine())
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as Address)
const owner = ({ purse }: Scene) => ({ ownerId: purse.authority.ownerId, channel: 'test' })
const freeze = (scene: Scene) => freezeWallet(scene.purse.bursar, owner(scene), scene.purse.wallet.id)
const unfreeze = ({ purse }: Scene) => unfreezeWallet(purse.bursar, purse.authority, purse.wallet.id)

it('security: a clock that steps back does not make the older of two transactions the newer', async () => {
  let isDead = true
  const scene = await makeScene(chain, {
    impatient: true,
    reads: (reads) => ({ ...reads, send: async (raw) => (isDead ? 'taken' : reads.send(raw)) }),
  })
  const paid = await scene.pay(stranger().address, '25.00')
  await freeze(scene)
  later(-30)
  for (let times = 0; times < 2; times += 1) await scene.recover()
  const rows = await broadcasts(scene)
  expect(rows.map(({ paymentId }) => paymentId === null)).toEqual([true, false])
  expect(rows[0]?.createdAt).toBeLessThan(rows[1]?.createdAt as number)
  isDead = false
  await scene.recover()
  expect(await chain.rpc('eth_getTransactionReceipt', [rows[0]?.txHash])).toMatchObject({ status: '0x1' })
  later(30)
  await pass(chain, 301)
  expect((await scene.settle(paid)).status).toBe('voided')
  await unfreeze(scene)
})

describe('security: another process was faster', () => {
  /** A purse whose orders wait for `meanwhile`, or get its answer. */
  async function slow() {
    const sent: Hex[] = []
    const on: { order: (order: BroadcastOrder) => Promise<Stored | null> } = { order: async () => null }
    const scene = await makeScene(chain, {
      impatient: true,
      books: (books) => ({ ...books, broadcast: async (order) => (await on.order(order)) ?? books.broadcast(order) }),
      reads: (reads) => ({
        ...reads,
        send(raw) {
          sent.push(raw as Hex)
          return reads.send(raw)
        },
      }),
    })
    return { scene, sent, on }
  }

  it('in repricing what was then stopped: that is not sent', async () => {
    await chain.automine(false)
    const { scene, sent, on } = await slow()
    const paid = await scene.pay(stranger().address, '25.00')
    const [row] = (await broadcasts(scene)) as [Broadcast]
    await chain.dropPending()
    await freeze(scene)
    sent.length = 0
    on.order = async ({ paymentId }) => (paymentId === null ? { kind: 'waiting', broadcast: row } : null)
    await scene.recover()
    expect(sent).toEqual([])
    on.order = async () => null
    await scene.recover()
    expect(sent.map((raw) => parseTransaction(raw).data)).toEqual([undefined])
    await chain.automine()
    await pass(chain, 301)
    expect((await scene.settle(paid)).status).toBe('voided')
    await unfreeze(scene)
  })

  it('in paying: no second transaction is stored for what was captured', async () => {
    const { scene, on } = await slow()
    const shop = stranger().address
    on.order = async () => ({ kind: 'over_fees' })
    const paid = await scene.pay(shop, '25.00')
    expect(await broadcasts(scene)).toEqual([])
    const other = await scene.other({ books: (books) => books, reads: (reads) => reads })
    on.order = async () => {
      on.order = async () => null
      for (let times = 0; times < 3; times += 1) {
        await recover(other.bursar)
        await mempoolIsEmpty(chain)
      }
      expect([(await scene.get(paid)).status, (await broadcasts(scene)).map(({ fee }) => fee !== null)]).toEqual([
        'captured',
        [true],
      ])
      return null
    }
    await scene.recover()
    expect([(await broadcasts(scene)).length, await balance(shop)]).toEqual([1, 25n * UNIT])
  })
})
