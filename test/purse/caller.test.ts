import { describe, expect, it } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { rotateAgent } from '../../src/actions/owner/agents.ts'
import { addCredential, revokeCredential } from '../../src/actions/owner/credentials.ts'
import { BursarError } from '../../src/core/errors.ts'
import { callerOf } from '../../src/main/caller.ts'
import type { Purse } from '../support/purse.ts'
import { HOUR, quickPurse } from './desk.ts'
import { keyed, using } from './minted.ts'

/** Whom `bursar mcp` would serve: its credential; or the code of why it does not start. */
async function served({ bursar, time }: Purse, key: string | null, agent = 'shopper'): Promise<string | null> {
  try {
    const caller = await callerOf(bursar.store.read, { agent, agentKey: key, session: 'run' }, time.now)
    expect(caller.sessionId).toBe('run')
    return caller.credentialId
  } catch (error) {
    if (error instanceof BursarError) return error.code
    throw error
  }
}

describe('security: over stdio', () => {
  it('an agent is served by each credential that lives, minted ones too', async () => {
    const { purse, key, credentialId, agentId } = await keyed()
    const minted = await mintCredential(purse.bursar, purse.caller, {})
    const below = await mintCredential(purse.bursar, using(purse, minted.credential_id).caller, {})
    const second = await addCredential(purse.bursar, purse.authority, agentId, {})
    expect(await served(purse, key)).toBe(credentialId)
    expect(await served(purse, below.key, agentId)).toBe(below.credential_id)
    expect(await served(purse, second.key)).toBe(second.credential_id)
    expect(await served(purse, null)).toBe('agent_unknown')
    expect(await served(purse, key, 'default')).toBe('agent_unknown')
  })

  it('by none that ended, or whose end is that of what it was minted with', async () => {
    const { purse, key, credentialId, agentId } = await keyed()
    const { bursar, authority } = purse
    const minted = await mintCredential(bursar, purse.caller, { expires_in: '3h' })
    const below = await mintCredential(bursar, using(purse, minted.credential_id).caller, { expires_in: '1h' })
    purse.time.now += HOUR
    expect(await served(purse, below.key)).toBe('agent_unknown')
    expect(await served(purse, minted.key)).toBe(minted.credential_id)
    const next = await rotateAgent(bursar, authority, agentId, { overlap: '1h' })
    purse.time.now += HOUR
    expect(await Promise.all([key, minted.key, next.key].map(async (one) => served(purse, one)))).toEqual([
      'agent_unknown',
      'agent_unknown',
      next.credential_id,
    ])
    await revokeCredential(bursar, authority, next.credential_id)
    expect(await served(purse, next.key)).toBe('agent_unknown')
    await revokeCredential(bursar, authority, credentialId)
  })

  it('the agent that needs no key is served without one, and with one that it has; never by another', async () => {
    const purse = await quickPurse()
    const { key, credential_id } = await addCredential(purse.bursar, purse.authority, purse.caller.agentId, {})
    expect(await served(purse, null, 'default')).toBe(null)
    expect(await served(purse, key, 'default')).toBe(credential_id)
    expect(await served(purse, 'bak_none', 'default')).toBe('agent_unknown')
    await rotateAgent(purse.bursar, purse.authority, purse.caller.agentId)
    expect(await served(purse, null, 'default')).toBe('agent_unknown')
  })
})
