import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, errors, type JWTPayload, jwtVerify } from 'jose'
import type { BursarError } from '../../core/errors.ts'
import type { Clock, Kept } from '../../ports.ts'
import { clientOf } from '../shared/client.ts'
import { Refused } from '../shared/problem.ts'

/** By which proofs of possession are signed. */
export const PROOF_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] as const
/** How far the clocks of a client and of this server may differ, in milliseconds. */
const SKEW_MS = 60_000
const PROOF_MAX = 8_000
const ID_MAX = 256
/** More than one agent may send to one process within the time that a proof is good for. */
const SEEN_MAX = 10_000

/** Demonstrating proof of possession (RFC 9449, §4.3): the request was signed by the key that the token is bound to, once. */
export interface Proofs {
  /**
   * @param by the agent, and the thumbprint of its key: the token's `cnf.jkt`
   * @throws `unauthenticated`; as {@link Kept}
   */
  check(request: Request, token: string, by: { readonly agentId: string; readonly thumbprint: string }): Promise<void>
}

/** @param kept what all processes remember: a proof that one took, no other one takes */
export function proofsOf(clock: Clock, kept: Kept): Proofs {
  const seen = new Map<string, ReturnType<typeof onceOf>>()
  return {
    async check(request, token, { agentId, thumbprint }) {
      const proof = request.headers.get('dpop')
      if (proof === null || proof.length > PROOF_MAX || proof.includes(',')) throw invalid('There is no DPoP proof.')
      const claims = await signed(proof, thumbprint)
      const { origin } = clientOf(request)
      const now = clock.now()
      const isRight =
        claims.htm === request.method &&
        placeOf(claims.htu) === `${origin}${new URL(request.url).pathname}` &&
        claims.ath === createHash('sha256').update(token).digest('base64url') &&
        typeof claims.iat === 'number' &&
        Math.abs(claims.iat * 1000 - now) <= SKEW_MS
      if (!isRight) throw invalid('The DPoP proof is not of this request, or not of now.')
      const { jti } = claims
      if (typeof jti !== 'string' || jti === '' || jti.length > ID_MAX) throw invalid('The DPoP proof has no jti.')
      const own = seen.get(agentId) ?? onceOf()
      seen.set(agentId, own)
      const name = createHash('sha256')
        .update(JSON.stringify([agentId, thumbprint, jti]))
        .digest('hex')
      // Here first: what one process is shown again, or too much of, is not the database's to look at.
      const isFirst = own.first(name, performance.now()) && (await kept.first(name, overAt(claims.iat as number)))
      if (!isFirst) throw invalid('The DPoP proof was used before.')
    },
  }
}

/** From when on a proof of this time is taken by no process, whose clocks may differ as much again. In milliseconds. */
function overAt(iat: number): number {
  return Math.ceil(iat * 1000) + 2 * SKEW_MS
}

async function signed(proof: string, thumbprint: string): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...PROOF_ALGORITHMS],
      // Times are judged by our own clock.
      currentDate: new Date(0),
      clockTolerance: 2 ** 40,
    })
    // EmbeddedJWK takes no private key.
    const { jwk } = protectedHeader
    if (!jwk || (await calculateJwkThumbprint(jwk)) !== thumbprint)
      throw invalid('The DPoP proof is of another key than the token.')
    return payload
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalid('The DPoP proof does not hold.')
    throw error
  }
}

/** Without query and fragment, which say nothing here. */
function placeOf(htu: unknown): string | null {
  if (typeof htu !== 'string' || !URL.canParse(htu)) return null
  const { origin, pathname, username, password } = new URL(htu)
  return username === '' && password === '' ? `${origin}${pathname}` : null
}

function invalid(message: string): BursarError {
  const challenge = `DPoP error="invalid_dpop_proof", algs="${PROOF_ALGORITHMS.join(' ')}"`
  return new Refused('unauthenticated', message, { 'www-authenticate': challenge })
}

/** What was seen within the time in which it could be sent again. */
function onceOf() {
  // In the order in which they were seen, which is the order in which they are forgotten.
  const times = new Map<string, number>()
  return {
    first(id: string, now: number): boolean {
      for (const [oldest, time] of times) {
        if (now - time <= 2 * SKEW_MS) break
        times.delete(oldest)
      }
      if (times.has(id) || times.size >= SEEN_MAX) return false
      times.set(id, now)
      return true
    },
  }
}
