import type { Actor } from '../../core/types.ts'

/**
 * The owner, present: made by `approvals/operator` from the passphrase and by nothing else. Whatever gives power asks
 * for one.
 */
export interface OwnerAuthority {
  readonly ownerId: string
  /** `cli`, `setup`. */
  readonly channel: string
  /** Ed25519, by the owner's key. */
  sign(bytes: Uint8Array): Uint8Array
}

/** Who takes power away: the safe direction needs no proof. */
export interface OwnerBy {
  readonly ownerId: string
  readonly channel: string
}

export function humanActor(by: OwnerBy): Actor {
  return { role: 'human', id: by.ownerId }
}
