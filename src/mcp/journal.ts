import type { StoredEvent } from '../ports.ts'
import type { McpDeps } from './deps.ts'

/** How many events an agent is shown, and how far back they are looked for in each wallet's journal. */
const EVENTS_MAX = 50
const LOOK_BACK = 200

/** An event as the journal has it, as far as an agent has use for it. */
export interface EventBody {
  readonly seq: number
  readonly ts: string
  readonly type: string
  readonly agent_id?: string
  readonly request_id?: string
  readonly instrument_id?: string
  readonly payment_id?: string
  readonly details: { readonly refusal?: unknown }
}

export function bodyOf(event: StoredEvent): EventBody {
  return JSON.parse(event.body) as EventBody
}

/** The journals of the wallets that the caller may use. */
export function journalsOf({ bursar, caller }: McpDeps): readonly string[] {
  const wallets = bursar.store.read.list('wallets', {})
  return wallets.filter(({ agentId }) => agentId === null || agentId === caller.agentId).map(({ id }) => id)
}

/** Whether an event is about the caller, or about a wallet as such: what others do in a shared wallet is theirs. */
export function isOwn(deps: McpDeps, body: EventBody): boolean {
  const agentId = agentOf(deps, body)
  return agentId === undefined || agentId === deps.caller.agentId
}

/** Not every event names the agent; what it is about does. */
function agentOf(
  { bursar }: McpDeps,
  { agent_id, payment_id, request_id, instrument_id }: EventBody,
): string | undefined {
  const { read } = bursar.store
  if (agent_id !== undefined) return agent_id
  if (payment_id !== undefined) return read.one('payments', { id: payment_id })?.agentId
  if (request_id !== undefined) return read.one('requests', { id: request_id })?.agentId
  if (instrument_id !== undefined) return read.one('instruments', { id: instrument_id })?.agentId
  return undefined
}

/** The latest events of the caller's wallets, newest first, without what only a verifier needs. */
export function latestEvents(deps: McpDeps): { readonly events: readonly object[] } {
  const { read } = deps.bursar.store
  const bodies = journalsOf(deps).flatMap((journal) => {
    const size = read.head(journal)?.size ?? 0
    return [...read.events(journal, Math.max(0, size - LOOK_BACK))].map(bodyOf)
  })
  const newest = bodies
    .filter((body) => isOwn(deps, body))
    .toSorted((a, b) => (a.ts === b.ts ? b.seq - a.seq : a.ts < b.ts ? 1 : -1))
    .slice(0, EVENTS_MAX)
  return {
    events: newest.map(({ details: { refusal }, ...event }) => (refusal === undefined ? event : { ...event, refusal })),
  }
}
