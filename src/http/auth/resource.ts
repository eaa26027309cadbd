import type { BursarError } from '../../core/errors.ts'
import { AGENT_SCOPES } from '../../core/types.ts'
import type { HttpDeps } from '../deps.ts'
import { Refused } from '../shared/problem.ts'
import { PROOF_ALGORITHMS } from './proofs.ts'

/** RFC 9728. */
export const METADATA = '/.well-known/oauth-protected-resource'

/** What a client has to know to come with a token: whose are taken here. */
export async function metadataOf({ bursar, origin }: HttpDeps, path: string): Promise<object> {
  const trusted = await bursar.store.read.list('credentials', { revokedAt: null })
  const issuers = new Set(trusted.flatMap(({ issuer }) => (issuer === null ? [] : [issuer])))
  return {
    resource: `${origin}${path}`,
    ...(issuers.size > 0 && { authorization_servers: [...issuers].sort() }),
    scopes_supported: AGENT_SCOPES,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
    dpop_bound_access_tokens_required: false,
    resource_name: 'bursar',
  }
}

const SCOPES = AGENT_SCOPES.join(' ')

/** The same error with what tells a client how to come back (RFC 6750 §3, RFC 9728 §5.1, RFC 9449 §7.1). */
export function challenged(error: BursarError, metadataUrl: string): BursarError {
  if (error.code !== 'unauthenticated' && error.code !== 'scope_missing') return error
  const known = error instanceof Refused ? error.headers : {}
  if (known['www-authenticate'] !== undefined) return error
  const about = `resource_metadata="${metadataUrl}", scope="${SCOPES}"`
  const why = error.code === 'scope_missing' ? 'error="insufficient_scope", ' : ''
  return new Refused(error.code, error.message, { ...known, 'www-authenticate': `Bearer ${why}${about}` })
}
