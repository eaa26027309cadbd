import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { choose, type Means } from '../../src/core/choose.ts'
import type { Offer } from '../../src/core/offer.ts'
import type { Allowance } from '../../src/core/types.ts'
import { pass, signed } from '../chain/scene.ts'
import { type Facilitator, OTHER_NETWORK, OTHER_TOKEN, startFacilitator } from '../sellers/facilitator.ts'
import { GOODS } from '../sellers/goods.ts'
import { type OfficialSeller, startExpressSeller } from '../sellers/official.ts'
import { fundedKey, newAddress } from '../sellers/sender.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { offers, openSeller, refusedInJournal } from './seller.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
let facilitator: Facilitator
let official: OfficialSeller
beforeAll(async () => {
  chain = await startChain()
  facilitator = await startFacilitator(chain, await fundedKey(chain))
  official = await startExpressSeller({ chain, facilitator })
})
afterAll(async () => {
  await official?.close()
  await chain?.stop()
})

const domain = { name: 'USD Coin', version: '2' }
const way = (extra: object) => ({ extra: { ...domain, ...extra } })
/** Cheaper than what is honest. */
const CHEAP = { amount: '1' }

async function paidOf(shop: Shop, ...changes: readonly object[]): Promise<object | null> {
  const { stall } = await openSeller(chain, { unpaid: offers(...changes) })
  const { payment, answer } = await shop.fetch(stall.url)
  expect(answer?.body).toBe(GOODS)
  const { authorization } = stall.received[0]!
  expect(payment?.payee.address).toBe(authorization?.to)
  return authorization && { to: authorization.to, value: authorization.value }
}

describe('of several offers', () => {
  it('the cheapest is paid', async () => {
    const [shop, payTo] = [await makeShop(chain), newAddress()]
    const paid = await paidOf(shop, { amount: '30000' }, { amount: '9999', payTo }, { amount: '10000' }, {})
    expect(paid).toEqual({ to: payTo, value: '9999' })
  })

  it('of which several are the cheapest, the first is paid, each time', async () => {
    const [shop, payTo] = [await makeShop(chain), newAddress()]
    const others = [{ payTo: newAddress() }, { payTo: newAddress() }]
    for (let times = 0; times < 3; times += 1)
      expect(await paidOf(shop, { amount: '10001' }, { payTo }, ...others)).toEqual({ to: payTo, value: '10000' })
  })

  it.each<[string, object]>([
    ['on another network', { network: OTHER_NETWORK, asset: OTHER_TOKEN }],
    ['in another token', { asset: OTHER_TOKEN }],
    ['by Permit2', way({ assetTransferMethod: 'permit2' })],
    ['by a way that nobody knows', way({ assetTransferMethod: 'eip9999' })],
    ['of up to as much', { scheme: 'upto' }],
    ['of a scheme that nobody knows', { scheme: 'haggle', ...way({ assetTransferMethod: 'eip3009' }) }],
    ['of up to as much by a transfer', { scheme: 'upto', ...way({ assetTransferMethod: 'eip3009' }) }],
    ['that is settled at once', way({ paymentFlow: 'upfront' })],
    ['into an escrow', way({ paymentFlow: 'escrow' })],
    ['of a token by another name', { extra: { name: 'USDC', version: '2' } }],
    ['that is over too soon', { maxTimeoutSeconds: 9 }],
    ['to nobody', { payTo: 'seller.eth' }],
  ])('security: one %s is passed over, however cheap', async (_, change) => {
    const shop = await makeShop(chain)
    expect(await paidOf(shop, { ...CHEAP, ...change }, {})).toMatchObject({ value: '10000' })
  })

  it('an official seller is paid the one that can be', async () => {
    const shop = await makeShop(chain)
    const { payment, answer } = await shop.fetch(`${official.url}/choice`)
    expect([answer?.status, payment?.payee.network]).toEqual([200, chain.network])
    expect((await shop.settle(payment!)).status).toBe('captured')
  })
})

describe('security: an offer alone', () => {
  it.each<[string, object, string, string]>([
    ['on another network', { network: OTHER_NETWORK }, 'network_not_allowed', 'wallet.asset'],
    ['in another token', { asset: OTHER_TOKEN }, 'offer_not_payable', 'offer.asset'],
    ['by Permit2', way({ assetTransferMethod: 'permit2' }), 'offer_not_payable', 'offer.scheme'],
    ['of up to as much', { scheme: 'upto' }, 'protocol_not_allowed', 'wallet.allows'],
    ['that is settled at once', way({ paymentFlow: 'upfront' }), 'protocol_not_allowed', 'wallet.allows'],
    ['into an escrow', way({ paymentFlow: 'escrow' }), 'protocol_not_allowed', 'wallet.allows'],
    ['of a token by another name', { extra: { ...domain, name: 'USDC' } }, 'offer_not_payable', 'offer.extra'],
    ['of a token by another version', { extra: { ...domain, version: '1' } }, 'offer_not_payable', 'offer.extra'],
    ['of a token by half of a name', { extra: { name: 'USD Coin' } }, 'offer_not_payable', 'offer.extra'],
    ['that is over too soon', { maxTimeoutSeconds: 9 }, 'offer_not_payable', 'offer.timeout'],
    ['to nobody', { payTo: 'seller.eth' }, 'offer_not_payable', 'offer.pay_to'],
  ])('%s is refused', async (_, change, code, rule) => {
    const shop = await makeShop(chain)
    const { stall } = await openSeller(chain, { unpaid: offers(change) })
    const { payment } = await shop.fetch(stall.url)
    expect(await refusedInJournal(shop, payment!.payment_id)).toEqual([code, rule])
    expect([await signed(shop), stall.received]).toEqual([[], []])
  })

  it('or several: what is said is of the one that came nearest', async () => {
    const shop = await makeShop(chain)
    const [far, near] = [{ network: OTHER_NETWORK }, { maxTimeoutSeconds: 1 }]
    for (const list of [
      [far, near],
      [near, far],
    ]) {
      const { stall } = await openSeller(chain, { unpaid: offers(...list) })
      expect((await shop.fetch(stall.url)).payment?.refusal?.rule).toBe('offer.timeout')
    }
  })
})

