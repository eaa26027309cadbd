import type { OwnerAuthority, OwnerBy } from '../../actions/owner/authority.ts'
import type { NoteKey } from '../../core/note.ts'
import type { Bursar } from '../../ports.ts'
import type { Answer, Input } from '../shared/route.ts'
import type { NamesFor, RouteName, Routes } from '../shared/routes.ts'

/** What owners' routes work with. */
export interface OwnerDeps {
  readonly bursar: Bursar
  readonly noteKey: NoteKey
}

/** A call of an owner that may make it: with the authority where it gives power. */
export interface OwnerCall<N extends RouteName> extends Input<Routes[N]>, OwnerDeps {
  readonly by: OwnerBy
  readonly authority: Routes[N]['human'] extends { readonly power: true } ? OwnerAuthority : unknown
}

export type OwnerHandler<N extends RouteName> = (call: OwnerCall<N>) => Answer | Promise<Answer>

/** One for each route that is for owners; the compiler counts them. */
export type OwnerHandlers<N extends RouteName = NamesFor<'human'>> = { readonly [Name in N]: OwnerHandler<Name> }
