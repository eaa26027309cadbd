import { randomBytes } from 'node:crypto'
import { sha256 } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import { plain } from '../../core/text.ts'
import type { Bursar } from '../../ports.ts'
import type { OwnerAuthority, OwnerBy } from './authority.ts'
import { humanActor } from './authority.ts'

export interface AgentCredential {
  readonly agent_id: string
  readonly name: string
  /** 256 random bits. Shown once; only its SHA-256 is kept. */
  readonly key: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** The hash under which a credential is kept: hex SHA-256. A random 256-bit key needs no slower one. */
export function keyHashOf(key: string): string {
  return sha256(key).toString('hex')
}

function newKey(): string {
  return `bak_${randomBytes(32).toString('base64url')}`
}

/** @throws `argument_invalid`, `already_exists` */
export async function addAgent(bursar: Bursar, authority: OwnerAuthority, name: string): Promise<AgentCredential> {
  if (!NAME.test(name))
    throw new BursarError('argument_invalid', 'An agent name is up to 63 of a-z, 0-9, dot, dash and underscore.')
  if (bursar.store.read.one('agents', { name }))
    throw new BursarError('already_exists', 'There is an agent of this name.')
  const agentId = bursar.ids.make('agent')
  const key = newKey()
  await bursar.store.update({}, () => ({
    facts: [
      {
        type: 'agent.added',
        actor: humanActor(authority),
        agent_id: agentId,
        details: { name: plain(name, 63), key_hash: keyHashOf(key) },
      },
    ],
    result: null,
  }))
  return { agent_id: agentId, name, key }
}

/** A new key; the old one ends at once. @throws `not_found`, `wrong_state` */
export async function rotateAgent(
  bursar: Bursar,
  authority: OwnerAuthority,
  agentId: string,
): Promise<AgentCredential> {
  const key = newKey()
  const name = await bursar.store.update({ agentId }, ({ agent }) => {
    if (!agent) throw new BursarError('not_found', 'There is no such agent.')
    if (agent.status !== 'active') throw new BursarError('wrong_state', 'The agent was revoked.')
    const base = { actor: humanActor(authority), agent_id: agentId }
    return { facts: [{ ...base, type: 'agent.rotated', details: { key_hash: keyHashOf(key) } }], result: agent.name }
  })
  return { agent_id: agentId, name, key }
}

/** Ends an agent for good: whatever it holds cannot be spent any more. @throws `not_found` */
export async function revokeAgent(bursar: Bursar, by: OwnerBy, agentId: string): Promise<void> {
  await bursar.store.update({ agentId }, ({ agent }) => {
    if (!agent) throw new BursarError('not_found', 'There is no such agent.')
    if (agent.status === 'revoked') return { facts: [], result: null }
    return { facts: [{ type: 'agent.revoked', actor: humanActor(by), agent_id: agentId, details: {} }], result: null }
  })
}
