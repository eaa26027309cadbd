import type { Reader } from '../../ports.ts'
import type { CardBooks } from './card-tables.ts'
import type { Row, Table } from './tables.ts'

/** All that a database holds, as of one moment. */
export interface Books {
  readonly read: Reader
  /** Every row of a table in the order of its key, read in portions. */
  rows(table: Table): AsyncIterable<Row>
}

/** The database that receives, while nobody else may move anything to it. */
export interface Receiver extends Books {
  /** Takes down what checks each row as it comes: those that come were let in before, one step at a time. */
  open(): Promise<void>
  insert(table: Table, rows: readonly Row[]): Promise<void>
  /** Puts up again what {@link open} took down. */
  shut(): Promise<void>
  /** Writes a whole card network; null: there is none, and none that an earlier run wrote is to be used. */
  insertCards(cards: CardBooks | null): Promise<void>
  /** What {@link insertCards} wrote; null where none is kept here. */
  lookAtCards<R>(work: (cards: CardBooks | null) => Promise<R>): Promise<R>
}

/** One of the two databases of a move. */
export interface Side {
  /** Names the database itself, by whatever URL it is reached: 16 hexadecimal digits. */
  readonly id: string
  /** Whether every text of JSON can be kept there, those with an escaped U+0000 too. */
  readonly keepsAll: boolean
  /** For which other database the purse here is marked as moved; null: for none. */
  marked(): Promise<string | null>
  /** Once it is there, nothing is written to the purse any more. @throws `wrong_state` when there is one already */
  mark(target: string): Promise<void>
  /** Takes the mark back if it is for this database. */
  unmark(target: string): Promise<void>
  look<R>(work: (books: Books) => Promise<R>): Promise<R>
  /** Looks at the sandbox's card network; null where there is none. */
  lookAtCards<R>(work: (cards: CardBooks | null) => Promise<R>): Promise<R>
  /** Once the purse is there: the card network that came with it is the one that is used. */
  placeCards(): Promise<void>
  /**
   * Runs `work` in one transaction that alone may receive a purse here. It is committed when `work` resolves, and rolled back
   * when it throws.
   *
   * @throws `busy` when another process is at it
   */
  alone<R>(work: (receiver: Receiver) => Promise<R>): Promise<R>
  close(): Promise<void>
}
