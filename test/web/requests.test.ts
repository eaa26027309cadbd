import { json } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { webOf } from '../../src/web/web.ts'
import { BOUNDS, get, LOCAL, siteOf, text } from './site.ts'

describe('a request', () => {
  it('says who asks and what is taken, and what its caller says', async () => {
    const site = await siteOf(async (request, response) => {
      const body = request.method === 'POST' ? await json(request) : null
      response.end(JSON.stringify({ raw: request.rawHeaders, body, method: request.method }))
    })
    const web = webOf()
    const headers = { 'content-type': 'application/json', 'payment-signature': 'a'.repeat(2_000) }
    const posted = await text(web.visit(LOCAL), site.url, { method: 'POST', headers, body: '{"a":"€"}' })
    expect(JSON.parse(posted)).toEqual({
      method: 'POST',
      body: { a: '€' },
      raw: [
        ...['host', `127.0.0.1:${site.port}`, 'connection', 'keep-alive', 'user-agent', 'bursar'],
        ...['accept-encoding', 'gzip, deflate, br', 'content-type', 'application/json'],
        ...['payment-signature', 'a'.repeat(2_000), 'content-length', '11'],
      ],
    })
    expect(JSON.parse(await text(web.visit(LOCAL), site.url))).toEqual({
      method: 'GET',
      body: null,
      raw: [
        ...['host', `127.0.0.1:${site.port}`, 'connection', 'keep-alive', 'user-agent', 'bursar'],
        ...['accept-encoding', 'gzip, deflate, br'],
      ],
    })
    await web.close()
  })

  it.each([
    ...[
      'host',
      'content-length',
      'transfer-encoding',
      'connection',
      'accept-encoding',
      'keep-alive',
      'upgrade',
      'expect',
      'te',
    ],
    ...['trailer', 'Host', 'CONNECTION', 'X-Upper', '', 'a b', 'a:b', 'a\r\nb', 'é', 'host '],
  ])('security: has no header "%s" of its caller', async (name) => {
    const site = await siteOf((_request, response) => response.end())
    const asked = webOf()
      .visit(LOCAL)
      .ask(get(site.url, { headers: { [name]: '1' } }), BOUNDS)
    await expect(asked).rejects.toThrow(RangeError)
    expect(site.sockets).toEqual([])
  })

  it.each(['a\r\nhost: b', 'a\nb', 'a\rb', '\0', '\x7f', '€', 'a\u0100'])(
    'security: has no header with %j in it',
    async (value) => {
      const site = await siteOf((_request, response) => response.end())
      const asked = webOf()
        .visit(LOCAL)
        .ask(get(site.url, { headers: { 'x-a': value } }), BOUNDS)
      await expect(asked).rejects.toThrow(RangeError)
      expect(site.sockets).toEqual([])
    },
  )

  it.each(['CONNECT', 'TRACE', 'get', '', 'GET / HTTP/1.1\r\nx: ', 'PURGE'])(
    'security: has no method %j',
    async (method) => {
      const site = await siteOf((_request, response) => response.end())
      const asked = webOf().visit(LOCAL).ask(get(site.url, { method }), BOUNDS)
      await expect(asked).rejects.toThrow(RangeError)
      expect(site.sockets).toEqual([])
    },
  )
})
