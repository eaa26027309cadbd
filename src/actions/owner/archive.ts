import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BursarError } from '../../core/errors.ts'
import type { ArchivedFile } from '../../core/event/journal.ts'
import type { EventOf, JournalEvent } from '../../core/event.ts'
import { leafHash } from '../../core/merkle.ts'
import type { NoteKey } from '../../core/note.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Archive, Bursar, StoredEvent } from '../../ports.ts'
import { type FiledEvent, MonthFile, nameOf } from './archive-files.ts'
import { MonthWriter, syncFolder } from './archive-write.ts'
import { humanActor, type OwnerAuthority } from './authority.ts'
import { eventLine } from './journal.ts'

export interface ArchiveOptions {
  /** Months before this one, such as `2026-08`. */
  readonly before: string
  readonly folder: string
  /** How many bodies go at a time. */
  readonly portion?: number
}

export interface Archived {
  readonly before: string
  /** The months whose files are in the folder. `events`: of the file; `digest`: its SHA-256, hex. */
  readonly files: readonly (ArchivedFile & { readonly file: string })[]
  /** Months that were archived before, to files that are not in this folder. */
  readonly elsewhere: readonly string[]
  /** How many bodies left the database. */
  readonly cleared: number
  /** How many refused payments left it, row and all. */
  readonly refused_payments: number
  /** How many of these months are in the database still: what is open, and what is never archived. */
  readonly stayed: number
}

const MONTH = /^[0-9]{4}-(?:0[1-9]|1[0-2])$/
const MONTH_LENGTH = 7
const PORTION = 500

/**
 * Moves the bodies of old events to files, one for each month. First all is written, read back and compared with the database;
 * then the journal says which files there are; then the bodies go, in portions, each followed by the rows of the payments that
 * it refused. Wherever that ends, nothing is lost, and the next run goes on.
 *
 * @throws `argument_invalid` for a store that is not archived, a month that is too late, a folder that cannot be written, or a
 * file in it that is another one; `config_invalid` where this role may not
 */
export async function archiveJournals(
  bursar: Bursar,
  authority: OwnerAuthority,
  key: NoteKey,
  { before, folder, portion = PORTION }: ArchiveOptions,
): Promise<Archived> {
  assertOver(before, bursar.clock.now())
  const archive = await bursar.store.archive()
  makeFolder(folder)
  const known = await knownFiles(bursar)
  const months = await writeMonths(bursar, key, { before, folder, isKnown: (month) => known.has(month) })
  const found: MonthFile[] = []
  const elsewhere: string[] = []
  for (const month of [...new Set([...months.keys(), ...known.keys()])].filter((month) => month < before).sort()) {
    if (known.has(month) && !existsSync(join(folder, nameOf(month)))) elsewhere.push(month)
    else
      found.push(await checked(bursar, await MonthFile.open(folder, month, key), known.get(month), months.get(month)))
  }
  const files = found.map(({ month, events, digest }) => ({ month, events, digest }))
  const fresh = files.filter(({ month }) => !known.has(month))
  if (fresh.length > 0) await record(bursar, authority, before, fresh)
  const left = { cleared: 0, refused_payments: 0 }
  for (const file of found) await clear(archive, file, portion, left)
  const there = [...months.values()].reduce((sum, count) => sum + count, 0)
  return {
    before,
    files: files.map((file) => ({ file: nameOf(file.month), ...file })),
    elsewhere,
    ...left,
    stayed: there - left.cleared,
  }
}

/** @throws `argument_invalid` */
function assertOver(before: string, now: number): void {
  if (!MONTH.test(before)) throw new BursarError('argument_invalid', '--before is a month, such as 2026-08.')
  const date = new Date(now)
  const latest = rfc3339(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1)).slice(0, MONTH_LENGTH)
  if (before > latest)
    throw new BursarError(
      'argument_invalid',
      `--before is ${latest} at the latest now: this month and the last one stay in the database.`,
    )
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new BursarError('argument_invalid', `${folder} cannot be made: the system answers ${code}.`)
  }
}

/** The files that the journal names, by month: their digests. */
async function knownFiles({ store: { read } }: Bursar): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>()
  for await (const { type, body } of read.events('instance')) {
    if (type !== 'journal.archived' || body === null) continue
    const { details } = JSON.parse(body) as EventOf<'journal.archived'>
    for (const { month, digest } of details.files) known.set(month, [...(known.get(month) ?? []), digest])
  }
  return known
}

