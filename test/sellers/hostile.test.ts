import { maxUint256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { GOODS, UNITS } from './goods.ts'
import { OFFERS } from './hostile/offers.ts'
import { PAID_ANSWERS } from './hostile/paid.ts'
import { REDIRECTS } from './hostile/redirects.ts'
import { SPEAKS_V1, UNPAID_ANSWERS } from './hostile/unpaid.ts'
import { HOSTILE } from './hostile.ts'
import { type OfficialBuyer, officialBuyer } from './official-buyer.ts'
import { encoded } from './payment.ts'
import { type Behaviour, type Expected, openStall, type Stall } from './stall.ts'

/** 100,000 USDC: enough for whoever asks for far too much. */
const FUNDS = 100_000_000_000n
/** `84532` has a name in version 1 of the protocol. */
const CHAIN = { chainId: 84532 }
const READ_MAX = 10_000

let chain: Chain
let buyer: OfficialBuyer

beforeAll(async () => {
  chain = await startChain(CHAIN)
  buyer = await officialBuyer(chain, FUNDS)
})

afterAll(() => chain.stop())

async function opened(behaviour: Behaviour, on = chain): Promise<Stall> {
  const stall = await openStall(behaviour, { chain: on })
  onTestFinished(() => stall.close())
  return stall
}

type Signs = Extract<Expected, { signs: true }>
type Signing = Behaviour & { readonly expected: Signs }

const rows = Object.entries(HOSTILE)
const signing = rows.flatMap(([name, one]): [string, Signing][] => (one.expected.signs ? [[name, one as Signing]] : []))
const unsigned = rows.filter(([, { expected }]) => !expected.signs)
const LAST_SECOND = 'cuts the connection and takes the money in the last second'
/** One moves the clock of its chain, the other asks on another page than its first. */
const APART: readonly string[] = [LAST_SECOND, 'leads to another of its pages, which asks']

/** The status and the body, as far as there is any sense in reading it; nothing where the answer breaks off. */
async function read(url: string, init: RequestInit): Promise<string> {
  try {
    const answer = await fetch(url, { ...init, redirect: 'manual' })
    let text = `${answer.status} `
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk)
      if (text.length > READ_MAX) break
    }
    return text
  } catch {
    return ''
  }
}

describe('a seller for whom a careful buyer signs once', () => {
  it.each(signing.filter(([name]) => !APART.includes(name)))('%s', async (_, behaviour) => {
    const { expected } = behaviour
    const stall = await opened(behaviour)
    const { accepts } = await buyer.quoteIn(await fetch(stall.url))
    expect(accepts.filter(({ amount, payTo }) => amount === `${UNITS}` && payTo === stall.payTo)).not.toEqual([])
    const headers = await buyer.sign(stall.quote())
    const stopped = new AbortController()
    const reading = read(stall.url, { headers, signal: stopped.signal })
    if (behaviour.slow) {
      await expect.poll(() => stall.taken).toHaveLength(1)
      stopped.abort()
    }
    const answer = await reading
    expect(answer.startsWith('200') && answer.includes(GOODS)).toBe(expected.delivers)
    expect([stall.received.length, stall.leaked.length]).toEqual([1, 0])
    await expectTaken(stall, expected.ends === 'captured' ? 1 : 0)
    if (expected.ends !== 'captured_late') return
    await stall.settle()
    await expectTaken(stall, 1)
  })

  it('leads to another of its pages, which asks', async () => {
    const stall = await opened(REDIRECTS['leads to another of its pages, which asks'])
    const answer = await buyer.fetch(stall.url)
    expect([answer.status, await answer.text()]).toEqual([200, GOODS])
    await expectTaken(stall, 1)
  })
})

async function expectTaken(stall: Stall, times: number): Promise<void> {
  expect(stall.taken).toHaveLength(times)
  expect(await stall.chain.balance(stall.payTo)).toBe(stall.units * BigInt(times))
}

describe('a seller for whom a careful buyer does not sign', () => {
  it.each(unsigned)('%s', async (_, behaviour) => {
    const stall = await opened(behaviour)
    const stopped = new AbortController()
    const asking = askedBy(stall, stopped.signal)
    if (behaviour.slow) {
      await expect.poll(() => stall.requests).toHaveLength(1)
      stopped.abort()
    }
    expect(await asking).not.toEqual([402, encoded(stall.quote())])
    expect(stall.requests.map(({ payment }) => payment)).toEqual([null])
  })

  /** The status and what the header says; nothing where there is no answer. */
  async function askedBy(stall: Stall, signal: AbortSignal): Promise<unknown[]> {
    try {
      const answer = await fetch(stall.url, { redirect: 'manual', signal })
      await answer.body?.cancel()
      return [answer.status, answer.headers.get('payment-required')]
    } catch {
      return []
    }
  }
})

