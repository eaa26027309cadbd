import { BursarError } from '../core/errors.ts'
import type { Actor, Credential } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import { endWaiting } from './end-asks.ts'

/**
 * Ends a credential, all that it minted, and the payments that wait for a human and were asked for with any of them. What was
 * authorized and has not left does not leave any more. Safe to call again.
 *
 * @param may whether the chain, from the credential up, is one that the actor may end
 * @throws `not_found`
 */
export async function endCredential(
  bursar: Bursar,
  actor: Actor,
  credentialId: string,
  may: (chain: readonly Credential[]) => boolean,
): Promise<void> {
  const agentId = await bursar.store.update({ credentialId }, ({ credentials }) => {
    const [own] = credentials
    if (!own || !may(credentials)) throw new BursarError('not_found', 'There is no such credential.')
    if (own.revokedAt !== null) return { facts: [], result: own.agentId }
    const base = { actor, agent_id: own.agentId }
    return {
      facts: [{ ...base, type: 'credential.revoked', details: { credential_id: credentialId } }],
      result: own.agentId,
    }
  })
  bursar.notify.changed(agentId, null)
  await endWaiting(bursar, agentId, actor, ({ credentials }) => credentials.includes(credentialId))
}
