/** What an agent's credential may be used for. None of them approves anything. */
export const AGENT_SCOPES = ['bursar:read', 'bursar:request', 'bursar:pay'] as const
export type AgentScope = (typeof AGENT_SCOPES)[number]

/**
 * By what an agent is known: a key that bursar made, or the tokens of an issuer that the owner trusts. One that an agent minted
 * for a task has a parent, is never wider than it, and ends with it.
 */
export interface Credential {
  readonly id: string
  readonly agentId: string
  /** Another credential of the same agent; null: the owner gave it. */
  readonly parentId: string | null
  /** SHA-256 of the key, hex; null: it stands for the tokens of the issuer below. */
  readonly keyHash: string | null
  /** OAuth 2.1, RFC 9068: `iss`, `sub` and `aud` of the tokens that it stands for, and where the issuer's keys are. */
  readonly issuer: string | null
  readonly subject: string | null
  readonly audience: string | null
  readonly jwksUri: string | null
  readonly scopes: readonly AgentScope[]
  /** It pays with these only; null: with all instruments of the agent. */
  readonly instruments: readonly string[] | null
  /** What may be held and spent with it in all, in units of `currency`; null: as much as the agent may. */
  readonly maxAmount: bigint | null
  readonly currency: string | null
  /** What was held and spent with it and with what it minted. */
  readonly spent: bigint
  /** The owner's or the agent's name for it. Untrusted. */
  readonly label: string | null
  readonly createdAt: number
  /** From then on it is no credential any more; null: until it is revoked. */
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

/** A WebAuthn credential of an owner. Its private half never leaves the authenticator. */
export interface Passkey {
  /** The credential id, base64url. */
  readonly id: string
  readonly ownerId: string
  /** COSE_Key (RFC 9052), base64url. */
  readonly publicKey: string
  /** The relying party: the console's host name. */
  readonly rpId: string
  readonly origin: string
  readonly name: string
  /** Whether it can leave its device (WebAuthn `BE`). */
  readonly synced: boolean
  readonly transports: readonly string[]
  readonly createdAt: number
  readonly revokedAt: number | null
}

/** A one-time code with which an owner enrols a first passkey. */
export interface Invitation {
  /** SHA-256 of the code, hex. */
  readonly codeHash: string
  readonly ownerId: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly usedAt: number | null
}

/** One owner's yes, where a policy wants two. */
export interface Answer {
  readonly approvalId: string
  readonly ownerId: string
  /** Canonical JSON of the narrowing that was agreed to. */
  readonly narrowed: string
  readonly createdAt: number
}

/** How far a channel of notifications has told what a journal says. */
export interface NoticeCursor {
  readonly channel: string
  readonly journal: string
  /** The last event that is done with. */
  readonly seq: number
}
