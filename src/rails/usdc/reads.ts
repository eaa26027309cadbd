import { type Hex, parseAbi } from 'viem'
import type { Confirmation } from '../../core/types.ts'
import type { BlockName } from '../../ports.ts'
import {
  type Block,
  blockOf,
  bytesOf,
  type Call,
  callOf,
  type Log,
  logsOf,
  type Receipt,
  receiptOf,
} from './answers.ts'
import { type ChainNode, type Nodes, Reverted } from './nodes.ts'

export const TOKEN = parseAbi([
  'function decimals() view returns (uint8)',
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function balanceOf(address account) view returns (uint256)',
  'function authorizationState(address authorizer, bytes32 nonce) view returns (bool)',
  'function transfer(address to, uint256 value) returns (bool)',
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)',
  'event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce)',
])

/** Per position: one topic, any of several, or (null) whatever is there. */
export type Topics = readonly (string | readonly string[] | null)[]

/** What is asked of a chain, about one token (or Permit2, as the token of permits). Every answer is that of all its nodes. @throws Error: unknown */
export interface Reads {
  readonly nodes: Nodes
  /** The token's contract, in lower case. */
  readonly contract: string
  /** The newest block that all nodes have and that stands as far as asked. */
  head(at: Confirmation): Promise<Block>
  block(number: number): Promise<Block>
  /** The token's logs in these blocks: not more than `PIECE` of them. */
  logs(topics: Topics, from: number, to: number): Promise<readonly Log[]>
  /** Null while the transaction is in none of the blocks up to this one. */
  receipt(txHash: string, upTo: number): Promise<Receipt | null>
  /** @throws Error where a node does not have it */
  sent(txHash: string): Promise<Call>
  /** What the token answers as of this very block; null where it refuses. `from`: who asks. */
  call(data: Hex, at: BlockName, from?: string): Promise<Hex | null>
  /** Whether the contract was there as of this very block. */
  hasCode(at: BlockName): Promise<boolean>
}

interface Piece {
  readonly logs: readonly Log[]
  /** Its last block. */
  readonly to: number
}

const TAGS = { one_block: 'latest', safe: 'safe', finalized: 'finalized' } as const
/** Nodes answer for a few thousand blocks at once, or not at all. */
export const PIECE = 2_000
/** A piece that got no answer for so long is given up. */
const PATIENCE_MS = 12_000

/** @param contract in any case */
export function readsOf(nodes: Nodes, contract: string): Reads {
  const address = contract.toLowerCase()
  const block = (number: number) => nodes.agree((node) => blockAt(node, hex(number)))
  return {
    nodes,
    contract: address,
    block,
    async head(at) {
      const heads = await nodes.each((node) => blockAt(node, TAGS[at]))
      const [lowest] = heads.toSorted((a, b) => a.number - b.number) as [Block]
      // A node alone has said it already. Of several, one may be behind, but all must name the same block there.
      return heads.length === 1 ? lowest : block(lowest.number)
    },
    logs: (topics, from, to) =>
      nodes.agree(async (node) => {
        const filter = { address, topics, fromBlock: hex(from), toBlock: hex(to) }
        const logs = logsOf(await node.ask('eth_getLogs', filter))
        const asked = (log: Log) => log.address === address && fits(log, topics) && log.block >= from && log.block <= to
        if (!logs.every(asked)) throw new TypeError('Logs that were not asked for.')
        return logs
      }),
    receipt: (txHash, upTo) =>
      nodes.agree(async (node) => {
        const receipt = receiptOf(await node.ask('eth_getTransactionReceipt', txHash))
        return receipt && receipt.block <= upTo ? receipt : null
      }),
    sent: (txHash) =>
      nodes.agree(async (node) => {
        const sent = callOf(await node.ask('eth_getTransactionByHash', txHash))
        if (sent === null) throw new TypeError('No such transaction.')
        return sent
      }),
    call: (data, at, from) =>
      nodes.agree((node) => called(node, { to: address, data, ...(from !== undefined && { from }) }, asOf(at))),
    hasCode: (at) => nodes.agree(async (node) => bytesOf(await node.ask('eth_getCode', address, asOf(at))) !== '0x'),
  }
}

/** Null where the contract refuses. */
export async function called(node: ChainNode, call: object, at: unknown): Promise<Hex | null> {
  return unlessReverted(async () => bytesOf(await node.ask('eth_call', call, at)))
}

export async function unlessReverted<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Reverted) return null
    throw error
  }
}

/** @throws Error when the block with this number has another hash by now. */
export async function stands(reads: Reads, block: BlockName): Promise<void> {
  const { hash } = await reads.block(block.number)
  if (hash !== block.hash) throw new Error('The chain has another block there by now.')
}

/**
 * The token's logs in these blocks, both ends included, in pieces of at most {@link PIECE} blocks. Where a piece gets no
 * answer, half of it is asked for: nodes give only so many logs at once, and anybody may write any number of them, of
 * transfers of nothing.
 *
 * @throws Error when one block alone gets no answer, or nothing does for long
 */
export async function* logsIn(reads: Reads, topics: Topics, from: number, to: number): AsyncGenerator<Piece> {
  let size = PIECE
  let answered = performance.now()
  for (let start = from; start <= to; ) {
    const end = Math.min(start + size - 1, to)
    const logs = await reads.logs(topics, start, end).catch((error: unknown) => {
      if (start === end || performance.now() - answered > PATIENCE_MS) throw error
      return null
    })
    if (logs === null) size = Math.ceil((end - start + 1) / 2)
    else {
      yield { logs, to: end }
      start = end + 1
      size = Math.min(size * 2, PIECE)
      answered = performance.now()
    }
  }
}

/** By hash (EIP-1898): a number would be whatever block is there by then, or at another machine of the node's. */
function asOf({ hash }: BlockName): object {
  return { blockHash: hash, requireCanonical: true }
}

async function blockAt(node: ChainNode, name: string): Promise<Block> {
  const block = blockOf(await node.ask('eth_getBlockByNumber', name, false))
  if (block === null) throw new TypeError('No such block.')
  return block
}

function fits({ topics }: Log, asked: Topics): boolean {
  return asked.every((topic, i) => topic === null || [topic].flat().includes(topics[i] as string))
}

function hex(number: number): Hex {
  return `0x${number.toString(16)}`
}
