import type { OwnerAuthority } from '../actions/owner/authority.ts'
import type { NoteKey } from '../core/note.ts'
import type { PushDesk } from '../ports/notice.ts'
import type { Bursar, HostDesk } from '../ports.ts'
import type { HumanPrincipal } from './owner/principal.ts'
import type { AgentPrincipal } from './shared/principal.ts'

export type Principal = AgentPrincipal | HumanPrincipal

/** Something that others may want to hear of was committed in this process. */
export interface Changed {
  readonly subjectId: string
  readonly walletId: string | null
}

/** What the HTTP surface is given by the composition root. */
export interface HttpDeps {
  readonly bursar: Bursar
  readonly version: string
  /** The part of every address before the path, as people and agents reach it: `https://pay.example.com`, no slash. */
  readonly origin: string
  readonly desk: HostDesk
  /** Who signs the checkpoints of this instance's journals. */
  readonly noteKey: NoteKey
  /** How the browsers of owners come to be told of things; absent where the address of the console does not last. */
  readonly push?: PushDesk
  /** @throws `passphrase_wrong` */
  unlock(passphrase: string): Promise<OwnerAuthority>
  /** Subscribes to what is committed in this process; returns the way to stop. */
  changes(listener: (changed: Changed) => void): () => void
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void
}
