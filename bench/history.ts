import { Bare } from './bare.ts'
import type { Figure } from './measure.ts'
import { perSecond, progress, ratioOf } from './measure.ts'
import type { Purse } from './purse.ts'
import { decide, makePurse, openPurse, temporaryFolder } from './purse.ts'

const ROUNDS = 9
const DECISIONS = 500
const FEW = 1_000
const AT_ONCE = 10_000

/** A decision on a long history against one on a short one. */
export async function afterHistory(payments: number): Promise<Figure> {
  progress(`decision after ${payments.toLocaleString('en')} payments`)
  const long = await purseWith(payments)
  const short = await purseWith(FEW)
  const secondsOf = (purse: Purse) => async () => 1000 / (await perSecond(DECISIONS, () => decide(purse)))
  const ratio = await ratioOf(ROUNDS, secondsOf(long), secondsOf(short), 'ms')
  await Promise.all([long.close(), short.close()])
  return {
    name: `decision after ${payments.toLocaleString('en')} payments`,
    against: `time after ${FEW.toLocaleString('en')}`,
    ratio,
    target: '<= 1.2',
  }
}

/** A purse with this many captured payments behind it. */
async function purseWith(payments: number): Promise<Purse> {
  const folder = await temporaryFolder()
  const purse = await makePurse(folder)
  await decide(purse)
  await purse.close()
  const bare = new Bare(folder)
  const began = performance.now()
  for (let made = 0; made < payments; made += AT_ONCE) {
    bare.history(Math.min(AT_ONCE, payments - made))
    if (made > 0 && made % (AT_ONCE * 10) === 0)
      progress(`  ${made.toLocaleString('en')} payments, ${Math.round((performance.now() - began) / 1000)} s`)
  }
  bare.close()
  return openPurse(folder)
}
