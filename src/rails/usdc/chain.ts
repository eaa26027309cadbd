import { domainSeparator, encodeFunctionData, type Hex } from 'viem'
import { assetId, chainIdOf, type Network } from '../../core/network.ts'
import { PERMIT2 } from '../../core/permit.ts'
import type { Authorization } from '../../core/transfer.ts'
import type { Confirmation, Deposit, Transfer } from '../../core/types.ts'
import type { ChainAccess } from '../../ports/chain.ts'
import type { BlockName } from '../../ports.ts'
import { type Block, bytesOf, flagIn, numberOf, unitsOf, wordIn } from './answers.ts'
import { depositsTo, inTurns, wordOf } from './logs.ts'
import { isCanceled, isTaken, type Look, lookFor } from './look.ts'
import { type ChainNode, type Nodes, nodesOf, type Sent } from './nodes.ts'
import { isBurnt, lookForPermit, movedBy, type PermitReads, permitDifference } from './permit.ts'
import { called, type Reads, readsOf, stands, TOKEN, unlessReverted } from './reads.ts'

export type { Block } from './answers.ts'
export type { Look } from './look.ts'

/** What every method throws is an Error that says nothing but that the answer is unknown. */
export interface Chain {
  readonly network: Network
  readonly asset: string
  /**
   * Asks the chain, once per process, whether it is the one that our table says, every node by itself. A failure is not
   * remembered.
   */
  check(): Promise<void>
  /** As `check`, whether permits of Permit2 can be settled there as our code knows it. */
  checkPermits(): Promise<void>
  /** `one_block` is the newest block. With several nodes: the lowest of their heads, and they must name the same hash for it. */
  block(at: Confirmation): Promise<Block>
  /** @throws Error where there is none of this number yet */
  blockAt(number: number): Promise<Block>
  /** @throws RangeError for a transfer of another asset */
  look(transfer: Transfer, at: Confirmation): Promise<Look>
  /** Of these transfers, the ids of payments whose authorization or permit is used (or canceled) as of this block. */
  usedAt(transfers: readonly Transfer[], block: BlockName): Promise<ReadonlySet<string>>
  /** Of those that are used or canceled as of this block, the ids of the canceled ones. */
  canceledAt(taken: readonly Transfer[], block: BlockName): Promise<ReadonlySet<string>>
  /** How much permits that are used or canceled as of this block have moved, by payment id. */
  settledAt(burnt: readonly Transfer[], block: BlockName): Promise<ReadonlyMap<string, bigint>>
  /** As of that block. @throws Error when the block with this number no longer has this hash */
  balance(address: string, block: BlockName): Promise<bigint>
  /** What came in, in (from, to]. `position` is among the logs of the transaction's own receipt. */
  deposits(address: string, from: number, to: BlockName): Promise<readonly Omit<Deposit, 'walletId' | 'seq'>[]>
  /** Whether the token would let this much move now: not from a blacklisted account, while paused, or with too little. */
  wouldMove(authorization: Authorization): Promise<boolean>
  /** What the signed authorization takes when this relayer sends it, and a quarter more; null when it would revert. */
  gasFor(transfer: Transfer, relayer: string): Promise<bigint | null>
  /** EIP-1559 fees now, in wei: the highest of the nodes. @throws Error when they are far apart */
  fees(): Promise<Fees>
  /** Transactions in blocks, up to the newest: the lowest of the nodes. */
  count(address: string): Promise<number>
  /** What a transaction did cost, in wei, and whether it did anything; null while it is in no block. */
  cost(txHash: string): Promise<{ readonly fee: bigint; readonly ok: boolean } | null>
  /** wei, at the newest block: the lowest of the nodes. */
  nativeBalance(address: string): Promise<bigint>
  send(raw: string): Promise<Sent>
}

