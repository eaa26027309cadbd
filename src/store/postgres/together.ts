import { BursarError } from '../../core/errors.ts'
import { isLost } from './faults.ts'
import type { Pool } from './pool.ts'
import type { Together } from './reader.ts'

/** How long the server may take for one statement, in milliseconds: a journal may be long. */
const ANSWER_MS = 120_000
/** And for one that has nothing to look for. */
const BRIEF_MS = 10_000

/**
 * One transaction that writes nothing and sees one moment, on a connection that nobody else has meanwhile. Where that is lost it
 * ends: another one would see another moment.
 */
export function togetherOn(pool: Pool): Together {
  return async (look) => {
    const session = await heard(pool.session())
    let broken = true
    try {
      await heard(session.ask('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', BRIEF_MS))
      // One statement after another: whoever looks may ask for several at once.
      let last: Promise<unknown> = Promise.resolve()
      const texts = (text: string, values: readonly unknown[] = []): Promise<readonly string[]> => {
        const answer = last.then(() => heard(session.texts(text, values, ANSWER_MS)))
        last = answer.catch(() => undefined)
        return answer
      }
      try {
        return await look({ texts })
      } finally {
        await last
        await heard(session.ask('COMMIT', BRIEF_MS))
        broken = false
      }
    } finally {
      session.release(broken)
    }
  }
}

/** @throws `rail_unavailable` in place of what the driver says of a server that is away */
async function heard<R>(answer: Promise<R>): Promise<R> {
  try {
    return await answer
  } catch (error) {
    throw isLost(error) ? new BursarError('rail_unavailable', 'The database cannot be reached.') : error
  }
}
