import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { recover } from '../../src/actions/recover.ts'
import type { TransferBooks } from '../../src/ports/chain.ts'
import { counted, expectGivenBack, later, pass, signed, yes } from '../chain/scene.ts'
import { nextBlockAt } from '../chain/transfers.ts'
import { UNITS } from '../sellers/goods.ts'
import { allowPermit2, giveUp, placePermit2, settle, startQuietSeller, type UptoSeller } from '../sellers/upto.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { buy, makeShop, type Shop, type ShopOptions } from './shop.ts'

let chain: Chain
let seller: UptoSeller
beforeAll(async () => {
  chain = await startChain()
  await placePermit2(chain)
  seller = await startQuietSeller(chain)
})
afterAll(async () => {
  await seller?.close()
  await chain?.stop()
})

async function allowing(options: ShopOptions = {}): Promise<Shop> {
  const shop = await makeShop(chain, { allows: ['loopback', 'upto'], ...options })
  await allowPermit2(chain, shop.payer)
  return shop
}

async function bought(shop: Shop) {
  const { payment } = await shop.fetch(`${seller.url}/report`)
  const [transfer] = await signed(shop)
  return { payment: payment!, transfer: transfer! }
}

const take = async (shop: Shop, units: bigint) => settle(chain, seller.facilitator, (await signed(shop))[0]!, units)
/** What the books say was taken, and what of it came back; and whether the wallet still trusts them. */
async function books(shop: Shop, payment: { readonly payment_id: string }) {
  const { captured, refunded, held } = await shop.row(payment)
  const { status } = (await shop.purse.bursar.store.read.one('wallets', { id: shop.purse.wallet.id }))!
  return [captured, refunded, held, status]
}
async function expectBooks(shop: Shop): Promise<void> {
  const { external } = (await shop.purse.bursar.store.read.one('accounts', { walletId: shop.purse.wallet.id }))!
  expect(await chain.balance(shop.payer.address)).toBe(-external)
}

describe('a permit that a reorganization took back', () => {
  it('before it was seen is captured as it is then', async () => {
    const shop = await allowing()
    const { payment } = await bought(shop)
    await take(shop, 9n)
    await chain.reorg(1)
    await shop.recover()
    expect(await books(shop, payment)).toEqual([0n, 0n, UNITS, 'active'])
    await take(shop, 3n)
    await shop.settle(payment)
    expect(await books(shop, payment)).toEqual([3n, 0n, 0n, 'active'])
  })

  it('after it was captured, and that comes again, is what was captured', async () => {
    const shop = await allowing()
    const { payment } = await bought(shop)
    await take(shop, 9n)
    await shop.settle(payment)
    await chain.reorg(1)
    await shop.recover()
    expect(await books(shop, payment)).toEqual([9n, 0n, 0n, 'active'])
    await take(shop, 9n)
    await chain.mine(3)
    await shop.recover()
    expect([await books(shop, payment), (await signed(shop))[0]!.status]).toEqual([[9n, 0n, 0n, 'active'], 'final'])
  })

  it('security: and of which less is taken then: the rest comes back once that is final', async () => {
    const shop = await allowing()
    const { payment } = await bought(shop)
    await take(shop, 9n)
    await shop.settle(payment)
    await chain.reorg(1)
    await take(shop, 4n)
    await shop.recover()
    expect(await books(shop, payment)).toEqual([9n, 0n, 0n, 'active'])
    await chain.mine(3)
    await shop.recover()
    expect([(await shop.get(payment)).status, ...(await books(shop, payment))]).toEqual([
      'partially_refunded',
      9n,
      5n,
      0n,
      'active',
    ])
    expect((await signed(shop))[0]).toMatchObject({ moved: 4n, status: 'final' })
    await expectBooks(shop)
  })

  it('security: and of which more is taken then: that is on record as what it is', async () => {
    const shop = await allowing()
    const { payment } = await bought(shop)
    await take(shop, 4n)
    await shop.settle(payment)
    await chain.reorg(1)
    await take(shop, 9n)
    await shop.recover()
    expect(await books(shop, payment)).toEqual([4n, 0n, 0n, 'active'])
    await chain.mine(3)
    await shop.recover()
    expect([(await shop.row(payment)).forced, ...(await books(shop, payment))]).toEqual([5n, 9n, 0n, 0n, 'active'])
    await shop.recover()
    expect((await signed(shop))[0]).toMatchObject({ moved: 9n, status: 'final' })
    await expectBooks(shop)
  })

  it('security: for good gives back what was captured, and not the maximum', async () => {
    const shop = await allowing()
    const { payment } = await bought(shop)
    await take(shop, 9n)
    await shop.settle(payment)
    await chain.reorg(1)
    await pass(chain, 400)
    await chain.mine(3)
    await shop.recover()
    expect([(await shop.get(payment)).status, ...(await books(shop, payment))]).toEqual([
      'refunded',
      9n,
      9n,
      0n,
      'active',
    ])
    await expectBooks(shop)
  })
})

