import type { PaymentRequired } from '@x402/core/types'
import { generatePaymentId } from '@x402/extensions/payment-identifier'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { type Facilitator, OTHER_NETWORK, startFacilitator } from './facilitator.ts'
import { GOODS, UNITS } from './goods.ts'
import { type OfficialOptions, startExpressSeller, startHonoSeller } from './official.ts'
import { type OfficialBuyer, officialBuyer } from './official-buyer.ts'
import { encoded, type Payment } from './payment.ts'
import { fundedKey } from './sender.ts'

/** What any of them has: 100 USDC. */
const FUNDS = 100_000_000n

let chain: Chain
let facilitator: Facilitator
let buyer: OfficialBuyer

async function started(): Promise<[Chain, Facilitator, OfficialBuyer]> {
  const other = await startChain()
  return [other, await startFacilitator(other, await fundedKey(other)), await officialBuyer(other, FUNDS)]
}

beforeAll(async () => {
  ;[chain, facilitator, buyer] = await started()
})

afterAll(() => chain.stop())

async function openedBy(start: typeof startExpressSeller, more: Partial<OfficialOptions> = {}) {
  const seller = await start({ chain, facilitator, ...more })
  onTestFinished(() => seller.close())
  return seller
}

/** What a header says that is JSON in base64; null where there is none. */
function said(answer: Response, header: string): unknown {
  const value = answer.headers.get(header)
  return value === null ? null : JSON.parse(Buffer.from(value, 'base64').toString())
}

describe.each([
  ['express', startExpressSeller],
  ['hono', startHonoSeller],
])('the official seller on %s', (_, start) => {
  const open = (more?: Partial<OfficialOptions>) => openedBy(start, more)

  it('sells, and is paid in the transaction that it names', async () => {
    const seller = await open()
    const answer = await buyer.fetch(`${seller.url}/report`)
    expect([answer.status, await answer.json()]).toEqual([200, { report: GOODS }])
    expect(await chain.balance(seller.payTo)).toBe(UNITS)
    const { success, transaction, payer } = said(answer, 'payment-response') as Record<string, string>
    expect([success, payer]).toEqual([true, buyer.address])
    const receipt = await chain.publicClient.getTransactionReceipt({ hash: transaction as `0x${string}` })
    expect(receipt.status).toBe('success')
  })

  it('remembers who came, and with what', async () => {
    const seller = await open()
    await fetch(`${seller.url}/free`)
    await buyer.fetch(`${seller.url}/text?q=1`)
    const came = seller.requests.map(({ method, url, payment }) => [method, url, payment?.authorization?.value])
    expect(came).toEqual([
      ['GET', '/free', undefined],
      ['GET', '/text?q=1', undefined],
      ['GET', '/text?q=1', `${UNITS}`],
    ])
    const { header, version, authorization } = seller.requests[2]!.payment as Payment
    expect([version, header]).toEqual([2, seller.requests[2]!.headers['payment-signature']])
    expect(authorization).toMatchObject({ from: buyer.address, to: seller.payTo, validAfter: '0' })
  })

  it('gives away what is free', async () => {
    const seller = await open()
    const answer = await fetch(`${seller.url}/free`)
    expect([answer.status, await answer.text()]).toEqual([200, 'free'])
    expect((await fetch(`${seller.url}/report`)).status).toBe(402)
  })

  it('sells an answer to what it is sent', async () => {
    const seller = await open()
    const answer = await buyer.fetch(`${seller.url}/echo`, { method: 'POST', body: 'sent' })
    expect([answer.status, await answer.text()]).toEqual([200, 'sent'])
    expect(await chain.balance(seller.payTo)).toBe(UNITS)
  })

  it('asks what its path says, and what it was opened with', async () => {
    const seller = await open({ units: 5n })
    await buyer.fetch(`${seller.url}/price/77`)
    await buyer.fetch(`${seller.url}/report`)
    expect(await chain.balance(seller.payTo)).toBe(82n)
  })

  it('offers other ways before the one that can be taken', async () => {
    const seller = await open()
    const { accepts } = await buyer.quoteIn(await fetch(`${seller.url}/choice`))
    expect(accepts.map(({ network, extra }) => [network, extra.assetTransferMethod])).toEqual([
      [OTHER_NETWORK, undefined],
      [chain.network, 'permit2'],
      [chain.network, undefined],
    ])
  })

  it('settles first where it says so, and keeps the money of a page that fails then', async () => {
    const seller = await open()
    const asked = await fetch(`${seller.url}/upfront`)
    const { accepts } = said(asked, 'payment-required') as PaymentRequired
    expect(accepts[0]?.extra.paymentFlow).toBe('upfront')
    expect((await buyer.fetch(`${seller.url}/upfront`)).status).toBe(200)
    const failed = await buyer.fetch(`${seller.url}/upfront-broken`)
    expect([failed.status, said(failed, 'payment-response')]).toEqual([500, expect.objectContaining({ success: true })])
    expect(await chain.balance(seller.payTo)).toBe(2n * UNITS)
  })

  it('takes nothing for a page that fails', async () => {
    const seller = await open()
    const { verify, settle } = { ...facilitator.calls }
    expect((await buyer.fetch(`${seller.url}/broken`)).status).toBe(500)
    expect(facilitator.calls).toEqual({ verify: verify + 1, settle })
    expect(await chain.balance(seller.payTo)).toBe(0n)
  })

  it('takes nothing for a page whose work throws', async () => {
    const work = () => Promise.reject(new Error('no work'))
    const seller = await open({ work })
    expect((await buyer.fetch(`${seller.url}/report`)).status).toBe(500)
    expect(await chain.balance(seller.payTo)).toBe(0n)
  })

  it('runs its work for each of several payments that are the same, and is paid once', async () => {
    let working = 0
    const bothAreThere = () => expect.poll(() => working).toBe(2)
    const seller = await open({
      async work() {
        working += 1
        await bothAreThere()
      },
    })
    const headers = await buyer.sign(await buyer.quoteIn(await fetch(`${seller.url}/report`)))
    const send = () => fetch(`${seller.url}/report`, { headers })
    await Promise.all([send(), send()])
    expect([working, await chain.balance(seller.payTo)]).toEqual([2, UNITS])
  })

  it('gives the same answer to the same payment by its identifier, and to no other payment', async () => {
    const seller = await open()
    const quote = await buyer.quoteIn(await fetch(`${seller.url}/once`))
    const id = generatePaymentId()
    const named = async () => {
      const [header = ''] = Object.values(await buyer.sign(quote))
      const payment = JSON.parse(Buffer.from(header, 'base64').toString())
      payment.extensions['payment-identifier'].info.id = id
      return { 'payment-signature': encoded(payment) }
    }
    const send = async (headers: Record<string, string>) => {
      const answer = await fetch(`${seller.url}/once`, { headers })
      return [answer.status, (await answer.text()).includes(GOODS)]
    }
    const [first, other] = [await named(), await named()]
    expect([await send(first), await send(first), await send(other)]).toEqual([
      [200, true],
      [200, true],
      [403, false],
    ])
    expect(await chain.balance(seller.payTo)).toBe(UNITS)
  })
})

