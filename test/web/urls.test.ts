import { describe, expect, it } from 'vitest'
import type { WebRules } from '../../src/ports/web.ts'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, get, internet, LOCAL, outcome, PUBLIC, siteOf } from './site.ts'

const LONG = 'a'.repeat(1_960)

/** What a URL comes to where every name has a public address, and nothing answers: whatever goes out is a failure. */
async function refusal(rules: WebRules, url: string): Promise<{ code: string; message: string; sent: number }> {
  const site = await siteOf((_request, response) => response.end())
  const calls = internet(site.port)
  const asked = webOf({ lookup: async () => [{ address: '93.184.216.34' }] })
    .visit(rules)
    .ask(get(url), BOUNDS)
  const { code, message } = await asked.then(
    () => ({ code: 'answered', message: '' }),
    (error) => error,
  )
  return { code, message, sent: calls.length }
}

/** Spellings of this machine, and of addresses next to it, that a parser may read in another way than a resolver. */
const THIS_MACHINE = [
  ...['127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f.1', '0x7f000001', '0X7F.0.0.1'],
  ...[
    '0177.0.0.1',
    '0177.1',
    '017700000001',
    '127.0.0.1.',
    '①②⑦.⓪.⓪.①',
    '１２７.０.０.１',
    '127。0。0。1',
    '%31%32%37.0.0.1',
  ],
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000::0001]', 'localhost', 'LocalHost', 'ｌｏｃａｌｈｏｓｔ', 'l%6fcalhost'],
  ...['a.localhost', 'shop.example.localhost', '127.0.0.1:443', 'localhost:8443', '%6c%6f%63%61%6c%68%6f%73%74'],
]

const NOT_PUBLIC = [
  ...[
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
  ],
  ...['0.0.0.0', '0', '255.255.255.255', '224.0.0.1', '198.18.0.1', '192.0.0.192'],
  ...[
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:8.8.8.8]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[64:ff9b::7f00:1]',
  ],
  ...[
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[fec0::1]',
    '[ff02::1]',
    '[2001::1]',
    '[5f00::1]',
  ],
]