describe('the official packages', () => {
  it('pay three times for nothing, when the seller takes the money and asks again', async () => {
    const stall = await opened(PAID_ANSWERS['takes the money and asks again'])
    for (let tries = 0; tries < 3; tries += 1) expect((await buyer.fetch(stall.url)).status).toBe(402)
    await expectTaken(stall, 3)
  })

  it('believe a receipt of no transaction', async () => {
    const stall = await opened(PAID_ANSWERS['forges a receipt'])
    const { status, headers } = await buyer.fetch(stall.url)
    const receipt = JSON.parse(Buffer.from(headers.get('payment-response') ?? '', 'base64').toString())
    expect([status, receipt.success]).toEqual([200, true])
    await expect(chain.publicClient.getTransaction({ hash: receipt.transaction })).rejects.toThrow('could not be found')
    await expectTaken(stall, 0)
  })

  it.each([
    ['sends the payment on to another origin, to be sent again'],
    ['sends the payment on to another origin for good'],
    ['sends the payment on to another origin'],
  ] as const)('show their payment elsewhere, when the seller %s', async (name) => {
    const stall = await opened(REDIRECTS[name])
    expect((await buyer.fetch(stall.url)).status).toBe(200)
    expect(stall.leaked).toEqual(stall.received)
  })

  it('sign for ten years', async () => {
    const stall = await opened(OFFERS['wants it to be good for ten years'])
    await buyer.fetch(stall.url)
    const [payment] = stall.received
    expect(Number(payment?.authorization?.validBefore)).toBeGreaterThan(Date.now() / 1000 + 3e8)
  })

  it('pay whatever is asked, and for whatever page', async () => {
    const dear = await opened(OFFERS['asks for far more'])
    await buyer.fetch(dear.url)
    expect(await chain.balance(dear.payTo)).toBe(UNITS * 100_000n)
    const other = await opened(OFFERS['asks for the page of another site'])
    await buyer.fetch(other.url)
    await expectTaken(other, 1)
  })

  it('pay, and are refused, when somebody else sends their authorization', async () => {
    const stall = await opened(PAID_ANSWERS['asks again because somebody else sent the authorization'])
    expect((await buyer.fetch(stall.url)).status).toBe(402)
    await expectTaken(stall, 1)
  })

  it('throw when the connection is cut, and have paid later', async () => {
    const stall = await opened(PAID_ANSWERS['cuts the connection and takes the money later'])
    await expect(buyer.fetch(stall.url)).rejects.toThrow('fetch failed')
    await stall.settle()
    await expectTaken(stall, 1)
  })

  it('sign the approval of all there is, for Permit2', async () => {
    const stall = await opened(OFFERS['wants Permit2, with the approval of all there is'])
    await buyer.fetch(stall.url)
    const [payment] = stall.received
    const { erc20ApprovalGasSponsoring: approval } = (payment?.content?.extensions ?? {}) as Record<string, unknown>
    expect(approval).toMatchObject({
      info: { amount: `${maxUint256}`, signedTransaction: expect.stringMatching(/^0x02/) },
    })
  })

  it('pay by version 1 as well', async () => {
    const stall = await opened(SPEAKS_V1)
    const answer = await buyer.fetch(stall.url)
    expect([answer.status, await answer.text()]).toEqual([200, GOODS])
    expect(answer.headers.get('x-payment-response')).toBe(stall.receipt(stall.taken[0] ?? ''))
    await expectTaken(stall, 1)
  })

  it('pay by version 1 what its own word says, when the seller says the words of both', async () => {
    const stall = await opened(UNPAID_ANSWERS['speaks version 1 in the words of both'])
    expect((await buyer.fetch(stall.url)).status).toBe(200)
    expect(stall.received.map(({ version }) => version)).toEqual([1])
    expect(await chain.balance(stall.payTo)).toBe(UNITS * 100_000n)
  })
})

describe('an authorization', () => {
  async function signedOn(name: keyof typeof PAID_ANSWERS): Promise<[Chain, Stall, number]> {
    const other = await startChain(CHAIN)
    onTestFinished(() => other.stop())
    const [stall, payer] = [await opened(PAID_ANSWERS[name], other), await officialBuyer(other, FUNDS)]
    await read(stall.url, { headers: await payer.sign(stall.quote()) })
    return [other, stall, Number(stall.received[0]?.authorization?.validBefore)]
  }

  it('is good until its last second', async () => {
    const [other, stall, validBefore] = await signedOn(LAST_SECOND)
    await stall.settle()
    await expectTaken(stall, 1)
    expect(await other.now()).toBe(validBefore - 1)
  })

  it('is good for nothing after it, whoever tries', async () => {
    const [other, stall, validBefore] = await signedOn('cuts the connection')
    await other.rpc('evm_setNextBlockTimestamp', [validBefore])
    await expect(stall.settle()).rejects.toThrow('refused')
    await expectTaken(stall, 0)
  })

  it('is not there to be settled before it came', async () => {
    const stall = await opened(PAID_ANSWERS['is honest'])
    await expect(stall.settle()).rejects.toThrow('Nothing was received')
  })
})