interface Writing {
  readonly before: string
  readonly folder: string
  readonly isKnown: (month: string) => boolean
}

/** Writes the months that have no file yet. @returns how many bodies of each month are in the database */
async function writeMonths(
  { store: { read } }: Bursar,
  key: NoteKey,
  { before, folder, isKnown }: Writing,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  const writers = new Map<string, MonthWriter>()
  const heads = await read.heads()
  try {
    for (const { journal } of heads)
      for await (const event of read.events(journal)) {
        const month = monthOf(event)
        if (month === null || month >= before) continue
        const isFirst = !counts.has(month)
        counts.set(month, (counts.get(month) ?? 0) + 1)
        if (isFirst && !isKnown(month) && !existsSync(join(folder, nameOf(month))))
          writers.set(month, new MonthWriter(folder, month, { bursar_journal: 1, vkey: key.vkey, month }))
        writers.get(month)?.line(eventLine(event))
      }
    for (const writer of writers.values()) {
      for (const { journal, checkpoint } of heads) writer.line(JSON.stringify({ head: { journal, checkpoint } }))
      writer.finish()
    }
  } finally {
    for (const writer of writers.values()) writer.drop()
  }
  syncFolder(folder)
  return counts
}

function monthOf({ body }: StoredEvent): string | null {
  return body === null ? null : (JSON.parse(body) as { ts: string }).ts.slice(0, MONTH_LENGTH)
}

/**
 * The file, as it is on the disk: every event of it is what the database has the leaf of, and none is missing.
 *
 * @param digests which the journal names; undefined where it names none, and the database has the whole month
 * @throws `argument_invalid` where it is not so
 */
async function checked(
  { store: { read } }: Bursar,
  file: MonthFile,
  digests: readonly string[] | undefined,
  count: number | undefined,
): Promise<MonthFile> {
  const wrong = new BursarError(
    'argument_invalid',
    `${file.name} is not what was archived of ${file.month}. Nothing left the database. Bring back the file as it was, or name another folder.`,
  )
  if (digests && !digests.includes(file.digest)) throw wrong
  if (!digests && file.events !== count) throw wrong
  for (const journal of file.journals) {
    let first: FiledEvent | undefined
    for await (const event of file.of(journal)) {
      first = event
      break
    }
    const kept = read.events(journal, first?.seq ?? 0)[Symbol.asyncIterator]()
    for await (const filed of file.of(journal)) {
      const event = await upTo(kept, filed.seq)
      const leaf = leafHash(filed.body)
      if (!event?.leaf.equals(leaf) || !filed.leaf.equals(leaf)) throw wrong
    }
    await kept.return?.()
  }
  return file
}

async function upTo(events: AsyncIterator<StoredEvent>, seq: number): Promise<StoredEvent | null> {
  for (;;) {
    const { done, value } = await events.next()
    if (done) return null
    if ((value as StoredEvent).seq >= seq) return (value as StoredEvent).seq === seq ? (value as StoredEvent) : null
  }
}

async function record(
  { store }: Bursar,
  authority: OwnerAuthority,
  before: string,
  files: readonly ArchivedFile[],
): Promise<void> {
  const actor = humanActor(authority)
  await store.update({}, () => ({
    facts: [{ type: 'journal.archived', actor, details: { before, files } }],
    result: null,
  }))
}

interface Left {
  cleared: number
  refused_payments: number
}

async function clear(archive: Archive, file: MonthFile, portion: number, left: Left): Promise<void> {
  const take = async (journal: string, events: readonly FiledEvent[]): Promise<void> => {
    left.cleared += await archive.clear(journal, events)
    // Also of events whose bodies left before: a run may have ended in between.
    const refused = events.flatMap(refusedBy)
    if (refused.length > 0) left.refused_payments += await archive.forget(journal, refused)
  }
  for (const journal of file.journals) {
    let events: FiledEvent[] = []
    for await (const event of file.of(journal)) {
      events.push(event)
      if (events.length < portion) continue
      await take(journal, events)
      events = []
    }
    if (events.length > 0) await take(journal, events)
  }
}

/** The payment that an event refused. The one that attempted it is before it, and so has left with this portion or an earlier one. */
function refusedBy({ body, seq }: FiledEvent): readonly { readonly paymentId: string; readonly seq: number }[] {
  const { type, payment_id: paymentId } = JSON.parse(body) as JournalEvent
  return type === 'payment.refused' && paymentId !== undefined ? [{ paymentId, seq }] : []
}
