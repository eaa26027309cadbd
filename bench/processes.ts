import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Figure } from './measure.ts'
import { progress, ratioOf } from './measure.ts'
import { decide, makePurse, openPurse, temporaryFolder } from './purse.ts'

const ROUNDS = 5
const PROCESSES = 8
const LOAD_MS = 3_000
const SLOWEST_MS = 500

interface Load {
  readonly decisions: number
  readonly slowestMs: number
}

/** One of the processes: decides one after the other for as long as it is told, each time that it is told. */
export async function worker(folder: string): Promise<void> {
  const purse = await openPurse(folder)
  await decide(purse)
  const answer = async (ms: number): Promise<void> => {
    process.send?.(await load(ms, () => decide(purse)))
  }
  process.on('message', (ms: number) => void answer(ms))
  process.send?.('ready')
  await once(process, 'disconnect')
  await purse.close()
}

async function load(ms: number, work: () => Promise<void>): Promise<Load> {
  let [decisions, slowestMs, at] = [0, 0, performance.now()]
  for (const end = at + ms; at < end; decisions++) {
    await work()
    const done = performance.now()
    slowestMs = Math.max(slowestMs, done - at)
    at = done
  }
  return { decisions, slowestMs }
}

/** Eight together against one of them alone, on the same file; and the slowest call of any of them. */
export async function eightProcesses(): Promise<readonly Figure[]> {
  progress(`decision, ${PROCESSES} processes on one file`)
  const folder = await temporaryFolder()
  await (await makePurse(folder)).close()
  const workers = await Promise.all(Array.from({ length: PROCESSES }, () => started(folder)))
  let slowestMs = 0
  const rateOf = async (some: readonly ChildProcess[]) => {
    const loads = await Promise.all(some.map(loaded))
    if (some.length > 1) slowestMs = Math.max(slowestMs, ...loads.map((one) => one.slowestMs))
    return (loads.reduce((sum, one) => sum + one.decisions, 0) * 1000) / LOAD_MS
  }
  const ratio = await ratioOf(
    ROUNDS,
    () => rateOf(workers),
    () => rateOf(workers.slice(0, 1)),
  )
  for (const one of workers) one.disconnect()
  await Promise.all(workers.map((one) => once(one, 'exit')))
  return [
    {
      name: `decision, ${PROCESSES} processes on one file, all together`,
      against: 'rate of one process',
      ratio,
      target: '>= 0.8',
    },
    {
      name: `slowest call of ${PROCESSES} processes under sustained load`,
      against: '0.5 s',
      ratio: slowestMs / SLOWEST_MS,
      target: '<= 1',
      note: `${Math.round(slowestMs)} ms`,
    },
  ]
}

async function started(folder: string): Promise<ChildProcess> {
  const child = fork(process.argv[1] ?? '', ['worker', folder])
  await once(child, 'message')
  return child
}

async function loaded(child: ChildProcess): Promise<Load> {
  child.send(LOAD_MS)
  const [load] = (await once(child, 'message')) as [Load]
  return load
}
