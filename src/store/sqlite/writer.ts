import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Statement } from 'better-sqlite3'
import { canonical, sha256 } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
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

/** What is signed for the secret, and never for anything else. */
const SECRET_OF = 'bursar journal head, version 1'

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
  /** Known to whoever can sign and to nobody else: an Ed25519 signature of this text is always the same. */
  private readonly secret: Buffer
  private heads = new Map<string, Frontier>()
  /** The journals that begin in this commit. */
  private readonly begun = new Set<string>()

  constructor(connection: Connection, tables: Statements, signer: JournalSigner) {
    this.tables = tables
    this.signer = signer
    this.secret = sha256(signer.sign(Buffer.from(SECRET_OF)))
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
    this.heads = new Map()
    this.begun.clear()
  }

  /** @returns where the first fact landed, or null when there was nothing to write. */
  write(facts: readonly Fact[], texts: readonly Text[], now: number): Landed | null {
    for (const { digest, salt, text } of texts) this.insertText.run(digest, salt, text)
    const ts = rfc3339(now)
    let first: Landed | null = null
    const ops: Op[] = []
    for (const fact of facts) {
      const journal = journalOf(fact)
      const head = this.head(journal, fact)
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
      const roots = serializeFrontier(frontier)
      this.writeHead.run(journal, frontier.size, roots, note, this.macOf(journal, frontier.size, roots))
    }
  }

  /** Whether the commit that wrote this event took place. */
  has({ journal, seq, leaf }: Landed): boolean {
    const stored = this.readLeaf.get(journal, seq) as Buffer | undefined
    return stored?.equals(leaf) ?? false
  }

  /**
   * Where a journal stands. Signing on top of what somebody else wrote would make it look like ours, so a head that was
   * not made with our key is refused, and so is the lack of one where the journal did not just begin.
   *
   * @throws `journal_tampered`
   */
  private head(journal: string, fact: Fact): Frontier {
    if (fact.type === 'journal.opened') this.begun.add(fact.details.journal)
    if (fact.type === 'instance.created') this.begun.add(journal)
    const kept = this.heads.get(journal)
    if (kept) return kept
    const row = this.readHead.get(journal) as [bigint, Buffer, Buffer] | undefined
    if (!row && this.begun.has(journal)) return EMPTY
    const size = Number(row?.[0])
    if (!row || !timingSafeEqual(row[2], this.macOf(journal, size, row[1])))
      throw new BursarError('journal_tampered', 'A journal was changed by something other than bursar.')
    return parseFrontier(size, row[1])
  }

  private macOf(journal: string, size: number, roots: Buffer): Buffer {
    return createHmac('sha256', this.secret).update(`${journal}\n${size}\n`).update(roots).digest()
  }

  private apply(op: Op): void {
    const table = this.tables[op.table]
    if ('insert' in op) table.insert(op.insert as never)
    else table.change(op.key as never, (op.set ?? {}) as never, (op.add ?? {}) as never, op.make as never)
  }
}
