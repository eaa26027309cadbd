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

/** Null for what is archived: its body is not here any more. */
export function bodyOf({ body }: StoredEvent): EventBody | null {
  return body === null ? null : (JSON.parse(body) as EventBody)
}

/** The journals of the wallets that the caller may use. */
export async function journalsOf({ bursar, caller }: McpDeps): Promise<readonly string[]> {
  const wallets = await bursar.store.read.list('wallets', {})
  return wallets.filter(({ agentId }) => agentId === null || agentId === caller.agentId).map(({ id }) => id)
}

/** Whether an event is about the caller, or about a wallet as such: what others do in a shared wallet is theirs. */
export async function isOwn(deps: McpDeps, body: EventBody): Promise<boolean> {
  const agentId = await agentOf(deps, body)
  return agentId === undefined || agentId === deps.caller.agentId
}

/** Not every event names the agent; what it is about does. */
async function agentOf(
  { bursar }: McpDeps,
  { agent_id, payment_id, request_id, instrument_id }: EventBody,
): Promise<string | undefined> {
  const { read } = bursar.store
  if (agent_id !== undefined) return agent_id
  if (payment_id !== undefined) return (await read.one('payments', { id: payment_id }))?.agentId
  if (request_id !== undefined) return (await read.one('requests', { id: request_id }))?.agentId
  if (instrument_id !== undefined) return (await read.one('instruments', { id: instrument_id }))?.agentId
  return undefined
}

/** The latest events of the caller's wallets, newest first, without what only a verifier needs. */
export async function latestEvents(deps: McpDeps): Promise<{ readonly events: readonly object[] }> {
  const { read } = deps.bursar.store
  const bodies: EventBody[] = []
  for (const journal of await journalsOf(deps)) {
    const size = (await read.head(journal))?.size ?? 0
    for await (const event of read.events(journal, Math.max(0, size - LOOK_BACK))) {
      const body = bodyOf(event)
      if (body && (await isOwn(deps, body))) bodies.push(body)
    }
  }
  const newest = bodies.toSorted((a, b) => (a.ts === b.ts ? b.seq - a.seq : a.ts < b.ts ? 1 : -1)).slice(0, EVENTS_MAX)
  return {
    events: newest.map(({ details: { refusal }, ...event }) => (refusal === undefined ? event : { ...event, refusal })),
  }
}