describe('a URL', () => {
  it.each([
    ...[
      'http://shop.example/',
      'http://shop.example:443/',
      'HTTP://shop.example/',
      'ftp://shop.example/',
      'ws://shop.example/',
    ],
    ...[
      'wss://shop.example/',
      'file:///etc/passwd',
      'data:text/plain,x',
      'javascript:alert(1)',
      'blob:https://shop.example/1',
    ],
    ...['about:blank', 'https+unix://shop.example/', 'view-source:https://shop.example/', 'http://93.184.216.34/'],
    ...['ftp://127.0.0.1/', 'ws://localhost/', 'wss://localhost/', 'ftp://[::1]:443/', 'gopher://127.0.0.1/'],
  ])('security: is https: %s', async (url) => {
    expect(await refusal(PUBLIC, url)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
    expect(await refusal(LOCAL, url)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
  })

  it.each([
    ...[
      '',
      ' ',
      'shop.example',
      '//shop.example/',
      '/path',
      '?',
      'https://',
      'https:///',
      'https://?',
      'https://1.2.3.4.5/',
    ],
    ...[
      'https://256.1.1.1/',
      'https://[fe80::1%25eth0]/',
      'https://[::1/',
      'https://a b/',
      'https://shop.example:99999/',
    ],
    ...['https://shop%00.example/', 'https://0x.0x.0x.0x.0x/', 'https://sh\u00adop^.example/', '\u0000https:'],
  ])('is absolute and well formed: "%s"', async (url) => {
    expect(await refusal(PUBLIC, url)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
  })

  it.each([
    'https://me@shop.example/',
    'https://me:secret@shop.example/',
    'https://:secret@shop.example/',
    'https:\\\\me@shop.example',
  ])('security: holds no user and no password: %s', async (url) =>
    expect(await refusal(PUBLIC, url)).toMatchObject({ code: 'url_not_allowed', sent: 0 }),
  )

  it.each(['0', '1', '22', '25', '80', '444', '3000', '6379', '8080', '8444', '65535'])(
    'security: does not go to port %s',
    async (port) => {
      expect(await refusal(PUBLIC, `https://shop.example:${port}/`)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
      expect(await refusal(LOCAL, `https://shop.example:${port}/`)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
    },
  )

  it.each(['a",b.example', 'a(b).localhost', 'a!b.example', '$.example', "a'b.example", 'a,b.localhost'])(
    'security: has no host with what is part of no name: %s',
    async (host) => {
      expect(await refusal(LOCAL, `https://${host}/`)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
    },
  )

  it.each(['shop.example.', 'localhost.', 'a.localhost.', 'shop.example..', 'xn--4ca.example.'])(
    'security: has no host with a dot at its end: %s',
    async (host) => {
      expect(await refusal(LOCAL, `https://${host}/`)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
    },
  )

  it.each(THIS_MACHINE)('security: does not lead to this machine: %s', async (host) => {
    for (const scheme of ['https', 'http'])
      expect(await refusal(PUBLIC, `${scheme}://${host}/`)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
  })

  it.each(NOT_PUBLIC)(
    'security: does not lead to an address that is not public, also where this machine may be asked: %s',
    async (host) => {
      for (const rules of [PUBLIC, LOCAL])
        for (const scheme of ['https', 'http'])
          expect(await refusal(rules, `${scheme}://${host}/`)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
    },
  )

  it.each([
    ['as it is given', `https://shop.example/${LONG}${'a'.repeat(40)}`],
    ['as it is sent', `https://shop.example/${'é'.repeat(400)}`],
    ['as it is given, and short as it is sent', `https://shop.example/${'./'.repeat(1_000)}`],
    ['of many megabytes', `https://shop.example/${'a'.repeat(10_000_000)}`],
  ])('is at most 2,000 characters long, %s', async (_what, url) => {
    expect(await refusal(PUBLIC, url)).toMatchObject({ code: 'url_not_allowed', sent: 0 })
  })

  it('that is refused shows nothing of itself in the message', async () => {
    const secret = 'https://s3cret:s3cret@s3cret.example:1234/s3cret?s3cret#s3cret'
    const all = [
      secret,
      'http://s3cret/',
      's3cret',
      'https://s3cret./',
      'https://s3cret:1/',
      `https://127.0.0.1/s3cret`,
    ]
    for (const url of all) {
      const { code, message } = await refusal(PUBLIC, url)
      expect(code).toBe('url_not_allowed')
      expect(message).not.toMatch(/s3cret|1234|127/)
    }
  })
})

describe('a URL that may be asked', () => {
  it.each([
    ['https://shop.example', 'https://shop.example/', '/', 'shop.example'],
    ['HTTPS://SHOP.example:443/a/../b?c=d#e', 'https://shop.example/b?c=d', '/b?c=d', 'shop.example'],
    ['https://shop.example:8443/a?#', 'https://shop.example:8443/a?', '/a', 'shop.example:8443'],
    ['https:\\\\shop.example\\a', 'https://shop.example/a', '/a', 'shop.example'],
    [
      'https://shop.example//other.example/',
      'https://shop.example//other.example/',
      '//other.example/',
      'shop.example',
    ],
    ['https://shop.example/é', 'https://shop.example/%C3%A9', '/%C3%A9', 'shop.example'],
    ['https://93.184.216.34/', 'https://93.184.216.34/', '/', '93.184.216.34'],
    ['https://0x5db8d822/', 'https://93.184.216.34/', '/', '93.184.216.34'],
    [`https://shop.example/${LONG}`, `https://shop.example/${LONG}`, `/${LONG}`, 'shop.example'],
  ])('goes out in one spelling: %s', async (url, asked, path, host) => {
    const site = await siteOf((_request, response) => response.end('here'), true)
    const calls = internet(site.port)
    const web = webOf({ lookup: async () => [{ address: '93.184.216.34' }] })
    const response = await web.visit(PUBLIC).ask(get(url), BOUNDS)
    expect(response).toMatchObject({ url: asked, origin: new URL(asked).origin, status: 200 })
    expect(site.seen.map((seen) => [seen.url, seen.headers.host])).toEqual([[path, host]])
    expect(calls.map((call) => call.host)).toEqual(['93.184.216.34'])
    await web.close()
  })

  it.each(['127.0.0.1', '127.1', '0x7f.1', '2130706433', 'localhost', 'LOCALHOST', 'a.b.localhost'])(
    'is on this machine where the owner said so, at any port and by http: %s',
    async (host) => {
      const site = await siteOf((_request, response) => response.end('here'))
      const web = webOf({ lookup: () => Promise.reject(new Error('It is not looked up.')) })
      expect(await outcome(web.visit(LOCAL).ask(get(`http://${host}:${site.port}/`), BOUNDS))).toBe(200)
      await web.close()
    },
  )
})
