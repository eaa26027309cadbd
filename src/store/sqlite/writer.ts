import type { Statement } from 'better-sqlite3'
import { canonical } from '../../core/canonical.ts'
import type { Fact, JournalEvent } from '../../core/event.ts'
import { journalOf } from '../../core/event.ts'
import type { Frontier } from '../../core/merkle.ts'
import { append, EMPTY, leafHash, parseFrontier, rootOf, serializeFrontier } from '../../core/merkle.ts'
import type { NoteKey, Sign } from '../../core/note.ts'
import { checkpointText, signNote } from '../../core/note.ts'
import { project } from '../../core/projection/index.ts'
import type { Op } from '../../core/tables.ts'
import { merged } from '../../core/tables.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Text } from '../../core/types.ts'
import type { Connection } from './connection.ts'
import type { Statements } from './snapshot.ts'

/** Signs the journals' checkpoints. */
export interface JournalSigner {
  readonly key: NoteKey
  readonly sign: Sign
}

/** Where one event landed, to look up whether a commit whose answer was lost took place. */
export interface Landed {
  readonly journal: string
  readonly seq: number
  readonly leaf: Buffer
}

/**
 * Writes facts within the transaction of a step: the event, its leaf, and what it does to the tables. The journals'
 * heads are written once for all steps of a commit, with a signed checkpoint over each.
 */
export class Writer {
  private readonly tables: Statements
  private readonly signer: JournalSigner
  private readonly insertEvent: Statement
  private readonly insertText: Statement
  private readonly readHead: Statement
  private readonly writeHead: Statement
  private readonly readLeaf: Statement
  private heads = new Map<string, Frontier>()

  constructor(connection: Connection, tables: Statements, signer: JournalSigner) {
    this.tables = tables
    this.signer = signer
    this.insertEvent = connection.prepare('INSERT INTO events (journal, seq, type, body, leaf) VALUES (?, ?, ?, ?, ?)')
    this.insertText = connection.prepare('INSERT INTO texts (digest, salt, text) VALUES (?, ?, ?)')
    this.readHead = connection.prepare('SELECT size, frontier FROM heads WHERE journal = ?').raw(true)
    this.writeHead = connection.prepare(
      `INSERT INTO heads (journal, size, frontier, checkpoint) VALUES (?, ?, ?, ?)
       ON CONFLICT (journal) DO UPDATE SET size = excluded.size, frontier = excluded.frontier, checkpoint = excluded.checkpoint`,
    )
    this.readLeaf = connection.prepare('SELECT leaf FROM events WHERE journal = ? AND seq = ?').pluck()
  }

  /** Begins a commit. Other processes may have written since the last one: nothing is known of the heads. */
  begin(): void {
    this.heads = new Map()
  }

  /** A mark to go back to when one step of the commit fails. */
  mark(): ReadonlyMap<string, Frontier> {
    return new Map(this.heads)
  }

  rewind(mark: ReadonlyMap<string, Frontier>): void {
    this.heads = new Map(mark)
  }

  /** @returns where the first fact landed, or null when there was nothing to write. */
  write(facts: readonly Fact[], texts: readonly Text[], now: number): Landed | null {
    for (const { digest, salt, text } of texts) this.insertText.run(digest, salt, text)
    const ts = rfc3339(now)
    let first: Landed | null = null
    const ops: Op[] = []
    for (const fact of facts) {
      const journal = journalOf(fact)
      const head = this.head(journal)
      const event: JournalEvent = { v: 1, journal, seq: head.size, ts, ...fact }
      const body = canonical(event)
      const leaf = leafHash(body)
      this.insertEvent.run(journal, head.size, fact.type, body, leaf)
      this.heads.set(journal, append(head, leaf))
      first ??= { journal, seq: head.size, leaf }
      ops.push(...project(event))
    }
    for (const op of merged(ops)) this.apply(op)
    return first
  }

  /** Ends a commit: every journal that grew gets its head and a signed checkpoint. */
  seal(): void {
    for (const [journal, frontier] of this.heads) {
      const text = checkpointText(`${this.signer.key.name}/${journal}`, frontier.size, rootOf(frontier))
      const note = signNote(text, this.signer.key, this.signer.sign)
      this.writeHead.run(journal, frontier.size, serializeFrontier(frontier), note)
    }
  }

  /** Whether the commit that wrote this event took place. */
  has({ journal, seq, leaf }: Landed): boolean {
    const stored = this.readLeaf.get(journal, seq) as Buffer | undefined
    return stored?.equals(leaf) ?? false
  }

  private head(journal: string): Frontier {
    const kept = this.heads.get(journal)
    if (kept) return kept
    const row = this.readHead.get(journal) as [bigint, Buffer] | undefined
    return row ? parseFrontier(Number(row[0]), row[1]) : EMPTY
  }

  private apply(op: Op): void {
    const table = this.tables[op.table]
    if ('insert' in op) table.insert(op.insert as never)
    else table.change(op.key as never, (op.set ?? {}) as never, (op.add ?? {}) as never, op.make as never)
  }
}
