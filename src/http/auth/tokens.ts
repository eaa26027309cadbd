import { createHash } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { BursarError } from '../../core/errors.ts'
import { plain } from '../../core/text.ts'
import { AGENT_SCOPES, type Credential } from '../../core/types.ts'
import type { HttpDeps } from '../deps.ts'
import type { AgentPrincipal } from '../shared/principal.ts'
import { issuerKeys } from './issuers.ts'
import { agentPrincipal } from './keys.ts'
import { proofsOf } from './proofs.ts'

/** No secret is shared with an issuer, and nobody may say `none`. */
const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519']
/** RFC 9068 has `at+jwt`; many issuers still say `JWT`. */
const TYPES = new Set(['at+jwt', 'application/at+jwt', 'jwt'])
const TOKEN_MAX = 8_000
/** A token that lives longer than this is taken from nobody: it cannot be revoked. In seconds. */
const LIFETIME_MAX = 2 * 60 * 60
/** How far an issuer's clock may be ahead, in seconds. */
const AHEAD_MAX = 10
const ACTORS_MAX = 5
const ACTOR_MAX = 200
const KNOWN_MAX = 5_000

interface Token {
  readonly claims: JWTPayload
  readonly credentialId: string
}

/**
 * Agents by the access tokens of issuers whom the owner trusts (RFC 9068, RFC 6750, RFC 9449). A token narrows its credential
 * and never widens it.
 *
 * @returns throws `unauthenticated`; and whatever `mayTry` throws, which is asked before a signature is checked
 */
export function tokens(deps: HttpDeps) {
  const keys = issuerKeys()
  const proofs = proofsOf(deps.bursar.clock, deps.bursar.store.kept)
  const known = new Map<string, Token>()

  async function verified(token: string, credential: Credential): Promise<JWTPayload> {
    const { issuer, subject, audience, jwksUri } = credential
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys(jwksUri as string), {
        ...{ issuer: issuer as string, subject: subject as string, audience: audience as string },
        ...{ algorithms: ALGORITHMS, requiredClaims: ['exp', 'iat'], clockTolerance: AHEAD_MAX },
        currentDate: new Date(deps.bursar.clock.now()),
      })
      if (!TYPES.has(protectedHeader.typ?.toLowerCase() ?? '')) throw invalid()
      return payload
    } catch (error) {
      if (error instanceof BursarError) throw error
      if (!(error instanceof errors.JOSEError)) deps.log('warn', 'The keys of an issuer could not be had.', { issuer })
      throw invalid()
    }
  }

  return async (
    request: Request,
    scheme: 'bearer' | 'dpop',
    token: string,
    mayTry: () => Promise<void>,
  ): Promise<AgentPrincipal> => {
    const mark = createHash('sha256').update(token).digest('base64')
    let found = known.get(mark)
    if (!found) {
      await mayTry()
      const credential = await credentialOf(deps, token)
      found = { claims: await verified(token, credential), credentialId: credential.id }
      known.set(mark, found)
      const [oldest] = known.keys()
      if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest)
    }
    const { claims } = found
    const credential = (await deps.bursar.store.read.one('credentials', { id: found.credentialId })) as Credential
    mustHoldNow(claims, deps.bursar.clock.now() / 1000)
    await mustBeHeld(scheme, claims, (thumbprint) =>
      proofs.check(request, token, { agentId: credential.agentId, thumbprint }),
    )
    const granted = scopesOf(claims)
    return agentPrincipal(deps.bursar, credential, {
      scopes: credential.scopes.filter((scope) => granted.includes(scope)),
      actors: actorsOf(claims),
      expiresAt: (claims.exp as number) * 1000,
    })
  }
}

/** For whom the token says that it is. Only a signature by the keys that are kept with the credential makes it so. */
async function credentialOf({ bursar }: HttpDeps, token: string): Promise<Credential> {
  if (token.length > TOKEN_MAX) throw invalid()
  let claims: JWTPayload
  try {
    claims = decodeJwt(token)
  } catch {
    throw invalid()
  }
  const { iss: issuer, sub: subject, aud: audience } = claims
  // A token for several audiences could be sent here by any of the others.
  if (typeof issuer !== 'string' || typeof subject !== 'string' || typeof audience !== 'string') throw invalid()
  const [credential] = await bursar.store.read.list(
    'credentials',
    { issuer, subject, audience, revokedAt: null },
    { limit: 1 },
  )
  if (!credential?.jwksUri) throw invalid()
  return credential
}

/** What of a token depends on when it is looked at, or is ours to want of it. */
function mustHoldNow({ exp, iat, nbf }: JWTPayload, now: number): void {
  const isNow = typeof exp === 'number' && typeof iat === 'number' && now < exp && iat <= now + AHEAD_MAX
  if (!isNow || (nbf !== undefined && now + AHEAD_MAX < nbf)) throw invalid()
  if (exp - iat > LIFETIME_MAX) throw new BursarError('unauthenticated', 'This token lives too long.')
}

/** A bound token is good with its proof alone, and a proof with a bound token alone (RFC 9449, §7). */
async function mustBeHeld(
  scheme: 'bearer' | 'dpop',
  { cnf }: JWTPayload,
  check: (thumbprint: string) => Promise<void>,
): Promise<void> {
  const thumbprint = (cnf as { jkt?: unknown } | undefined)?.jkt
  if (cnf === undefined && scheme === 'bearer') return
  if (scheme !== 'dpop' || typeof thumbprint !== 'string') throw invalid()
  await check(thumbprint)
}

/** RFC 9068, §2.2.3: words between spaces. */
function scopesOf({ scope }: JWTPayload) {
  const words = typeof scope === 'string' ? scope.split(' ') : []
  return AGENT_SCOPES.filter((one) => words.includes(one))
}

/** RFC 8693, §4.1: who acts is outermost. The issuer's words, cut. */
function actorsOf({ act }: JWTPayload): string[] {
  const actors: string[] = []
  for (let actor = act as Actor; actor && actors.length < ACTORS_MAX; actor = actor.act)
    actors.push(plain(typeof actor.sub === 'string' ? actor.sub : '?', ACTOR_MAX))
  return actors
}

type Actor = { readonly sub?: unknown; readonly act?: Actor } | undefined

function invalid(): BursarError {
  return new BursarError('unauthenticated', 'This token is not one that is taken here, or has ended.')
}
