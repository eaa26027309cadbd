import { base64url, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { revokeCredential } from '../../src/actions/owner/credentials.ts'
import type { Caller } from '../../src/actions/wire.ts'
import { collected } from '../support/collected.ts'
import { CARD, SHOP } from '../support/purse.ts'
import { connect } from './clients.ts'
import { bearer, type Issuer, startIssuer, tried, trusting } from './issuer.ts'

const MINUTE = 60

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.close())

describe('security: an access token of a trusted issuer', () => {
  it('leaves in the journal for whom its agent acted', async () => {
    const one = await trusting(issuer)
    const act = { sub: 'planner', act: { sub: 'user-7' } }
    const host = await connect(one.origin, 'modern', await issuer.token({ act }), {
      answer: () => ({ action: 'accept', content: { decision: 'approve' } }),
    })
    const { structuredContent } = await host.call('request_instrument', CARD)
    const { instrument_id } = structuredContent!.instrument as { instrument_id: string }
    await host.call('pay_with_instrument', { instrument_id, amount: '12.00', payee: SHOP, purpose: 'x' })
    const events = (await collected(one.purse.bursar.store.read.events(one.purse.walletId))).map(({ body }) =>
      JSON.parse(body!),
    )
    const told = events.filter(({ details }) => details.actors)
    expect(told.map(({ type, details }) => [type, details.actors])).toEqual([
      ['request.created', ['planner', 'user-7']],
      ['payment.attempted', ['planner', 'user-7']],
    ])
  })

  it('is its agent, with what both say that it may, for as long as it lives, and says for whom it acts', async () => {
    const one = await trusting(issuer)
    const exp = Math.floor(Date.now() / 1000) + 200
    const act = { sub: 'planner', act: { sub: 'user‮ 7', act: { not: 'a name' } } }
    const token = await issuer.token({ exp, scope: 'bursar:read bursar:approve admin', act })
    expect((await tried(one, bearer(token))).body).toMatchObject({
      ...{ role: 'agent', id: one.agentId, scopes: ['bursar:read'], actors: ['planner', 'user 7', '?'] },
      ...{ expiresAt: exp * 1000, caller: { credentialId: one.credentialId } },
    })
    one.purse.time.now = exp * 1000 - 1
    expect((await tried(one, bearer(token))).status).toBe(200)
    one.purse.time.now = exp * 1000
    expect((await tried(one, bearer(token))).status).toBe(401)
  })

  it('is nobody where anything else is in it', async () => {
    const one = await trusting(issuer)
    const now = Math.floor(Date.now() / 1000)
    const claims: JWTPayload[] = [
      { iss: 'https://evil.example' },
      { iss: `${issuer.url}/` },
      { sub: 'other' },
      { sub: '' },
      { aud: 'elsewhere' },
      { aud: ['bursar', 'elsewhere'] },
      { aud: ['bursar'] },
      { aud: '' },
      { exp: now - 1 },
      { exp: now + 3 * 60 * MINUTE },
      { iat: now + MINUTE },
      { nbf: now + MINUTE },
      { cnf: { 'x5t#S256': 'x' } },
      ...['iss', 'sub', 'aud', 'exp', 'iat'].map((name) => ({ [name]: undefined }) as JWTPayload),
      { exp: '9999999999' as never },
    ]
    for (const claim of claims) {
      const { status, body } = await tried(one, bearer(await issuer.token(claim)))
      expect([claim, status, body.code]).toEqual([claim, 401, 'unauthenticated'])
    }
    for (const header of [{ typ: 'dpop+jwt' }, { typ: 'id+jwt' }, { typ: undefined as never }, { kid: '9' }])
      expect([header, (await tried(one, bearer(await issuer.token({}, header)))).status]).toEqual([header, 401])
    expect((await tried(one, bearer(await issuer.token({}, { typ: 'JWT' })))).status).toBe(200)
  })

  it('is nobody where the issuer did not sign it', async () => {
    const one = await trusting(issuer)
    const good = await issuer.token()
    const [head = '', body = '', signature = ''] = good.split('.')
    const other = await startIssuer()
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as JWTPayload
    const header = decodeProtectedHeader(good)
    const none = `${base64url.encode(JSON.stringify({ ...header, alg: 'none' }))}.${body}.`
    const { keys } = (await (await fetch(issuer.jwksUri)).json()) as { keys: object[] }
    // The issuer's public key as if it were a secret that both share.
    const confused = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: '1' })
      .sign(Buffer.from(JSON.stringify(keys[0])))
    const changed = base64url.encode(JSON.stringify({ ...claims, scope: 'bursar:pay', jti: '2' }))
    const foreign = await other.token({ iss: issuer.url })
    for (const token of [
      none,
      confused,
      foreign,
      `${head}.${changed}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}`,
      body,
      `${good}.${good}`,
      'x'.repeat(9_000),
    ])
      expect([token.slice(0, 40), (await tried(one, bearer(token))).status]).toEqual([token.slice(0, 40), 401])
    await other.close()
  })

  it.each(['ES384', 'RS512', 'PS384'])('is nobody by %s, though its issuer says so', async (alg) => {
    const other = await startIssuer(alg)
    const one = await trusting(other)
    expect((await tried(one, bearer(await other.token()))).status).toBe(401)
    await other.close()
  })

  it('ends with its credential, and so does what was minted with it, which is no wider and lives no longer', async () => {
    const one = await trusting(issuer)
    const { bursar } = one.deps
    const token = await issuer.token({ scope: 'bursar:read bursar:request' })
    const { caller, expiresAt } = (await tried(one, bearer(token))).body as never as {
      caller: Caller
      expiresAt: number
    }
    await expect(mintCredential(bursar, caller, { scopes: ['bursar:pay'] })).rejects.toThrow()
    const minted = await mintCredential(bursar, caller, {})
    const { body } = await tried(one, bearer(minted.key))
    expect(body).toMatchObject({ scopes: ['bursar:read', 'bursar:request'], expiresAt })
    await revokeCredential(bursar, one.purse.authority, one.credentialId)
    expect((await tried(one, bearer(token))).status).toBe(401)
    expect((await tried(one, bearer(minted.key))).status).toBe(401)
  })

  it('has its keys fetched once, and not again at once for whoever names one that is not known', async () => {
    const own = await startIssuer('EdDSA')
    const one = await trusting(issuer, { issuer: own.url, jwks_uri: own.jwksUri })
    for (let at = 0; at < 5; at += 1)
      expect((await tried(one, bearer(await own.token({ jti: String(at) })))).status).toBe(200)
    expect(own.fetched()).toBe(1)
    await own.rotate()
    // Within the cool-down of half a minute nothing is fetched for a key that is not known, whoever names it.
    for (let at = 0; at < 5; at += 1) expect((await tried(one, bearer(await own.token()))).status).toBe(401)
    expect(own.fetched()).toBe(1)
    await own.close()
  })

  it('is nobody while its issuer cannot be asked, and others are not held up', async () => {
    const one = await trusting(issuer, { subject: 'lonely', jwks_uri: 'http://127.0.0.1:9/keys' })
    expect((await tried(one, bearer(await issuer.token({ sub: 'lonely' })))).status).toBe(401)
    expect((await tried(one, bearer(one.key))).status).toBe(200)
  })

  it('that lacks the scope for a tool is told which, with 403, and does nothing', async () => {
    const one = await trusting(issuer)
    const token = await issuer.token({ scope: 'bursar:read' })
    const host = await connect(one.origin, 'modern', token)
    expect((await host.call('check_budget', {})).isError).toBeUndefined()
    const response = await one.ask('/mcp', {
      method: 'POST',
      headers: {
        ...bearer(token),
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'cancel' },
      },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
        params: {
          ...{ name: 'cancel', arguments: { id: 'req_x' } },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    })
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope".*scope="bursar:request".*resource_metadata=/,
    )
  })
})
