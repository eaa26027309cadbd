import { describe, expect, it } from 'vitest'
import type { Lookup } from '../../src/web/names.ts'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, cut, get, internet, LOCAL, outcome, PUBLIC, SOON, siteOf, text } from './site.ts'

/** A resolver that gives these answers, one after the other, and notes what it was asked. */
function resolver(...answers: readonly (readonly string[] | Error)[]): { lookup: Lookup; asked: string[] } {
  const asked: string[] = []
  const lookup: Lookup = async (name, options) => {
    expect(options).toEqual({ all: true })
    const answer = answers[Math.min(asked.push(name), answers.length) - 1] ?? []
    if (answer instanceof Error) throw answer
    return answer.map((address) => ({ address, family: 4 }))
  }
  return { lookup, asked }
}

async function shop() {
  const site = await siteOf((request, response) => response.end(request.headers.host), true)
  return { site, calls: internet(site.port) }
}

const A = '93.184.216.34'
const B = '8.8.8.8'

describe('a name', () => {
  it('is looked up once for a visit, and the connection goes to that address under the name', async () => {
    const { site, calls } = await shop()
    const { lookup, asked } = resolver([A, '2606:4700:4700::1111'])
    const web = webOf({ lookup })
    const visit = web.visit(PUBLIC)
    expect(await text(visit, 'https://shop.example/1')).toBe('shop.example')
    expect(await text(visit, 'https://shop.example:8443/2')).toBe('shop.example:8443')
    expect(await text(visit, 'https://other.example/3')).toBe('other.example')
    expect(asked).toEqual(['shop.example', 'other.example'])
    expect(calls).toEqual([
      { host: A, port: 443, servername: 'shop.example' },
      { host: A, port: '8443', servername: 'shop.example' },
      { host: A, port: 443, servername: 'other.example' },
    ])
    expect(site.seen).toHaveLength(3)
    await web.close()
  })

  it.each([
    ['another public one', B],
    ['this machine', '127.0.0.1'],
    ['the network here', '10.0.0.1'],
  ])(
    'security: that changes its address to %s between quote and payment is asked where it was',
    async (_what, later) => {
      const { site, calls } = await shop()
      const { lookup, asked } = resolver([A], [later])
      const web = webOf({ lookup })
      const visit = web.visit(PUBLIC)
      await text(visit, 'https://shop.example/quote')
      // The connection is gone: the payment needs another.
      await cut(site)
      await text(visit, 'https://shop.example/pay')
      expect(asked).toEqual(['shop.example'])
      expect(calls.map(({ host }) => host)).toEqual([A, A])
      await web.close()
    },
  )

  it('is looked up again for every visit, also where a connection to its old address is open', async () => {
    const { calls } = await shop()
    const { lookup } = resolver([A], [B], ['10.0.0.1'])
    const web = webOf({ lookup })
    const ask = () => outcome(web.visit(PUBLIC).ask(get('https://shop.example/'), BOUNDS))
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 'url_not_allowed'])
    expect(calls.map(({ host }) => host)).toEqual([A, B])
    await web.close()
  })

  it('is looked up once, also for requests at the same time', async () => {
    const { calls } = await shop()
    const { lookup, asked } = resolver([A], [B])
    const web = webOf({ lookup })
    const visit = web.visit(PUBLIC)
    await Promise.all(Array.from({ length: 5 }, (_, at) => text(visit, `https://shop.example/${at}`)))
    expect(asked).toEqual(['shop.example'])
    expect(new Set(calls.map(({ host }) => host))).toEqual(new Set([A]))
    await web.close()
  })

  it.each([
    ['a private one among them', [A, '10.0.0.1']],
    ['a private one first', ['192.168.0.1', A]],
    ['this machine', ['127.0.0.1']],
    ['this machine, in IPv6', ['::1']],
    ['this machine, among public ones', [A, B, '127.0.0.1']],
    ['the metadata of a cloud', ['169.254.169.254']],
    ['an address inside of another', ['::ffff:10.0.0.1']],
    ['an address inside of another, of old', ['::7f00:1']],
    ['an address of a zone', ['2606:4700::1%eth0']],
    ['something that is no address', [A, 'localhost']],
    ['an empty address', ['']],
  ])('security: is not asked where its addresses have %s', async (_what, addresses) => {
    const { site, calls } = await shop()
    for (const rules of [PUBLIC, LOCAL]) {
      const web = webOf({ lookup: resolver(addresses).lookup })
      expect(await outcome(web.visit(rules).ask(get('https://shop.example/'), BOUNDS))).toBe('url_not_allowed')
    }
    expect([calls.length, site.seen.length]).toEqual([0, 0])
  })

  it('security: that is this machine by its own word alone is not, by http or https', async () => {
    const site = await siteOf((_request, response) => response.end())
    const web = webOf({ lookup: resolver(['127.0.0.1']).lookup })
    for (const url of [
      `http://shop.example:${site.port}/`,
      `https://shop.example:${site.port}/`,
      'https://shop.example/',
    ])
      expect(await outcome(web.visit(LOCAL).ask(get(url), BOUNDS))).toBe('url_not_allowed')
    expect(site.sockets).toEqual([])
  })

  it.each([
    ['fails, in words of its own', new Error('queryA ENOTFOUND shop.example at 10.0.0.53')],
    ['says nothing', []],
  ])('has no answer where the resolver %s', async (_what, answer) => {
    const { site } = await shop()
    const { lookup, asked } = resolver(answer, [A])
    const web = webOf({ lookup })
    const visit = web.visit(PUBLIC)
    const asking = visit.ask(get('https://shop.example/'), BOUNDS)
    await expect(asking).rejects.toMatchObject({ code: 'seller_unavailable' })
    await expect(asking).rejects.not.toThrow(/shop|10\.0/)
    expect(site.seen).toEqual([])
    // Nothing was asked there: the first answer is still to come.
    expect(await text(visit, 'https://shop.example/')).toBe('shop.example')
    expect(await text(visit, 'https://shop.example/')).toBe('shop.example')
    expect(asked).toHaveLength(2)
    await web.close()
  })

  it('that is an address, or this machine by name, is not looked up', async () => {
    const { calls } = await shop()
    const { lookup, asked } = resolver(['10.0.0.1'])
    const web = webOf({ lookup })
    expect(await text(web.visit(PUBLIC), `https://${A}/`)).toBe(A)
    expect(await text(web.visit(PUBLIC), 'https://[2606:4700:4700::1111]:8443/')).toBe('[2606:4700:4700::1111]:8443')
    expect(await text(web.visit(LOCAL), 'https://localhost/')).toBe('localhost')
    expect(await text(web.visit(LOCAL), 'https://api.localhost:8000/')).toBe('api.localhost:8000')
    expect(calls.map(({ host, servername }) => [host, servername])).toEqual([
      [A, null],
      ['2606:4700:4700::1111', null],
      ['127.0.0.1', 'localhost'],
      ['127.0.0.1', 'api.localhost'],
    ])
    expect(asked).toEqual([])
    await web.close()
  })

  it('security: whose certificate is for somebody else is not asked anything', async () => {
    const { site } = await shop()
    const web = webOf({ lookup: resolver([A]).lookup })
    expect(await outcome(web.visit(PUBLIC).ask(get('https://evil.example/'), BOUNDS))).toBe('seller_unavailable')
    expect(site.seen).toEqual([])
    await web.close()
  })

  it('security: whose certificate nobody trusts is not asked anything, whatever the environment says', async () => {
    const site = await siteOf((_request, response) => response.end(), true)
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      const web = webOf()
      expect(await outcome(web.visit(LOCAL).ask(get(`https://localhost:${site.port}/`), BOUNDS))).toBe(
        'seller_unavailable',
      )
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
    expect(site.seen).toEqual([])
  })
})

