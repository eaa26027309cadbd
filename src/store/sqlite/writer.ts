import type { Statement } from 'better-sqlite3'
import type { Fact } from '../../core/event.ts'
import { project } from '../../core/projection/index.ts'
import type { Op } from '../../core/tables.ts'
import { merged } from '../../core/tables.ts'
import type { Text } from '../../core/types.ts'
import type { JournalEnds, JournalSigner, KeptHead, Landed } from '../shared/journals.ts'
import { assertKeepable, Journals } from '../shared/journals.ts'
import type { Connection } from './connection.ts'
import type { Statements } from './snapshot.ts'

/**
 * Writes facts within the transaction of a step: the event, its leaf, and what it does to the tables. The journals'
 * heads are written once for all steps of a commit, with a signed checkpoint over each.
 */
export class Writer {
  private readonly tables: Statements
  private readonly journals: Journals
  private readonly insertEvent: Statement
  private readonly insertText: Statement
  private readonly readHead: Statement
  private readonly writeHead: Statement
  private readonly readLeaf: Statement
  private ends: JournalEnds

  constructor(connection: Connection, tables: Statements, signer: JournalSigner) {
    this.tables = tables
    this.journals = new Journals(signer)
    this.ends = this.journals.begin((journal) => this.kept(journal))
    this.insertEvent = connection.prepare('INSERT INTO events (journal, seq, type, body, leaf) VALUES (?, ?, ?, ?, ?)')
    this.insertText = connection.prepare('INSERT INTO texts (digest, salt, text) VALUES (?, ?, ?)')
    this.readHead = connection.prepare('SELECT size, frontier, mac FROM heads WHERE journal = ?').raw(true)
    this.writeHead = connection.prepare(
      `INSERT INTO heads (journal, size, frontier, checkpoint, mac) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (journal) DO UPDATE SET size = excluded.size, frontier = excluded.frontier, checkpoint = excluded.checkpoint, mac = excluded.mac`,
    )
    this.readLeaf = connection.prepare('SELECT leaf FROM events WHERE journal = ? AND seq = ?').pluck()
  }

  /** Begins a commit. Other processes may have written since the last one: nothing is known of the heads. */
  begin(): void {
    this.ends = this.journals.begin((journal) => this.kept(journal))
  }

  /** @returns where the first fact landed, or null when there was nothing to write. */
  write(facts: readonly Fact[], texts: readonly Text[], now: number): Landed | null {
    assertKeepable(texts)
    const numbered = this.ends.number(facts, now)
    const { events, landed } = numbered
    for (const { digest, salt, text } of texts) this.insertText.run(digest, salt, text)
    for (const { journal, seq, type, body, leaf } of events) this.insertEvent.run(journal, seq, type, body, leaf)
    for (const op of merged(events.flatMap(({ event }) => project(event)))) this.apply(op)
    this.ends.keep(numbered)
    return landed
  }

  /** Ends a commit: every journal that grew gets its head and a signed checkpoint. */
  seal(): void {
    for (const { journal, size, frontier, checkpoint, mac } of this.ends.sealed())
      this.writeHead.run(journal, size, frontier, checkpoint, mac)
  }

  /** Whether the commit that wrote this event took place. */
  has({ journal, seq, leaf }: Landed): boolean {
    const stored = this.readLeaf.get(journal, seq) as Buffer | undefined
    return stored?.equals(leaf) ?? false
  }

  private kept(journal: string): KeptHead | undefined {
    const row = this.readHead.get(journal) as [bigint, Buffer, Buffer] | undefined
    return row && { size: Number(row[0]), frontier: row[1], mac: row[2] }
  }

  private apply(op: Op): void {
    const table = this.tables[op.table]
    if ('insert' in op) table.insert(op.insert as never)
    else table.change(op.key as never, (op.set ?? {}) as never, (op.add ?? {}) as never, op.make as never)
  }
}
