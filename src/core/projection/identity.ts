import type { EventOf, WireCredential } from '../event.ts'
import { unitsOf } from '../money.ts'
import type { Op } from '../tables.ts'
import { millis } from '../time.ts'
import { AGENT_SCOPES, type Credential } from '../types.ts'

type IdentityEvent = EventOf<
  | 'owner.created'
  | 'owner.signed_in'
  | 'owner.signed_out'
  | 'owner.sign_in_failed'
  | 'owner.confirmed'
  | 'passkey.invited'
  | 'passkey.added'
  | 'passkey.revoked'
  | 'agent.added'
  | 'agent.rotated'
  | 'agent.revoked'
  | 'credential.added'
  | 'credential.revoked'
  | 'notice.sent'
>

/** Owners, agents, and by what they are known. Sign-ins and confirmations change no table. */
export function projectIdentity(event: IdentityEvent): readonly Op[] {
  switch (event.type) {
    case 'owner.created': {
      const { owner_id, name, public_key } = event.details
      return [{ table: 'owners', insert: { id: owner_id, name, publicKey: public_key, createdAt: millis(event.ts) } }]
    }
    case 'passkey.invited': {
      const { owner_id, code_hash, expires_at } = event.details
      const times = { createdAt: millis(event.ts), expiresAt: millis(expires_at), usedAt: null }
      return [{ table: 'invitations', insert: { codeHash: code_hash, ownerId: owner_id, ...times } }]
    }
    case 'passkey.added':
      return enrolled(event)
    case 'passkey.revoked':
      return [{ table: 'passkeys', key: { id: event.details.passkey_id }, set: { revokedAt: millis(event.ts) } }]
    case 'agent.added':
      return added(event)
    case 'agent.rotated':
      return rotated(event)
    case 'agent.revoked':
      return [{ table: 'agents', key: { id: event.agent_id as string }, set: { status: 'revoked' } }]
    case 'credential.added':
      return [{ table: 'credentials', insert: credentialRow(event, event.details.credential) }]
    case 'credential.revoked':
      return [{ table: 'credentials', key: { id: event.details.credential_id }, set: { revokedAt: millis(event.ts) } }]
    case 'notice.sent': {
      const { channel, journal, seq } = event.details
      return [{ table: 'notice_cursors', key: { channel, journal }, set: { seq }, make: { channel, journal, seq } }]
    }
    case 'owner.signed_in':
    case 'owner.signed_out':
    case 'owner.sign_in_failed':
    case 'owner.confirmed':
      return []
  }
}

/** What was held with credentials, or given back. */
export function charged(ids: readonly string[] | undefined, amount: bigint): readonly Op[] {
  return (ids ?? []).map((id) => ({ table: 'credentials', key: { id }, add: { spent: amount } }))
}

function enrolled(event: EventOf<'passkey.added'>): readonly Op[] {
  const { owner_id, passkey, code_hash } = event.details
  const { passkey_id, public_key, rp_id, origin, name, synced, transports } = passkey
  const at = millis(event.ts)
  const used: readonly Op[] =
    code_hash === undefined ? [] : [{ table: 'invitations', key: { codeHash: code_hash }, set: { usedAt: at } }]
  return [
    ...used,
    {
      table: 'passkeys',
      insert: {
        ...{ id: passkey_id, ownerId: owner_id, publicKey: public_key, rpId: rp_id, origin, name, synced, transports },
        createdAt: at,
        revokedAt: null,
      },
    },
  ]
}

function added(event: EventOf<'agent.added'>): readonly Op[] {
  const { name, key_hash, credential } = event.details
  const id = event.agent_id as string
  const agent = { id, name, keyHash: key_hash, status: 'active' as const, createdAt: millis(event.ts) }
  const given = credential ?? (key_hash === null ? null : onlyCredential(id, key_hash))
  return [
    { table: 'agents', insert: agent },
    ...(given ? [{ table: 'credentials' as const, insert: credentialRow(event, given) }] : []),
  ]
}

function rotated(event: EventOf<'agent.rotated'>): readonly Op[] {
  const { key_hash, credential, ends, until } = event.details
  const id = event.agent_id as string
  const agent: Op = { table: 'agents', key: { id }, set: { keyHash: key_hash } }
  if (!credential) return [agent, replacedKey(event, id, key_hash)]
  const expiresAt = until === undefined ? millis(event.ts) : millis(until)
  return [
    agent,
    { table: 'credentials', insert: credentialRow(event, credential) },
    ...(ends ?? []).map((ended): Op => ({ table: 'credentials', key: { id: ended }, set: { expiresAt } })),
  ]
}

/** Of events of earlier versions: an agent had one key, under its own name. */
function onlyCredential(agentId: string, keyHash: string): WireCredential {
  return {
    credential_id: `crd_${agentId.slice(4)}`,
    ...{ parent_id: null, key_hash: keyHash, token: null, scopes: AGENT_SCOPES, instruments: null },
    ...{ max_amount: null, currency: null, label: null, expires_at: null },
  }
}

function replacedKey(event: EventOf<'agent.rotated'>, agentId: string, keyHash: string): Op {
  const only = onlyCredential(agentId, keyHash)
  return { table: 'credentials', key: { id: only.credential_id }, set: { keyHash }, make: credentialRow(event, only) }
}

function credentialRow(event: { readonly ts: string; readonly agent_id?: string }, wire: WireCredential): Credential {
  return {
    id: wire.credential_id,
    agentId: event.agent_id as string,
    parentId: wire.parent_id,
    keyHash: wire.key_hash,
    issuer: wire.token?.issuer ?? null,
    subject: wire.token?.subject ?? null,
    audience: wire.token?.audience ?? null,
    jwksUri: wire.token?.jwks_uri ?? null,
    scopes: wire.scopes,
    instruments: wire.instruments,
    maxAmount: wire.max_amount === null ? null : unitsOf(wire.max_amount),
    currency: wire.currency,
    spent: 0n,
    label: wire.label,
    createdAt: millis(event.ts),
    expiresAt: wire.expires_at === null ? null : millis(wire.expires_at),
    revokedAt: null,
  }
}
