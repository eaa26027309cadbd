import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonical, sha256 } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact, JournalEvent } from '../../core/event.ts'
import { journalOf } from '../../core/event.ts'
import type { Frontier } from '../../core/merkle.ts'
import { append, EMPTY, leafHash, parseFrontier, rootOf, serializeFrontier } from '../../core/merkle.ts'
import type { NoteKey, Sign } from '../../core/note.ts'
import { checkpointText, noteKey, signNote } from '../../core/note.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Text } from '../../core/types.ts'
import type { StoredEvent } from '../../ports.ts'

/** Signs the journals' checkpoints. */
export interface JournalSigner {
  readonly key: NoteKey
  readonly sign: Sign
}

/** The name and key under which an instance's checkpoints are signed: what a verifier must know. */
export function journalNoteKey(publicKey: Uint8Array): NoteKey {
  return noteKey(`bursar-${sha256(publicKey).toString('hex', 0, 8)}`, publicKey)
}

/** Where one event landed, to look up whether a commit whose answer was lost took place. */
export interface Landed {
  readonly journal: string
  readonly seq: number
  readonly leaf: Buffer
}

/** A journal's head as a store keeps it. */
export interface KeptHead {
  readonly size: number
  readonly frontier: Buffer
  readonly mac: Buffer
}
export interface SealedHead extends KeptHead {
  readonly journal: string
  readonly checkpoint: string
}

/** The facts of one step in their places, before they are kept. */
export interface Numbered {
  /** Where the journals of the facts end with them. */
  readonly ends: ReadonlyMap<string, Frontier>
  readonly begun: ReadonlySet<string>
  readonly events: readonly (StoredEvent & { readonly body: string; readonly event: JournalEvent })[]
  /** Where the first fact landed, or null when there was none. */
  readonly landed: Landed | null
}

/** What is signed for the secret, and never for anything else. */
const SECRET_OF = 'bursar journal head, version 1'

/**
 * The ends of the journals within one commit: numbers facts, hashes them, and seals every journal that grew with a signed
 * checkpoint. The same for every store, whatever it keeps them in.
 */
export class Journals {
  private readonly signer: JournalSigner
  /** Known to whoever can sign and to nobody else: an Ed25519 signature of this text is always the same. */
  private readonly secret: Buffer

  constructor(signer: JournalSigner) {
    this.signer = signer
    this.secret = sha256(signer.sign(Buffer.from(SECRET_OF)))
  }

  /** Begins a commit. Others may have written since the last one: `kept` tells where a journal stands now. */
  begin(kept: (journal: string) => KeptHead | undefined): JournalEnds {
    return new JournalEnds(this, kept)
  }

  /**
   * Signing on top of what somebody else wrote would make it look like ours, so a head that was not made with our key is
   * refused.
   *
   * @throws `journal_tampered`
   */
  open(journal: string, head: KeptHead | undefined): Frontier {
    if (!head || !timingSafeEqual(head.mac, this.macOf(journal, head.size, head.frontier)))
      throw new BursarError('journal_tampered', 'A journal was changed by something other than bursar.')
    return parseFrontier(head.size, head.frontier)
  }

  seal(journal: string, end: Frontier): SealedHead {
    const { key, sign } = this.signer
    const checkpoint = signNote(checkpointText(`${key.name}/${journal}`, end.size, rootOf(end)), key, sign)
    const frontier = serializeFrontier(end)
    return { journal, size: end.size, frontier, checkpoint, mac: this.macOf(journal, end.size, frontier) }
  }

  private macOf(journal: string, size: number, roots: Buffer): Buffer {
    return createHmac('sha256', this.secret).update(`${journal}\n${size}\n`).update(roots).digest()
  }
}

/** The journals that one commit makes longer. */
export class JournalEnds {
  private readonly journals: Journals
  private readonly kept: (journal: string) => KeptHead | undefined
  private readonly ends = new Map<string, Frontier>()
  /** The journals that begin in this commit. */
  private readonly begun = new Set<string>()

  constructor(journals: Journals, kept: (journal: string) => KeptHead | undefined) {
    this.journals = journals
    this.kept = kept
  }

  /**
   * Finds the places of a step's facts at the ends of their journals. Nothing changes until they are kept.
   *
   * @param now milliseconds since the epoch
   * @throws `journal_tampered` when a journal is not as bursar left it; TypeError on what no store can keep
   */
  number(facts: readonly Fact[], now: number): Numbered {
    const ts = rfc3339(now)
    const ends = new Map<string, Frontier>()
    const begun = new Set<string>()
    const events = facts.map((fact) => {
      const journal = journalOf(fact)
      if (fact.type === 'journal.opened') begun.add(fact.details.journal)
      if (fact.type === 'instance.created') begun.add(journal)
      const end = ends.get(journal) ?? this.end(journal, begun)
      const event: JournalEvent = { v: 1, journal, seq: end.size, ts, ...fact }
      const body = canonical(event)
      if (NUL.test(body)) throw new TypeError('Not a fact that bursar keeps: a text with the character U+0000.')
      const leaf = leafHash(body)
      ends.set(journal, append(end, leaf))
      return { journal, seq: end.size, type: fact.type, body, leaf, event }
    })
    const [first] = events
    return { ends, begun, events, landed: first ? { journal: first.journal, seq: first.seq, leaf: first.leaf } : null }
  }

  /** What is numbered from here on comes after these. */
  keep({ ends, begun }: Numbered): void {
    for (const [journal, end] of ends) this.ends.set(journal, end)
    for (const journal of begun) this.begun.add(journal)
  }

  /** Where each journal that grew ends now, signed. */
  sealed(): readonly SealedHead[] {
    return Array.from(this.ends, ([journal, end]) => this.journals.seal(journal, end))
  }

  /** The lack of a head is refused, too, where the journal did not just begin. */
  private end(journal: string, begun: ReadonlySet<string>): Frontier {
    const own = this.ends.get(journal)
    if (own) return own
    const head = this.kept(journal)
    if (!head && (begun.has(journal) || this.begun.has(journal))) return EMPTY
    return this.journals.open(journal, head)
  }
}

/** How JSON spells U+0000, which PostgreSQL has no text for. Behind an odd backslash it is no more than its spelling. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/

const LONE_SURROGATE = /\p{Surrogate}/u

/** @throws TypeError on a text that not every store gives back as it was. */
export function assertKeepable(texts: readonly Text[]): void {
  for (const { text } of texts)
    if (text.includes('\0') || LONE_SURROGATE.test(text))
      throw new TypeError('Not a text that bursar keeps: half of a surrogate pair, or the character U+0000.')
}
