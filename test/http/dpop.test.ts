import { createHash, randomUUID } from 'node:crypto'
import { calculateThumbprint, generateKeyPair, generateProof, type JWSAlgorithm, type KeyPair } from 'dpop'
import { exportJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bearer, type Issuer, ME, startIssuer, tried, trusting } from './issuer.ts'

describe('security: a token that is bound to a key (DPoP)', () => {
  let issuer: Issuer
  let keys: KeyPair
  let bound: string
  beforeAll(async () => {
    issuer = await startIssuer()
    keys = await generateKeyPair('ES256')
    bound = await issuer.token({ cnf: { jkt: await calculateThumbprint(keys.publicKey) } })
  })
  afterAll(() => issuer.close())
  const dpop = (token: string, proof: string) => ({ authorization: `DPoP ${token}`, dpop: proof })

  it('is good with a proof of this request, once', async () => {
    const one = await trusting(issuer)
    const proof = await generateProof(keys, `${one.origin}${ME}`, 'GET', undefined, bound)
    expect((await tried(one, dpop(bound, proof))).status).toBe(200)
    const again = await tried(one, dpop(bound, proof))
    expect([again.status, again.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^DPoP error="invalid_dpop_proof", algs="ES256 /),
    ])
    // By any of the names that are ours, as it was sent.
    const local = one.origin.replace('localhost', '127.0.0.1')
    const other = await generateProof(keys, `${local}${ME}`, 'GET', undefined, bound)
    expect((await fetch(`${local}${ME}`, { headers: dpop(bound, other) })).status).toBe(200)
  })

  it.each(['ES256', 'Ed25519', 'RS256', 'PS256'] satisfies JWSAlgorithm[])('takes proofs by %s', async (alg) => {
    const one = await trusting(issuer)
    const own = await generateKeyPair(alg)
    const token = await issuer.token({ cnf: { jkt: await calculateThumbprint(own.publicKey) } })
    const proof = await generateProof(own, `${one.origin}${ME}`, 'GET', undefined, token)
    expect((await tried(one, dpop(token, proof))).status).toBe(200)
  })

  it('is nobody without one, or with one of anything else', async () => {
    const one = await trusting(issuer)
    const url = `${one.origin}${ME}`
    const now = Math.floor(Date.now() / 1000)
    const thief = await generateKeyPair('ES256')
    const free = await issuer.token()
    const proof = (pair: KeyPair, htu: string, htm: string, token: string) =>
      generateProof(pair, htu, htm, undefined, token)
    const good = () => proof(keys, url, 'GET', bound)
    const ath = createHash('sha256').update(bound).digest('base64url')
    const jwk = await exportJWK(keys.publicKey)
    /** What the client library makes none of. */
    const odd = (claims: Record<string, unknown>, header: object = {}) =>
      new SignJWT({ htu: url, htm: 'GET', ath, iat: now, jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
        .sign(keys.privateKey)
    expect((await tried(one, dpop(bound, await odd({})))).status).toBe(200)
    const tries: [string, Record<string, string>][] = [
      ['as a bearer token', bearer(bound)],
      ['as a bearer token beside its proof', { ...bearer(bound), dpop: await good() }],
      ['without a proof', { authorization: `DPoP ${bound}` }],
      ['another key', dpop(bound, await proof(thief, url, 'GET', bound))],
      ['another method', dpop(bound, await proof(keys, url, 'POST', bound))],
      ['another path', dpop(bound, await proof(keys, `${url}/x`, 'GET', bound))],
      ['another server', dpop(bound, await proof(keys, `https://evil.example${ME}`, 'GET', bound))],
      ['another token', dpop(bound, await proof(keys, url, 'GET', free))],
      ['no token', dpop(bound, await generateProof(keys, url, 'GET'))],
      ['of before', dpop(bound, await odd({ iat: now - 90 }))],
      ['of later', dpop(bound, await odd({ iat: now + 90 }))],
      ['of no time', dpop(bound, await odd({ iat: undefined }))],
      ['no jti', dpop(bound, await odd({ jti: undefined }))],
      ['an empty jti', dpop(bound, await odd({ jti: '' }))],
      ['a long jti', dpop(bound, await odd({ jti: 'x'.repeat(300) }))],
      ['another type', dpop(bound, await odd({}, { typ: 'JWT' }))],
      ['no key', dpop(bound, await odd({}, { jwk: undefined }))],
      ['a user in the address', dpop(bound, await odd({ htu: url.replace('//', '//user@') }))],
      ['two proofs', dpop(bound, `${await good()},${await good()}`)],
      ['a token that is bound to none', dpop(free, await proof(keys, url, 'GET', free))],
      ['a token in place of a proof', dpop(bound, bound)],
      ['rubbish', dpop(bound, 'x.y.z')],
    ]
    for (const [what, headers] of tries) expect([what, (await tried(one, headers)).status]).toEqual([what, 401])
    expect((await tried(one, dpop(bound, await good()))).status).toBe(200)
  })

  it('pays no heed to the query, which a proof does not name', async () => {
    const one = await trusting(issuer)
    const proof = await generateProof(keys, `${one.origin}${ME}?a=b#c`, 'GET', undefined, bound)
    expect((await one.ask(`${ME}?x=y`, { headers: dpop(bound, proof) })).status).toBe(200)
  })
})
