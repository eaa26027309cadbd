import { isLive } from '../../core/credential.ts'
import { parseDuration } from '../../core/duration.ts'
import { BursarError } from '../../core/errors.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Credential } from '../../core/types.ts'
import type { Bursar, Reader } from '../../ports.ts'
import type { CredentialInput, CredentialTerms } from '../credentials.ts'
import { credentialTerms, keyHashOf, newKey, wireCredential } from '../credentials.ts'
import { endAsks } from '../end-asks.ts'
import type { OwnerAuthority, OwnerBy } from './authority.ts'
import { humanActor } from './authority.ts'

export { keyHashOf }

export interface AgentCredential {
  readonly agent_id: string
  readonly name: string
  readonly credential_id: string
  /** 256 random bits. Shown once; only its SHA-256 is kept. */
  readonly key: string
}

export interface Rotation extends CredentialInput {
  /** How long what the agent had before stays good; at once over unless given. `30d`, `12h`, `45m`. */
  readonly overlap?: string | undefined
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** @throws `argument_invalid`, `amount_invalid`, `currency_mismatch`, `already_exists`, `not_found` */
export async function addAgent(
  bursar: Bursar,
  authority: OwnerAuthority,
  name: string,
  input: CredentialInput = {},
): Promise<AgentCredential> {
  if (!NAME.test(name))
    throw new BursarError('argument_invalid', 'An agent name is up to 63 of a-z, 0-9, dot, dash and underscore.')
  if (await bursar.store.read.one('agents', { name }))
    throw new BursarError('already_exists', 'There is an agent of this name.')
  const agentId = bursar.ids.make('agent')
  const terms = await credentialTerms(bursar.store.read, agentId, input)
  const { key, origin } = fresh(bursar)
  await bursar.store.update({}, ({ now }) => {
    const details = { name, key_hash: origin.keyHash, credential: wireCredential(origin, terms, now) }
    return {
      facts: [{ type: 'agent.added', actor: humanActor(authority), agent_id: agentId, details }],
      result: null,
    }
  })
  bursar.notify.changed(agentId, null)
  return { agent_id: agentId, name, credential_id: origin.credentialId, key }
}

/**
 * A new key, for what the newest one may be used for unless said otherwise, with its whole budget and lifetime before it. The keys
 * that the owner gave the agent before end at once, or when the overlap is over. Trust in tokens stays.
 *
 * @throws `not_found`, `wrong_state`, and what {@link addAgent} throws of terms
 */
export async function rotateAgent(
  bursar: Bursar,
  authority: OwnerAuthority,
  agentId: string,
  { overlap, ...input }: Rotation = {},
): Promise<AgentCredential> {
  const { read } = bursar.store
  const overlapMs = overlap === undefined ? null : parseDuration(overlap)
  const { key, origin } = fresh(bursar)
  for (;;) {
    const keyHash = (await read.one('agents', { id: agentId }))?.keyHash
    const given = await keysOf(read, agentId)
    const terms = { ...kept(given), ...said(await credentialTerms(read, agentId, input)) }
    const name = await bursar.store.update({ agentId }, ({ agent, now }) => {
      if (!agent) throw new BursarError('not_found', 'There is no such agent.')
      if (agent.status !== 'active') throw new BursarError('wrong_state', 'The agent was revoked.')
      // Another rotation came before this one: what it gave is to end, too.
      if (agent.keyHash !== keyHash) return { facts: [], result: null }
      const until = overlapMs === null ? now : now + overlapMs
      const ends = given.filter((one) => isLive(one, now) && (one.expiresAt ?? until + 1) > until).map(({ id }) => id)
      const credential = wireCredential(origin, terms, now)
      const details = {
        ...{ key_hash: origin.keyHash, credential, ends },
        ...(overlapMs !== null && { until: rfc3339(until) }),
      }
      const base = { actor: humanActor(authority), agent_id: agentId }
      return { facts: [{ ...base, type: 'agent.rotated', details }], result: agent.name }
    })
    if (name === null) continue
    bursar.notify.changed(agentId, null)
    return { agent_id: agentId, name, credential_id: origin.credentialId, key }
  }
}

/** A key that nobody knows yet, and how it will be known. */
export function fresh({ ids }: Bursar) {
  const key = newKey()
  const origin = { credentialId: ids.make('credential'), parentId: null, keyHash: keyHashOf(key), token: null } as const
  return { key, origin }
}

/** The keys that the owner gave an agent, newest first. */
async function keysOf(read: Reader, agentId: string): Promise<readonly Credential[]> {
  return (await read.list('credentials', { agentId, parentId: null })).filter(({ keyHash }) => keyHash !== null)
}

function kept([newest]: readonly Credential[]): CredentialTerms {
  const all = { scopes: null, instruments: null, maxAmount: null, currency: null, expiresInMs: null, label: null }
  if (!newest) return all
  const { scopes, instruments, maxAmount, currency, label, createdAt, expiresAt } = newest
  const expiresInMs = expiresAt === null ? null : expiresAt - createdAt
  return { scopes, instruments, maxAmount, currency, label, expiresInMs }
}

function said(terms: CredentialTerms): Partial<CredentialTerms> {
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== null))
}

/**
 * Ends an agent for good, with every credential of its and all that it asks for: whatever it holds cannot be spent any more, and
 * no payment of its begins. Safe to call again.
 *
 * @throws `not_found`
 */
export async function revokeAgent(bursar: Bursar, by: OwnerBy, agentId: string): Promise<void> {
  await bursar.store.update({ agentId }, ({ agent }) => {
    if (!agent) throw new BursarError('not_found', 'There is no such agent.')
    if (agent.status === 'revoked') return { facts: [], result: null }
    return { facts: [{ type: 'agent.revoked', actor: humanActor(by), agent_id: agentId, details: {} }], result: null }
  })
  bursar.notify.changed(agentId, null)
  await endAsks(bursar, agentId, humanActor(by))
}
