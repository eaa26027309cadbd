import { isLive } from '../../core/credential.ts'
import type { Credential } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'

/** The credential and what minted it, the owner's last; null where any of them, or the agent, has ended. */
export async function liveChain({ store, clock }: Bursar, credentialId: string): Promise<readonly Credential[] | null> {
  const chain = await store.read.credentials(credentialId)
  const now = clock.now()
  const [own] = chain
  if (!own || chain.at(-1)?.parentId !== null || !chain.every((one) => isLive(one, now))) return null
  return (await store.read.one('agents', { id: own.agentId }))?.status === 'active' ? chain : null
}
