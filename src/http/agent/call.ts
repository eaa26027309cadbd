import type { Caller } from '../../actions/wire.ts'
import type { Bursar } from '../../ports.ts'
import type { Answer, Input } from '../shared/route.ts'
import type { NamesFor, RouteName, Routes } from '../shared/routes.ts'

/** What an agent's routes work with. */
export interface AgentDeps {
  readonly bursar: Bursar
  log(level: 'error', message: string): void
  /** Fires when the server ends. */
  readonly closing: AbortSignal
}

/** A call of an agent that may make it. */
export interface AgentCall<N extends RouteName> extends Input<Routes[N]>, AgentDeps {
  readonly caller: Caller
}

export type AgentHandler<N extends RouteName> = (call: AgentCall<N>) => Answer | Promise<Answer>

/** One for each route that is for agents; the compiler counts them. */
export type AgentHandlers<N extends RouteName = NamesFor<'agent'>> = { readonly [Name in N]: AgentHandler<Name> }
