import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnswerView } from '../../src/actions/wire.ts'
import { pass } from '../chain/scene.ts'
import { GOODS } from '../sellers/goods.ts'
import { redirects } from '../sellers/hostile/redirects.ts'
import { INJECTION, MARK } from '../sellers/hostile/words.ts'
import { type Answer, asks } from '../sellers/stall.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { OVER_SECONDS } from './lost-reply.ts'
import { attempts, openSeller, type Seller } from './seller.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

const MAX = 100_000

async function opened(unpaid?: Answer): Promise<{ shop: Shop; seller: Seller }> {
  return { shop: await makeShop(chain), seller: await openSeller(chain, { ...(unpaid && { unpaid }) }) }
}

function says(body: string | Buffer, headers: object = {}, status = 200): Answer {
  return (_, { response }) => response.writeHead(status, { ...headers }).end(body)
}

/** What an agent is shown of each of these, one after another. */
async function shown(...answers: readonly Answer[]): Promise<readonly (AnswerView | undefined)[]> {
  const { shop, seller } = await opened()
  const views: (AnswerView | undefined)[] = []
  for (const unpaid of answers) {
    seller.becomes({ unpaid })
    views.push((await shop.fetch(seller.stall.url)).answer)
  }
  return views
}

describe('what is free', () => {
  it('is passed on, and goes on no record', async () => {
    const { shop, seller } = await opened(says('hello', { 'content-type': 'text/plain' }))
    const answer = { status: 200, content_type: 'text/plain', body: 'hello' }
    expect(await shop.fetch(seller.stall.url)).toEqual({ answer })
    expect(await shop.fetch(seller.stall.url, { max_amount: '0' })).toEqual({ answer })
    expect(await attempts(shop)).toBe(0)
  })

  it.each([201, 204, 304, 400, 401, 403, 404, 429, 500, 503])('is passed on with the status %i', async (status) => {
    const [answer] = await shown(says('', {}, status))
    expect(answer).toEqual({ status, content_type: null, body: '' })
  })

  it('is what a redirect leads to, five times at most', async () => {
    const { shop, seller } = await opened()
    const from =
      (end: number): Answer =>
      (stall, exchange) => {
        const at = Number(new URL(exchange.request.url ?? '', stall.origin).pathname.slice(1))
        return (at < end ? redirects(302, `/${at + 1}`) : says('there'))(stall, exchange)
      }
    seller.becomes({ unpaid: from(5) })
    expect((await shop.fetch(`${seller.stall.origin}/0`)).answer?.body).toBe('there')
    seller.becomes({ unpaid: from(6) })
    expect((await shop.fetch(`${seller.stall.origin}/0`)).answer).toMatchObject({ status: 302, body: '' })
  })

  it('is not what a redirect of anything but GET and HEAD leads to', async () => {
    const { shop, seller } = await opened(redirects(307, '/elsewhere'))
    expect((await shop.fetch(seller.stall.url, { method: 'POST', body: 'a' })).answer?.status).toBe(307)
    expect(seller.stall.requests).toHaveLength(1)
  })
})

describe('a body', () => {
  const bytes = Buffer.from([0, 255, 254, 1])
  const typed = (body: string | Buffer, type: string) => says(body, { 'content-type': type })

  it('is text where it says so', async () => {
    const views = await shown(
      typed('{"a":1}', 'application/json'),
      typed('a', 'Text/HTML; Charset="UTF-8"'),
      typed(Buffer.from('é', 'latin1'), 'text/plain; charset=iso-8859-1'),
      typed(Buffer.from('é', 'utf16le'), 'text/csv; header=present; charset=utf-16le'),
      typed('<a/>', 'application/atom+xml'),
    )
    expect(views.map((view) => [view?.content_type, view?.body, view?.encoding])).toEqual([
      ['application/json', '{"a":1}', undefined],
      ['text/html', 'a', undefined],
      ['text/plain', 'é', undefined],
      ['text/csv', 'é', undefined],
      ['application/atom+xml', '<a/>', undefined],
    ])
  })

  it('is bytes where it says so, or is none in what it says', async () => {
    const views = await shown(
      typed(bytes, 'image/png'),
      typed('text', 'application/octet-stream'),
      typed('text', 'text/plain; charset=klingon'),
      says(bytes),
    )
    expect(views.map((view) => [view?.content_type, view?.encoding])).toEqual([
      ['image/png', 'base64'],
      ['application/octet-stream', 'base64'],
      ['text/plain', 'base64'],
      [null, 'base64'],
    ])
    expect(views.map((view) => Buffer.from(view?.body ?? '', 'base64').toString('latin1'))).toEqual([
      bytes.toString('latin1'),
      'text',
      'text',
      bytes.toString('latin1'),
    ])
  })

  it('that says nothing is text where it is', async () => {
    const [view] = await shown(says('grüße'))
    expect(view).toEqual({ status: 200, content_type: null, body: 'grüße' })
  })

  it('is whole up to its bound, and cut beyond, and says so', async () => {
    const plain = { 'content-type': 'text/plain' }
    const pair = '\u{1f600}'
    const views = await shown(
      says('a'.repeat(MAX), plain),
      says('a'.repeat(MAX + 1), plain),
      says(`a${pair.repeat(MAX)}`, plain),
      says(gzipSync(Buffer.alloc(2 ** 20, 'a')), { ...plain, 'content-encoding': 'gzip' }),
      says(Buffer.alloc(MAX), { 'content-type': 'image/png' }),
      says('what nobody asked for', { ...plain, 'content-encoding': 'zstd' }),
    )
    expect(views.map((view) => [view?.body.length, view?.truncated])).toEqual([
      [MAX, undefined],
      [MAX, true],
      [MAX, true],
      [MAX, true],
      [MAX, true],
      [0, true],
    ])
    expect(/\p{Surrogate}/u.test(views[2]?.body ?? '\ud800')).toBe(false)
    expect(Buffer.from(views[4]?.body ?? '', 'base64')).toEqual(Buffer.alloc((MAX / 4) * 3))
  })
})

