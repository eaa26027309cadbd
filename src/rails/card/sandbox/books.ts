import type { Records } from './records.ts'

/** Of any whole number column a bigint comes back. */
export type Value = string | bigint | number | null

/** A database within one transaction. Parameters are `$1`, `$2` and so on, in the order of `values`. */
export interface Sql {
  all<Row>(statement: string, values?: readonly Value[]): Promise<Row[]>
  /** @returns how many rows it wrote */
  run(statement: string, values?: readonly Value[]): Promise<number>
}

/** The few words of SQL in which the databases differ. */
export interface Dialect {
  /** Where the tables are. */
  readonly schema: string
  /** At the end of a SELECT: the row stays as it was read until the transaction ends. */
  readonly held: string
  /** Of the schedule: has not been taken off it. */
  readonly waiting: string
  /** Takes the message `$1` off the schedule, up to RETURNING. */
  readonly take: string
  /** Gives the next place in the order of changes as `seq`. */
  readonly nextSeq: string
  /** After this no change will come before one that can be seen. Null where none ever does. */
  readonly settled: string | null
}

/** Where the card network keeps its books. What is thrown within `work` undoes what it wrote. */
export interface Books {
  /** Looks, and writes nothing. `work` may be run again. */
  read<T>(work: (records: Records) => Promise<T>): Promise<T>
  /**
   * One transaction. Those of the same subject come one after the other, whichever process runs them. `work` waits for nothing
   * but the records, has no effect beside them, and may be run again: then nothing that it wrote before was kept, or all of it.
   *
   * @throws whatever `work` throws, and an Error when the database cannot be had; then it may have been kept, too.
   */
  update<T>(subject: string, work: (records: Records) => Promise<T>): Promise<T>
}