export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** The USDC of one network, read from its nodes. */
export function chainOf({ network, nodes: urls }: ChainAccess): Chain {
  const nodes = nodesOf(urls)
  const asset = assetId(network.id, network.usdc)
  const reads = readsOf(nodes, network.usdc.address)
  const both: PermitReads = { token: reads, permits: readsOf(nodes, PERMIT2) }
  const ours = <T extends { readonly asset: string }>(one: T): T => {
    if (one.asset !== asset) throw new RangeError('This is not of this chain.')
    return one
  }
  return {
    network,
    asset,
    check: once(() => checkAll(nodes, network, differenceOf)),
    checkPermits: once(() => checkAll(nodes, network, permitDifference)),
    block: (at) => reads.head(at),
    blockAt: (number) => reads.block(number),
    look: async (transfer, at) =>
      transfer.kind === 'permit2' ? lookForPermit(both, ours(transfer), at) : lookFor(reads, ours(transfer), at),
    async usedAt(transfers, block) {
      const isUsed = (transfer: Transfer) =>
        transfer.kind === 'permit2' ? isBurnt(both, transfer, block) : isTaken(reads, transfer, block)
      const taken = await inTurns(transfers, (transfer) => isUsed(ours(transfer)))
      await stands(reads, block)
      return new Set(transfers.filter((_, i) => taken[i]).map(({ paymentId }) => paymentId))
    },
    async canceledAt(taken, block) {
      const canceled = await inTurns(taken, (transfer) => isCanceled(reads, ours(transfer), block))
      await stands(reads, block)
      return new Set(taken.filter((_, i) => canceled[i]).map(({ paymentId }) => paymentId))
    },
    async settledAt(burnt, block) {
      const moved = await inTurns(burnt, (transfer) => movedBy(both, ours(transfer), block))
      await stands(reads, block)
      return new Map(burnt.map(({ paymentId }, i) => [paymentId, moved[i] as bigint]))
    },
    balance: (address, block) => balanceOf(reads, address, block),
    deposits: (address, from, to) => depositsTo(reads, address, from, to),
    wouldMove: async (authorization) => wouldMove(reads, ours(authorization)),
    gasFor: async (transfer, relayer) => gasFor(reads, ours(transfer), relayer),
    fees: () => feesOf(nodes, network),
    count: async (address) => Math.min(...(await nodes.each((node) => countOf(node, address)))),
    async cost(txHash) {
      const receipt = await reads.receipt(txHash, (await reads.head('one_block')).number)
      return receipt && { fee: receipt.fee, ok: receipt.ok }
    },
    async nativeBalance(address) {
      const balances = await nodes.each(async (node) => unitsOf(await node.ask('eth_getBalance', address, 'latest')))
      return inOrder(balances).at(0) as bigint
    },
    send: (raw) => nodes.send(raw),
  }
}

/** A node answers, and what it has is not the chain that it should be. The message may be shown. */
export class OtherChain extends Error {}

type Difference = (node: ChainNode, network: Network) => Promise<string | null>

async function checkAll(nodes: Nodes, network: Network, difference: Difference): Promise<void> {
  for (const wrong of await nodes.each((node) => difference(node, network)))
    if (wrong !== null) throw new OtherChain(`It does not have ${network.name} as it should be: ${wrong} differs.`)
}

/** What has succeeded is not done again. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null
  return () => {
    done ??= work().catch((error) => {
      done = null
      throw error
    })
    return done
  }
}

/** What of a chain is not as our table says. */
async function differenceOf(node: ChainNode, { id, usdc }: Network): Promise<string | null> {
  const chainId = chainIdOf(id)
  if (numberOf(await node.ask('eth_chainId')) !== chainId) return 'the chain id'
  if (bytesOf(await node.ask('eth_getCode', usdc.address, 'latest')) === '0x') return 'the contract'
  const view = (functionName: 'decimals' | 'DOMAIN_SEPARATOR') =>
    called(node, { to: usdc.address, data: encodeFunctionData({ abi: TOKEN, functionName }) }, 'latest')
  if ((await view('decimals')) !== wordOf(BigInt(usdc.decimals))) return "the token's number of decimals"
  const { name, version, address } = usdc
  const domain = domainSeparator({ domain: { name, version, chainId, verifyingContract: address as Hex } })
  return (await view('DOMAIN_SEPARATOR')) === domain ? null : "the token's name, version or address"
}

