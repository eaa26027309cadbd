import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { PostgresOptions } from '../../src/store/postgres/index.ts'
import { bundled, Child } from '../support/children.ts'
import { type Node, openNode } from './node-open.ts'
import type { Answer, Call, Job } from './node-program.ts'

/** How long what is done at once is prepared for: all processes have read their job by then. */
const PREPARED_MS = 50
const POLL_MS = 10

let script = ''
let folder = ''

/** Stands once in a file: the program of a node is bundled before its tests, and the folder of the keys is there. */
export function nodePrograms(): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bursar-nodes-'))
    script = await bundled('test/postgres/node-program.ts')
  })
  afterAll(() => {
    for (const gone of [folder, dirname(script)]) rmSync(gone, { recursive: true, force: true })
  })
}

/** The folder with the keys that all nodes of a file have copies of. */
export const keys = (): string => folder

/** A node in this process, closed when the test is over unless it is said to stay. */
export async function nodeHere(url: string, options: Partial<PostgresOptions> = {}): Promise<Node> {
  const node = await openNode(folder, url, options)
  onTestFinished(() => node.close())
  return node
}

/** A node in a process of its own. */
export class NodeProcess {
  readonly name: string
  readonly child: Child
  private read = 1

  private constructor(name: string, child: Child) {
    this.name = name
    this.child = child
  }

  static async start(name: string, url: string, options: Partial<PostgresOptions> = {}): Promise<NodeProcess> {
    const child = new Child(script, [folder, url, JSON.stringify(options)])
    const node = new NodeProcess(name, child)
    while (child.lines.length === 0) {
      if (child.process.exitCode !== null) throw new Error(`The node ${name} did not start.`)
      await sleep(POLL_MS)
    }
    return node
  }

  send(job: Job): void {
    this.child.process.stdin!.write(`${JSON.stringify(job)}\n`)
  }

  calls(calls: readonly Call[], atOnce: number, at?: number): Promise<Answer[]> {
    return this.child.ask<Answer[]>({ kind: 'calls', calls, atOnce, ...(at !== undefined && { at }) } satisfies Job)
  }

  /** What it printed since the last time. */
  news<T>(): T[] {
    const lines = this.child.lines.slice(this.read)
    this.read += lines.length
    return lines.map((line) => JSON.parse(line) as T)
  }

  /** Tells a job that goes on to end, and waits until it has. */
  async finish(): Promise<void> {
    this.send({ kind: 'stop' })
    await this.printed('stopped')
  }

  async printed(what: string): Promise<void> {
    const line = JSON.stringify(what)
    while (!this.child.lines.includes(line)) {
      if (this.child.process.exitCode !== null) throw new Error(`The node ${this.name} ended.`)
      await sleep(POLL_MS)
    }
  }

  async stop(signal?: 'SIGKILL'): Promise<void> {
    if (this.child.process.exitCode === null && this.child.process.signalCode === null) await this.child.stop(signal)
  }
}

/** So many nodes; they end with the test, or in a hook when they are told to. */
export async function startNodes(count: number, url: string, options = {}): Promise<NodeProcess[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => NodeProcess.start(`n${n}`, url, options)))
}

/** All nodes begin at the same moment, each with all of its calls in flight. */
export async function atOnce(
  nodes: readonly NodeProcess[],
  calls: (node: number) => readonly Call[],
): Promise<Answer[]> {
  const at = Number(process.hrtime.bigint()) / 1e6 + PREPARED_MS
  const answers = nodes.map((node, n) => {
    const own = calls(n)
    return node.calls(own, own.length, at)
  })
  return (await Promise.all(answers)).flat()
}

export const count = (answers: readonly Answer[], what: string): number =>
  answers.filter(({ status, code }) => (code ?? status) === what).length

/** Authorized, and captured unless the card network was slow: recovery captures it then. */
export const isPaid = ({ status }: Answer): boolean => ['captured', 'authorized', 'in_doubt'].includes(status)

export const paid = (answers: readonly Answer[]): number => answers.filter(isPaid).length
