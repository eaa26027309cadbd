import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FetchInput } from '../../src/actions/agent/fetch-with-payment.ts'
import { CODES } from '../../src/core/errors.ts'
import { GOODS } from '../sellers/goods.ts'
import { redirects } from '../sellers/hostile/redirects.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { attempts, openSeller, refusedInJournal, type Seller } from './seller.ts'
import { makeShop, type Shop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

type Call = Partial<FetchInput>

async function opened(): Promise<{ shop: Shop; seller: Seller }> {
  return { shop: await makeShop(chain), seller: await openSeller(chain) }
}

/** Each is refused as the argument that it is, on record, and nobody was contacted. */
async function expectRefused(calls: readonly Call[], code = 'argument_invalid', rule = 'arguments'): Promise<void> {
  const { shop, seller } = await opened()
  const found: unknown[] = []
  for (const call of calls) {
    const { payment } = await shop.fetch(seller.stall.url, call)
    found.push([call, payment?.status, payment && (await refusedInJournal(shop, payment.payment_id))])
  }
  expect(found).toEqual(calls.map((call) => [call, 'refused', [code, rule]]))
  expect([seller.stall.requests, await attempts(shop)]).toEqual([[], calls.length])
}

describe('security: a header', () => {
  it.each<[string, readonly string[]]>([
    [
      'that says who asks',
      [
        ...[
          'authorization',
          'Authorization',
          'proxy-authorization',
          'x-auth',
          'x-authenticated-user',
          'cookie',
          'set-cookie',
        ],
        ...['x-api-key', 'apikey', 'api-key', 'x-access-token', 'x-csrf-token', 'client-secret', 'x-credential'],
        ...['x-password', 'x-session-id', 'signature', 'x-hub-signature', 'www-authenticate'],
      ],
    ],
    [
      'that pays',
      [
        ...[
          'payment',
          'payment-signature',
          'PAYMENT-SIGNATURE',
          'Payment-Required',
          'payment-response',
          'payment-method',
        ],
        ...['x-payment', 'X-PAYMENT', 'x-payment-response', 'x-payments'],
      ],
    ],
    [
      'of the connection',
      [
        ...['host', 'content-length', 'content-encoding', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade'],
        ...['expect', 'te', 'trailer', 'via', 'accept-encoding', 'user-agent', 'forwarded', 'origin', 'referer'],
        ...[
          'x-forwarded-for',
          'x-forwarded-host',
          'x-real-ip',
          'x-http-method-override',
          'sec-fetch-site',
          'proxy-connection',
        ],
      ],
    ],
    ['whose name is none', ['', ' ', 'a b', 'a:b', 'a\nb', 'ä', 'a\0', 'x'.repeat(65), '{a}', '"a"']],
  ])('%s is refused', (_, names) => expectRefused(names.map((name) => ({ headers: { [name]: '1' } }))))

  it('whose value is none is refused', () =>
    expectRefused(
      ['a\nb', 'a\r\nhost: b', 'a\0', '\t', 'ä', '日', 'x'.repeat(1_001)].map((value) => ({ headers: { a: value } })),
    ))

  it('that is there twice, or one of too many, is refused', () =>
    expectRefused([
      { headers: { accept: 'a', Accept: 'b' } },
      { headers: Object.fromEntries(Array.from({ length: 33 }, (__, i) => [`x-${i}`, ''])) },
    ]))

  it('of the rest is sent, asked for its price and paid alike', async () => {
    const { shop, seller } = await opened()
    const many = Object.fromEntries(Array.from({ length: 27 }, (_, i) => [`x-${i}`, 'x'.repeat(100)]))
    const headers = {
      Accept: 'text/plain',
      'content-type': 'a/b',
      'X-Custom': ' ~!',
      x_y: '',
      'if-none-match': '"1"',
      ...many,
    }
    expect((await shop.fetch(seller.stall.url, { headers })).answer?.body).toBe(GOODS)
    expect(seller.stall.requests).toHaveLength(2)
    for (const { headers: arrived } of seller.stall.requests)
      expect(arrived).toMatchObject({ accept: 'text/plain', 'content-type': 'a/b', 'x-custom': '~!', x_y: '', ...many })
  })

  it('security: goes to no other origin, neither when it is asked for its price nor when it is paid', async () => {
    const { shop, seller } = await opened()
    const other = await openSeller(chain)
    seller.becomes({ unpaid: redirects(302, other.stall.url) })
    const { answer, payment } = await shop.fetch(seller.stall.url, { headers: { 'x-case': '17' } })
    expect([answer?.body, payment?.payee.origin]).toEqual([GOODS, other.stall.origin])
    expect(seller.stall.requests.map(({ headers }) => headers['x-case'])).toEqual(['17'])
    expect(other.stall.requests.map(({ headers }) => headers['x-case'])).toEqual([undefined, undefined])
    expect(seller.stall.received).toEqual([])
  })
})

describe('a URL', () => {
  it('that is none, or holds a password, is refused', () =>
    expectRefused(
      [
        ...['', ' ', 'report', '//a.example/', 'https://', 'http://[::1', 'https://a.example:99999/'],
        ...['https://user@a.example/', 'https://user:secret@a.example/', 'https://:secret@a.example/'],
        `https://a.example/${'x'.repeat(2_000)}`,
      ].map((url) => ({ url })),
    ))

  it('that leads where nobody may be asked is refused', () =>
    expectRefused(
      [
        ...['file:///etc/passwd', 'ftp://a.example/', 'data:text/plain,a', 'javascript:1', 'ws://a.example/'],
        ...['http://a.example/', 'https://10.0.0.1/', 'https://169.254.169.254/latest/', 'https://[fd00::1]/'],
        ...['https://a.example:22/', 'http://192.168.0.1/', 'https://a.example./'],
      ].map((url) => ({ url })),
      'url_not_allowed',
      'seller',
    ))

  it('security: on this machine is refused where its owner has not said so', async () => {
    const [shop, { stall }] = [await makeShop(chain, { allows: [] }), await openSeller(chain)]
    for (const url of [
      stall.url,
      stall.url.replace('127.0.0.1', 'localhost'),
      stall.url.replace('127.0.0.1', '[::1]'),
    ]) {
      const { payment } = await shop.fetch(url)
      expect(await refusedInJournal(shop, payment!.payment_id)).toEqual(['url_not_allowed', 'seller'])
    }
    expect(stall.requests).toEqual([])
  })

  it.each([
    ['https://10.0.0.1/', { origin: 'https://10.0.0.1' }],
    ['file:///etc/passwd', {}],
  ])('%s is on record as what it is: %j', async (url, payee) => {
    const { shop } = await opened()
    expect((await shop.fetch(url)).payment?.payee).toEqual(payee)
  })

  it('of a seller that is not there is refused for now', async () => {
    const { shop, seller } = await opened()
    await seller.stall.close()
    const { payment } = await shop.fetch(seller.stall.url)
    expect(await refusedInJournal(shop, payment!.payment_id)).toEqual(['seller_unavailable', 'seller'])
    expect(CODES.seller_unavailable.retry).toBe('later')
  })

  it('is asked for as it is, but for its fragment', async () => {
    const { shop, seller } = await opened()
    await shop.fetch(`${seller.stall.origin}/a%20b/../c?q=%31&r=ä#part`)
    expect(seller.stall.requests.map(({ url }) => url)).toEqual(Array(2).fill('/c?q=%31&r=%C3%A4'))
  })
})

describe('a method', () => {
  it('that is none is refused', () =>
    expectRefused(
      ['', 'TRACE', 'CONNECT', 'OPTIONS', 'PAY', 'GET ', 'GET /x HTTP/1.1\r\n'].map((method) => ({ method })),
    ))

  it.each(['GET', 'post', 'PUT', 'Patch', 'DELETE'])(
    '%s is sent twice: for the price, and with the payment',
    async (method) => {
      const { shop, seller } = await opened()
      const body = method === 'GET' ? undefined : 'a=1'
      expect((await shop.fetch(seller.stall.url, { method, body })).answer?.body).toBe(GOODS)
      expect(seller.stall.requests.map((request) => request.method)).toEqual(Array(2).fill(method.toUpperCase()))
    },
  )

  it('HEAD is paid for, and has no body', async () => {
    const { shop, seller } = await opened()
    const { answer, payment } = await shop.fetch(seller.stall.url, { method: 'HEAD' })
    expect([answer?.status, answer?.body, payment?.resource?.delivered]).toEqual([200, '', true])
  })
})

describe('a body', () => {
  it('of a request that has none, too long, or no text, is refused', () =>
    expectRefused([
      { body: '' },
      { method: 'HEAD', body: 'a' },
      { method: 'POST', body: 'x'.repeat(100_001) },
      { method: 'POST', body: 'ä'.repeat(50_001) },
      { method: 'POST', body: 'a\ud800b' },
    ]))

  it('arrives as it was given, with the price and with the payment', async () => {
    const { shop, seller } = await opened()
    const bodies: string[] = []
    const { stall } = await openSeller(chain, {
      unpaid: async (other, { request, response }) => {
        for await (const chunk of request) bodies.push(String(chunk))
        other.ask(response)
      },
      paid: async (_, { request, response }) => {
        for await (const chunk of request) bodies.push(String(chunk))
        response.end('ok')
      },
    })
    const body = '{"q":"ä\u2028\n"}'
    await shop.fetch(stall.url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    expect([bodies, seller.stall.requests]).toEqual([[body, body], []])
    await stall.settle()
  })
})

it('an idempotency_key that is none is refused', () =>
  expectRefused(['', ' ', 'a b', 'x'.repeat(129), 'ä', 'a\n'].map((idempotency_key) => ({ idempotency_key }))))

it('no refusal of arguments repeats what was given but the name of a header', async () => {
  const { shop, seller } = await opened()
  const canary = 'canary-5521'
  const said = (call: Call) => shop.fetch(seller.stall.url, call)
  const views = [
    await said({ url: `https://user:${canary}@a.example/` }),
    await said({ method: canary }),
    await said({ headers: { authorization: canary } }),
    await said({ method: 'GET', body: canary }),
    await said({ idempotency_key: `${canary} ` }),
    await said({ max_amount: canary }),
  ]
  expect(JSON.stringify(views.map(({ payment }) => payment?.refusal))).not.toContain(canary)
})
