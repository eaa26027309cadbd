import { BursarError } from '../../core/errors.ts'
import type { NoteKey } from '../../core/note.ts'
import type { Report } from '../../core/verify/index.ts'
import type { Head } from '../../ports.ts'
import { CARD_TABLES, type CardBooks } from './card-tables.ts'
import type { Balance, Counts } from './compare.ts'
import { balancesOf, compare } from './compare.ts'
import type { Books, Receiver, Side } from './side.ts'
import { INSTANCE, type Row, TABLES } from './tables.ts'
import { verifyBooks, whyUnkept } from './verify.ts'

export interface MoveOptions {
  readonly source: Side
  readonly target: Side
  /** Who signs the journals' checkpoints. */
  readonly key: NoteKey
  /** Told of each point that was reached, once it was. */
  readonly reached?: (point: Point) => void
  /** Run once it is known that the purse can be moved, before anything is. */
  readonly before?: () => Promise<void>
}

/** `marked`: nothing is written to the source any more. `committed`: the target is the purse. */
export type Point = 'verified' | 'marked' | `copied ${string}` | 'compared' | 'proved' | 'committed'

export interface Moved {
  /** True where an earlier run had moved it, and was killed before it could say so. */
  readonly before: boolean
  readonly rows: Counts
  readonly balances: readonly Balance[]
  /** As they were moved. */
  readonly heads: readonly Head[]
  /** Of the sandbox's card network; null where there was none, or an earlier run moved it. */
  readonly cards: Counts | null
}

const ROWS_AT_ONCE = 1_000

/**
 * Moves a purse, while others may still pay out of it: marks the source, so that nobody writes there any more, and then copies
 * all of it in one transaction of the target, which is committed only when both sides are the same and verify. What fails
 * takes the mark back, unless the target has the purse. Every process that puts a mark or takes it away holds the target
 * meanwhile: so at no moment are there two purses that pay.
 *
 * @throws `journal_tampered` where the source does not verify; `config_invalid` where the target has an instance, or the source
 * is marked for another database; `busy`
 */
export async function move(options: MoveOptions): Promise<Moved> {
  const { source, target } = options
  if (source.id === target.id) throw new BursarError('argument_invalid', 'The purse is in this database already.')
  const marked = await source.marked()
  if (marked !== null && marked !== target.id) throw elsewhere()
  await source.look((books) => assertMovable(books, target, options.key))
  if (marked === null) await options.before?.()
  options.reached?.('verified')
  try {
    const moved = await target.alone((receiver) => moveTo(receiver, options))
    await target.placeCards()
    options.reached?.('committed')
    return moved
  } catch (error) {
    return afterFailure(options, error)
  }
}

/**
 * Takes the mark of a move back that did not come to its end: the source is the purse again.
 *
 * @throws `wrong_state` when the target has the purse, or there is no mark for it
 */
export async function takeBack({ source, target }: Pick<MoveOptions, 'source' | 'target'>): Promise<void> {
  const marked = await source.marked()
  if (marked === null)
    throw new BursarError('wrong_state', 'This purse is not marked as moved. There is nothing to undo.')
  if (marked !== target.id) throw elsewhere()
  const isThere = await target.alone((receiver) => unlessThere(receiver, source, target.id))
  if (isThere)
    throw new BursarError('wrong_state', 'The purse was moved to this database, and is there. Move it back from there.')
}

/** Under the target's lock. @returns whether the purse is there, and the mark stays */
async function unlessThere(receiver: Receiver, source: Side, target: string): Promise<boolean> {
  const there = await instanceOf(receiver)
  if (there !== null && there === (await source.look(instanceOf))) return true
  await source.unmark(target)
  return false
}

/** What failed may have been the answer to a commit alone: what the target has is looked at again. */
async function afterFailure({ source, target }: MoveOptions, error: unknown): Promise<Moved> {
  if ((await source.marked()) !== target.id) throw error
  let isThere: boolean
  try {
    isThere = await target.alone((receiver) => unlessThere(receiver, source, target.id))
  } catch (again) {
    // Somebody else moves it now, and sees to the mark.
    if (again instanceof BursarError && again.code === 'busy') throw error
    throw new BursarError(
      'outcome_unknown',
      'The move failed, and whether the target has the purse cannot be told now. Nothing is paid meanwhile. Run the same command again, or with --undo.',
    )
  }
  if (!isThere) throw error
  await target.placeCards()
  return source.look((books) => earlier(books))
}

