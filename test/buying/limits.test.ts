import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LimitInput, removeLimit, setLimit } from '../../src/actions/owner/limit.ts'
import type { FetchView } from '../../src/actions/wire.ts'
import { signed } from '../chain/scene.ts'
import { newAddress } from '../sellers/sender.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { offers, openSeller, refusedInJournal } from './seller.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

async function limit({ purse }: Shop, input: Omit<LimitInput, 'over'>, over = 'deny'): Promise<string> {
  const { limit_id } = await setLimit(purse.bursar, purse.authority, purse.wallet.id, { ...input, over })
  return limit_id
}

const statusOf = ({ payment, answer }: FetchView) => (answer?.status === 200 ? 'paid' : payment?.status)

/** What comes of as many purchases, one after another, each of something else. */
async function buys(shop: Shop, ...urls: readonly string[]): Promise<readonly FetchView[]> {
  const views: FetchView[] = []
  for (const [i, url] of urls.entries()) views.push(await shop.fetch(`${url}/${i}`))
  return views
}

/** The last was refused for that, the journal says so, and all before it were paid. */
async function expectLastRefused(shop: Shop, views: readonly FetchView[], code: string, rule: string): Promise<void> {
  expect(views.map(statusOf)).toEqual([...views.slice(1).map(() => 'paid'), 'refused'])
  const { payment } = views.at(-1)!
  expect([payment?.refusal?.code, payment?.refusal?.rule]).toEqual([code, rule])
  expect(await refusedInJournal(shop, payment!.payment_id)).toEqual([code, rule])
  expect(await signed(shop)).toHaveLength(views.length - 1)
}

describe('security: what is over', () => {
  it.each<[string, Omit<LimitInput, 'over'>, number]>([
    ['a payment', { scope: 'wallet', window: 'payment', max_amount: '0.009999' }, 1],
    ['a session', { scope: 'session', window: 'session', max_amount: '0.029999' }, 3],
    ['an hour', { scope: 'wallet', window: 'hour', max_amount: '0.02' }, 3],
    ['a day', { scope: 'agent', window: 'day', max_amount: '0.02' }, 3],
    ['a number of payments', { scope: 'instrument', window: 'day', max_count: 2 }, 3],
    ['the protocol', { scope: 'protocol', scopeValue: 'x402', window: 'day', max_amount: '0.01' }, 2],
  ])('the limit of %s is refused', async (_, input, calls) => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const rule = await limit(shop, input)
    const views = await buys(shop, ...Array.from({ length: calls }, () => stall.url))
    await expectLastRefused(shop, views, 'limit_exceeded', rule)
  })

  it.each([
    [{ amount: '0.025' }, 'amount_exceeds_remaining', 'instrument.amount'],
    [{ usage_limit: 2 }, 'usage_limit_reached', 'instrument.usage_limit'],
  ])('an instrument with %j is refused', async (terms, code, rule) => {
    const [shop, { stall }] = [await makeShop(chain, { terms }), await openSeller(chain)]
    await expectLastRefused(shop, await buys(shop, stall.url, stall.url, stall.url), code, rule)
  })

  it('what one payment of the instrument may be is refused', async () => {
    const [shop, { stall }] = [
      await makeShop(chain, { terms: { per_payment_max: '0.009999' } }),
      await openSeller(chain),
    ]
    await expectLastRefused(shop, await buys(shop, stall.url), 'per_payment_max_exceeded', 'instrument.per_payment_max')
  })

  it('what the wallet holds is refused', async () => {
    const shop = await makeShop(chain, { funds: 1n })
    const { stall } = await openSeller(chain, { unpaid: offers({ amount: '600000' }) })
    await expectLastRefused(shop, await buys(shop, stall.url, stall.url), 'insufficient_funds', 'wallet.available')
  })

  it('a wallet without a limit per payment that denies pays nobody', async () => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const { bursar, authority } = shop.purse
    const [guard] = await bursar.store.read.list('limits', {
      window: 'payment',
      over: 'deny',
      walletId: shop.purse.wallet.id,
    })
    await removeLimit(bursar, authority, guard!.id)
    await expectLastRefused(shop, await buys(shop, stall.url), 'limits_missing', 'wallet.limits')
  })
})

describe('security: a limit per payee', () => {
  const PAYEE = { scope: 'payee', window: 'day', max_amount: '0.02' }

  it('is not got round by a seller that names another account each time', async () => {
    const shop = await makeShop(chain)
    const rule = await limit(shop, PAYEE)
    const seller = await openSeller(chain)
    seller.becomes({ unpaid: (stall, exchange) => offers({ payTo: newAddress() })(stall, exchange) })
    const { url } = seller.stall
    await expectLastRefused(shop, await buys(shop, url, url, url), 'limit_exceeded', rule)
    expect(new Set((await signed(shop)).map(({ to }) => to)).size).toBe(2)
  })

  it('is not got round by a seller that is elsewhere each time', async () => {
    const shop = await makeShop(chain)
    const rule = await limit(shop, PAYEE)
    const payTo = newAddress()
    const urls: string[] = []
    for (let i = 0; i < 3; i += 1) urls.push((await openSeller(chain, {}, payTo)).stall.url)
    await expectLastRefused(shop, await buys(shop, ...urls), 'limit_exceeded', rule)
  })

  it('has room again for another payee at another origin', async () => {
    const shop = await makeShop(chain)
    await limit(shop, { ...PAYEE, max_amount: '0.01' })
    const [{ stall: one }, { stall: other }] = [await openSeller(chain), await openSeller(chain)]
    expect((await buys(shop, one.url, other.url)).map(statusOf)).toEqual(['paid', 'paid'])
  })

  it.each([
    ['an origin', ({ origin }: { origin: string; payTo: string }) => origin],
    ['an account', ({ payTo }: { origin: string; payTo: string }) => `${chain.network}:${payTo}`],
  ])('named by %s looks at that one alone', async (_, nameOf) => {
    const shop = await makeShop(chain)
    const [{ stall: one }, { stall: other }] = [await openSeller(chain), await openSeller(chain)]
    const rule = await limit(shop, { ...PAYEE, max_amount: '0.01', scopeValue: nameOf(one) })
    await expectLastRefused(shop, await buys(shop, other.url, other.url, one.url, one.url), 'limit_exceeded', rule)
  })

  it('that asks leaves it to a human', async () => {
    const shop = await makeShop(chain)
    await limit(shop, { ...PAYEE, max_amount: '0.01' }, 'ask')
    const { stall } = await openSeller(chain)
    const [first, second] = await buys(shop, stall.url, stall.url)
    expect([statusOf(first!), second?.payment?.status]).toEqual(['paid', 'awaiting_approval'])
  })
})