describe('the facilitator', () => {
  it('says what is wrong with a payment that was used', async () => {
    const seller = await openedBy(startExpressSeller)
    const headers = await buyer.sign(await buyer.quoteIn(await fetch(`${seller.url}/report`)))
    await fetch(`${seller.url}/report`, { headers })
    const again = await fetch(`${seller.url}/report`, { headers })
    const { error } = said(again, 'payment-required') as PaymentRequired
    expect([again.status, error]).toEqual([402, 'invalid_exact_evm_nonce_already_used'])
  })

  it('settles what comes at once', async () => {
    const seller = await openedBy(startExpressSeller)
    const answers = await Promise.all(Array.from({ length: 10 }, () => buyer.fetch(`${seller.url}/report`)))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(await chain.balance(seller.payTo)).toBe(10n * UNITS)
  })

  it('goes on after a settlement that was refused', async () => {
    const seller = await openedBy(startExpressSeller)
    await chain.blacklist(seller.payTo)
    const refused = await buyer.fetch(`${seller.url}/upfront`)
    expect([refused.status, said(refused, 'payment-response')]).toEqual([
      402,
      expect.objectContaining({ success: false }),
    ])
    await chain.blacklist(seller.payTo, false)
    expect((await buyer.fetch(`${seller.url}/upfront`)).status).toBe(200)
  })

  it('moves nothing when it is stopped before, and loses its answer when it is stopped after', async () => {
    const seller = await openedBy(startExpressSeller)
    const stop = () => {
      throw new Error('stopped')
    }
    facilitator.hooks.beforeSettle = stop
    const before = await buyer.fetch(`${seller.url}/report`)
    expect([before.status, await chain.balance(seller.payTo)]).toEqual([402, 0n])
    facilitator.hooks.beforeSettle = undefined
    facilitator.hooks.afterSettle = stop
    const after = await buyer.fetch(`${seller.url}/report`)
    expect([after.status, await chain.balance(seller.payTo)]).toEqual([402, UNITS])
    facilitator.hooks.afterSettle = undefined
  })

  it.each(['now', 'last_second'] as const)('settles later what it said that it has: %s', async (when) => {
    const [later, late, payer] = await started()
    onTestFinished(() => later.stop())
    late.settleLater()
    const seller = await openedBy(startExpressSeller, { chain: later, facilitator: late })
    const answer = await payer.fetch(`${seller.url}/report`)
    expect([answer.status, await later.balance(seller.payTo)]).toEqual([200, 0n])
    const settled = await late.settleOwed(when)
    expect(settled).toMatchObject([{ success: true, payer: payer.address }])
    expect(await later.balance(seller.payTo)).toBe(UNITS)
    const { validBefore } = seller.requests[1]!.payment!.authorization!
    if (when === 'last_second') expect(await later.now()).toBe(Number(validBefore) - 1)
    expect(await late.settleOwed()).toEqual([])
  })
})
