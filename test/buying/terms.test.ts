import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { question } from '../../src/actions/question.ts'
import type { Token } from '../../src/core/network.ts'
import type { Authorizations, Rail } from '../../src/ports.ts'
import { expectGivenBack, type SceneOptions } from '../chain/scene.ts'
import { lookAlike } from '../sellers/hostile/offers.ts'
import { redirects } from '../sellers/hostile/redirects.ts'
import { newAddress } from '../sellers/sender.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { attempts, expectRefused, offers, openSeller } from './seller.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

const held = (constraints: object): SceneOptions => ({ terms: { constraints } })
const PAID = { payment: { amount: '0.010000', resource: { delivered: true } } }

describe('max_amount', () => {
  it.each(['0.01', '0.010000', '1'])('of %s pays a price of 0.01', async (max_amount) => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    expect(await shop.fetch(stall.url, { max_amount })).toMatchObject(PAID)
  })

  it('security: a smallest unit below the price is refused, and the journal has the price', async () => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const view = await shop.fetch(stall.url, { max_amount: '0.009999' })
    await expectRefused(shop, view, 'max_amount_exceeded', 'max_amount')
    expect(view.payment?.refusal?.message).toBe('The price is 0.010000 USDC, and max_amount 0.009999 USDC.')
    expect(view.payment?.payee).toMatchObject({ origin: stall.origin, address: stall.payTo })
    expect(view.payment?.amount).toBe('0.010000')
    await expectGivenBack(shop)
  })

  it.each(['0', '0.0', '0.000000'])('of %s asks for the price, and nothing goes on record', async (max_amount) => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const journals = async () =>
      (await shop.purse.bursar.store.read.heads()).map(({ journal, size }) => [journal, size])
    const before = await journals()
    expect(await shop.fetch(stall.url, { max_amount })).toEqual({
      price: {
        ...{ amount: '0.010000', currency: 'USDC', protocol: 'x402', seller_says: 'A report' },
        payee: { origin: stall.origin, address: stall.payTo, network: chain.network },
      },
    })
    expect(await journals()).toEqual(before)
  })

  it('of 0 says why it could not be paid, and nothing goes on record', async () => {
    const shop = await makeShop(chain)
    const { stall } = await openSeller(chain, { unpaid: offers({ scheme: 'haggle' }) })
    const view = await shop.fetch(stall.url, { max_amount: '0' })
    expect(view).toEqual({ refusal: expect.objectContaining({ code: 'offer_not_payable', rule: 'offer.scheme' }) })
    expect(await attempts(shop)).toBe(0)
  })

  it('of 0 asks anew while the same purchase is under way', async () => {
    const [shop, seller] = [await makeShop(chain), await openSeller(chain)]
    seller.becomes({ paid: (_, { response }) => response.writeHead(500).end() })
    expect((await shop.fetch(seller.stall.url)).payment?.status).toBe('in_doubt')
    expect((await shop.fetch(seller.stall.url, { max_amount: '0' })).price?.amount).toBe('0.010000')
    expect(seller.stall.received).toHaveLength(1)
    await seller.stall.settle()
  })

  it.each(['-1', '1e2', '0,5', '', '1.0000001', ' 1', '00'])('security: of %j is refused', async (max_amount) => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    await expectRefused(shop, await shop.fetch(stall.url, { max_amount }), 'amount_invalid', 'arguments')
    expect(stall.requests).toEqual([])
  })
})

