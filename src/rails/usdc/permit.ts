import {
  domainSeparator,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  parseAbi,
  toEventSelector,
  toFunctionSelector,
} from 'viem'
import { chainIdOf, contractOf, type Network } from '../../core/network.ts'
import { deadlineOf, PERMIT2, UPTO_PROXY } from '../../core/permit.ts'
import type { Confirmation, Transfer } from '../../core/types.ts'
import type { WireUnused } from '../../core/wire.ts'
import type { BlockName } from '../../ports.ts'
import { type Block, type Call, type Log, wordIn } from './answers.ts'
import { contradiction, inTurns, receiptOfLogs, TRANSFER, topicOf } from './logs.ts'
import { finalAfter, type Look, piecesBefore, startOf } from './look.ts'
import type { ChainNode } from './nodes.ts'
import { called, logsIn, type Reads } from './reads.ts'

/** What is asked about permits: the token that they move, and Permit2, which burns their nonces. */
export interface PermitReads {
  readonly token: Reads
  readonly permits: Reads
}

/** How a burnt permit ended: what it moved, and where that is seen. `use` is null where it moved nothing and never will. */
interface End {
  readonly block: number
  readonly value: bigint
  readonly use: Log | null
}

const ABI = parseAbi([
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function nonceBitmap(address owner, uint256 wordPos) view returns (uint256)',
  'function PERMIT2() view returns (address)',
])
/** The payer (indexed) burnt nonces: a word, and a mask of its bits. */
const INVALIDATED = toEventSelector('UnorderedNonceInvalidation(address,uint256,uint256)')

/** What `settle` and `settleWithPermit` of the proxy have before the permit, as hexadecimal digits, and how long it is. */
const PERMIT = '((address token,uint256 amount) permitted,uint256 nonce,uint256 deadline) permit'
const REST = `${PERMIT},uint256 amount,address owner,(address to,address facilitator,uint256 validAfter) witness,bytes signature`
const SETTLE = toFunctionSelector(`function settle(${REST})`)
const SETTLE_WITH_PERMIT = toFunctionSelector(
  `function settleWithPermit((uint256 value,uint256 deadline,bytes32 r,bytes32 s,uint8 v) permit2612,${REST})`,
)
const SELECTOR = 10
const WORD = 64
const BEFORE_PERMIT: ReadonlyMap<string, number> = new Map([
  [SETTLE, SELECTOR],
  [SETTLE_WITH_PERMIT, SELECTOR + 5 * WORD],
])

/** What of a chain's Permit2, or of the proxy, is not as it should be; null where permits can be settled there. */
export async function permitDifference(node: ChainNode, { id }: Network): Promise<string | null> {
  const ask = (to: string, functionName: 'DOMAIN_SEPARATOR' | 'PERMIT2') =>
    called(node, { to, data: encodeFunctionData({ abi: ABI, functionName }) }, 'latest')
  const domain = { name: 'Permit2', chainId: chainIdOf(id), verifyingContract: PERMIT2 } as const
  if ((await ask(PERMIT2, 'DOMAIN_SEPARATOR')) !== domainSeparator({ domain })) return 'Permit2'
  return (await ask(UPTO_PROXY, 'PERMIT2')) === topicOf(PERMIT2) ? null : 'the proxy of upto'
}

/** Whether the permit is used, or was given up by the payer, as of this block. */
export async function isBurnt({ permits }: PermitReads, transfer: Transfer, at: BlockName): Promise<boolean> {
  const nonce = BigInt(transfer.nonce)
  const args = [transfer.from as Hex, nonce >> 8n] as const
  const word = wordIn(await permits.call(encodeFunctionData({ abi: ABI, functionName: 'nonceBitmap', args }), at))
  return ((word >> (nonce & 0xffn)) & 1n) === 1n
}

/** How much of a permit that is burnt as of this block it has moved. @throws as {@link lookForPermit} */
export async function movedBy(reads: PermitReads, transfer: Transfer, at: BlockName): Promise<bigint> {
  return (await endOf(reads, transfer, at)).value
}

