import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { BaseError, type Client, createClient, HttpRequestError, http, RpcRequestError } from 'viem'

/** What a node said to a transaction. None of it is proof of anything: the chain alone is. */
const WORDS = ['taken', 'known', 'nonce_used', 'underpriced', 'refused'] as const
export type Sent = (typeof WORDS)[number]

/** One JSON-RPC node. Its answers are whatever it likes: who asks reads them strictly, and throws. */
export interface ChainNode {
  /** @throws `Reverted` where a contract did not let it through; any other Error where there is no answer. */
  ask(method: string, ...params: readonly unknown[]): Promise<unknown>
}

/** The nodes of one network. What they say in errors stays here: it may hold their URLs, which hold secrets. */
export interface Nodes {
  /** The same read by every node. @throws Error when any of them gave no answer that `read` can use. */
  each<T>(read: (node: ChainNode) => Promise<T>): Promise<readonly T[]>
  /** As `each`, where all must give the same. @throws Error when they do not, or when one is not there. */
  agree<T>(read: (node: ChainNode) => Promise<T>): Promise<T>
  /** Sends a signed transaction to every node. @throws Error when none of them answered: whether it left is unknown. */
  send(raw: string): Promise<Sent>
}

/** The node ran it, and the contract refused. */
export class Reverted extends Error {}

const TIMEOUT_MS = 5_000
const PAUSE_MS = 200
/** Parse error, no such method, internal error, and the codes for too many requests: nothing about what was asked. */
const NO_ANSWER: ReadonlySet<number> = new Set([-32700, -32601, -32603, -32005, -32007, 429])

/** In the words of geth, reth, Nethermind, Erigon, Besu and Nitro. The first that fits counts. */
const SAYINGS: readonly (readonly [Sent, RegExp])[] = [
  [
    'known',
    /already known|alreadyknown|already imported|already exists|already in (?:the )?mempool|known transaction/i,
  ],
  [
    'nonce_used',
    /nonce (?:is )?too low|oldnonce|nonce has already been used|nonce below current|lower than the current/i,
  ],
  [
    'underpriced',
    /underpriced|fee ?too ?low|less than block base fee|(?:gas price|tip cap|fee cap).*(?:low|below|minimum)/i,
  ],
]

/** @param urls one or more */
export function nodesOf(urls: readonly string[]): Nodes {
  if (urls.length === 0) throw new RangeError('A network needs a node.')
  // viem's own retries wait for as long as the node says.
  const clients = urls.map((url) => createClient({ transport: http(url, { retryCount: 0, timeout: TIMEOUT_MS }) }))
  const all: readonly ChainNode[] = clients.map((client) => ({
    ask: (method, ...params) => answerOf(client, method, params),
  }))

  async function each<T>(read: (node: ChainNode) => Promise<T>): Promise<readonly T[]> {
    // All of them come to their end, so that nothing is still under way when this one has.
    const outcomes = await Promise.allSettled(all.map((node) => read(node)))
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw new Error('A node gave no answer, or none that can be used.')
      return outcome.value
    })
  }

  async function agree<T>(read: (node: ChainNode) => Promise<T>): Promise<T> {
    const [first, ...others] = await each(read)
    if (others.some((other) => !isDeepStrictEqual(other, first))) throw new Error('The nodes disagree.')
    return first as T
  }

  async function send(raw: string): Promise<Sent> {
    const outcomes = await Promise.allSettled(clients.map((client) => sentTo(client, raw)))
    const words = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : null))
    const best = WORDS.find((word) => words.includes(word))
    if (!best) throw new Error('No node answered to the transaction.')
    return best
  }

  return { each, agree, send }
}

async function answerOf(client: Client, method: string, params: readonly unknown[]): Promise<unknown> {
  try {
    return await request(client, method, params)
  } catch (error) {
    throw isRevert(error) ? new Reverted('The contract refused.') : new Error('A node gave no answer.')
  }
}

async function sentTo(client: Client, raw: string): Promise<Sent> {
  try {
    await request(client, 'eth_sendRawTransaction', [raw])
    return 'taken'
  } catch (error) {
    const said = errorIn(error)
    const saying = said && SAYINGS.find(([, pattern]) => pattern.test(said.details))
    if (saying) return saying[0]
    if (said && !NO_ANSWER.has(said.code)) return 'refused'
    throw new Error('A node gave no answer.')
  }
}

/** Once more where the node was only busy, or the connection was cut: the same request twice does what it does once. */
async function request(client: Client, method: string, params: readonly unknown[]): Promise<unknown> {
  const ask = () => client.request({ method, params } as never) as Promise<unknown>
  try {
    return await ask()
  } catch (error) {
    const said = errorIn(error)
    if (said ? !NO_ANSWER.has(said.code) : !isCut(error)) throw error
  }
  await sleep(PAUSE_MS)
  return ask()
}

/** The JSON-RPC error in what viem throws. */
function errorIn(error: unknown): RpcRequestError | null {
  const found = error instanceof BaseError ? error.walk((one) => one instanceof RpcRequestError) : null
  return found instanceof RpcRequestError ? found : null
}

function isCut(error: unknown): boolean {
  return error instanceof BaseError && error.walk((one) => one instanceof HttpRequestError) !== null
}

/** Code 3 is geth's and its descendants'; others say it in words alone. */
function isRevert(error: unknown): boolean {
  const said = errorIn(error)
  return said !== null && (said.code === 3 || /revert|vm execution error/i.test(said.details))
}