describe('a permit that was not used', () => {
  it('is held to the second of its deadline, and free once a finalized block is later', async () => {
    const shop = await allowing()
    const { payment, transfer } = await bought(shop)
    await nextBlockAt(chain, transfer.validBefore - 1)
    await chain.mine(3)
    later(60)
    await shop.recover()
    expect(await books(shop, payment)).toEqual([0n, 0n, UNITS, 'active'])
    await nextBlockAt(chain, transfer.validBefore)
    await chain.mine(3)
    expect((await shop.settle(payment)).status).toBe('voided')
    await expectGivenBack(shop)
  })

  it('is taken in the second of its deadline', async () => {
    const shop = await allowing()
    const { payment, transfer } = await bought(shop)
    await nextBlockAt(chain, transfer.validBefore - 1)
    await take(shop, 8n)
    later(60)
    await chain.mine(3)
    await shop.settle(payment)
    expect(await books(shop, payment)).toEqual([8n, 0n, 0n, 'active'])
  })

  it('because the owner took it back is free once its time is over', async () => {
    const shop = await allowing()
    const { payment, transfer } = await bought(shop)
    await giveUp(chain, shop.payer, transfer)
    await take(shop, 8n)
    await chain.mine(3)
    await shop.recover()
    expect(await books(shop, payment)).toEqual([0n, 0n, UNITS, 'active'])
    await pass(chain, 120)
    await chain.mine(3)
    expect((await shop.settle(payment)).status).toBe('voided')
    await expectGivenBack(shop)
  })
})

describe('another process', () => {
  it('captures what the one that signed it did not see', async () => {
    const shop = await allowing()
    const { payment } = await bought(shop)
    await take(shop, 6n)
    const other = await shop.other()
    await recover(other.bursar)
    expect(await books(shop, payment)).toEqual([6n, 0n, 0n, 'active'])
  })

  it('security: signs what the one before it had only held, for whom the seller names now, and sends that alone', async () => {
    let dies = true
    let died = () => {}
    const dead = new Promise<void>((resolve) => {
      died = resolve
    })
    const dying = (one: TransferBooks): TransferBooks => ({
      ...one,
      sign(order) {
        if (!dies) return one.sign(order)
        died()
        return new Promise(() => undefined)
      },
    })
    const shop = await allowing({ books: dying })
    const changing = await startQuietSeller(chain, {
      change: (offer) => ({ ...offer, amount: dies ? `${UNITS}` : '500', extra: extraOf(offer) }),
    })
    onTestFinished(() => changing.close())
    const extraOf = (offer: Record<string, unknown>) =>
      dies ? offer.extra : { ...(offer.extra as object), facilitatorAddress: seller.facilitator.address }
    void shop.fetch(`${changing.url}/report`)
    await dead
    const [held] = await shop.purse.bursar.store.read.list('payments', { status: 'authorized' })
    dies = false
    later(6)
    const other = await shop.other({ books: (one) => one })
    await buy({ purse: other, inst: shop.inst }, `${changing.url}/report`)
    const [transfer, ...more] = await signed(shop)
    expect([transfer, more]).toMatchObject([
      { paymentId: held!.id, value: 500n, facilitator: seller.facilitator.address },
      [],
    ])
    expect(changing.requests.filter(({ payment }) => payment !== null)).toHaveLength(1)
    await take(shop, 500n)
    await shop.settle({ payment_id: held!.id })
    expect(await books(shop, { payment_id: held!.id })).toEqual([500n, 0n, 0n, 'active'])
  })
})

describe('a maximum that a human is asked about', () => {
  it('is signed after the yes, once, and what was not taken comes back', async () => {
    const dear = await startQuietSeller(chain, { change: (offer) => ({ ...offer, amount: '150000000' }) })
    onTestFinished(() => dear.close())
    const shop = await allowing()
    const asked = await shop.fetch(`${dear.url}/report`, { max_amount: '200.00' })
    expect([asked.payment?.status, await signed(shop)]).toEqual(['awaiting_approval', []])
    await yes(shop, asked.payment!)
    expect(await signed(shop)).toEqual([])
    await shop.fetch(`${dear.url}/report`, { max_amount: '200.00' })
    expect(await signed(shop)).toMatchObject([{ kind: 'permit2', value: 150_000_000n }])
    await settle(chain, dear.facilitator, (await signed(shop))[0]!, 1_000_000n)
    // So much counts only once it is final.
    await chain.mine(3)
    expect(await shop.settle(asked.payment!)).toMatchObject({ status: 'captured', captured_amount: '1.000000' })
    expect(await counted(shop, 'transfer.signed')).toBe(1)
  })
})
