import { listAgents, owner } from '../actions/owner/inspect.ts'
import { BursarError } from '../core/errors.ts'
import type { Bursar } from '../ports.ts'
import { CHANNEL } from './shell.ts'

/** The id of the agent with this id or name. @throws `not_found` */
export async function agentIdOf(bursar: Bursar, idOrName: string): Promise<string> {
  const found = (await listAgents(bursar)).find(({ agent_id, name }) => agent_id === idOrName || name === idOrName)
  if (!found) throw new BursarError('not_found', 'There is no such agent.')
  return found.agent_id
}

/** Who does what needs no passphrase: whoever is at the owner's machine may stop spending. */
export async function byOwner(bursar: Bursar): Promise<{ ownerId: string; channel: string }> {
  return { ownerId: (await owner(bursar)).owner_id, channel: CHANNEL }
}
