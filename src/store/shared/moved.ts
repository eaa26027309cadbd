import { BursarError } from '../../core/errors.ts'

/** The trigger that stands on `events` of a purse that was moved to another database, or is being moved. */
export const MARK = 'events_moved'
/** What it says. Behind it, in parentheses, comes which database it is. */
export const MOVED = 'bursar: this purse was moved to another database'

/** The whole of what a mark says. @param target 16 hexadecimal digits */
export function markText(target: string): string {
  return `${MOVED} (${target})`
}

/** The trigger as SQLite keeps it. */
export function markSql(target: string): string {
  return `CREATE TRIGGER ${MARK} BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, '${markText(target)}'); END`
}

/** Whether this is the whole statement of a mark in SQLite. */
export function isMark(sql: string): boolean {
  const [target = ''] = /[0-9a-f]{16}/.exec(sql) ?? []
  return sql === markSql(target)
}

/** For which database a purse was marked; null where the text is no mark's. */
export function markedFor(text: string): string | null {
  return /^bursar: this purse was moved to another database \(([0-9a-f]{16})\)$/.exec(text)?.[1] ?? null
}

/** A step met the mark: nothing was written. Any other error stays what it is. @throws always */
export function refuseMoved(error: unknown): never {
  if (error instanceof Error && markedFor(error.message) !== null)
    throw new BursarError(
      'config_invalid',
      'This purse was moved to another database, or is being moved; nothing is written here any more. Set BURSAR_DATABASE_URL to the other one and start again.',
    )
  throw error
}
