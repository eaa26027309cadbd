import { listAgents, owner } from '../actions/owner/inspect.ts'
import { BursarError } from '../core/errors.ts'
import type { Bursar } from '../ports.ts'
import { CHANNEL } from './shell.ts'

/** The id of the agent with this id or name. @throws `not_found` */
export function agentIdOf(bursar: Bursar, idOrName: string): string {
  const found = listAgents(bursar).find(({ agent_id, name }) => agent_id === idOrName || name === idOrName)
  if (!found) throw new BursarError('not_found', 'There is no such agent.')
  return found.agent_id
}

/** Who does what needs no passphrase: whoever is at the owner's machine may stop spending. */
export function byOwner(bursar: Bursar): { ownerId: string; channel: string } {
  return { ownerId: owner(bursar).owner_id, channel: CHANNEL }
}
