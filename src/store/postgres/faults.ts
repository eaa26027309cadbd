/** What an error says about the message that it answers. By code: a server's words are in its own language. */

/** Deadlocks and serialization failures: nothing was written, and it may go well the next time. */
const AGAIN: ReadonlySet<string> = new Set(['40001', '40P01'])
/** A server that goes away, comes up, is a standby, or has no connection to give. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  '0A000',
  '25006',
  '25P03',
  '25P04',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
])
const LOCK_TIMEOUT = '55P03'
/** The second is what a standby says to a transaction that is to write. */
const READ_ONLY: ReadonlySet<string> = new Set(['25006', '0A000'])
const NO_RIGHT = '42501'

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

export function isAgain(error: unknown): boolean {
  return AGAIN.has(codeOf(error) ?? '')
}

export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === LOCK_TIMEOUT
}

export function isReadOnly(error: unknown): boolean {
  return READ_ONLY.has(codeOf(error) ?? '')
}

export function isNoRight(error: unknown): boolean {
  return codeOf(error) === NO_RIGHT
}

/** It can only go on over another connection, perhaps to another host. Whatever has no code of a server is such, but a bug. */
export function isLost(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return false
  const code = codeOf(error) ?? ''
  return !/^[0-9A-Z]{5}$/.test(code) || code.startsWith('08') || ELSEWHERE.has(code)
}
