import { encodeFunctionData, type Hex } from 'viem'
import type { Confirmation, Transfer } from '../../core/types.ts'
import type { WireInclusion, WireUnused } from '../../core/wire.ts'
import type { BlockName } from '../../ports.ts'
import { type Block, flagIn, type Log, type Mark } from './answers.ts'
import { CANCELED, contradiction, isMark, receiptOfLogs, TRANSFER, topicOf, USED, wordOf } from './logs.ts'
import { logsIn, PIECE, type Reads, TOKEN, type Topics } from './reads.ts'

export type Look =
  /** The token's own logs show that this authorization moved exactly this money, in a block that stands as far as asked. */
  | { readonly kind: 'moved'; readonly inclusion: WireInclusion }
  /** Not used up to this block. `unused` is there only when the block is finalized and as late as validBefore: it never will be. */
  | { readonly kind: 'not_moved'; readonly block: Block; readonly unused: WireUnused | null }

type Authorized = Pick<Transfer, 'from' | 'nonce'>

/** How far before `fromBlock` a mark is looked for: so many blocks, or as long before the signature. */
const BACK_BLOCKS = 50_000
const BACK_SECONDS = 3_600

/** What became of a transfer. @throws Error wherever logs, receipts and states do not tell one story: unknown */
export async function lookFor(reads: Reads, transfer: Transfer, at: Confirmation): Promise<Look> {
  const head = await reads.head(at)
  const newest = at === 'one_block' ? head : await reads.head('one_block')
  if (newest.number < head.number) throw contradiction()
  const [taken, { found, upTo }] = await Promise.all([isTaken(reads, transfer, newest), marksOf(reads, transfer, head)])
  const [only, ...more] = found
  // The token takes an authorization once, to use it or to cancel it.
  if (more.length > 0 || (only && !taken)) throw contradiction()
  const moved = async (use: Log): Promise<Look> => {
    return { kind: 'moved', inclusion: await inclusionOf(reads, transfer, use) }
  }
  if (only && isUse(only)) return moved(only)

  // It is never given back: what is free at the newest block was free at all before it, whose states nodes may not have.
  const takenThen = taken && (newest.number === head.number || (await isTaken(reads, transfer, head)))
  const mark = only ?? (takenThen ? await markElsewhere(reads, transfer, upTo, head) : null)
  if (takenThen !== (mark !== null)) throw contradiction()
  if (mark && isUse(mark)) return moved(mark)
  return { kind: 'not_moved', block: head, unused: await proofOf(reads, transfer, at, head, mark) }
}

/** Whether the authorization is used or canceled as of this block. */
export async function isTaken(reads: Reads, { from, nonce }: Authorized, at: BlockName): Promise<boolean> {
  const functionName = 'authorizationState'
  const data = encodeFunctionData({ abi: TOKEN, functionName, args: [from as Hex, nonce as Hex] })
  return flagIn(await reads.call(data, at))
}

/**
 * The logs of its use or its cancellation, up to `head`. Those of a use are all there: blocks of `validBefore` or later
 * (EIP-3009: "block.timestamp < validBefore") have none, so it ends with the first piece that reaches them.
 */
async function marksOf(reads: Reads, transfer: Transfer, head: Block): Promise<{ found: Log[]; upTo: number }> {
  const found: Log[] = []
  const isOver = head.timestamp >= transfer.validBefore
  for await (const { logs, to } of logsIn(reads, marksTopics(transfer), startOf(transfer, head), head.number)) {
    found.push(...logs)
    const isLast = isOver && to < head.number && (await reads.block(to)).timestamp >= transfer.validBefore
    if (isLast) return { found, upTo: to }
  }
  return { found, upTo: head.number }
}

/** A cancellation later than any use could be, for the token takes one at any time; or what is before `fromBlock`. */
async function markElsewhere(reads: Reads, transfer: Transfer, upTo: number, head: BlockName): Promise<Log | null> {
  const cancel = await firstOf(reads, topicsOf(transfer, [CANCELED]), upTo + 1, head.number)
  return cancel ?? (await markBefore(reads, transfer, head))
}

