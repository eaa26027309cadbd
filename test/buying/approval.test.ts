import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { deny } from '../../src/actions/owner/approve.ts'
import { freezeWallet, unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { question } from '../../src/actions/question.ts'
import { BursarError } from '../../src/core/errors.ts'
import type { Vault } from '../../src/ports/chain.ts'
import { counted, expectGivenBack, later, signed, yes } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { approved, asking, costs, expectGivenUp } from './asking.ts'
import { bytesAt } from './seller.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

describe('over the limit that asks', () => {
  it('a purchase waits for a human, who sees who asks, for what, and which account is paid', async () => {
    const { shop, seller, asked } = await asking(chain)
    expect(asked).toMatchObject({ status: 'awaiting_approval', amount: '60.000000' })
    const facts = new Map((await question(shop.purse.bursar, asked.payment_id)).facts)
    expect(facts.get('Asked by')).toBe(`"${seller.stall.origin}" (for the first time)`)
    expect(facts.get('Pays')).toBe(`${seller.stall.payTo} (for the first time)`)
    expect([facts.get('On'), facts.get('Amount')]).toEqual([chain.network, '60.000000 USDC'])
    expect(facts.get('Buys')).toContain(`GET ${seller.stall.url}`)
    expect([await signed(shop), seller.stall.received]).toEqual([[], []])
  })

  it('the same call again is the same question, and the seller is not asked again', async () => {
    const { shop, seller, asked, fetch } = await asking(chain)
    expect((await fetch()).payment).toMatchObject({ payment_id: asked.payment_id, status: 'awaiting_approval' })
    expect([await counted(shop, 'payment.awaiting_approval'), seller.stall.requests.length]).toEqual([1, 1])
  })

  it('is paid after the yes, by the same call, and once', async () => {
    const { shop, seller, asked, fetch } = await approved(chain)
    expect(seller.stall.requests).toHaveLength(1)
    const { answer, payment } = await fetch()
    expect([answer?.body, payment?.payment_id]).toEqual([GOODS, asked.payment_id])
    expect((await shop.settle(asked)).captured_amount).toBe('60.000000')
    expect(await chain.balance(seller.stall.payTo)).toBe(60n * UNIT)
    expect(seller.stall.received).toHaveLength(1)
  })

  it('security: after a no nothing is asked or paid again', async () => {
    const { shop, seller, asked, fetch } = await asking(chain)
    await deny(shop.purse.bursar, asked.payment_id, {
      ownerId: shop.purse.authority.ownerId,
      channel: 'test',
      reason: null,
    })
    const { payment } = await fetch()
    expect([payment?.payment_id, payment?.refusal?.code]).toEqual([asked.payment_id, 'approval_denied'])
    later(11 * 60)
    const { payment: again } = await fetch()
    expect([again?.status, again?.refusal?.code]).toEqual(['refused', 'asked_before'])
    expect([await signed(shop), seller.stall.received]).toEqual([[], []])
    await expectGivenBack(shop)
  })

  it('security: silence is a no, and the same call asks anew', async () => {
    const { shop, asked, fetch } = await asking(chain)
    later(15 * 60)
    const { payment } = await fetch()
    expect(payment?.status).toBe('awaiting_approval')
    expect(payment?.payment_id).not.toBe(asked.payment_id)
    expect(await shop.get(asked)).toMatchObject({ status: 'expired', refusal: { code: 'approval_expired' } })
    await expect(yes(shop, asked)).rejects.toThrow()
  })
})

describe('after the yes', () => {
  it('security: a smaller max_amount is held to: what is over it is refused and stays approved', async () => {
    const { shop, seller, asked, fetch } = await approved(chain)
    const { payment } = await fetch('59.99')
    expect(payment?.refusal).toMatchObject({ code: 'max_amount_exceeded', rule: 'max_amount' })
    expect([payment?.payment_id === asked.payment_id, payment?.replayed]).toEqual([false, undefined])
    expect([(await shop.get(asked)).status, await signed(shop)]).toEqual(['authorized', []])
    seller.becomes({ unpaid: costs('55000000') })
    expect((await fetch('59.99')).answer?.body).toBe(GOODS)
    expect((await signed(shop)).map(({ value }) => value)).toEqual([55n * UNIT])
  })

  it('nobody who comes back within ten minutes leaves it as it was', async () => {
    const { shop, asked, fetch, seller } = await approved(chain)
    later(10 * 60 - 1)
    await shop.recover()
    expect((await shop.get(asked)).status).toBe('authorized')
    expect((await fetch()).answer?.body).toBe(GOODS)
    expect(bytesAt(seller.stall)).toHaveLength(1)
  })

  it('nobody who comes back at all gives it back, and it is said why', async () => {
    const made = await approved(chain)
    later(10 * 60 + 1)
    await made.shop.recover()
    const view = { payment: await made.shop.get(made.asked) }
    await expectGivenUp(made, view, 'offer_changed')
    expect(view.payment.reason).toBe('Nobody came back in time for what was to be bought.')
    expect((await made.fetch()).payment).toMatchObject({ status: 'awaiting_approval' })
  })

  it('security: who comes back too late, before anyone has seen that, gets nothing for the old yes', async () => {
    const made = await approved(chain)
    later(10 * 60 + 1)
    const view = await made.fetch()
    await expectGivenUp(made, view, 'offer_changed')
    expect([view.payment?.refusal?.rule, made.seller.stall.received]).toEqual(['payment.valid_until', []])
    expect((await made.fetch()).payment?.status).toBe('awaiting_approval')
  })

  it('security: a host that gives the call up while the price is asked for again gets nothing signed', async () => {
    const { shop, seller, asked, fetch } = await approved(chain)
    const host = new AbortController()
    seller.becomes({
      unpaid: (stall, exchange) => {
        host.abort()
        costs('60000000')(stall, exchange)
      },
    })
    const { bursar, caller } = shop.purse
    const input = {
      instrument_id: shop.inst.instrument_id,
      url: seller.stall.url,
      max_amount: '60',
      purpose: 'A report',
    }
    const { payment } = await fetchWithPayment(bursar, caller, input, host.signal)
    expect([payment?.payment_id, payment?.status, await signed(shop)]).toEqual([asked.payment_id, 'authorized', []])
    expect((await fetch()).answer?.body).toBe(GOODS)
  })

  it('a key that cannot be opened gives it back', async () => {
    const locked: { now?: true } = {}
    const vault = (inner: Vault): Vault => ({
      ...inner,
      async payer(account) {
        if (locked.now) throw new BursarError('key_unavailable', 'It does not open.')
        return inner.payer(account)
      },
    })
    const made = await approved(chain, { vault })
    locked.now = true
    await expectGivenUp(made, await made.fetch(), 'key_unavailable')
  })

  it('security: a freeze stops it, and it is paid when that is lifted', async () => {
    const { shop, asked, seller, fetch } = await approved(chain)
    const { bursar, authority, wallet } = shop.purse
    await freezeWallet(bursar, authority, wallet.id)
    expect((await fetch()).refusal).toMatchObject({ code: 'spending_frozen' })
    expect([seller.stall.requests.length, (await shop.get(asked)).status]).toEqual([1, 'authorized'])
    await unfreezeWallet(bursar, authority, wallet.id)
    expect((await fetch()).answer?.body).toBe(GOODS)
  })

  it('several calls at once pay once', async () => {
    const { shop, seller, asked, fetch } = await approved(chain)
    const views = await Promise.all([fetch(), fetch(), fetch()])
    expect(views.map(({ payment }) => payment?.payment_id)).toEqual(Array(3).fill(asked.payment_id))
    expect(views.filter(({ answer }) => answer?.body === GOODS).length).toBeGreaterThan(0)
    expect([bytesAt(seller.stall).length, (await signed(shop)).length]).toEqual([1, 1])
    expect(await counted(shop, 'purchase.quoted')).toBe(1)
    expect(await chain.balance(seller.stall.payTo)).toBe(60n * UNIT)
  })
})
