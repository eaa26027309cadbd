import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { expectGivenBack, lastEvent, pass, signed } from '../chain/scene.ts'
import { GOODS, UNITS } from '../sellers/goods.ts'
import { fundedKey, newAddress, Sender } from '../sellers/sender.ts'
import {
  allowPermit2,
  placePermit2,
  type QuietOptions,
  settle,
  startQuietSeller,
  startUptoSeller,
  type UptoSeller,
} from '../sellers/upto.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
let official: UptoSeller
beforeAll(async () => {
  chain = await startChain()
  await placePermit2(chain)
  official = await startUptoSeller(chain)
})
afterAll(async () => {
  await official?.close()
  await chain?.stop()
})

/** A wallet whose owner allows `upto`, and has let Permit2 take what it holds. */
async function allowing(allowed?: bigint): Promise<Shop> {
  const shop = await makeShop(chain, { allows: ['loopback', 'upto'] })
  await allowPermit2(chain, shop.payer, allowed)
  return shop
}

async function quiet(options?: QuietOptions): Promise<UptoSeller> {
  const seller = await startQuietSeller(chain, options)
  onTestFinished(() => seller.close())
  return seller
}

/** Available, held, and what is left of the instrument's allowance, in units. */
async function leftOf({ purse, inst }: Shop) {
  const { available, held } = (await purse.bursar.store.read.one('accounts', { walletId: purse.wallet.id }))!
  return [available, held, (await purse.bursar.store.read.one('instruments', { id: inst.instrument_id }))!.remaining]
}

async function countersOf({ purse }: Shop): Promise<readonly bigint[]> {
  return (await purse.bursar.store.read.list('counters', {})).map(({ amount }) => amount)
}

describe('a seller that says afterwards what it cost, by the official packages', () => {
  it.each([
    ['less than the maximum', 2_500n],
    ['one unit', 1n],
    ['the maximum', UNITS],
  ])('takes %s: that is captured, and the rest goes back to balance, instrument and counters', async (_, units) => {
    const shop = await allowing()
    const [available, , remaining] = (await leftOf(shop)) as [bigint, bigint, bigint]
    const before = await chain.balance(official.payTo)
    const view = await shop.fetch(`${official.url}/used/${units}`)
    expect(view.answer?.body).toContain(GOODS)
    expect(view.payment).toMatchObject({ amount: '0.010000', payee: { origin: official.url, address: official.payTo } })
    expect(official.settled.at(-1)).toMatchObject({ success: true, amount: `${units}` })
    const settled = await shop.settle(view.payment!)
    expect(settled).toMatchObject({ status: 'captured', captured_amount: `0.0${`${units}`.padStart(5, '0')}` })
    expect(settled).toMatchObject({ receipt: { rail_ref: official.settled.at(-1)?.transaction } })
    expect((await chain.balance(official.payTo)) - before).toBe(units)
    expect(await leftOf(shop)).toEqual([available - units, 0n, remaining - units])
    expect(new Set(await countersOf(shop))).toEqual(new Set([units]))
  })

  it('takes nothing: nothing is settled, and all of it goes back once the permit is too late', async () => {
    const shop = await allowing()
    const view = await shop.fetch(`${official.url}/used/0`)
    expect(view.answer?.body).toContain(GOODS)
    expect(official.settled.at(-1)).toMatchObject({ success: true, transaction: '' })
    await shop.recover()
    expect((await shop.row(view.payment!)).held).toBe(UNITS)
    await pass(chain, 400)
    expect((await shop.settle(view.payment!)).status).toBe('voided')
    await expectGivenBack(shop)
  })

  it('is not paid without an allowance to Permit2, and what was held goes back once the permit is too late', async () => {
    const shop = await allowing(0n)
    const before = await chain.balance(official.payTo)
    const view = await shop.fetch(`${official.url}/used/2500`)
    expect([view.answer?.status, view.payment?.status]).toEqual([402, 'in_doubt'])
    await pass(chain, 400)
    expect((await shop.settle(view.payment!)).status).toBe('voided')
    expect(await chain.balance(official.payTo)).toBe(before)
    await expectGivenBack(shop)
  })
})