/** The mark of an authorization whose `fromBlock` is too high: a node named a wrong head when it was signed. */
async function markBefore(reads: Reads, transfer: Transfer, head: BlockName): Promise<Log | null> {
  for await (const { from, to } of piecesBefore(reads, transfer, head)) {
    const mark = await firstOf(reads, marksTopics(transfer), from, to)
    if (mark) return mark
  }
  return null
}

/** The blocks before `fromBlock` in which it can be at all, newest first. */
export async function* piecesBefore(
  reads: Reads,
  transfer: Pick<Transfer, 'fromBlock' | 'signedAt'>,
  head: BlockName,
): AsyncGenerator<{ readonly from: number; readonly to: number }> {
  const last = startOf(transfer, head) - 1
  const first = Math.max(0, last - BACK_BLOCKS + 1)
  const earliest = transfer.signedAt / 1000 - BACK_SECONDS
  for (let to = last; to >= first; to -= PIECE) {
    const from = Math.max(first, to - PIECE + 1)
    yield { from, to }
    if ((await reads.block(from)).timestamp < earliest) return
  }
}

async function firstOf(reads: Reads, topics: Topics, from: number, to: number): Promise<Log | null> {
  for await (const { logs } of logsIn(reads, topics, from, to)) if (logs[0]) return logs[0]
  return null
}

/** Whether an authorization that is taken as of this block was canceled, which moves nothing. */
export async function isCanceled(reads: Reads, transfer: Transfer, at: BlockName): Promise<boolean> {
  const mark = await firstOf(reads, marksTopics(transfer), startOf(transfer, at), at.number)
  const own = mark ?? (await markBefore(reads, transfer, at))
  return own !== null && !isUse(own)
}

function isUse({ topics }: Log): boolean {
  return topics[0] === USED
}

/** Where the search for marks begins: never after the block that it ends with. */
export function startOf({ fromBlock }: Pick<Transfer, 'fromBlock'>, head: BlockName): number {
  return Math.min(fromBlock, head.number)
}

async function inclusionOf(reads: Reads, transfer: Transfer, use: Log): Promise<WireInclusion> {
  const { from, to, value } = transfer
  const receipt = await receiptOfLogs(reads, [use])
  const topics = [TRANSFER, topicOf(from), topicOf(to)]
  const moved: Mark = { address: reads.contract, topics, data: wordOf(value) }
  // Some tokens write of a use without moving anything, or let a used one pass.
  if (!receipt.logs.some((log) => isMark(log, moved))) throw contradiction()
  return { tx_hash: use.txHash, block: use.block, block_hash: use.blockHash }
}

/** That it never will: a finalized block too late for it, and in it not used. */
async function proofOf(
  reads: Reads,
  transfer: Transfer,
  at: Confirmation,
  head: Block,
  cancel: Log | null,
): Promise<WireUnused | null> {
  const final = await finalAfter(reads, transfer, at, head)
  if (final === null) return null
  // Asked for after the finalized block, the newest one stands on it. Earlier it might have stood on another.
  const newest = await reads.head('one_block')
  if (await isTaken(reads, transfer, newest)) {
    if (!cancel || cancel.block > final.number) return null
    await receiptOfLogs(reads, [cancel])
  }
  return { block: final.number, block_hash: final.hash, timestamp: final.timestamp }
}

/** A finalized block that is too late for it, and not after `head`; null where there is none. */
export async function finalAfter(
  reads: Reads,
  { validBefore }: Pick<Transfer, 'validBefore'>,
  at: Confirmation,
  head: Block,
): Promise<Block | null> {
  if (head.timestamp < validBefore) return null
  const final = at === 'finalized' ? head : await reads.head('finalized')
  return final.timestamp < validBefore || final.number > head.number ? null : final
}

function marksTopics(transfer: Authorized): Topics {
  return topicsOf(transfer, [USED, CANCELED])
}

function topicsOf({ from, nonce }: Authorized, kinds: readonly string[]): Topics {
  return [kinds, topicOf(from), nonce.toLowerCase()]
}
