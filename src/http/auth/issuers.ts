import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import { isLoopback } from '../access.ts'

/** Of a key set, in milliseconds. */
const ANSWER_WITHIN_MS = 5_000
const KEPT_MS = 10 * 60_000
/** A token that names an unknown key has the set fetched again, but not more often than this. */
const COOL_DOWN_MS = 30_000
const SET_BYTES = 256_000

/** The keys of issuers, fetched when they are needed, kept for a while. */
export function issuerKeys(): (jwksUri: string) => JWTVerifyGetKey {
  const sets = new Map<string, JWTVerifyGetKey>()
  return (jwksUri) => {
    const before = sets.get(jwksUri)
    if (before) return before
    const set = createRemoteJWKSet(mustBePrivate(jwksUri), {
      ...{ timeoutDuration: ANSWER_WITHIN_MS, cooldownDuration: COOL_DOWN_MS, cacheMaxAge: KEPT_MS },
      [customFetch]: fetchBounded,
    })
    sets.set(jwksUri, set)
    return set
  }
}

/** Whoever can change the keys on their way is the issuer. @throws TypeError */
function mustBePrivate(uri: string): URL {
  const url = new URL(uri)
  const local = isLoopback(url.hostname.replace(/^\[|\]$/g, '')) || url.hostname === 'localhost'
  if (url.protocol === 'https:' || (url.protocol === 'http:' && local)) return url
  throw new TypeError('The keys of an issuer are fetched over https.')
}

async function fetchBounded(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'error' })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > SET_BYTES) throw new Error('The key set is too large.')
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks), { status: response.status, headers: response.headers })
}