describe('what a seller leaves open', () => {
  it('is the name of the token: signed is what our own table says', async () => {
    const shop = await makeShop(chain)
    for (const extra of [undefined, {}, null, { name: null, version: null }])
      expect(await paidOf(shop, { extra })).toMatchObject({ value: '10000' })
  })

  it.each([
    [10, 10],
    [299, 299],
    [315_360_000, 300],
  ])('security: what is good for %i s is signed for %i s', async (maxTimeoutSeconds, seconds) => {
    const shop = await makeShop(chain)
    const { stall } = await openSeller(chain, {
      unpaid: offers({ maxTimeoutSeconds }),
      paid: (_, { response }) => response.end(),
    })
    const { payment } = await shop.fetch(stall.url)
    const [{ validBefore } = { validBefore: 0 }] = await signed(shop)
    expect(`${validBefore}`).toBe(stall.received[0]?.authorization?.validBefore)
    expect(validBefore).toBe(Math.floor((await shop.row(payment!)).createdAt / 1000 + seconds))
    await pass(chain, seconds + 1)
    expect((await shop.settle(payment!)).status).toBe('voided')
  })
})

describe('where its owner allows it, a wallet', () => {
  const allows: readonly Allowance[] = ['loopback', 'upfront']

  it('pays before anything is ready, and is told where nothing came of it', async () => {
    const shop = await makeShop(chain, { allows })
    const { answer, payment } = await shop.fetch(`${official.url}/upfront`)
    expect([answer?.status, (await shop.settle(payment!)).status]).toEqual([200, 'captured'])
    const broken = await shop.fetch(`${official.url}/upfront-broken`)
    expect(broken.payment).toMatchObject({ status: 'captured', resource: { delivered: false, http_status: 500 } })
  })

  it('prefers no flow to another: the cheaper is paid', async () => {
    const shop = await makeShop(chain, { allows })
    expect(await paidOf(shop, {}, { ...way({ paymentFlow: 'upfront' }), amount: '9999' })).toMatchObject({
      value: '9999',
    })
  })

  it('still puts nothing into an escrow', async () => {
    const shop = await makeShop(chain, { allows: ['loopback', 'upfront', 'v1'] })
    const { stall } = await openSeller(chain, { unpaid: offers(way({ paymentFlow: 'escrow' })) })
    expect((await shop.fetch(stall.url)).payment?.refusal?.rule).toBe('wallet.allows')
  })
})

describe('choose', () => {
  const asset = `eip155:31337/erc20:${OTHER_TOKEN}`
  const token = { address: OTHER_TOKEN, name: 'USD Coin', version: '2', decimals: 6 }
  const means: Means = { asset, token, constraints: {}, allows: [], payTo: null }
  const offer: Offer = {
    ...{ position: 0, version: 2, scheme: 'exact', method: 'eip3009', flow: 'authorization', network: 'eip155:31337' },
    ...{ asset, amount: 1n, payTo: OTHER_TOKEN, timeoutSeconds: 60, domain: null, facilitator: null, accepted: {} },
  }
  const chosen = (change: Partial<Means>, ...list: readonly Offer[]) => {
    const quote = {
      version: 2,
      resource: null,
      resourceUrl: null,
      identifier: null,
      words: { error: null, description: null },
    } as const
    const choice = choose({ ...quote, offers: list }, { ...means, ...change })
    return 'refusal' in choice ? choice.refusal.rule : choice.offer.position
  }

  it('takes no network that the instrument leaves out', () => {
    expect(chosen({ constraints: { networks: ['eip155:1'] } }, offer)).toBe('instrument.constraints.networks')
    expect(chosen({ constraints: { networks: ['eip155:31337'] } }, offer)).toBe(0)
  })

  it('takes no account but the one that was approved', () => {
    const payTo = newAddress()
    expect(chosen({ payTo }, offer)).toBe('payment.payee')
    expect(chosen({ payTo }, offer, { ...offer, payTo, amount: 5n, position: 1 })).toBe(1)
  })

  it('takes version 1 where it is allowed', () => {
    const first: Offer = { ...offer, version: 1 }
    expect([chosen({}, first), chosen({ allows: ['v1'] }, first)]).toEqual(['wallet.allows', 0])
  })

  it('takes up to as much by Permit2 alone, for a facilitator that is named', () => {
    const upTo: Offer = { ...offer, scheme: 'upto', method: 'permit2', facilitator: OTHER_TOKEN }
    const allows = ['upto'] as const
    expect([chosen({}, upTo), chosen({ allows }, upTo)]).toEqual(['wallet.allows', 0])
    for (const change of [{ method: 'eip3009' }, { facilitator: null }, { version: 1 }, { flow: 'upfront' }] as const)
      expect(chosen({ allows: ['upto', 'upfront', 'v1'] }, { ...upTo, ...change })).toBe('offer.scheme')
  })

  it('says that there is no offer', () => {
    expect(chosen({})).toBe('offer')
  })

  it('compares amounts beyond what a number holds', () => {
    const large = 2n ** 60n
    expect(chosen({}, { ...offer, amount: large + 1n }, { ...offer, amount: large, position: 1 })).toBe(1)
  })
})
