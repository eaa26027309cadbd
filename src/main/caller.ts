import { keyHashOf } from '../actions/credentials.ts'
import type { Caller } from '../actions/wire.ts'
import type { Config } from '../config.ts'
import { credentialOver } from '../core/credential.ts'
import { BursarError } from '../core/errors.ts'
import type { Agent } from '../core/types.ts'
import type { Reader } from '../ports.ts'
import { systemIds } from '../system.ts'

type Configured = Pick<Config, 'agent' | 'agentKey' | 'session'>

/** Who a process serves over stdio: as the owner configured it. @throws `agent_unknown` */
export async function callerOf(read: Reader, config: Configured, now: number): Promise<Caller> {
  const agent = (await read.one('agents', { id: config.agent })) ?? (await read.one('agents', { name: config.agent }))
  const credentialId = agent ? await credentialFor(read, agent, config.agentKey, now) : undefined
  if (agent?.status !== 'active' || credentialId === undefined)
    throw new BursarError('agent_unknown', 'There is no active agent that BURSAR_AGENT and BURSAR_AGENT_KEY both fit.')
  return { agentId: agent.id, sessionId: config.session ?? systemIds.make('session'), credentialId }
}

/** The credential that the key is; null: the agent needs none, and has none. Undefined: the two do not fit. */
async function credentialFor(
  read: Reader,
  agent: Agent,
  key: string | null,
  now: number,
): Promise<string | null | undefined> {
  if (key === null) return agent.keyHash === null ? null : undefined
  const id = (await read.one('credentials', { keyHash: keyHashOf(key) }))?.id
  if (id === undefined) return undefined
  return credentialOver({ agent, credentials: await read.credentials(id), now }, id) === null ? id : undefined
}
