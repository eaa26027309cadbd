import { Bare } from './bare.ts'
import type { Figure } from './measure.ts'
import { perSecond, perSecondOf, progress, ratioOf } from './measure.ts'
import type { Purse } from './purse.ts'
import { decide, makePurse, temporaryFolder } from './purse.ts'

const ROUNDS = 9
const DECISIONS = 1_000
const CALLERS = 64

/** A purse, and a file of its own for {@link Bare} with the very same rows. */
export async function makePair(): Promise<{ readonly purse: Purse; readonly bare: Bare; close(): Promise<void> }> {
  const [folder, other] = [await temporaryFolder(), await temporaryFolder()]
  const purse = await makePurse(folder)
  const sample = await makePurse(other)
  await decide(sample)
  await sample.close()
  const bare = new Bare(other)
  return {
    purse,
    bare,
    async close() {
      bare.close()
      await purse.close()
    },
  }
}

export async function oneCaller(): Promise<Figure> {
  progress('decision, one caller')
  const { purse, bare, close } = await makePair()
  const ratio = await ratioOf(
    ROUNDS,
    () => perSecond(DECISIONS, () => decide(purse)),
    () => perSecond(DECISIONS, () => bare.decide()),
  )
  await close()
  return {
    name: 'decision, SQLite durable, one caller',
    against: 'rate of a bare better-sqlite3 transaction that reads and writes the same rows',
    ratio,
    target: '>= 0.8',
  }
}

export async function manyCallers(): Promise<Figure> {
  progress(`decisions, ${CALLERS} concurrent callers`)
  const purse = await makePurse(await temporaryFolder())
  const ratio = await ratioOf(
    ROUNDS,
    () => perSecondOf(CALLERS, 4 * DECISIONS, () => decide(purse)),
    () => perSecond(DECISIONS, () => decide(purse)),
  )
  await purse.close()
  return {
    name: `decisions, ${CALLERS} concurrent callers, group commit`,
    against: 'rate of one caller',
    ratio,
    target: '>= 2.5',
  }
}
