import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { revokeAgent } from '../../src/actions/owner/agents.ts'
import { addCredential, revokeCredential } from '../../src/actions/owner/credentials.ts'
import { addOwner } from '../../src/actions/owner/owners.ts'
import type { Caller } from '../../src/actions/wire.ts'
import type { Sessions } from '../../src/http/auth/authenticator.ts'
import { basic, makeSite, type Site, type SiteOptions } from '../support/http.ts'

const ME = '/api/v1/agent-payments/me'
type Json = Record<string, unknown>

/** A server with a route that says who asks. */
function site(options: SiteOptions & { readonly sessions?: Sessions } = {}): Promise<Site> {
  return makeSite({
    ...options,
    app: (deps) => ({
      rest: (_deps, authenticate) => {
        const app = new Hono()
        app.all('/me', async (c) => c.json({ ...(await authenticate(c.req.raw)), authority: undefined }))
        return app
      },
      ...(options.sessions && { console: { routes: new Hono(), sessions: options.sessions } }),
      ...options.app?.(deps),
    }),
  })
}

async function tried({ ask }: Site, headers: Record<string, string>): Promise<{ status: number; body: Json }> {
  const response = await ask(ME, { headers })
  return { status: response.status, body: (await response.json()) as Json }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('security: an agent over HTTP', () => {
  it('is who its key says, in a session that the server names', async () => {
    const one = await site()
    const { caller, ...me } = (await tried(one, bearer(one.key))).body
    expect(me).toEqual({
      ...{ role: 'agent', id: one.agentId, actors: [], expiresAt: null },
      scopes: ['bursar:read', 'bursar:request', 'bursar:pay'],
    })
    const { credentialId } = caller as { credentialId: string }
    expect(caller).toEqual({ agentId: one.agentId, credentialId, sessionId: `${credentialId}:2026-03-10` })
  })

  it('has no second session by what it minted, nor more scopes, nor a longer life', async () => {
    const one = await site()
    const { caller } = (await tried(one, bearer(one.key))).body as { caller: Caller }
    const minted = await mintCredential(one.deps.bursar, caller, { scopes: ['bursar:read'], expires_in: '1h' })
    const { body } = await tried(one, bearer(minted.key))
    expect(body).toMatchObject({
      id: one.agentId,
      caller: { credentialId: minted.credential_id, sessionId: caller.sessionId },
      scopes: ['bursar:read'],
      expiresAt: one.purse.time.now + 3_600_000,
    })
    one.purse.time.now += 3_600_000
    expect((await tried(one, bearer(minted.key))).status).toBe(401)
    expect((await tried(one, bearer(one.key))).status).toBe(200)
  })

  it('is nobody with anything else', async () => {
    const one = await site()
    const { key } = one
    const other = await addCredential(one.deps.bursar, one.purse.authority, one.agentId, {})
    const tries: Record<string, string>[] = [
      {},
      bearer(''),
      bearer(`${key}x`),
      bearer(key.slice(0, -1)),
      bearer(key.toUpperCase()),
      bearer('bak_'),
      bearer(key.replace('bak_', '')),
      { authorization: key },
      { authorization: `bearer  ${key} ${key}` },
      { authorization: `DPoP ${key}` },
      { authorization: `Digest ${key}` },
      { 'x-agent-role': 'agent', 'x-actor-id': one.agentId },
      { cookie: `bursar=${key}` },
    ]
    for (const headers of tries)
      expect([headers, (await tried(one, headers)).body]).toEqual([headers, expect.objectContaining({ status: 401 })])
    expect((await one.ask(`${ME}?access_token=${key}`, { headers: {} })).status).toBe(401)
    await revokeCredential(one.deps.bursar, one.purse.authority, other.credential_id)
    expect((await tried(one, bearer(other.key as string))).status).toBe(401)
    await revokeAgent(one.deps.bursar, one.purse.authority, one.agentId)
    expect((await tried(one, bearer(key))).status).toBe(401)
  })

  it('is told how to come back, and by whose tokens', async () => {
    const one = await site()
    const response = await one.ask(ME, { headers: {} })
    const metadata = `${one.origin}/.well-known/oauth-protected-resource/mcp`
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer resource_metadata="${metadata}", scope="bursar:read bursar:request bursar:pay"`,
    )
    const document = async () => (await fetch(metadata)).json()
    expect(await document()).toMatchObject({
      resource: `${one.origin}/mcp`,
      scopes_supported: ['bursar:read', 'bursar:request', 'bursar:pay'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
    })
    const token = { issuer: 'https://id.example', subject: 's', audience: 'a', jwks_uri: 'https://id.example/jwks' }
    await addCredential(one.deps.bursar, one.purse.authority, one.agentId, { token })
    expect(await document()).toMatchObject({ authorization_servers: ['https://id.example'] })
  })

  it('may say who it is, where that agrees', async () => {
    const one = await site()
    const agent = bearer(one.key)
    const said = async (headers: Record<string, string>) => (await tried(one, headers)).status
    expect(await said({ ...agent, 'x-agent-role': 'agent', 'x-actor-id': one.agentId })).toBe(200)
    expect(await said({ ...agent, 'x-agent-role': 'human' })).toBe(403)
    expect(await said({ ...agent, 'x-actor-id': one.purse.authority.ownerId })).toBe(403)
    expect(await said({ ...basic(), 'x-agent-role': 'human', 'x-actor-id': one.purse.authority.ownerId })).toBe(200)
    expect(await said({ ...basic(), 'x-agent-role': 'agent' })).toBe(403)
  })

  it('who guesses keys is slowed down, and whoever has one is not', async () => {
    const one = await site({ app: () => ({ limits: { failuresPerMinute: 3 } }) })
    const statuses = []
    for (let at = 0; at < 5; at += 1) statuses.push((await tried(one, bearer(`bak_${'x'.repeat(40)}${at}`))).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect((await tried(one, bearer(one.key))).status).toBe(200)
  })
})

describe('security: the owner over HTTP', () => {
  it('is known by name or id and passphrase, and is asked for it slowly only once', async () => {
    const one = await site()
    const { ownerId } = one.purse.authority
    expect((await tried(one, basic())).body).toEqual({ role: 'human', id: ownerId, channel: 'http' })
    expect((await tried(one, basic(ownerId))).status).toBe(200)
    for (const headers of [basic('nobody'), basic(''), basic('owner', ''), basic('owner', 'wrong'), basic('default')])
      expect((await tried(one, headers)).body).toMatchObject({ code: 'unauthenticated', status: 401 })
    expect((await tried(one, { authorization: 'Basic !!!' })).status).toBe(401)
  })

  it('who guesses passphrases is stopped before the next is looked at, the right one too', async () => {
    const one = await site({ app: () => ({ limits: { passphrasesPerQuarter: 3 } }) })
    const statuses = []
    for (let at = 0; at < 4; at += 1) statuses.push((await tried(one, basic('owner', `wrong ${at}`))).status)
    expect(statuses).toEqual([401, 401, 401, 429])
    expect((await tried(one, basic())).status).toBe(429)
  })

  it('with the passphrase of another owner is nobody', async () => {
    const one = await site()
    await addOwner(one.deps.bursar, one.purse.authority, 'second')
    expect((await tried(one, basic('second'))).status).toBe(401)
    expect((await tried(one, basic())).status).toBe(200)
    expect((await tried(one, basic('second'))).status).toBe(401)
  })

  it('is not asked for a passphrase that others may read on its way', async () => {
    const one = await site({ app: (deps) => ({ access: { origins: [deps.origin], behindProxy: true } }) })
    expect((await tried(one, basic())).body).toMatchObject({ status: 403, code: 'forbidden' })
    expect((await tried(one, bearer(one.key))).status).toBe(200)
  })

  it('by the cookie of the console is who its session says, and comes with no authority', async () => {
    const sessions: Sessions = {
      principal: ({ headers }) =>
        headers.get('cookie') === 'bursar=mine'
          ? { role: 'human', id: 'own_1', channel: 'console', authority: null }
          : null,
    }
    const one = await site({ sessions })
    expect((await tried(one, { cookie: 'bursar=mine' })).body).toMatchObject({ channel: 'console', id: 'own_1' })
    expect((await tried(one, { cookie: 'bursar=other' })).status).toBe(401)
    // A key beside it is what counts.
    expect((await tried(one, { cookie: 'bursar=mine', ...bearer(one.key) })).body).toMatchObject({ role: 'agent' })
    expect((await tried(one, { cookie: 'bursar=mine', ...bearer('bak_x') })).status).toBe(401)
  })
})
