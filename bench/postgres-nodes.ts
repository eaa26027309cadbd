import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Figure } from './measure.ts'
import { progress, ratioOf } from './measure.ts'
import { withPurses } from './postgres.ts'
import type { Purses, Spot } from './postgres-purse.ts'
import { decideAt, openStore } from './postgres-purse.ts'

const ROUNDS = 3
const WALLETS = 64
const LOAD_MS = 2_500
/** Callers of each node. */
const CALLERS = 16

interface Load {
  readonly ms: number
  readonly spots: readonly Spot[]
}

/** A node: pays out of these wallets in turn for as long as it is told, each time that it is told. */
export async function postgresWorker(url: string, folder: string): Promise<void> {
  const store = await openStore({ url, folder })
  const pay = async ({ ms, spots }: Load): Promise<void> => {
    let made = 0
    const end = performance.now() + ms
    const caller = async (): Promise<void> => {
      while (performance.now() < end) await decideAt(store, spots[made++ % spots.length] as Spot)
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
    process.send?.(made)
  }
  process.on('message', (load: Load) => void pay(load))
  process.send?.('ready')
  await once(process, 'disconnect')
  await store.close()
}

/** Two and four processes on one server against one, which all have the same wallets; and on one wallet. */
export function postgresNodes(): Promise<readonly Figure[]> {
  return withPurses(WALLETS, async (purses) => {
    const nodes = await Promise.all(Array.from({ length: 4 }, () => started(purses)))
    const rateOf = async (count: number, spots: readonly Spot[]): Promise<number> => {
      const made = await Promise.all(nodes.slice(0, count).map((node) => loaded(node, spots)))
      return (made.reduce((sum, one) => sum + one, 0) * 1000) / LOAD_MS
    }
    const figures: Figure[] = []
    for (const [what, spots] of [
      [`${WALLETS} wallets`, purses.spots],
      ['one hot wallet', purses.spots.slice(0, 1)],
    ] as const)
      for (const count of [2, 4]) {
        progress(`decisions, PostgreSQL, ${count} nodes, ${what}`)
        const ratio = await ratioOf(
          ROUNDS,
          () => rateOf(count, spots),
          () => rateOf(1, spots),
        )
        const name = `decisions, PostgreSQL, ${count} nodes of ${CALLERS} callers, ${what}`
        figures.push({ name, against: 'rate of one node', ratio, target: null })
      }
    for (const node of nodes) node.disconnect()
    await Promise.all(nodes.map((node) => once(node, 'exit')))
    return figures
  })
}

async function started({ url, folder }: Purses): Promise<ChildProcess> {
  const child = fork(process.argv[1] ?? '', ['postgres-worker', folder, url])
  await once(child, 'message')
  return child
}

async function loaded(child: ChildProcess, spots: readonly Spot[]): Promise<number> {
  child.send({ ms: LOAD_MS, spots } satisfies Load)
  const [made] = (await once(child, 'message')) as [number]
  return made
}
