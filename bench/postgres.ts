import type { Store } from '../src/ports.ts'
import type { Figure, Rate } from './measure.ts'
import { perSecondOf, progress, ratioOf } from './measure.ts'
import { BarePostgres } from './postgres-bare.ts'
import type { Purses, Spot } from './postgres-purse.ts'
import { decideAt, makePurses, openStore } from './postgres-purse.ts'
import { analyze, benchServer } from './postgres-server.ts'
import { temporaryFolder } from './purse.ts'

const ROUNDS = 3
const WALLETS = 64
const MANY = 1_000
const FEW_CALLERS = 1
const CALLERS = 16
const HOT_CALLERS = 64
/** Payments of one caller in a round, and of several. */
const ALONE = 100
const TOGETHER = 400

/** A store on a server of its own, with so many wallets, and what else is to be closed. */
export async function withPurses<R>(wallets: number, work: (purses: Purses, store: Store) => Promise<R>): Promise<R> {
  const server = await benchServer()
  const purses = await makePurses(await server.database(), await temporaryFolder(), wallets)
  const store = await openStore(purses)
  try {
    return await work(purses, store)
  } finally {
    await store.close()
    await server.stop()
  }
}

/** Payments out of these wallets in turn, so many callers at a time. */
export function paying(
  callers: number,
  times: number,
  spots: readonly Spot[],
  pay: (spot: Spot) => Promise<void>,
): Rate {
  let next = 0
  return () => perSecondOf(callers, times, () => pay(spots[next++ % spots.length] as Spot))
}

/** A decision against the same in one function on the server, and against its statements one by one. */
export function postgresDecisions(): Promise<readonly Figure[]> {
  return withPurses(4 * WALLETS, async (purses, store) => {
    const part = (n: number) => purses.spots.slice(n * WALLETS, (n + 1) * WALLETS)
    const bare = await BarePostgres.open(purses)
    const plain = await BarePostgres.open(purses, false)
    const against = [
      ['one call of a function on the server, same tables, checks and triggers', '>= 0.6', bare.pay, part(1)],
      ['its statements one by one, the same tables', null, bare.payByStatements, part(2)],
      ['one call of a function, tables without checks, triggers and foreign keys', null, plain.pay, part(3)],
    ] as const
    // Plans are made for tables of the size that they have, as they are on any server that has run for a minute.
    for (const [, , pay, spots] of against) await paying(CALLERS, TOGETHER, spots, pay)()
    await paying(CALLERS, TOGETHER, part(0), (spot) => decideAt(store, spot))()
    await analyze(purses.url)
    const figures: Figure[] = []
    for (const [times, callers] of [
      [ALONE, FEW_CALLERS],
      [TOGETHER, CALLERS],
    ] as const)
      for (const [what, target, pay, spots] of against) {
        progress(`decision, PostgreSQL, callers: ${callers}, against ${what}`)
        const ours = paying(callers, times, part(0), (spot) => decideAt(store, spot))
        const ratio = await ratioOf(ROUNDS, ours, paying(callers, times, spots, pay))
        figures.push({ name: `decision, PostgreSQL, callers: ${callers}`, against: `rate of ${what}`, ratio, target })
      }
    await bare.close()
    await plain.close()
    return figures
  })
}

/** Many wallets against one, and one with many callers against one caller. */
export function postgresHot(): Promise<readonly Figure[]> {
  return withPurses(MANY + 1, async ({ url, spots }, store) => {
    const pay = (spot: Spot): Promise<void> => decideAt(store, spot)
    const hot = spots.slice(0, 1)
    await paying(HOT_CALLERS, MANY, spots.slice(1), pay)()
    await paying(HOT_CALLERS, TOGETHER, hot, pay)()
    await analyze(url)
    progress(`decisions, PostgreSQL, ${MANY} wallets against one`)
    const wide = paying(HOT_CALLERS, TOGETHER, spots.slice(1), pay)
    const many = await ratioOf(ROUNDS, wide, paying(HOT_CALLERS, TOGETHER, hot, pay))
    progress(`decisions, PostgreSQL, one wallet, ${HOT_CALLERS} callers against one`)
    const group = await ratioOf(ROUNDS, paying(HOT_CALLERS, TOGETHER, hot, pay), paying(1, ALONE, hot, pay))
    const callers = `${HOT_CALLERS} callers`
    return [
      {
        ...{
          name: `decisions, PostgreSQL, ${MANY} wallets, ${callers}`,
          against: `rate of one hot wallet, ${callers}`,
        },
        ...{ ratio: many, target: '>= 1.7' },
      },
      {
        ...{ name: `decisions, PostgreSQL, one hot wallet, ${callers}, group commit`, against: 'rate of one caller' },
        ...{ ratio: group, target: null },
      },
    ]
  })
}
