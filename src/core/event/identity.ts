import type { WireAssertion, WireCredential, WirePasskey } from '../wire.ts'

/** Who is who: owners and their passkeys, agents and their credentials. And what was told to whom. */
export interface IdentityDetails {
  'owner.created': { owner_id: string; name: string; public_key: string }
  'owner.signed_in': { owner_id: string; channel: string; passkey_id?: string }
  'owner.signed_out': { owner_id: string; channel: string }
  /** `locked`: after this many failures nobody is let try for a while. */
  'owner.sign_in_failed': { channel: string; locked?: true }
  /** An owner confirmed an act with a passkey: the canonical statement says which, and its assertion proves it. */
  'owner.confirmed': { owner_id: string; act: string; statement: string; assertion: WireAssertion }
  /** A one-time code, by its SHA-256, with which an owner who has no passkey enrols one. */
  'passkey.invited': { owner_id: string; code_hash: string; expires_at: string }
  /** With the code's hash for a first one; further ones follow an `owner.confirmed`. */
  'passkey.added': { owner_id: string; passkey: WirePasskey; code_hash?: string }
  'passkey.revoked': { owner_id: string; passkey_id: string }
  /** Events of earlier versions have no `credential`: the key is then the agent's one credential. */
  'agent.added': { name: string; key_hash: string | null; credential?: WireCredential }
  /** `until`: when the credentials that the owner gave before end; at once for events of earlier versions. */
  'agent.rotated': { key_hash: string; credential?: WireCredential; ends?: readonly string[]; until?: string }
  'agent.revoked': Record<string, never>
  /** By the owner, or minted by an agent for a task. */
  'credential.added': { credential: WireCredential }
  /** It and all that it minted are over. */
  'credential.revoked': { credential_id: string }
  /** A channel of notifications is done with a journal up to this event. `skipped`: it was told nothing of what is before. */
  'notice.sent': { channel: string; journal: string; seq: number; outcome: 'delivered' | 'given_up' | 'skipped' }
}
