import type { OwnerAuthority } from '../../actions/owner/authority.ts'

/** An owner, by passphrase or by a console's session. */
export interface HumanPrincipal {
  readonly role: 'human'
  /** The owner's id. */
  readonly id: string
  /** How the journal names the way: `http`, `console`. */
  readonly channel: string
  /** Null for a console's session: what gives power is then confirmed with a passkey, one act at a time. */
  readonly authority: OwnerAuthority | null
}
