import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

interface Request {
  readonly id?: unknown
  readonly method: string
  readonly params?: readonly unknown[]
}

interface Outcome {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

interface BlockName {
  readonly blockHash?: string
  readonly blockNumber?: string
}

interface LogFilter {
  readonly fromBlock?: string
  readonly toBlock?: string
  readonly blockHash?: string
}

/** Makes another result of the honest one, which is undefined where the node answered with an error. It may throw. */
export type Lie = (params: readonly unknown[], honest: unknown) => unknown

/** Where a method has the block that it reads. Without one it reads the latest. */
const BLOCK_AT: Readonly<Record<string, number>> = {
  eth_getBlockByNumber: 0,
  eth_getBlockReceipts: 0,
  eth_getBlockTransactionCountByNumber: 0,
  eth_getTransactionByBlockNumberAndIndex: 0,
  eth_call: 1,
  eth_createAccessList: 1,
  eth_estimateGas: 1,
  eth_feeHistory: 1,
  eth_getBalance: 1,
  eth_getCode: 1,
  eth_getTransactionCount: 1,
  eth_getProof: 2,
  eth_getStorageAt: 2,
}

const TAGS: ReadonlySet<unknown> = new Set(['latest', 'pending', 'earliest', 'safe', 'finalized'])
/** Of a block's hash, as text; no number is as long. */
const HASH_LENGTH = 66

/** Thrown to answer nothing: the connection is cut. */
class Cut extends Error {}

/** Stands in front of a node that tells the truth at once. */
export async function startProxy(target: string): Promise<NodeProxy> {
  const proxy = new NodeProxy(target)
  await proxy.listen()
  return proxy
}

/** A node as bad as a test wants it. Where a method has several faults, it hangs before it fails, cuts or lies. */
export class NodeProxy {
  /** How often each method was asked for, also when it did not get to the node. While the proxy is down nothing is heard. */
  readonly calls = new Map<string, number>()
  private readonly target: string
  private readonly server = createServer((request, response) => void this.serve(request, response))
  private isDown = false
  private wait = 0
  private behind = 0
  private readonly lies = new Map<string, Lie>()
  private readonly failing = new Map<string, number>()
  private readonly cutting = new Map<string, number>()
  private readonly hanging = new Set<string>()

  constructor(target: string) {
    this.target = target
  }

  async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1').unref()
    await once(this.server, 'listening')
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Down: every connection is cut, also those that wait for an answer. */
  down(on = true): void {
    this.isDown = on
    if (on) this.server.closeAllConnections()
  }

  /** Every answer comes this much later. The node gets the request at once. */
  delay(milliseconds: number): void {
    this.wait = milliseconds
  }

  /**
   * Answers as this many blocks ago: block tags, states, logs, and nothing of what is in later blocks, nor the mempool's
   * nonces. What is sent goes to the node as it is, and so do filters that the node keeps (`eth_newFilter`).
   */
  lag(blocks: number): void {
    this.behind = blocks
  }

  lie(method: string, lie: Lie): void {
    this.lies.set(method, lie)
  }

  /** The next request for the method is answered with an error and does not get to the node. */
  failOnce(method: string): void {
    this.failing.set(method, (this.failing.get(method) ?? 0) + 1)
  }

  /** The next requests for the method get to the node; then the connection is cut, where the answer should come. */
  dropReply(method: string, times = 1): void {
    this.cutting.set(method, times)
  }

  /** Requests for the method do not get to the node, and are never answered. */
  hang(method: string): void {
    this.hanging.add(method)
  }