/** What became of a permit. @throws Error wherever logs, calls and states do not tell one story: unknown */
export async function lookForPermit(reads: PermitReads, transfer: Transfer, at: Confirmation): Promise<Look> {
  const head = await reads.token.head(at)
  const newest = at === 'one_block' ? head : await reads.token.head('one_block')
  if (newest.number < head.number) throw contradiction()
  // It is never given back: what is free at the newest block was free at all before it, whose states nodes may not have.
  const isOver = async (block: Block) => isBurnt(reads, transfer, block)
  const burnt = (await isOver(newest)) && (newest.number === head.number || (await isOver(head)))
  const end = burnt ? await endOf(reads, transfer, head) : null
  if (!end?.use) return { kind: 'not_moved', block: head, unused: await proofOf(reads, transfer, at, head, end) }
  const { txHash: tx_hash, block, blockHash: block_hash } = end.use
  return { kind: 'moved', inclusion: { tx_hash, block, block_hash, value: `${end.value}` } }
}

/** That it never will: a finalized block too late for it, and up to it nothing moved. */
async function proofOf(
  reads: PermitReads,
  transfer: Transfer,
  at: Confirmation,
  head: Block,
  end: End | null,
): Promise<WireUnused | null> {
  const { token } = reads
  const final = await finalAfter(token, transfer, at, head)
  if (final === null) return null
  // Asked for after the finalized block, the newest one stands on it. Earlier it might have stood on another.
  const newest = await token.head('one_block')
  if (await isBurnt(reads, transfer, newest)) {
    if (end === null || end.block > final.number) return null
  } else {
    const uses = await usesIn(token, transfer, startOf(transfer, newest), newest.number)
    if (await settledBy(token, transfer, uses)) throw contradiction()
  }
  return { block: final.number, block_hash: final.hash, timestamp: final.timestamp }
}

/** How a permit ended that is burnt as of this block. */
async function endOf(reads: PermitReads, transfer: Transfer, head: BlockName): Promise<End> {
  const end = await endIn(reads, transfer, startOf(transfer, head), head.number)
  if (end) return end
  // A node named a wrong head when it was signed.
  for await (const { from, to } of piecesBefore(reads.token, transfer, head)) {
    const earlier = await endIn(reads, transfer, from, to)
    if (earlier) return earlier
  }
  throw contradiction()
}

/** The same, of one that was burnt in these blocks; null where nothing in them shows that it was. */
async function endIn(reads: PermitReads, transfer: Transfer, from: number, to: number): Promise<End | null> {
  const uses = await usesIn(reads.token, transfer, from, to)
  const settled = await settledBy(reads.token, transfer, uses)
  if (settled) return settled
  const gone = await givenUpIn(reads.permits, transfer, from, to)
  const number = await firstBurnt(reads, transfer, [...uses, ...gone])
  return number === null ? null : endAt(reads, transfer, number, [uses, gone])
}

/** All that the token says went from the payer to the payee while the permit was good: one of it may be its use. */
async function usesIn(token: Reads, { from, to: payee, validBefore }: Transfer, first: number, last: number) {
  const uses: Log[] = []
  for await (const { logs, to } of logsIn(token, [TRANSFER, topicOf(from), topicOf(payee)], first, last)) {
    uses.push(...logs)
    if (to < last && (await token.block(to)).timestamp >= validBefore) break
  }
  return uses
}

/** Where the payer said that the permit is not good any more. It may have been used before. */
async function givenUpIn(permits: Reads, transfer: Transfer, first: number, last: number): Promise<readonly Log[]> {
  const nonce = BigInt(transfer.nonce)
  const gone: Log[] = []
  for await (const { logs } of logsIn(permits, [INVALIDATED, topicOf(transfer.from)], first, last))
    gone.push(...logs.filter(({ data }) => masks(data, nonce)))
  return gone
}

