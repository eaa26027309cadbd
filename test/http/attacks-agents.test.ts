import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addCredential } from '../../src/actions/owner/credentials.ts'
import { restRoutes } from '../../src/http/rest.ts'
import { makeSite } from '../support/http.ts'
import { CARD } from '../support/purse.ts'
import { connect } from './clients.ts'
import { type Issuer, startIssuer } from './issuer.ts'

const DAY_MS = 24 * 60 * 60 * 1000

describe('security: a session of MCP that is kept open', () => {
  it.each(['old', 'sse'] as const)(
    'is of the day on which it is used, and has no other budget left (%s)',
    async (kind) => {
      const site = await makeSite()
      const host = await connect(site.origin, kind, site.key)
      await host.call('pay_with_instrument', {
        instrument_id: 'inst_1',
        amount: '1.00',
        payee: { name: 'x' },
        purpose: 'a',
      })
      site.purse.time.now += DAY_MS
      await host.call('pay_with_instrument', {
        instrument_id: 'inst_1',
        amount: '1.00',
        payee: { name: 'x' },
        purpose: 'b',
      })
      const sessions = (await site.deps.bursar.store.read.list('payments', { agentId: site.agentId })).map((one) =>
        one.sessionId.slice(-10),
      )
      expect(sessions.toSorted()).toEqual(['2026-03-10', '2026-03-11'])
    },
  )
})

describe('security: the answers that are kept for an agent', () => {
  let issuer: Issuer
  beforeAll(async () => {
    issuer = await startIssuer()
  })
  afterAll(() => issuer.close())

  it('are not given to a token that says less', async () => {
    const site = await makeSite({ now: Date.now(), app: () => ({ rest: restRoutes }) })
    const token = { issuer: issuer.url, subject: 'agent', audience: 'bursar', jwks_uri: issuer.jwksUri }
    await addCredential(site.deps.bursar, site.purse.authority, site.agentId, { token })
    const mint = async (scope: string) => {
      const response = await site.ask('/api/v1/agent-payments/credentials', {
        method: 'POST',
        headers: { authorization: `Bearer ${await issuer.token({ scope })}`, 'idempotency-key': 'mint-1' },
      })
      return (await response.json()) as { key: string; scopes: string[] }
    }
    const wide = await mint('bursar:read bursar:request bursar:pay')
    const narrow = await mint('bursar:read')
    expect(wide.scopes).toHaveLength(3)
    expect(narrow.scopes).toEqual(['bursar:read'])
    expect(narrow.key).not.toBe(wide.key)
  })
})

describe('security: an agent that asks and takes back', () => {
  it('does not have its owner told again and again', async () => {
    const site = await makeSite({ app: () => ({ rest: restRoutes }) })
    let asked = 0
    for (let turn = 0; turn < 60; turn++) {
      const response = await site.ask('/api/v1/agent-payments/requests', {
        method: 'POST',
        headers: { authorization: `Bearer ${site.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...CARD, amount: `${turn + 1}.00` }),
      })
      if (response.status !== 202) break
      asked += 1
      const { request_id } = (await response.json()) as { request_id: string }
      await site.ask(`/api/v1/agent-payments/requests/${request_id}/cancel`, { method: 'POST' })
    }
    expect(asked).toBe(10)
    site.purse.time.now += 60 * 60 * 1000
    const later = await site.ask('/api/v1/agent-payments/requests', {
      method: 'POST',
      headers: { authorization: `Bearer ${site.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...CARD, amount: '99.00' }),
    })
    expect(later.status).toBe(202)
  })
})