async function moveTo(receiver: Receiver, options: MoveOptions): Promise<Moved> {
  const { source, target, key, reached } = options
  const marked = await source.marked()
  const there = await instanceOf(receiver)
  if (there !== null && marked === target.id && there === (await source.look(instanceOf)))
    return source.look((books) => earlier(books))
  if (there !== null || !(await isEmpty(receiver)))
    throw new BursarError('config_invalid', 'The target holds a bursar already. Name an empty database, or a new file.')
  if (marked === null) await source.mark(target.id)
  else if (marked !== target.id) throw elsewhere()
  reached?.('marked')
  const cards = await source.lookAtCards((found) => moveCards(found, receiver))
  reached?.('copied card network')
  const moved = await source.look(async (books) => {
    await receiver.open()
    for (const table of TABLES) {
      const portion: Row[] = []
      for await (const row of books.rows(table)) {
        portion.push(row)
        if (portion.length === ROWS_AT_ONCE) await receiver.insert(table, portion.splice(0))
      }
      if (portion.length > 0) await receiver.insert(table, portion)
      reached?.(`copied ${table.name}`)
    }
    await receiver.shut()
    return proved(books, receiver, key, reached)
  })
  return { ...moved, cards }
}

/** After the mark: whatever the purse knows of the network is in it. @returns null where there is none */
async function moveCards(found: CardBooks | null, receiver: Receiver): Promise<Counts | null> {
  await receiver.insertCards(found)
  if (!found) return null
  return receiver.lookAtCards(async (copied) => {
    if (!copied) return null
    const counts = await compare(found, copied, CARD_TABLES)
    if ('differs' in counts) throw unlike(counts.differs as string)
    if (copied.id !== found.id || copied.seq !== found.seq) throw unlike('the name of the card network')
    return counts
  })
}

/** @throws `journal_tampered` unless both sides are the same, and verify */
async function proved(books: Books, receiver: Receiver, key: NoteKey, reached: MoveOptions['reached']): Promise<Moved> {
  const rows = await compare(books, receiver)
  if ('differs' in rows) throw unlike(rows.differs as string)
  reached?.('compared')
  const balances = await balancesOf(books)
  const copied = await balancesOf(receiver)
  if ('differs' in balances) throw unlike(`the balance of ${balances.differs}`)
  if ('differs' in copied) throw unlike(`the balance of ${copied.differs}`)
  const heads = await books.read.heads()
  const kept = heads.map(({ checkpoint }) => checkpoint)
  assertOk(await verifyBooks(books, key), 'The journal does not hold')
  assertOk(await verifyBooks(receiver, key, kept), 'The journal does not hold as it was copied')
  reached?.('proved')
  return { before: false, rows, balances, heads, cards: null }
}

async function assertMovable(books: Books, { keepsAll }: Side, key: NoteKey): Promise<void> {
  const report = await verifyBooks(books, key)
  assertOk(report, 'The journal does not hold')
  if (!report.complete)
    throw new BursarError(
      'config_invalid',
      `${report.archived} events of this purse are archived: their bodies are in files, and what cannot be verified whole is not moved. Copy the database with pg_dump instead. Nothing was moved.`,
    )
  const why = keepsAll ? null : await whyUnkept(books)
  if (why !== null) throw new BursarError('config_invalid', `${why} Nothing was moved.`)
}

function assertOk({ ok, problems: [first] }: Report, what: string): void {
  if (ok) return
  const place = first?.seq == null ? '' : ` at event ${first.seq}`
  throw new BursarError(
    'journal_tampered',
    `${what}: ${first?.journal ?? ''}${place}: ${first?.why ?? ''} Nothing was moved.`,
  )
}

/** What an earlier run moved: all of it is in the source still, and stays there. */
async function earlier(books: Books): Promise<Moved> {
  const counts: Record<string, number> = {}
  for (const table of TABLES) {
    let count = 0
    for await (const _row of books.rows(table)) count += 1
    counts[table.name] = count
  }
  const balances = await balancesOf(books)
  if ('differs' in balances) throw unlike(`the balance of ${balances.differs}`)
  return { before: true, rows: counts, balances, heads: await books.read.heads(), cards: null }
}

async function instanceOf(books: Books): Promise<string | null> {
  for await (const row of books.rows(INSTANCE)) return row[0] as string
  return null
}

async function isEmpty(books: Books): Promise<boolean> {
  for (const table of TABLES) for await (const _row of books.rows(table)) return false
  return true
}

function elsewhere(): BursarError {
  return new BursarError(
    'config_invalid',
    'This purse is marked as moved to another database than this one. Name that one, to go on or with --undo.',
  )
}

function unlike(what: string): BursarError {
  return new BursarError('journal_tampered', `The copy is not what was copied: ${what}. Nothing was moved.`)
}
