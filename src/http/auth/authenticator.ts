import { BursarError } from '../../core/errors.ts'
import type { HttpDeps, Principal } from '../deps.ts'
import { atOnceOf, type Limits, type Meters } from '../limits.ts'
import type { HumanPrincipal } from '../owner/principal.ts'
import { afterwards, clientOf, endAt } from '../shared/client.ts'
import type { AgentPrincipal } from '../shared/principal.ts'
import { keyed } from './keys.ts'
import { passphrases } from './passphrases.ts'
import { tokens } from './tokens.ts'

/** The sessions of the console: whose cookie this is. Null where the request has none. @throws `unauthenticated`, `forbidden` */
export interface Sessions {
  principal(request: Request): Promise<HumanPrincipal | null> | HumanPrincipal | null
}

/** Who sent this request. @throws `unauthenticated`, `forbidden`, `rate_limited` */
export type Authenticate = (request: Request) => Promise<Principal>

/** Nothing but the credential says who it is; what the request says besides must agree with it. */
export function authenticator(
  deps: HttpDeps,
  { meters, limits }: { readonly meters: Meters; readonly limits: Limits },
  sessions: Sessions | null,
): Authenticate {
  const places = atOnceOf(limits.agentAtOnce)
  const known = new WeakMap<Request, Promise<Principal>>()
  const byKey = keyed(deps)
  const byToken = tokens(deps)
  const byPassphrase = passphrases(deps, meters)

  async function found(request: Request): Promise<Principal> {
    const authorization = request.headers.get('authorization')
    if (authorization === null) {
      const human = (await sessions?.principal(request)) ?? null
      if (human === null) throw new BursarError('unauthenticated', 'There is no credential in this request.')
      return human
    }
    const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(authorization) ?? []
    if (scheme.toLowerCase() === 'basic') return byPassphrase(request, value)
    const { address } = clientOf(request)
    try {
      return await byBearer(request, scheme.toLowerCase(), value, address)
    } catch (error) {
      if (error instanceof BursarError && error.code === 'unauthenticated') await meters.failed(address)
      throw error
    }
  }

  async function byBearer(request: Request, scheme: string, value: string, address: string): Promise<AgentPrincipal> {
    if (scheme === 'bearer' && value.startsWith('bak_')) return byKey(value)
    if (scheme !== 'bearer' && scheme !== 'dpop')
      throw new BursarError('unauthenticated', 'This kind of credential is not taken.')
    return byToken(request, scheme, value, () => meters.mayTry(address))
  }

  async function principal(request: Request): Promise<Principal> {
    const principal = await found(request)
    mustAgree(request, principal)
    if (principal.role === 'human') {
      await meters.owner(principal.id)
      return principal
    }
    await meters.agent(principal.id)
    afterwards(request, places.enter(principal.id))
    endAt(request, principal.expiresAt)
    return principal
  }

  return (request) => {
    const before = known.get(request)
    if (before !== undefined) return before
    const now = principal(request)
    known.set(request, now)
    return now
  }
}

/** What a request says of who sends it counts for nothing, and must not say otherwise. @throws `forbidden` */
function mustAgree({ headers }: Request, { role, id }: Principal): void {
  const said = { role: headers.get('x-agent-role'), id: headers.get('x-actor-id') }
  if ((said.role !== null && said.role !== role) || (said.id !== null && said.id !== id))
    throw new BursarError('forbidden', 'x-agent-role and x-actor-id do not agree with the credential.')
}
