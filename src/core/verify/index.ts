import { canonical, sha256 } from '../canonical.ts'
import type { EventOf, JournalEvent } from '../event.ts'
import type { Frontier } from '../merkle.ts'
import { append, EMPTY, rootOf, serializeFrontier } from '../merkle.ts'
import type { Checkpoint, NoteKey } from '../note.ts'
import { openNote, parseCheckpoint } from '../note.ts'
import { project } from '../projection/index.ts'
import { Rebuilt } from '../tables.ts'
import { plain } from '../text.ts'
import type { Text } from '../types.ts'
import { Acts } from './acts.ts'
import { Answers } from './answers.ts'
import { Archived, leafOf, type ReadFile } from './archived.ts'
import type { TableRows } from './compare.ts'
import { compareTables } from './compare.ts'

export type { ReadFile } from './archived.ts'

/** What is verified: a live store or an export. Journals come as they are kept, oldest event first. */
export interface Evidence {
  /** The journals and the signed checkpoint over each; `instance` first. */
  readonly heads: readonly Head[]
  events(journal: string): Listing<Kept>
  texts(): Listing<Text>
  /** Journals that have events, where that is known apart from the heads. */
  journals?(): readonly string[] | Promise<readonly string[]>
  /** The tables to compare with; an export has none. */
  readonly tables?: TableRows
  /** The files that archived events were read from. */
  readonly files?: readonly ReadFile[]
}

/** `leaf` and `type` are there where they are kept beside the body. */
export interface Kept {
  /** Null where the event was archived, and is not in any file that was given. */
  readonly body: string | null
  readonly leaf?: Buffer
  readonly type?: string
  /** The file that the body is from; absent where it is from where the event is. */
  readonly file?: ReadFile
}

/** In memory, or read as it is walked. */
export type Listing<T> = Iterable<T> | AsyncIterable<T>

/** `size` and `frontier` are there where they are kept beside the checkpoint. */
export interface Head {
  readonly journal: string
  readonly checkpoint: string
  readonly size?: number
  readonly frontier?: Buffer
}

export interface Problem {
  readonly journal: string
  /** The event at which it was found; null where it is about a journal or a table as a whole. */
  readonly seq: number | null
  readonly why: string
}

export interface Report {
  /** Whether nothing is wrong with what was looked at: whether that was all, `complete` says. */
  readonly ok: boolean
  /** False where archived events were not read: of them only the leaves were, and what follows from them was not compared. */
  readonly complete: boolean
  readonly events: number
  /** How many events were not read because they are archived. */
  readonly archived: number
  readonly journals: readonly { readonly journal: string; readonly size: number; readonly root: string }[]
  /** In the order in which they were found: the first broken event first. */
  readonly problems: readonly Problem[]
}

/** No verdict needs more, and a journal that was rewritten whole has as many as it has events. */
const PROBLEMS_MAX = 20
const NAME_MAX = 60
const WHY_MAX = 300

/**
 * Verifies journals from nothing but their bytes and the public key: every event in its place and unchanged, every
 * checkpoint signed and over exactly these events, every approval by an owner's key or passkey about exactly the stored terms,
 * every passkey let in by a code or another one, and the tables nothing but what the events say.
 *
 * @param kept checkpoints from elsewhere (receipts, notifications): what they cover must still begin the journal
 */
export async function verify(evidence: Evidence, key: NoteKey, kept: readonly string[] = []): Promise<Report> {
  const run = new Run(evidence, key)
  const witnesses = kept.flatMap((note) => run.opened(note, 'a kept checkpoint', null))
  const order = evidence.heads.toSorted((a, b) => Number(b.journal === 'instance') - Number(a.journal === 'instance'))
  for (const head of order) await run.journal(head)
  await run.complete()
  await run.witnessed(witnesses)
  await run.texts()
  const { archive, problems } = run
  for (const why of archive.wrong(evidence.files ?? [])) run.problem('archive', null, why)
  const complete = archive.unread === 0
  if (evidence.tables && complete && problems.length === 0)
    for await (const why of compareTables(run.rebuilt, evidence.tables, (id) => archive.hasLeft(id)))
      run.problem('tables', null, why)
  const { count, journals } = run
  return { ok: problems.length === 0, complete, events: count, archived: archive.unread, journals, problems }
}

class Run {
  readonly rebuilt = new Rebuilt()
  readonly problems: Problem[] = []
  readonly journals: { journal: string; size: number; root: string }[] = []
  count = 0
  readonly archive = new Archived()
  private readonly evidence: Evidence
  private readonly key: NoteKey
  /** Checkpoints that owners signed along with their approvals: they witness the journal as those kept elsewhere do. */
  private readonly signed: Checkpoint[] = []
  private readonly openedJournals = new Set(['instance'])
  private readonly answers = new Answers()
  private readonly acts = new Acts()

  constructor(evidence: Evidence, key: NoteKey) {
    this.evidence = evidence
    this.key = key
  }

  problem(journal: string, seq: number | null, why: string): void {
    if (this.problems.length >= PROBLEMS_MAX) return
    // An export is anybody's: its names are quoted, never obeyed by a terminal.
    this.problems.push({ journal: plain(journal, NAME_MAX), seq, why: plain(why, WHY_MAX) })
  }