describe('an instrument that is held to', () => {
  it('origins contacts no other, and pays them', async () => {
    const [{ stall: mine }, { stall: other }] = [await openSeller(chain), await openSeller(chain)]
    const shop = await makeShop(chain, held({ origins: [mine.origin] }))
    const rule = 'instrument.constraints.origins'
    await expectRefused(shop, await shop.fetch(other.url), 'payee_not_allowed', rule)
    // The same server by another name is another origin.
    const alias = other.url.replace('127.0.0.1', 'localhost')
    await expectRefused(shop, await shop.fetch(alias), 'payee_not_allowed', rule)
    expect(other.requests).toEqual([])
    expect(await shop.fetch(mine.url)).toMatchObject(PAID)
  })

  it('security: origins follows no redirect to another', async () => {
    const [mine, { stall: other }] = [await openSeller(chain), await openSeller(chain)]
    mine.becomes({ unpaid: redirects(302, other.url) })
    const shop = await makeShop(chain, held({ origins: [mine.stall.origin] }))
    const view = await shop.fetch(mine.stall.url)
    await expectRefused(shop, view, 'payee_not_allowed', 'instrument.constraints.origins')
    expect([view.payment?.payee.origin, other.requests]).toEqual([other.origin, []])
  })

  it('addresses pays no other account', async () => {
    const [{ stall: mine }, { stall: other }] = [await openSeller(chain), await openSeller(chain)]
    const shop = await makeShop(chain, held({ addresses: [mine.payTo] }))
    const rule = 'instrument.constraints.addresses'
    await expectRefused(shop, await shop.fetch(other.url), 'address_not_allowed', rule)
    expect(await shop.fetch(mine.url)).toMatchObject(PAID)
  })

  it('security: addresses passes over what another account would take, however cheap', async () => {
    const cheaper = { amount: '1', payTo: newAddress() }
    const { stall } = await openSeller(chain, { unpaid: offers(cheaper, {}) })
    const shop = await makeShop(chain, held({ addresses: [stall.payTo] }))
    expect(await shop.fetch(stall.url)).toMatchObject(PAID)
  })

  it('networks pays there', async () => {
    const [shop, { stall }] = [await makeShop(chain, held({ networks: [chain.network] })), await openSeller(chain)]
    expect(await shop.fetch(stall.url)).toMatchObject(PAID)
  })

  it.each([[['x402']], [['transfer', 'x402']]])('the protocols %s pays by x402', async (protocols) => {
    const [shop, { stall }] = [await makeShop(chain, held({ protocols })), await openSeller(chain)]
    expect(await shop.fetch(stall.url)).toMatchObject(PAID)
  })

  it.each([[['transfer']], [['mpp']]])('security: the protocols %s contacts no seller', async (protocols) => {
    const [shop, { stall }] = [await makeShop(chain, held({ protocols })), await openSeller(chain)]
    await expectRefused(shop, await shop.fetch(stall.url), 'protocol_not_allowed', 'instrument.constraints.protocols')
    expect(stall.requests).toEqual([])
  })
})

it.each<[string, (token: Token | null) => Token | null]>([
  ['is not set up any more', () => null],
  ['has another token by now', (token) => token && { ...token, address: newAddress() }],
])('security: a wallet whose network %s pays nobody', async (_, tokenNow) => {
  const rail = (inner: Rail): Rail => {
    const { token, sign } = inner.authorizations as Authorizations
    return { ...inner, authorizations: { token: (asset) => tokenNow(token(asset)), sign } }
  }
  const [shop, { stall }] = [await makeShop(chain, { rail }), await openSeller(chain)]
  await expectRefused(shop, await shop.fetch(stall.url), 'rail_unavailable', 'wallet.asset')
})

describe('an account', () => {
  it('security: that looks like one that was paid waits for a human, who is warned', async () => {
    const shop = await makeShop(chain)
    const { stall: known } = await openSeller(chain)
    expect(await shop.fetch(known.url)).toMatchObject(PAID)
    const { stall: thief } = await openSeller(chain, {}, lookAlike(known.payTo))
    await shop.settle((await shop.fetch(known.url)).payment!)
    const { payment } = await shop.fetch(thief.url)
    expect([payment?.status, thief.received]).toEqual(['awaiting_approval', []])
    const { facts } = await question(shop.purse.bursar, payment!.payment_id)
    expect(new Map(facts).get('Beware')).toContain(known.payTo)
  })

  it.each([
    ["the wallet's own", ({ payer }: Shop) => payer.address, 'wallet.account'],
    ["the token's contract", () => chain.token, 'wallet.asset'],
  ])('security: is never %s', async (_, accountOf, rule) => {
    const shop = await makeShop(chain)
    const { stall } = await openSeller(chain, {}, accountOf(shop))
    await expectRefused(shop, await shop.fetch(stall.url), 'address_not_allowed', rule)
  })
})