describe('security: a maximum is signed', () => {
  it('only where the owner allows it: nothing else is', async () => {
    const shop = await makeShop(chain)
    await allowPermit2(chain, shop.payer)
    const view = await shop.fetch(`${official.url}/used/2500`)
    expect(view.payment).toMatchObject({
      ...{ status: 'refused', refusal: { code: 'protocol_not_allowed', rule: 'wallet.allows' } },
    })
    expect(await signed(shop)).toEqual([])
    await expectGivenBack(shop)
  })

  it.each<[string, (extra: Record<string, unknown>) => object]>([
    ['by a seller that does not say who settles', ({ facilitatorAddress: _, ...extra }) => ({ extra })],
    ['by a seller that names no account to settle', (extra) => ({ extra: { ...extra, facilitatorAddress: 'me' } })],
    ['up front', (extra) => ({ extra: { ...extra, paymentFlow: 'upfront' } })],
    ['in another way', (extra) => ({ extra: { ...extra, assetTransferMethod: 'eip3009' } })],
    ['for a scheme of an exact price', () => ({ scheme: 'exact' })],
  ])('not %s', async (_, change) => {
    const seller = await quiet({ change: (offer) => ({ ...offer, ...change(offer.extra as Record<string, unknown>) }) })
    const shop = await makeShop(chain, { allows: ['loopback', 'upfront', 'upto', 'v1'] })
    const view = await shop.fetch(`${seller.url}/report`)
    expect(view.payment).toMatchObject({ status: 'refused', refusal: { code: 'offer_not_payable' } })
    expect(await signed(shop)).toEqual([])
  })

  it('not over max_amount, and not over what a limit lets through at once: the maximum is what counts', async () => {
    const shop = await allowing()
    const { payment } = await shop.fetch(`${official.url}/used/1`, { max_amount: '0.009999' })
    expect(payment).toMatchObject({ status: 'refused', refusal: { code: 'max_amount_exceeded' } })
    const small = await makeShop(chain, { allows: ['loopback', 'upto'], terms: { per_payment_max: '0.009999' } })
    expect((await small.fetch(`${official.url}/used/1`)).payment).toMatchObject({ status: 'refused' })
    expect([...(await signed(shop)), ...(await signed(small))]).toEqual([])
  })

  it('not where Permit2 is not what it should be, and what was held is free at once', async () => {
    const bare = await startChain()
    onTestFinished(() => bare.stop())
    const seller = await startQuietSeller(bare)
    onTestFinished(() => seller.close())
    const shop = await makeShop(bare, { allows: ['loopback', 'upto'] })
    const view = await shop.fetch(`${seller.url}/report`)
    expect([view.payment?.status, await signed(shop)]).toEqual(['voided', []])
    await expectGivenBack(shop)
  })

  it('once, and who settles it is on record before that', async () => {
    const [shop, seller] = [await allowing(), await quiet()]
    const { payment } = await shop.fetch(`${seller.url}/report`)
    await shop.fetch(`${seller.url}/report`)
    expect(await lastEvent(shop, 'payment.attempted', payment?.payment_id)).toMatchObject({
      facilitator: seller.facilitator.address,
    })
    const [transfer, ...more] = (await signed(shop)).filter(({ paymentId }) => paymentId === payment?.payment_id)
    expect(transfer).toMatchObject({ kind: 'permit2', facilitator: seller.facilitator.address, value: UNITS })
    expect(more).toEqual([])
    await settle(chain, seller.facilitator, transfer!, 7n)
    expect((await shop.settle(payment!)).captured_amount).toBe('0.000007')
    await pass(chain, 120)
  })
})

describe('security: of a permit', () => {
  it.each([
    ['whoever is not named in it', 'other', 5n],
    ['whoever wants more than the maximum', 'named', UNITS + 1n],
  ] as const)('%s gets nothing', async (_, who, units) => {
    const [shop, seller] = [await allowing(), await quiet()]
    const { payment } = await shop.fetch(`${seller.url}/report`)
    const by = who === 'named' ? seller.facilitator : new Sender(chain, await fundedKey(chain))
    await settle(chain, by, (await signed(shop))[0]!, units)
    expect(await chain.balance(seller.payTo)).toBe(0n)
    await pass(chain, 400)
    expect((await shop.settle(payment!)).status).toBe('voided')
    await expectGivenBack(shop)
  })

  it('a second part is not taken', async () => {
    const [shop, seller] = [await allowing(), await quiet()]
    const { payment } = await shop.fetch(`${seller.url}/report`)
    for (const units of [3n, 4n]) await settle(chain, seller.facilitator, (await signed(shop))[0]!, units)
    expect(await chain.balance(seller.payTo)).toBe(3n)
    expect(await shop.settle(payment!)).toMatchObject({ status: 'captured', captured_amount: '0.000003' })
  })

  it('that a lying seller offers for an account that is not its own, nobody gets anything', async () => {
    const [shop, seller] = [await allowing(), await quiet({ settler: newAddress() })]
    const { payment } = await shop.fetch(`${seller.url}/report`)
    await settle(chain, seller.facilitator, (await signed(shop))[0]!, 5n)
    expect(await chain.balance(seller.payTo)).toBe(0n)
    await pass(chain, 400)
    expect((await shop.settle(payment!)).status).toBe('voided')
  })
})
