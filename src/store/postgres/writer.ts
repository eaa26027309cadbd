import { type JournalEvent, journalOf } from '../../core/event.ts'
import { project } from '../../core/projection/index.ts'
import type { Change } from '../../core/step.ts'
import type { Op, TableName } from '../../core/tables.ts'
import { merged } from '../../core/tables.ts'
import { rfc3339 } from '../../core/time.ts'
import type { JournalEnds, Landed, SealedHead } from '../shared/journals.ts'
import { assertKeepable } from '../shared/journals.ts'
import type { Locks } from './locks.ts'
import { locksOf, missingOf } from './locks.ts'
import { rowsOf } from './rows.ts'
import { literal } from './text.ts'

type AnyRow = Readonly<Record<string, unknown>>

/** What `bursar.write` is told: rows by what they are. */
export interface Parts {
  readonly texts?: readonly AnyRow[]
  readonly events?: readonly AnyRow[]
  readonly ops?: readonly Group[]
  readonly heads?: readonly AnyRow[]
}

/** What a step writes; null: nothing. Or the locks that it must hold alone before it may be decided. */
export type Written =
  | { readonly parts: Parts | null; readonly landed: Landed | null }
  | { readonly missing: readonly string[] }

/**
 * The events of a step, in their places, and what they do to the tables.
 *
 * @throws `journal_tampered`, or TypeError on what no store can keep; nothing of the step is in any journal then
 */
export function written({ facts, texts = [] }: Change<unknown>, now: number, ends: JournalEnds, held: Locks): Written {
  if (facts.length === 0 && texts.length === 0) return { parts: null, landed: null }
  assertKeepable(texts)
  const journals = new Set(facts.map((fact) => `journal:${journalOf(fact)}`))
  if (missingOf(journals, held).length > 0) {
    // Where these journals end is not known. What the facts touch does not depend on it.
    const about = facts.map(
      (fact): JournalEvent => ({ v: 1, journal: journalOf(fact), seq: 0, ts: rfc3339(now), ...fact }),
    )
    return { missing: missingOf(locksOf(about.map((event) => [event, project(event)])), held) }
  }
  const numbered = ends.number(facts, now)
  const projected = numbered.events.map(({ event }) => [event, project(event)] as const)
  const missing = missingOf(locksOf(projected), held)
  if (missing.length > 0) return { missing }
  ends.keep(numbered)
  const events = numbered.events.map(({ journal, seq, type, body, leaf }) => ({
    ...{ journal, seq, type, body, leaf: leaf.toString('hex') },
  }))
  const ops = grouped(merged(projected.flatMap(([, made]) => made)))
  const parts = {
    ...(texts.length > 0 && { texts: texts.map((text) => ({ ...text })) }),
    ...(events.length > 0 && { events }),
    ops,
  }
  return { parts, landed: numbered.landed }
}

/** Ends a commit: every journal that grew gets its head and a signed checkpoint. */
export function sealed(heads: readonly SealedHead[]): Parts {
  return {
    heads: heads.map(({ journal, size, frontier, checkpoint, mac }) => ({
      ...{ journal, size, frontier: frontier.toString('hex'), checkpoint, mac: mac.toString('hex') },
    })),
  }
}

export function writeOf(parts: Parts): string {
  return `SELECT bursar.write(${literal(parts)}::jsonb)`
}

/**
 * The writes of steps that are nothing to each other, as one. Those that write to the same tables in the same order share their
 * statements, row after row: the checks and triggers of a table are made ready once for all of them.
 */
export function together(parts: readonly Parts[]): Parts {
  const [only] = parts
  if (parts.length === 1 && only) return only
  const alike = new Map<string, Group[]>()
  for (const { ops = [] } of parts) {
    const name = ops.map(({ table, insert }) => `${table} ${insert ? 'insert' : 'change'}`).join()
    const groups = alike.get(name)
    if (!groups)
      alike.set(
        name,
        ops.map(({ table, insert, change }) => ({
          table,
          ...(insert && { insert: [...insert] }),
          ...(change && { change: [...change] }),
        })),
      )
    else
      for (const [i, { insert = [], change = [] }] of ops.entries()) {
        groups[i]?.insert?.push(...insert)
        groups[i]?.change?.push(...change)
      }
  }
  return {
    texts: parts.flatMap(({ texts = [] }) => texts),
    events: parts.flatMap(({ events = [] }) => events),
    ops: [...alike.values()].flat(),
  }
}

interface Group {
  readonly table: TableName
  readonly insert?: AnyRow[]
  readonly change?: AnyRow[]
}

/** Ops in the words of SQL; those on one table that follow each other, together. */
function grouped(ops: readonly Op[]): readonly Group[] {
  const groups: Group[] = []
  for (const op of ops) {
    const kind = 'insert' in op ? 'insert' : 'change'
    const last = groups.at(-1)
    const rows = last?.table === op.table ? last[kind] : undefined
    if (rows) rows.push(opIn(op))
    else groups.push({ table: op.table, [kind]: [opIn(op)] })
  }
  return groups
}

/** A row to begin from comes with what is set and added already. */
function opIn(op: Op): AnyRow {
  const rows = rowsOf(op.table)
  if ('insert' in op) return rows.encode(op.insert as unknown as AnyRow)
  const { key, set = {}, add = {}, make } = op
  return {
    key: rows.encode(key as AnyRow),
    set: rows.encode(set as AnyRow),
    add: rows.encode(add as AnyRow),
    ...(make && { make: rows.encode({ ...(make as unknown as AnyRow), ...set, ...add }) }),
  }
}