describe("security: a seller's words", () => {
  it('are in the body and nowhere else', async () => {
    const headers = { 'x-instructions': MARK, server: MARK, 'set-cookie': MARK, location: `/${MARK}` }
    const views = await shown(
      says(INJECTION, { ...headers, 'content-type': `text/${MARK}` }),
      says(INJECTION, { ...headers, 'content-type': `${MARK}/${MARK}` }, 404),
      says(INJECTION, { ...headers, 'content-type': `text/plain; charset=${MARK}; ${MARK}` }, 418),
    )
    for (const view of views) expect(JSON.stringify({ ...view, body: '' })).not.toContain(MARK.slice(0, 10))
  })

  it.each<[string, object, string | undefined]>([
    ['its description', { resource: { url: '', description: 'A fine report' } }, 'A fine report'],
    ['its error, where it has none', { resource: undefined, error: 'Pay first' }, 'Pay first'],
    ['nothing, where it says nothing', { resource: undefined, error: undefined }, undefined],
    ['nothing, where that is nothing', { resource: { url: '', description: ' \u202e\u200b\n' } }, undefined],
  ])('with the price are %s', async (_, change, says) => {
    const { shop, seller } = await opened((stall, { response }) => stall.ask(response, { ...stall.quote(), ...change }))
    expect((await shop.fetch(seller.stall.url, { max_amount: '0' })).price?.seller_says).toBe(says)
  })

  it('with the price are one line, cut, without what is not seen', async () => {
    const description = `a\u001b[2J\u202eb\n\nc${'d'.repeat(500)}`
    const { shop, seller } = await opened((stall, { response }) =>
      stall.ask(response, { ...stall.quote(), resource: { url: stall.url, description } }),
    )
    const says = (await shop.fetch(seller.stall.url, { max_amount: '0' })).price?.seller_says
    expect([says?.length, says?.slice(0, 11)]).toEqual([200, 'a [2J b c' + 'dd'])
  })
})

describe('an answer to a payment', () => {
  it.each<[number, boolean]>([
    [200, true],
    [204, true],
    [299, true],
    [302, false],
    [402, false],
    [404, false],
    [500, false],
  ])('with the status %i: delivered %s', async (status, delivered) => {
    const { shop, seller } = await opened(asks)
    seller.becomes({ paid: says('', {}, status) })
    const { payment, answer } = await shop.fetch(seller.stall.url)
    expect([answer?.status, payment?.resource]).toMatchObject([status, { delivered, http_status: status }])
    expect(payment?.resource).toMatchObject({ method: 'GET', url: seller.stall.url })
    await pass(chain, OVER_SECONDS)
    expect((await shop.settle(payment!)).status).toBe('voided')
  })

  it('that was delivered stays so, whatever comes later', async () => {
    const { shop, seller } = await opened()
    const key = { idempotency_key: 'one' }
    const { answer, payment } = await shop.fetch(seller.stall.url, key)
    expect(answer?.body).toBe(GOODS)
    seller.becomes({ paid: says('', {}, 500) })
    expect((await shop.fetch(seller.stall.url, key)).payment).toMatchObject({
      resource: { delivered: true, http_status: 200 },
    })
    expect((await shop.settle(payment!)).status).toBe('captured')
  })
})
