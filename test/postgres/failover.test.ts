import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Payment } from '../../src/core/types.ts'
import { wideWallet } from '../support/disk.ts'
import { asked } from '../support/postgres.ts'
import { type Cluster, cluster } from '../support/postgres-cluster.ts'
import { keys, type NodeProcess, nodePrograms, startNodes } from './node-children.ts'
import { type Node, openNode } from './node-open.ts'
import type { Bought, Duty } from './node-program.ts'
import { cardFrom, expectWhole } from './node-purse.ts'

/** `BURSAR_TEST_ROUNDS=10` for a long campaign. */
const ROUNDS = Number(process.env.BURSAR_TEST_ROUNDS ?? 2)
const NODES = 2
/** Purchases of a node that are under way at the same time. */
const BUYERS = 3
/** How many purchases a node makes before its primary is killed, and after the standby was promoted. */
const PART = 8
const PAUSE_MS = 10
const DUTY_EVERY_MS = 250
const POLL_MS = 10
const DATABASE = 'bursar'
/** What may come instead of an answer: the database is looked for, or it cannot be told whether it has written. */
const MAY_BE_MET = ['busy', 'outcome_unknown', 'rail_unavailable', 'authorized', 'in_doubt']

let servers: Cluster
let here: Node
let nodes: NodeProcess[] = []

nodePrograms()
beforeAll(async () => {
  servers = await cluster()
  const { url } = await servers.database(DATABASE)
  here = await openNode(keys(), url)
  nodes = await startNodes(NODES, url)
}, 120_000)
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop('SIGKILL')))
  await here?.close()
  await servers?.stop()
})

const clock = (): number => Number(process.hrtime.bigint()) / 1e6

/** What each node has bought so far, and how its turns of bringing the books up to date went. */
class Watch {
  readonly bought = new Map<string, Bought[]>(nodes.map(({ name }) => [name, []]))
  readonly duties: (Duty & { readonly node: string })[] = []

  look(): void {
    for (const node of nodes)
      for (const line of node.news<Bought | Duty | string>()) {
        if (typeof line === 'string') continue
        if ('key' in line) this.bought.get(node.name)!.push(line)
        else this.duties.push({ ...line, node: node.name })
      }
  }

  /** Waits until every node has bought so much since then. */
  async each(number: number, since: number): Promise<void> {
    const enough = (all: readonly Bought[]) => all.filter(({ from }) => from > since).length >= number
    for (this.look(); ![...this.bought.values()].every(enough); this.look()) {
      for (const { name, child } of nodes) if (child.process.exitCode !== null) throw new Error(`${name} ended.`)
      await sleep(POLL_MS)
    }
  }

  /** How long each node took until the first purchase that was told after then. */
  first(since: number): number[] {
    const ends = [...this.bought.values()].map((all) => all.map(({ to }) => to).filter((to) => to > since))
    return ends.map((all) => Math.round(Math.min(...all) - since))
  }
}

describe.sequential('security: a primary that is killed while nodes pay', () => {
  test('loses nothing that was told, pays nothing twice, and nodes go on with the next one by themselves', {
    timeout: 60_000 + ROUNDS * 60_000,
  }, async () => {
    const wallet = await wideWallet(here as never, 'EUR', '100000.00')
    const cards: string[] = []
    for (let n = 0; n < BUYERS; n++) cards.push(await cardFrom(here, 'EUR', `${n + 1}000.00`))
    for (const node of nodes) {
      node.send({ kind: 'buy', node: node.name, cards, pauseMs: PAUSE_MS })
      node.send({ kind: 'duty', everyMs: DUTY_EVERY_MS })
    }
    const watch = new Watch()
    for (let round = 1; round <= ROUNDS; round++) {
      await watch.each(PART, clock())
      // Every other time there are commits that wait for the standby, which never hears of them.
      if (round % 2 === 0) await commitsThatWait()
      await servers.killPrimary()
      const killed = clock()
      await servers.promote()
      const promoted = clock()
      await watch.each(PART, promoted)
      const after = watch.first(promoted).join(' and ')
      process.stdout.write(
        `round ${round}: promoted after ${Math.round(promoted - killed)} ms, first payments ${after} ms later\n`,
      )
      await servers.rejoin()
    }
    await Promise.all(nodes.map((node) => node.finish()))
    watch.look()
    await expectAllTold(watch, wallet)
    await expectWhole(here, servers.primary.url(DATABASE), keys())
  })
})

/** The standby hears no more of the primary, and somebody waits for it to have heard. */
async function commitsThatWait(): Promise<void> {
  await asked(servers.standby!.url(), async (client) => {
    await client.query("ALTER SYSTEM SET primary_conninfo = ''")
    await client.query('SELECT pg_reload_conf()')
  })
  const waiting = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
  await servers.ask(async (client) => {
    while ((await client.query<{ n: number }>(waiting)).rows[0]!.n === 0) await sleep(POLL_MS)
  })
}

async function expectAllTold(watch: Watch, walletId: string): Promise<void> {
  const bought = [...watch.bought.values()].flat()
  const met = bought.flatMap((one) => one.met)
  const strange = met.filter((one) => !MAY_BE_MET.includes(one))
  expect([...new Set(strange)]).toEqual([])
  expect(bought.filter(({ status }) => status !== 'captured')).toEqual([])
  const payments = (await here.bursar.store.read.list('payments', { walletId })) as readonly Payment[]
  const seen = payments.map(({ idempotencyKey, id, status, captured }) => [idempotencyKey, id, status, captured])
  const told = bought.map(({ key, id }) => [key, id, 'captured', 10n])
  const byKey = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1)
  expect(seen.toSorted(byKey)).toEqual(told.toSorted(byKey))
  const words = MAY_BE_MET.map((what) => `${met.filter((one) => one === what).length} ${what}`)
  process.stdout.write(`${bought.length} purchases, ${ROUNDS} failovers; on the way: ${words.join(', ')}\n`)
  const slowest = bought.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0]!
  process.stdout.write(
    `the slowest took ${Math.round(slowest.to - slowest.from)} ms: ${[...new Set(slowest.met)].join(', ')}\n`,
  )
}
