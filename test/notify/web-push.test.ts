import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { configOf } from '../../src/config.ts'
import { addChannel, channelFrom, liveChannels, pushDesk } from '../../src/main/channels.ts'
import { channelOf, pushKeys } from '../../src/notify/index.ts'
import { temporaryFolder } from '../support/purse.ts'
import { browser } from './push-browser.ts'
import { NOTICE, type Received, receiver } from './receiver.ts'

/** The claims of a VAPID header (RFC 8292), once its signature by this key is found right. */
async function vapid({ headers }: Received, publicKey: string) {
  const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(String(headers.authorization)) ?? []
  expect(key).toBe(publicKey)
  const point = Buffer.from(publicKey, 'base64url')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'))
  const jwk = { kty: 'EC', crv: 'P-256', x: x as string, y: y as string, alg: 'ES256' }
  return (await jwtVerify(token, createLocalJWKSet({ keys: [jwk] }))).payload
}

async function channelTo(...to: ReturnType<typeof browser>['subscription'][]) {
  const keys = await pushKeys()
  const forgotten: string[] = []
  const channel = channelOf(
    { kind: 'webpush', name: 'push', subject: 'mailto:owner@example.com', ...keys, subscriptions: to },
    (endpoint) => forgotten.push(endpoint),
  )
  return { channel, forgotten, publicKey: keys.public_key }
}

/** The push service of these tests is on this machine. */
const isLocal = (endpoint: string) => endpoint.startsWith('http://127.0.0.1:')

const soon = () => AbortSignal.timeout(10_000)

describe('web push', () => {
  it('is sealed for each browser, under bursar’s own key', async () => {
    const service = await receiver()
    const [one, two] = [browser(service, 'one'), browser(service, 'two')]
    const { channel, publicKey } = await channelTo(one.subscription, two.subscription)
    await channel.send(NOTICE, soon())
    const { id, kind, at, title, facts, link, checkpoint } = NOTICE
    const [first, second] = service.got as [Received, Received]
    expect(one.read(first)).toEqual({ id, kind, at, title, facts, link, checkpoint })
    expect(two.read(second)).toMatchObject({ id })
    expect(() => two.read(first)).toThrow()
    expect(first.body.includes('60.00')).toBe(false)
    expect(await vapid(first, publicKey)).toMatchObject({ aud: service.url, sub: 'mailto:owner@example.com' })
    expect([first.headers['content-encoding'], first.headers.ttl]).toEqual(['aes128gcm', '86400'])
  })

  it('is cut to what push services take', async () => {
    const service = await receiver()
    const one = browser(service, 'one')
    const { channel } = await channelTo(one.subscription)
    await channel.send(
      { ...NOTICE, facts: Array.from({ length: 60 }, (_, i) => [`Fact ${i}`, 'ü'.repeat(60)]) },
      soon(),
    )
    expect(service.got[0]!.body.length).toBeLessThan(4_096)
    expect(one.read(service.got[0]!)).toMatchObject({ id: NOTICE.id, link: NOTICE.link })
  })

  it('is sent again only to the browser that did not get it, and never to one that is gone', async () => {
    const service = await receiver()
    const all = ['one', 'two', 'gone'].map((path) => browser(service, path).subscription)
    const { channel, forgotten } = await channelTo(...all)
    let first = true
    service.answer = (response, { url }) => {
      response.writeHead(url === '/gone' ? 410 : url === '/two' && first ? 503 : 201).end()
      if (url === '/two') first = false
    }
    await expect(channel.send(NOTICE, soon())).rejects.toThrow('1 of 3 browsers.')
    await channel.send(NOTICE, soon())
    expect(service.got.map(({ url }) => url)).toEqual(['/one', '/two', '/gone', '/two'])
    expect(forgotten).toEqual([all[2]!.endpoint])
  })
})

