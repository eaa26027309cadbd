import { keyHashOf } from '../../actions/owner/agents.ts'
import { BursarError } from '../../core/errors.ts'
import { rfc3339 } from '../../core/time.ts'
import type { AgentScope, Credential } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import type { HttpDeps } from '../deps.ts'
import { liveChain } from '../shared/chain.ts'
import type { AgentPrincipal } from '../shared/principal.ts'

const KEY = /^bak_[A-Za-z0-9_-]{20,100}$/

/** Agents by the keys that bursar made. @throws each: `unauthenticated` */
export function keyed({ bursar }: HttpDeps): (key: string) => Promise<AgentPrincipal> {
  return async (key) => {
    const credential = KEY.test(key) ? await bursar.store.read.one('credentials', { keyHash: keyHashOf(key) }) : null
    if (!credential) throw new BursarError('unauthenticated', 'This key is not known here, or has ended.')
    return agentPrincipal(bursar, credential)
  }
}

/** What a token makes of the credential that it is for. */
interface Token {
  readonly scopes: readonly AgentScope[]
  readonly actors: readonly string[]
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** @throws `unauthenticated` where the credential, what minted it, or the agent has ended */
export async function agentPrincipal(bursar: Bursar, credential: Credential, token?: Token): Promise<AgentPrincipal> {
  const { id: credentialId, agentId } = credential
  const chain = await liveChain(bursar, credentialId)
  if (!chain) throw new BursarError('unauthenticated', 'This credential is not known here, or has ended.')
  const root = chain.at(-1) as Credential
  // The server names the session, by what an agent cannot mint: all that it minted is the same session.
  const sessionId = `${root.id}:${rfc3339(bursar.clock.now()).slice(0, 10)}`
  const said = token && {
    narrowed: { scopes: token.scopes, until: token.expiresAt },
    ...(token.actors.length > 0 && { actors: token.actors }),
  }
  const ends = [token?.expiresAt ?? null, ...chain.map(({ expiresAt }) => expiresAt)].filter((time) => time !== null)
  return {
    ...{ role: 'agent', id: agentId, caller: { agentId, sessionId, credentialId, ...said } },
    ...{ scopes: token?.scopes ?? credential.scopes, actors: token?.actors ?? [] },
    expiresAt: ends.length === 0 ? null : Math.min(...ends),
  }
}
