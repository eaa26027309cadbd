import { isDeepStrictEqual } from 'node:util'
import { type Fact, type JournalEvent, journalOf } from '../../src/core/event.ts'
import { project } from '../../src/core/projection/index.ts'
import type { Snapshot } from '../../src/core/step.ts'
import { Rebuilt, rowName } from '../../src/core/tables.ts'
import type { Store } from '../../src/ports.ts'

const TABLES = {
  wallet: 'wallets',
  accounts: 'accounts',
  request: 'requests',
  instrument: 'instruments',
  payment: 'payments',
  approval: 'approvals',
} as const
const PARTS = Object.keys(TABLES) as (keyof typeof TABLES)[]

/** A step that was answered: what it was decided on, and what it wrote. */
export interface Seen {
  readonly facts: readonly Fact[]
  readonly snapshot: Pick<Snapshot, keyof typeof TABLES | 'limits' | 'credentials'>
}

/** The store; `seen` is told of every step of it that was answered. */
export function watched(store: Store, seen: Seen[]): Store {
  return {
    ...store,
    async update(key, decide) {
      let last: Seen | undefined
      const result = await store.update(key, (snapshot) => {
        const change = decide(snapshot)
        // One by one: what was not read is not looked at.
        const { wallet, accounts, request, instrument, payment, approval, limits, credentials } = snapshot
        const parts = { wallet, accounts, request, instrument, payment, approval, limits, credentials }
        last = { facts: change.facts, snapshot: parts }
        return change
      })
      if (last) seen.push(last)
      return result
    },
  }
}

/**
 * Steps that were decided on something else than what the journal of their wallet says of the moment before they wrote, or that
 * are not in it.
 */
export async function misled(store: Store, seen: readonly Seen[]): Promise<readonly Seen[]> {
  const wrong: Seen[] = []
  const journals = new Map<string, Seen[]>()
  for (const one of seen) {
    const journal = one.facts[0] && journalOf(one.facts[0])
    if (journal && journal !== 'instance') journals.set(journal, [...(journals.get(journal) ?? []), one])
  }
  for (const [journal, steps] of journals) {
    const left = new Set(steps)
    const rebuilt = new Rebuilt()
    for await (const { body } of store.read.events('instance')) rebuilt.apply(project(JSON.parse(body as string)))
    for await (const { body } of store.read.events(journal)) {
      const event = JSON.parse(body as string) as JournalEvent
      const { v: _version, journal: _journal, seq: _place, ts: _time, ...fact } = event
      // Two of the same words may be told apart by what they were decided on alone.
      const mine = [...left].find((one) => isFirst(one, fact) && isSoIn(rebuilt, one))
      if (mine) left.delete(mine)
      rebuilt.apply(project(event))
    }
    wrong.push(...left)
  }
  return wrong
}

function isFirst({ facts: [first] }: Seen, fact: object): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(first)), fact)
}

function isSoIn({ rows }: Rebuilt, { snapshot }: Seen): boolean {
  const row = (table: Parameters<typeof rowName>[0], key: object) =>
    rows.get(rowName(table, key as Readonly<Record<string, unknown>>))
  const isSame = (table: Parameters<typeof rowName>[0], found: object) =>
    isDeepStrictEqual({ ...row(table, found) }, { ...found })
  const areSame = PARTS.every((part) => snapshot[part] === null || isSame(TABLES[part], snapshot[part]))
  const used = (key: object) => {
    const { amount = 0n, forced = 0n, count = 0 } = row('counters', key) ?? {}
    return { amount: (amount as bigint) + (forced as bigint), count }
  }
  return (
    areSame &&
    snapshot.limits.every(
      (use) => isSame('limits', use.limit) && (use.key === null || isDeepStrictEqual({ ...use.used }, used(use.key))),
    )
  )
}
