import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '@hono/zod-openapi'
import { describe, expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { verifyExport } from '../../src/actions/owner/journal.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { FETCH_BODY, PAY_BODY, REQUEST_BODY } from '../../src/http/shared/bodies.ts'
import { BASE } from '../../src/http/shared/route.ts'
import { TOOLS } from '../../src/mcp/tools/index.ts'
import { systemIds } from '../../src/system.ts'
import { basic } from '../support/http.ts'
import { type Body, restSite } from './rest-site.ts'

describe('lists', () => {
  it('come in pages, newest first, each thing once', async () => {
    const { own, purse } = await restSite()
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await addAgent(purse.bursar, purse.authority, name)
    const seen: string[] = []
    let cursor = ''
    for (let pages = 0; pages < 10; pages += 1) {
      const { body } = await own('GET', `/agents?limit=3${cursor}`)
      seen.push(...body.agents.map(({ name }: Body) => name))
      if (body.next_cursor === undefined) break
      cursor = `&cursor=${body.next_cursor}`
    }
    expect(seen).toEqual([...names.toReversed(), 'shopper', 'default'])
    const wrong = [
      'limit=0',
      'limit=201',
      'limit=1e2',
      'limit=-1',
      'limit=',
      'cursor=x',
      `cursor=${systemIds.make('wallet')}`,
    ]
    for (const query of [...wrong, 'limit=1&limit=2', 'page=2', '__proto__=x', 'limit[]=1'])
      expect([query, (await own('GET', `/agents?${query}`)).body.code]).toEqual([query, 'argument_invalid'])
  })

  it('security: an agent sees what is its own, and is told of the rest what it is told of nothing', async () => {
    const { call, own, purse, key } = await restSite()
    const { bursar, authority } = purse
    const other = await addAgent(bursar, authority, 'other')
    const theirs = { authorization: `Bearer ${other.key}` }
    const bound = await createWallet(bursar, authority, {
      name: 'theirs',
      currency: 'USD',
      mode: 'sandbox',
      agentId: other.agent_id,
    })
    await fund(bursar, authority, bound.wallet_id, '50')
    const ask = { type: 'virtual_card', amount: '20.00', currency: 'USD', expires_in: '1d', purpose: 'Mine' }
    const asked = (await call('POST', '/requests', ask, theirs)).body
    const given = (await own('POST', `/requests/${asked.request_id}/approve`)).body.instrument
    const paid = await call(
      'POST',
      '/payments',
      { instrument_id: given.instrument_id, amount: '1', payee: { name: 'X' }, purpose: 'x' },
      theirs,
    )
    const minted = (await call('POST', '/credentials', {}, theirs)).body
    const ids = {
      wallets: bound.wallet_id,
      requests: asked.request_id,
      instruments: given.instrument_id,
      payments: paid.body.payment_id,
    }
    const kinds = { wallets: 'wallet', requests: 'request', instruments: 'instrument', payments: 'payment' } as const
    for (const [list, id] of Object.entries(ids) as [keyof typeof ids, string][]) {
      expect([list, (await call('GET', `/${list}/${id}`, undefined, theirs)).status]).toEqual([list, 200])
      expect([list, (await own('GET', `/${list}/${id}`)).status]).toEqual([list, 200])
      const hidden = await call('GET', `/${list}/${id}`)
      for (const none of [systemIds.make(kinds[list]), 'x', `${id}x`, encodeURIComponent("' OR 1=1 --")])
        expect((await call('GET', `/${list}/${none}`)).body).toEqual(hidden.body)
      expect([hidden.status, hidden.body.code]).toEqual([404, 'not_found'])
      for (const query of ['', `?agent_id=${other.agent_id}`, `?wallet_id=${bound.wallet_id}`].slice(
        0,
        list === 'wallets' ? 1 : 3,
      )) {
        const { body } = await call('GET', `/${list}${query}`)
        expect(JSON.stringify(body)).not.toContain(id)
      }
    }
    const bearer = { authorization: `Bearer ${key}` }
    for (const path of [
      `/requests/${asked.request_id}/cancel`,
      `/payments/${paid.body.payment_id}/cancel`,
      `/instruments/${given.instrument_id}/return`,
      `/credentials/${minted.credential_id}/revoke`,
    ])
      expect([path, (await call('POST', path, {}, bearer)).body.code]).toEqual([path, 'not_found'])
    const spent = await call('POST', '/payments', {
      instrument_id: given.instrument_id,
      amount: '1',
      payee: { name: 'X' },
      purpose: 'x',
    })
    expect([spent.status, spent.body.code]).toEqual([404, 'not_found'])
    // An id of another kind is not there, either: nothing is done by the wrong route.
    expect((await call('POST', `/requests/${given.instrument_id}/cancel`, {}, theirs)).status).toBe(404)
    expect((await own('POST', `/requests/${paid.body.payment_id}/approve`)).status).toBe(404)
    expect((await own('GET', '/wallets/theirs')).status).toBe(404)
  })
})

describe('reading', () => {
  it('of one thing has an ETag, and nothing else is kept by anyone', async () => {
    const site = await restSite()
    const { own } = site
    const [{ wallet_id }] = (await own('GET', '/wallets')).body.wallets
    for (const path of [`/wallets/${wallet_id}`, '/openapi.json', '/docs']) {
      const first = await own('GET', path)
      const etag = first.headers.get('etag') as string
      expect(etag).toMatch(/^"[\w-]{43}"$/)
      expect(first.headers.get('cache-control')).toBe('private, no-cache')
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const again = await own('GET', path, undefined, { 'if-none-match': known })
        expect([path, again.status, again.body, again.headers.get('etag')]).toEqual([path, 304, '', etag])
      }
      expect((await own('GET', path, undefined, { 'if-none-match': '"x"' })).status).toBe(200)
      const head = await fetch(`${site.origin}${BASE}${path}`, { method: 'HEAD', headers: basic() })
      expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag])
    }
    const before = (await own('GET', `/wallets/${wallet_id}`)).headers.get('etag')
    const changed = await own('POST', `/wallets/${wallet_id}/fund`, { amount: '1' })
    expect((await own('GET', `/wallets/${wallet_id}`)).headers.get('etag')).not.toBe(before)
    for (const { headers } of [
      changed,
      await own('GET', '/wallets'),
      await own('GET', '/journal/export'),
      await own('GET', '/wallets/x'),
    ])
      expect([headers.get('cache-control'), headers.get('etag')]).toEqual(['no-store', null])
  })

  it('of the journal goes on where it ended, and its export verifies while others write', async () => {
    const site = await restSite()
    const { own, purse } = site
    const events: Body[] = []
    for (let from: number | undefined = 0; from !== undefined; ) {
      const { body }: Body = await own('GET', `/journal/events?journal=${purse.walletId}&from=${from}&limit=4`)
      events.push(...body.events)
      from = body.next_from
    }
    expect(events.map(({ event }) => event.seq)).toEqual(events.map((_, i) => i))
    const { body: checkpoint } = await own('GET', `/journal/checkpoint?journal=${purse.walletId}`)
    expect([checkpoint.size, checkpoint.vkey]).toEqual([events.length, site.deps.noteKey.vkey])
    expect((await own('GET', '/journal/checkpoint?journal=wal_x')).status).toBe(404)
    expect((await own('GET', '/journal/events')).body.journal).toBe('instance')

    // So much that it takes several turns: in events, and in texts.
    const words = (i: number) => `${i} ${'x'.repeat(490)}`
    const nothing = { instrument_id: 'inst_none', amount: '1', payee: {} }
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => pay(purse.bursar, purse.caller, { ...nothing, purpose: words(i) })),
    )
    const reader = (await fetch(`${site.origin}${BASE}/journal/export`, { headers: basic() })).body!.getReader()
    const chunks: Uint8Array[] = []
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      chunks.push(value)
      // What is written meanwhile is seen by all others at once.
      await fund(purse.bursar, purse.authority, purse.walletId, '1')
      const { body } = await own('GET', `/wallets/${purse.walletId}`)
      expect(body.available_amount).toBe(`${1000 + chunks.length}.00`)
    }
    expect(chunks.length).toBeGreaterThan(3)
    // Nor is what others read as of when a walk through the texts began.
    const { read } = purse.bursar.store
    const texts = read.texts()[Symbol.asyncIterator]()
    await texts.next()
    await fund(purse.bursar, purse.authority, purse.walletId, '5000')
    expect((await read.one('accounts', { walletId: purse.walletId }))?.available).toBeGreaterThan(500_000n)
    await texts.return?.()
    const path = join(purse.folder, 'export.jsonl')
    writeFileSync(path, Buffer.concat(chunks))
    expect(await verifyExport(path, checkpoint.vkey)).toMatchObject({ ok: true, problems: [] })
  })
})

it('takes of agents what the tools of MCP take', () => {
  const plainly = (schema: z.ZodType) =>
    JSON.parse(
      JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), (key, value) =>
        key === 'description' ? undefined : value,
      ),
    )
  const bodies = { request_instrument: REQUEST_BODY, pay_with_instrument: PAY_BODY, fetch_with_payment: FETCH_BODY }
  for (const [name, body] of Object.entries(bodies))
    expect(plainly(body)).toEqual(plainly(TOOLS.find((tool) => tool.name === name)!.input))
})