function masks(data: string, nonce: bigint): boolean {
  const [word, mask] = [data.slice(2, 2 + WORD), data.slice(2 + WORD)].map((one) => wordIn(`0x${one}`))
  return word === nonce >> 8n && (((mask as bigint) >> (nonce & 0xffn)) & 1n) === 1n
}

/**
 * The use that is a call of the proxy itself with this permit. Such a call succeeds only if Permit2 took the permit, and the
 * token is the only one that writes of a transfer then: no state of earlier blocks need be asked for, which nodes may not have.
 */
async function settledBy(token: Reads, transfer: Transfer, uses: readonly Log[]): Promise<End | null> {
  const some = uses.filter(({ data }) => wordIn(data) > 0n)
  const calls = await inTurns(some, ({ txHash }) => token.sent(txHash))
  const own = some.flatMap((use, i) => {
    const value = settledIn(calls[i] as Call, transfer)
    return value === null ? [] : [{ block: use.block, value, use }]
  })
  const [only, ...more] = own
  if (!only) return null
  if (more.length > 0 || only.value !== wordIn(only.use.data) || only.value > transfer.value) throw contradiction()
  await receiptOfLogs(token, [only.use])
  return only
}

/** What a call of the proxy takes of the permit; null for any other. */
function settledIn({ to, input }: Call, transfer: Transfer): bigint | null {
  const start = BEFORE_PERMIT.get(input.slice(0, SELECTOR))
  if (to !== UPTO_PROXY.toLowerCase() || start === undefined) return null
  const [before, after] = termsAround(transfer)
  const at = start + before.length
  const amount = input.slice(at, at + WORD)
  const isOwn = input.startsWith(before, start) && input.startsWith(after, at + WORD)
  return isOwn && amount.length === WORD ? BigInt(`0x${amount}`) : null
}

/** What stands before the amount in a call of the proxy, and what stands after it. */
function termsAround(transfer: Transfer): readonly [string, string] {
  const { asset, from, to, value, nonce, facilitator } = transfer
  const words = (types: readonly string[], values: readonly unknown[]) =>
    encodeAbiParameters(
      types.map((type) => ({ type })),
      values as unknown[],
    ).slice(2)
  const deadline = BigInt(deadlineOf(transfer))
  return [
    words(['address', 'uint256', 'uint256', 'uint256'], [contractOf(asset), value, BigInt(nonce), deadline]),
    words(['address', 'address', 'address', 'uint256'], [from, to, facilitator, 0n]),
  ]
}

/** In which of these blocks the permit was burnt; null where it was in none of them. */
async function firstBurnt(reads: PermitReads, transfer: Transfer, marks: readonly Log[]): Promise<number | null> {
  const blocks = [...new Set(marks.map(({ block }) => block))].toSorted((a, b) => a - b)
  const burntBy = async (number: number): Promise<boolean> =>
    number >= 0 && isBurnt(reads, transfer, await reads.token.block(number))
  let [first, end] = [0, blocks.length]
  while (first < end) {
    const middle = Math.floor((first + end) / 2)
    if (await burntBy(blocks[middle] as number)) end = middle
    else first = middle + 1
  }
  const number = blocks[first]
  return number === undefined || (await burntBy(number - 1)) ? null : number
}

/**
 * How it ended in the block in which it was burnt. Whatever took it, however it was called, the token wrote of it then, also of
 * a transfer of nothing: where that is all that went to the payee in this block, it is the permit's.
 */
async function endAt(
  { token, permits }: PermitReads,
  transfer: Transfer,
  number: number,
  marks: readonly [readonly Log[], readonly Log[]],
): Promise<End> {
  const [[use, ...others], [gone]] = marks.map((logs) => logs.filter(({ block }) => block === number)) as [Log[], Log[]]
  if (!use && gone) {
    await receiptOfLogs(permits, [gone])
    return { block: number, value: 0n, use: null }
  }
  const value = use ? wordIn(use.data) : 0n
  if (!use || gone || others.length > 0 || value > transfer.value) throw contradiction()
  await receiptOfLogs(token, [use])
  return { block: number, value, use: value === 0n ? null : use }
}
