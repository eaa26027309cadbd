import type { ArchivedFile } from '../event/journal.ts'
import type { JournalEvent } from '../event.ts'
import { type Hash, leafHash } from '../merkle.ts'
import type { Kept } from './index.ts'

/** A file of archived events, as it was read. */
export interface ReadFile {
  readonly name: string
  readonly month: string
  /** SHA-256, hex. */
  readonly digest: string
}

/** What is never archived: without it nobody could tell which journals and which files there are. */
const STAYS: ReadonlySet<string> = new Set(['journal.opened', 'journal.archived'])

/** The hash of an event; of one that is archived and not read, the one that is kept. @throws TypeError where there is neither */
export function leafOf({ body, leaf }: Kept): Hash {
  if (body !== null) return leafHash(body)
  if (!leaf) throw new TypeError('An archived event keeps its leaf.')
  return leaf
}

/** The events whose bodies are not there. */
export class Archived {
  /** How many there are. */
  unread = 0
  private readonly gaps = new Set<string>()
  private readonly files: ArchivedFile[] = []
  /** What bodies were read from. */
  private readonly used = new Set<ReadFile>()
  /** Payments that an event names whose body is where the event is. */
  private readonly here = new Set<string>()

  /** @param isGiven whether the files of the archive are there. @returns what is wrong with it */
  meet(journal: string, { body, type }: Kept, isGiven: boolean): string | null {
    if (body !== null) return null
    this.unread += 1
    this.gaps.add(journal)
    if (type !== undefined && STAYS.has(type)) return 'The event has no body, and is never archived.'
    return isGiven ? 'The event is archived, and not in the files that were given.' : null
  }

  /** What a `journal.archived` names. */
  named(files: readonly ArchivedFile[]): void {
    this.files.push(...files)
  }

  /** An event, and the file that it was read from, if any. */
  read({ payment_id: paymentId }: JournalEvent, file: ReadFile | undefined): void {
    if (file) this.used.add(file)
    else if (paymentId !== undefined) this.here.add(paymentId)
  }

  /** Whether all events of a payment were read from files. */
  hasLeft(paymentId: string): boolean {
    return !this.here.has(paymentId)
  }

  /** Whether an event before this one was not read: in its journal, or in the instance's, which is read first. */
  isGap(journal: string): boolean {
    return this.gaps.has('instance') || this.gaps.has(journal)
  }

  /** What cannot be, of all that was met: one sentence each. */
  wrong(read: readonly ReadFile[]): readonly string[] {
    const most = this.files.reduce((sum, { events }) => sum + events, 0)
    const others = read.filter((file) => {
      const known = this.files.filter(({ month }) => month === file.month)
      // A run that was killed may leave a file that the journal does not name. Nothing has left for it.
      return (known.length > 0 || this.used.has(file)) && known.every(({ digest }) => digest !== file.digest)
    })
    return [
      ...(this.unread > most ? [`${this.unread} events have no body in the database; ${most} were archived.`] : []),
      ...others.map(({ name }) => `${name} is not the file that was archived.`),
    ]
  }
}
