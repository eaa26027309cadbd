import { credentialOver, scopeMissing } from '../../core/credential.ts'
import { BursarError } from '../../core/errors.ts'
import type { AgentScope } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import type { Caller } from '../wire.ts'

/**
 * Whether a caller may do this kind of thing at all. What asks or pays looks again in its own step.
 *
 * @throws `spending_frozen` where what it came with has ended, `scope_missing`
 */
export async function assertMay(
  { store: { read }, clock }: Bursar,
  { agentId, credentialId, narrowed }: Caller,
  scope: AgentScope,
): Promise<void> {
  const agent = await read.one('agents', { id: agentId })
  // Nobody has nothing: whatever is asked for is not found.
  if (!agent) return
  const credentials = credentialId === null ? [] : await read.credentials(credentialId)
  const over = credentialOver({ agent, credentials, now: clock.now() }, credentialId)
  if (over) throw new BursarError(over.code, over.message)
  const lacks = [credentials[0]?.scopes, narrowed?.scopes].some((scopes) => scopes && !scopes.includes(scope))
  if (lacks) throw new BursarError('scope_missing', scopeMissing(scope).message)
}