describe('the browsers that the console brings', () => {
  it('are kept with the channel, once each, and dropped when they are gone', async () => {
    const { home } = configOf({ BURSAR_HOME: temporaryFolder() })
    addChannel(home, await channelFrom({ kind: 'webpush', name: 'push', subject: 'mailto:owner@example.com' }))
    const service = await receiver()
    const desk = pushDesk(home, isLocal)
    const live = liveChannels(home, (error) => expect.unreachable(String(error)))
    const [{ name, publicKey }] = desk.channels() as unknown as [{ name: string; publicKey: string }]
    const [one, two] = [browser(service, 'one'), browser(service, 'two')]
    for (const { subscription } of [one, one, two]) desk.subscribe(name, subscription)
    await live()[0]!.send(NOTICE, soon())
    expect(service.got.map(({ url }) => url)).toEqual(['/one', '/two'])
    expect(await vapid(service.got[0]!, publicKey)).toBeDefined()
    service.answer = 410
    await live()[0]!.send({ ...NOTICE, id: `ntc_${'b'.repeat(32)}` }, soon())
    service.answer = 201
    desk.subscribe(name, two.subscription)
    await live()[0]!.send({ ...NOTICE, id: `ntc_${'c'.repeat(32)}` }, soon())
    expect(service.got.map(({ url }) => url).slice(4)).toEqual(['/two'])
  })

  it.each<[string, (good: object & { keys: object }) => unknown]>([
    ['nothing', () => null],
    ['plain http elsewhere', (good) => ({ ...good, endpoint: 'http://push.example/x' })],
    ['no key', (good) => ({ ...good, keys: { ...good.keys, p256dh: 'AAAA' } })],
    ['no secret', (good) => ({ ...good, keys: { ...good.keys, auth: 'AAAA' } })],
    ['something else', (good) => ({ ...good, more: 1 })],
  ])('security: with %s are none', async (_what, bad) => {
    const { home } = configOf({ BURSAR_HOME: temporaryFolder() })
    addChannel(home, await channelFrom({ kind: 'webpush', name: 'push', subject: 'mailto:owner@example.com' }))
    const { subscription } = browser(await receiver(), 'one')
    const desk = pushDesk(home, isLocal)
    expect(() => desk.subscribe('push', bad(subscription))).toThrow('That is no subscription of a browser.')
    expect(() => desk.subscribe('other', subscription)).toThrow('There is no such channel of web push.')
    expect(desk.channels()).toMatchObject([{ endpoints: [] }])
  })

  it('security: are at most twenty, and none is pushed out; what could not be read again is not written', async () => {
    const { home } = configOf({ BURSAR_HOME: temporaryFolder() })
    for (const name of ['one', 'two', 'three', 'four'])
      addChannel(home, await channelFrom({ kind: 'webpush', name, subject: 'mailto:owner@example.com' }))
    const desk = pushDesk(home)
    const { keys } = browser({ url: 'https://push.example' }, '').subscription
    const told = (name: string, i: number) =>
      desk.subscribe(name, { endpoint: `https://push.example/${i}`.padEnd(1_900, 'x'), keys })
    const all = Array.from({ length: 20 }, (_, i) => i)
    for (const i of all) told('one', i)
    expect(() => told('one', 20)).toThrow('There are at most 20 browsers.')
    told('one', 3)
    expect(desk.channels()[0]!.endpoints).toHaveLength(20)
    const fill = () => {
      for (const name of ['two', 'three', 'four']) for (const i of all) told(name, i)
    }
    expect(fill).toThrow('There is no room for another')
    expect(desk.channels().map(({ endpoints }) => endpoints.length)).toEqual([20, 20, 20, expect.any(Number)])
  })

  it.each([
    ...['https://127.0.0.1/x', 'https://[::1]/x', 'https://10.0.0.1/x', 'https://0x7f000001/x', 'https://localhost/x'],
    ...['https://localhost./x', 'https://bursar.localhost/x', 'https://intranet/x', 'https://printer.local/x'],
    ...['https://me:pw@push.example/x', 'http://127.0.0.1:1/x', 'http://push.example/x', 'wss://push.example/x'],
  ])('security: are not told at %s, which is no push service', async (endpoint) => {
    const { home } = configOf({ BURSAR_HOME: temporaryFolder() })
    addChannel(home, await channelFrom({ kind: 'webpush', name: 'push', subject: 'mailto:owner@example.com' }))
    const { keys } = browser({ url: 'https://push.example' }, '').subscription
    expect(() => pushDesk(home).subscribe('push', { endpoint, keys })).toThrow('That is no subscription of a browser.')
  })
})
