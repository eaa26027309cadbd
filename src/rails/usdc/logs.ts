import { getAddress, padHex, toEventSelector, toHex } from 'viem'
import type { Deposit } from '../../core/types.ts'
import type { BlockName } from '../../ports.ts'
import { type Log, type Mark, type Receipt, wordIn } from './answers.ts'
import { logsIn, type Reads, stands } from './reads.ts'

export const TRANSFER = toEventSelector('Transfer(address,address,uint256)')
export const USED = toEventSelector('AuthorizationUsed(address,bytes32)')
export const CANCELED = toEventSelector('AuthorizationCanceled(address,bytes32)')

/** How many questions are under way at once. */
const AT_ONCE = 8

/** An indexed address as logs have it. */
export function topicOf(address: string): string {
  return padHex(address.toLowerCase() as `0x${string}`, { size: 32 })
}

/** A whole number as logs have it. */
export function wordOf(units: bigint): string {
  return toHex(units, { size: 32 })
}

export function isMark(log: Mark, { address, topics, data }: Mark): boolean {
  return log.address === address && log.data === data && `${log.topics}` === `${topics}`
}

/**
 * The receipt of the transaction that wrote these logs, when the chain stands behind them: it succeeded, it is in the
 * block that they name, that block is in the chain, and they are in it.
 *
 * @throws Error otherwise
 */
export async function receiptOfLogs(reads: Reads, logs: readonly [Log, ...Log[]]): Promise<Receipt> {
  const [{ txHash, block, blockHash }] = logs
  const receipt = await reads.receipt(txHash, block)
  if (!receipt?.ok || receipt.blockHash !== blockHash) throw contradiction()
  for (const log of logs) {
    const own = receipt.logs.find(({ index }) => index === log.index)
    if (!own || !isMark(own, log)) throw contradiction()
  }
  await stands(reads, { number: block, hash: blockHash })
  return receipt
}

/**
 * What came in after block `from`, up to `to`, in the order of the chain. Transfers of nothing are not money, and what
 * the account sends to itself does not come in.
 */
export async function depositsTo(
  reads: Reads,
  address: string,
  from: number,
  to: BlockName,
): Promise<readonly Omit<Deposit, 'walletId' | 'seq'>[]> {
  const account = topicOf(address)
  const incoming: Log[] = []
  for await (const { logs } of logsIn(reads, [TRANSFER, null, account], from + 1, to.number))
    for (const log of logs) if (wordIn(log.data) > 0n && log.topics[1] !== account) incoming.push(log)
  const deposits = await inTurns(byTransaction(incoming), async (own) => {
    const receipt = await receiptOfLogs(reads, own)
    return own.map((log) => depositOf(log, receipt))
  })
  await stands(reads, to)
  return deposits.flat()
}

function depositOf({ txHash, index, data, topics, block }: Log, { logs }: Receipt): Omit<Deposit, 'walletId' | 'seq'> {
  // `index` counts the logs of the block, and changes with what else is in it.
  const position = logs.findIndex((log) => log.index === index)
  const from = getAddress(`0x${topics[1]?.slice(-40)}`)
  return { txHash, position, amount: wordIn(data), from, block }
}

function byTransaction(logs: readonly Log[]): readonly [Log, ...Log[]][] {
  const groups = new Map<string, [Log, ...Log[]]>()
  for (const log of logs) {
    const group = groups.get(log.txHash)
    if (group) group.push(log)
    else groups.set(log.txHash, [log])
  }
  return [...groups.values()]
}

/** A few at once, for a node answers only so many. */
export async function inTurns<T, R>(items: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = []
  for (let start = 0; start < items.length; start += AT_ONCE)
    made.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(make))))
  return made
}

export function contradiction(): Error {
  return new Error('What the chain says contradicts itself.')
}
