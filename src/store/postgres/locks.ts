import type { JournalEvent } from '../../core/event.ts'
import { INSTANCE_JOURNAL } from '../../core/event.ts'
import type { Op, TableName } from '../../core/tables.ts'

/** Locks of a step by name, and whether it has each alone; as `bursar.lock` takes and tells them. */
export type Locks = Readonly<Record<string, boolean>>

/** The locks that guard what these events change: to be held alone before it was read. */
export function locksOf(events: readonly (readonly [JournalEvent, readonly Op[]])[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const [event, ops] of events) {
    names.add(`journal:${event.journal}`)
    // What waits for a human is counted over all wallets of an agent. Most payments ask nobody, and wait for none of the others.
    if (ASKS.has(event.type)) names.add(`agent:${event.agent_id}`)
    for (const op of ops) for (const name of guardsOf(op, event)) names.add(name)
  }
  return names
}

/** Those that are not held alone. */
export function missingOf(needed: ReadonlySet<string>, held: Locks): readonly string[] {
  return [...needed].filter((name) => held[name] !== true)
}

const ASKS: ReadonlySet<string> = new Set(['request.created', 'payment.awaiting_approval'])

/** What guards the rows of a table; the journal of the event, where nothing is said. */
const GUARDS: { readonly [T in TableName]?: (op: Op, event: JournalEvent) => readonly string[] } = {
  instance: () => [INSTANCE_JOURNAL],
  owners: () => [INSTANCE_JOURNAL],
  passkeys: () => [INSTANCE_JOURNAL],
  invitations: () => [INSTANCE_JOURNAL],
  agents: (op, event) => [`agent:${textOf(op, 'id') ?? event.agent_id}`],
  // What is spent with it is counted over all wallets; all else that becomes of it is its agent's matter.
  credentials: (op, event) => [
    'add' in op ? `credential:${textOf(op, 'id')}` : `agent:${textOf(op, 'agentId') ?? event.agent_id}`,
  ],
  relayers: (op) => [`relayer:${textOf(op, 'id')}`],
  broadcasts: (op, event) => [`relayer:${textOf(op, 'relayer') ?? relayerOf(event)}`],
  fee_days: (op) => [`relayer:${textOf(op, 'relayer')}`],
}

function guardsOf(op: Op, event: JournalEvent): readonly string[] {
  return GUARDS[op.table]?.(op, event) ?? []
}

function textOf(op: Op, field: string): string | undefined {
  const row = ('insert' in op ? op.insert : op.key) as Readonly<Record<string, unknown>>
  return row[field] as string | undefined
}

function relayerOf({ details }: JournalEvent): string | undefined {
  return 'relayer' in details ? details.relayer : undefined
}