async function balanceOf(reads: Reads, address: string, block: BlockName): Promise<bigint> {
  const functionName = 'balanceOf'
  const data = await reads.call(encodeFunctionData({ abi: TOKEN, functionName, args: [address as Hex] }), block)
  await stands(reads, block)
  // Nobody held anything as of a block in which the contract was not there yet.
  return data === '0x' && !(await reads.hasCode(block)) ? 0n : wordIn(data)
}

async function wouldMove(reads: Reads, { from, to, value }: Authorization): Promise<boolean> {
  const functionName = 'transfer'
  const call = encodeFunctionData({ abi: TOKEN, functionName, args: [to as Hex, value] })
  const data = await reads.call(call, await reads.head('one_block'), from)
  return data !== null && flagIn(data)
}

async function gasFor({ nodes, contract }: Reads, transfer: Transfer, relayer: string): Promise<bigint | null> {
  const call = { from: relayer, to: contract, data: transferCall(transfer) }
  const answers = await nodes.each((node) =>
    unlessReverted(async () => unitsOf(await node.ask('eth_estimateGas', call))),
  )
  const estimates = answers.filter((estimate) => estimate !== null)
  if (estimates.length === 0) return null
  if (estimates.length < answers.length) throw new Error('The nodes disagree.')
  return (highest(estimates) * 5n) / 4n
}

function transferCall({ from, to, value, validBefore, nonce, signature }: Transfer): Hex {
  const [r, s] = [`0x${signature.slice(2, 66)}`, `0x${signature.slice(66, 130)}`] as const
  const v = Number.parseInt(signature.slice(130), 16)
  const terms = [from as Hex, to as Hex, value, 0n, BigInt(validBefore), nonce as Hex] as const
  return encodeFunctionData({ abi: TOKEN, functionName: 'transferWithAuthorization', args: [...terms, v, r, s] })
}

/** Between two nodes; one may be a block behind, and their tips are estimates. */
const FEES_APART_MAX = 3n
/** The gas of some thirty transfers. */
const DAY_GAS = 3_300_000n
const GWEI = 1_000_000_000n

/**
 * A base fee is only offered, and the chain takes its own; a tip is paid as it is named, and nothing but the node names it.
 * So no node is followed beyond twice the base fee, or the tip at which thirty transfers would use up what the network's
 * relayers may spend in a day (3 gwei of ether; coins that are worth less have a higher one).
 */
async function feesOf(nodes: Nodes, { dailyFees }: Network): Promise<Fees> {
  const answers = await nodes.each(async (node) => {
    const [block, tip] = await Promise.all([
      node.ask('eth_getBlockByNumber', 'latest', false) as Promise<{ readonly baseFeePerGas?: unknown }>,
      node.ask('eth_maxPriorityFeePerGas'),
    ])
    return { base: unitsOf(block.baseFeePerGas), tip: unitsOf(tip) }
  })
  // Together: a tip that is nothing beside the base fee may be any multiple of another.
  const prices = inOrder(answers.map(({ base, tip }) => base + tip))
  if (highest(prices) > (prices[0] as bigint) * FEES_APART_MAX) throw new Error('The nodes disagree.')
  const base = highest(answers.map((answer) => answer.base))
  const most = highest([base * 2n, (dailyFees * GWEI) / DAY_GAS])
  const [tip] = inOrder([highest(answers.map((answer) => answer.tip)), most]) as [bigint]
  return { maxFeePerGas: base * 2n + tip, maxPriorityFeePerGas: tip }
}

async function countOf(node: ChainNode, address: string): Promise<number> {
  return numberOf(await node.ask('eth_getTransactionCount', address, 'latest'))
}

function highest(units: readonly bigint[]): bigint {
  return inOrder(units).at(-1) as bigint
}

function inOrder(units: readonly bigint[]): readonly bigint[] {
  return units.toSorted((a, b) => (a < b ? -1 : 1))
}