describe('a resolver that gives no answer', () => {
  /** Whoever asks for `slow.example` waits until the test lets go. */
  function slow() {
    const waiting: (() => void)[] = []
    const lookup: Lookup = async (name) => {
      if (name.startsWith('slow')) await new Promise<void>((resolve) => waiting.push(resolve))
      return [{ address: A }]
    }
    return { lookup, waiting }
  }

  it('ends a request in its time', async () => {
    const web = webOf({ lookup: slow().lookup })
    expect(await outcome(web.visit(PUBLIC).ask(get('https://slow.example/'), SOON))).toBe('seller_unavailable')
  })

  it('holds two threads at most, and nobody longer than their time', async () => {
    const { calls } = await shop()
    const { lookup, waiting } = slow()
    const web = webOf({ lookup })
    const ask = (url: string, bounds = SOON) => outcome(web.visit(LOCAL).ask(get(url), bounds))
    const many = Array.from({ length: 200 }, (_, at) => ask(`https://slow${at}.example/`))
    // Those that need no resolver go on.
    expect(await ask(`https://${A}/`, BOUNDS)).toBe(200)
    expect(new Set(await Promise.all(many))).toEqual(new Set(['seller_unavailable']))
    expect(waiting).toHaveLength(2)
    const next = ask('https://shop.example/', BOUNDS)
    for (const resolve of waiting) resolve()
    expect(await next).toBe(200)
    // Names that nobody waits for any more are not looked up.
    expect(waiting).toHaveLength(2)
    expect(calls).toHaveLength(2)
    await web.close()
  })

  it('security: that answers after all is the answer for the visit, and nothing is sent by then', async () => {
    const { site } = await shop()
    const addresses = ['93.184.216.34', '10.0.0.1']
    let answer = () => {}
    const web = webOf({
      lookup: async () => {
        await new Promise<void>((resolve) => {
          answer = resolve
        })
        return [{ address: addresses.shift() as string }]
      },
    })
    const visit = web.visit(PUBLIC)
    expect(await outcome(visit.ask(get('https://shop.example/late'), SOON))).toBe('seller_unavailable')
    answer()
    expect(await outcome(visit.ask(get('https://shop.example/again'), BOUNDS))).toBe(200)
    expect(site.seen.map(({ url }) => url)).toEqual(['/again'])
    await web.close()
  })
})