  async journal({ journal, checkpoint: note, ...kept }: Head): Promise<void> {
    let frontier = EMPTY
    for await (const found of this.evidence.events(journal)) {
      const computed = leafOf(found)
      if (found.leaf && !computed.equals(found.leaf))
        this.problem(journal, frontier.size, 'The event is not the one that was hashed.')
      const why = this.archive.meet(journal, found, this.evidence.files !== undefined)
      if (why !== null) this.problem(journal, frontier.size, why)
      if (found.body !== null) this.event(journal, frontier.size, found.body, found)
      frontier = append(frontier, computed)
      this.count += 1
      if (this.problems.length >= PROBLEMS_MAX) return
    }
    const root = rootOf(frontier)
    if (kept.frontier && !(kept.size === frontier.size && serializeFrontier(frontier).equals(kept.frontier)))
      this.problem(journal, null, 'What the journal would be continued from is not where it ends.')
    this.journals.push({ journal: plain(journal, NAME_MAX), size: frontier.size, root: root.toString('base64') })
    for (const checkpoint of this.opened(note, 'the checkpoint', journal)) {
      if (checkpoint.origin !== `${this.key.name}/${journal}`)
        this.problem(journal, null, "The checkpoint is another journal's.")
      else if (checkpoint.size !== frontier.size)
        this.problem(journal, null, `The checkpoint is over ${checkpoint.size} events; there are ${frontier.size}.`)
      else if (!checkpoint.root.equals(root))
        this.problem(journal, null, 'The checkpoint is over other events than these.')
    }
  }

  private event(journal: string, seq: number, body: string, { type, file }: Kept): void {
    try {
      const event = JSON.parse(body) as JournalEvent
      if (canonical(event) !== body) return this.problem(journal, seq, 'The event is not canonical JSON.')
      if (event.v !== 1 || event.journal !== journal || event.seq !== seq)
        return this.problem(journal, seq, `The event says it is number ${event.seq} of ${event.journal}.`)
      if (type !== undefined && type !== event.type) this.problem(journal, seq, `The event is kept as a ${type}.`)
      if (event.type === 'journal.opened') this.openedJournals.add(event.details.journal)
      if (event.type === 'journal.witnessed') this.signed.push(...this.witnessedBy(event))
      if (event.type === 'journal.archived') this.archive.named(event.details.files)
      this.archive.read(event, file)
      // What an event means follows from all that came before it.
      if (!this.archive.isGap(journal)) this.meaning(journal, seq, event)
    } catch {
      this.problem(journal, seq, 'The event cannot be read, or does what no event can do here.')
    }
  }

  private meaning(journal: string, seq: number, event: JournalEvent): void {
    for (const checks of [this.answers, this.acts]) {
      const { wrong, checkpoint } = checks.check(event, this.rebuilt)
      if (wrong !== null) this.problem(journal, seq, wrong)
      if (checkpoint !== null) this.signed.push(...this.opened(checkpoint, 'the checkpoint in an approval', journal))
    }
    this.rebuilt.apply(project(event))
  }

  private witnessedBy({ details }: EventOf<'journal.witnessed'>): readonly Checkpoint[] {
    return details.heads.map(({ journal, size, root }) => ({
      origin: `${this.key.name}/${journal}`,
      size,
      root: Buffer.from(root, 'base64'),
      extensions: [],
    }))
  }

  /** The checkpoint in a signed note, or nothing and a problem. */
  opened(note: string, what: string, journal: string | null): readonly Checkpoint[] {
    try {
      return [parseCheckpoint(openNote(note, [this.key]).text)]
    } catch {
      this.problem(journal ?? 'instance', null, `The signature of ${what} is not this instance's.`)
      return []
    }
  }

  /** The instance's journal names all others: one that is missing, or that it does not know, was tampered with. */
  async complete(): Promise<void> {
    const there = new Set(this.journals.map(({ journal }) => journal))
    for (const journal of (await this.evidence.journals?.()) ?? [])
      if (!there.has(journal)) this.problem(journal, null, 'The journal has events and no checkpoint.')
    for (const journal of this.openedJournals)
      if (!there.has(journal)) this.problem(journal, null, 'The journal is missing.')
    for (const journal of there)
      if (!this.openedJournals.has(journal)) this.problem(journal, null, 'The journal was never opened.')
  }

  /** Walks again to the sizes that were witnessed, and compares: this is what shows a rewrite or a cut. */
  async witnessed(kept: readonly Checkpoint[]): Promise<void> {
    const all = [...kept, ...this.signed]
    for (const origin of new Set(all.map((checkpoint) => checkpoint.origin))) {
      const journal = origin.slice(this.key.name.length + 1)
      const checkpoints = all.filter((checkpoint) => checkpoint.origin === origin)
      const roots = await this.rootsAt(journal, new Set(checkpoints.map(({ size }) => size)))
      for (const { size, root } of checkpoints) {
        const now = roots.get(size)
        if (!now) this.problem(journal, null, `A checkpoint over ${size} events was kept; the journal is shorter now.`)
        else if (!now.equals(root))
          this.problem(journal, null, `The first ${size} events are not those of a kept checkpoint.`)
      }
    }
  }

  private async rootsAt(journal: string, sizes: ReadonlySet<number>): Promise<ReadonlyMap<number, Buffer>> {
    const roots = new Map<number, Buffer>()
    let frontier: Frontier = EMPTY
    for await (const found of this.evidence.events(journal)) {
      frontier = append(frontier, leafOf(found))
      if (sizes.has(frontier.size)) roots.set(frontier.size, rootOf(frontier))
    }
    return roots
  }

  async texts(): Promise<void> {
    for await (const { digest, salt, text } of this.evidence.texts()) {
      const found = sha256(Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(text)])).toString('hex')
      if (found !== digest) this.problem('texts', null, `The text under ${digest} is not the one that was hashed.`)
    }
  }
}
