import { credentialView } from '../../actions/credentials.ts'
import { paged } from '../../actions/lists.ts'
import { addAgent, revokeAgent, rotateAgent } from '../../actions/owner/agents.ts'
import { addCredential, revokeCredential } from '../../actions/owner/credentials.ts'
import { type AgentView, agentView } from '../../actions/owner/inspect.ts'
import { BursarError } from '../../core/errors.ts'
import type { Bursar } from '../../ports.ts'
import { ofKind } from '../shared/ids.ts'
import { made, ok } from '../shared/route.ts'
import type { OwnerHandlers } from './call.ts'

export const AGENT_HANDLERS: OwnerHandlers<
  'listAgents' | 'addAgent' | 'rotateAgent' | 'revokeAgent' | 'listCredentials' | 'addCredential' | 'revokeCredential'
> = {
  async listAgents({ bursar: { store }, query }) {
    const { items, ...rest } = await paged('agent', query, (page) => store.read.list('agents', {}, page), agentView)
    return ok({ agents: items, ...rest })
  },
  async addAgent({ bursar, authority, body: { name, ...input } }) {
    const agent = await addAgent(bursar, authority, name, input)
    return made(agent, `/agents/${agent.agent_id}/credentials`)
  },
  rotateAgent: async ({ bursar, authority, params, body }) =>
    ok(await rotateAgent(bursar, authority, ofKind('agent', params.agent_id), body)),
  async revokeAgent({ bursar, by, params }) {
    await revokeAgent(bursar, by, ofKind('agent', params.agent_id))
    return ok(await viewOf(bursar, params.agent_id))
  },
  async listCredentials({ bursar: { store, clock }, params, query }) {
    const { agent_id: agentId } = await viewOf({ store }, ofKind('agent', params.agent_id))
    const now = clock.now()
    const { items, ...rest } = await paged(
      'credential',
      query,
      (page) => store.read.list('credentials', { agentId }, page),
      async (credential) => credentialView(store.read, credential, now),
    )
    return ok({ credentials: items, ...rest })
  },
  async addCredential({ bursar, authority, params, body }) {
    const agentId = ofKind('agent', params.agent_id)
    return made(await addCredential(bursar, authority, agentId, body), `/agents/${agentId}/credentials`)
  },
  revokeCredential: async ({ bursar, by, params }) =>
    ok(await revokeCredential(bursar, by, ofKind('credential', params.credential_id))),
}

/** @throws `not_found` */
async function viewOf({ store }: Pick<Bursar, 'store'>, id: string): Promise<AgentView> {
  const agent = await store.read.one('agents', { id })
  if (!agent) throw new BursarError('not_found', 'There is no such agent.')
  return agentView(agent)
}
