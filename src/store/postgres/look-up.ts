import { setTimeout as sleep } from 'node:timers/promises'
import type { Landed } from '../shared/journals.ts'
import type { Pool } from './pool.ts'
import { literal, quoted } from './text.ts'
import { ANSWER_MS, begun } from './transaction.ts'

/** How long one look waits for whatever the lost transaction still holds, and the pause before the next, in milliseconds. */
const LOCK_MS = 4_000
const PAUSE_MS = 100

/**
 * Whether a commit whose answer was lost took place, as the primary tells. Its journal is locked first: that waits until the
 * lost transaction has ended one way or the other. And it is a commit itself, which waits for the standby as the lost one had
 * to: what is only there until the primary fails is not told to be there.
 */
export async function lookUp(pool: Pool, landed: Landed, withinMs: number): Promise<'there' | 'absent' | 'unknown'> {
  const until = performance.now() + withinMs
  for (let left = withinMs; left > 0; left = until - performance.now()) {
    const answer = await look(pool, landed, Math.min(left, LOCK_MS))
    if (answer) return answer
    await sleep(Math.random() * PAUSE_MS)
  }
  return 'unknown'
}

async function look(pool: Pool, { journal, seq, leaf }: Landed, lockMs: number): Promise<'there' | 'absent' | null> {
  const session = await pool.session().catch(() => null)
  if (!session) return null
  try {
    const { texts, command, warned } = await session.ask(
      `${begun(lockMs)}SELECT bursar.lock('[]', ${literal({ [`journal:${journal}`]: true })})::text;
       SELECT encode(leaf, 'hex') FROM bursar.events WHERE journal = ${quoted(journal)} AND seq = ${seq}; COMMIT`,
      lockMs + ANSWER_MS,
    )
    session.release(false)
    if (command !== 'COMMIT' || warned) return null
    return texts[1] === leaf.toString('hex') ? 'there' : 'absent'
  } catch {
    // Whatever it was: if another host is the primary now, it is the one to ask.
    pool.leave(session.host)
    session.release(true)
    return null
  }
}
