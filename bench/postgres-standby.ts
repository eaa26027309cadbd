import { Cluster } from '../test/support/postgres-cluster.ts'
import { copyPrograms, makeServerFolder } from '../test/support/postgres-folder.ts'
import type { Figure } from './measure.ts'
import { progress, ratioOf } from './measure.ts'
import { paying } from './postgres.ts'
import type { Spot } from './postgres-purse.ts'
import { decideAt, makePurses, openStore } from './postgres-purse.ts'
import { databaseOn } from './postgres-server.ts'
import { temporaryFolder } from './purse.ts'

const ROUNDS = 3
const WALLETS = 64

/** A commit that waits for a standby's disk too, against one that waits for its own; the standby follows in both. */
export async function postgresStandby(): Promise<readonly Figure[]> {
  const programs = makeServerFolder()
  const cluster = new Cluster(copyPrograms(programs))
  await cluster.form()
  const url = await databaseOn(cluster.primary.url())
  const purses = await makePurses(url, await temporaryFolder(), WALLETS)
  const store = await openStore(purses)
  const waitFor = (names: string) =>
    cluster.ask(async (client) => {
      await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
      await client.query('SELECT pg_reload_conf()')
    })
  const pay = (spot: Spot): Promise<void> => decideAt(store, spot)
  const figures: Figure[] = []
  for (const [callers, times] of [
    [1, 100],
    [16, 400],
  ] as const) {
    progress(`decision, PostgreSQL with a synchronous standby, callers: ${callers}`)
    const rate = paying(callers, times, purses.spots, pay)
    const withStandby = async (names: string) => {
      await waitFor(names)
      return rate()
    }
    const ratio = await ratioOf(
      ROUNDS,
      () => withStandby('*'),
      () => withStandby(''),
    )
    const name = `decision, PostgreSQL with a synchronous standby on the same machine, callers: ${callers}`
    figures.push({ name, against: 'rate without waiting for it', ratio, target: null })
  }
  await store.close()
  await cluster.stop()
  await programs.remove()
  return figures
}