  /** Honest, quick and up again. Requests that hang stay so. */
  mend(): void {
    this.isDown = false
    this.wait = 0
    this.behind = 0
    for (const faults of [this.lies, this.failing, this.cutting, this.hanging]) faults.clear()
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.isDown) throw new Cut()
      const body = (await json(request)) as Request | Request[]
      const answers: object[] = []
      // One after another: what a batch sends gets to the node in its order.
      for (const one of [body].flat()) answers.push(await this.answer(one))
      await sleep(this.wait)
      if (this.isDown) throw new Cut()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]))
    } catch {
      // A cut, or a node that is itself not there: both look the same from outside.
      request.socket.destroy()
    }
  }

  private async answer({ id, method, params = [] }: Request): Promise<object> {
    return { jsonrpc: '2.0', id, ...(await this.outcome(method, params)) }
  }

  private async outcome(method: string, params: readonly unknown[]): Promise<Outcome> {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1)
    if (this.hanging.has(method)) await new Promise(() => {})
    if (taken(this.failing, method)) return { error: { code: -32603, message: 'Internal error' } }
    const honest = await (this.behind === 0 ? this.forward(method, params) : this.past(method, params))
    if (taken(this.cutting, method)) throw new Cut()
    const lie = this.lies.get(method)
    if (!lie) return honest
    try {
      return { result: await lie(params, honest.result) }
    } catch (error) {
      return { error: { code: -32000, message: (error as Error).message } }
    }
  }

  private async past(method: string, params: readonly unknown[]): Promise<Outcome> {
    const latest = Number((await this.forward('eth_blockNumber', [])).result)
    const head = Math.max(0, latest - this.behind)
    if (method === 'eth_blockNumber') return { result: hex(head) }
    if (method.startsWith('eth_send')) return this.forward(method, params)
    if (method === 'eth_getLogs') return this.pastLogs(params[0] as LogFilter, head)
    const at = BLOCK_AT[method]
    if (at === undefined) return known(await this.forward(method, params), head)
    const asked = params[at] ?? 'latest'
    const block = await this.numberOf(asked, head)
    if (block > head && /^eth_get(Block|TransactionBy)/.test(method)) return { result: null }
    if (block > head) return { error: { code: -32000, message: 'header not found' } }
    const past = TAGS.has(asked) ? hex(block) : asked
    return known(await this.forward(method, [...params.slice(0, at), past, ...params.slice(at + 1)]), head)
  }

  private async pastLogs(filter: LogFilter, head: number): Promise<Outcome> {
    if (filter.blockHash) return known(await this.forward('eth_getLogs', [filter]), head)
    const from = await this.numberOf(filter.fromBlock ?? 'latest', head)
    const to = Math.min(head, await this.numberOf(filter.toBlock ?? 'latest', head))
    if (from > to) return { result: [] }
    return this.forward('eth_getLogs', [{ ...filter, fromBlock: hex(from), toBlock: hex(to) }])
  }

  /** Of a tag, a number, a hash or an object with one of them. Not a number where the node does not know the hash. */
  private async numberOf(block: unknown, head: number): Promise<number> {
    if (block === 'latest' || block === 'pending') return head
    if (block === 'earliest') return 0
    if (block === 'safe' || block === 'finalized') {
      const { result } = await this.forward('eth_getBlockByNumber', [block, false])
      return Math.max(0, Number((result as { number: string }).number) - this.behind)
    }
    const { blockHash, blockNumber } = typeof block === 'string' ? nameOf(block) : (block as BlockName)
    if (!blockHash) return Number(blockNumber)
    const { result } = await this.forward('eth_getBlockByHash', [blockHash, false])
    return Number((result as { number: string } | null)?.number)
  }

  private async forward(method: string, params: readonly unknown[]): Promise<Outcome> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await fetch(this.target, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { result, error } = (await answer.json()) as Outcome
    return error ? { error } : { result }
  }
}

/** A result without what is in blocks after the head. */
function known({ result, error }: Outcome, head: number): Outcome {
  if (error) return { error }
  const isKnown = (one: unknown) => {
    const { blockNumber, number = blockNumber } = (one ?? {}) as { blockNumber?: string; number?: string }
    return !(Number(number) > head)
  }
  if (Array.isArray(result)) return { result: result.filter(isKnown) }
  return { result: isKnown(result) ? result : null }
}

function nameOf(block: string): BlockName {
  return block.length === HASH_LENGTH ? { blockHash: block } : { blockNumber: block }
}

/** Whether the method had one left, which is then used up. */
function taken(counts: Map<string, number>, method: string): boolean {
  const left = counts.get(method) ?? 0
  if (left > 0) counts.set(method, left - 1)
  return left > 0
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}
