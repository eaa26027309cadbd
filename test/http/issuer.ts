import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hono } from 'hono'
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { addCredential } from '../../src/actions/owner/credentials.ts'
import type { AppOptions } from '../../src/http/app.ts'
import { makeSite, type Site } from '../support/http.ts'

export interface Issuer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly jwksUri: string
  /** How often its keys were fetched. */
  fetched(): number
  /** Signs with keys that it publishes from then on as well. */
  rotate(): Promise<void>
  /** A token about `agent` for `bursar`, good for five minutes from now, but for what is said. */
  token(claims?: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>
  close(): Promise<void>
}

/** A real issuer of access tokens, with a set of keys to fetch. */
export async function startIssuer(alg = 'ES256'): Promise<Issuer> {
  const published: object[] = []
  let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']
  let fetched = 0
  const rotate = async (): Promise<void> => {
    const pair = await generateKeyPair(alg)
    privateKey = pair.privateKey
    published.push({ ...(await exportJWK(pair.publicKey)), kid: String(published.length + 1), use: 'sig' })
  }
  await rotate()
  const server = createServer((_request, response) => {
    fetched += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: published }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    jwksUri: `${url}/keys`,
    fetched: () => fetched,
    rotate,
    token(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const own = { iss: url, sub: 'agent', aud: 'bursar', iat: now, exp: now + 300, scope: SCOPE }
      return new SignJWT({ ...own, ...claims })
        .setProtectedHeader({ alg, typ: 'at+jwt', kid: String(published.length), ...header })
        .sign(privateKey)
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

const SCOPE = 'openid bursar:read bursar:pay bursar:request'

export const ME = '/api/v1/agent-payments/me'

/** Answers with who the server takes the one who asks for. */
export const whoAsks: NonNullable<AppOptions['rest']> = (_deps, authenticate) => {
  const app = new Hono()
  app.all('/me', async (c) => c.json({ ...(await authenticate(c.req.raw)) }))
  return app
}

/** A server that trusts the issuer's tokens about one agent, at the time that it is. */
export async function trusting(issuer: Issuer, more: object = {}): Promise<Site & { readonly credentialId: string }> {
  const one = await makeSite({ now: Date.now(), app: () => ({ rest: whoAsks }) })
  const token = { issuer: issuer.url, subject: 'agent', audience: 'bursar', jwks_uri: issuer.jwksUri, ...more }
  const { credential_id } = await addCredential(one.deps.bursar, one.purse.authority, one.agentId, { token })
  return { ...one, credentialId: credential_id }
}

export async function tried({ ask }: Site, headers: Record<string, string>, method = 'GET') {
  const response = await ask(ME, { headers, method })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
