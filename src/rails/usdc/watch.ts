import type { Confirmation, Transfer } from '../../core/types.ts'
import type { WireInclusion } from '../../core/wire.ts'
import type { TransferBooks } from '../../ports/chain.ts'
import type { RailRecord } from '../../ports.ts'
import type { Chain, Look } from './chain.ts'
import type { Lane } from './lane.ts'
import { recordOf } from './record.ts'

interface Parts {
  readonly chain: Chain
  readonly lane: Lane
  readonly books: TransferBooks
  look(transfer: Transfer, at: Confirmation): Promise<Look>
}

export interface Found {
  readonly paymentId: string
  readonly record: RailRecord
}

/** Keeps the error, and gives what was found: nothing. */
type Failed = (error: unknown) => readonly Found[]

/** How many transfers are looked at in one turn, and how many at once. */
const A_TURN = 64
const AT_ONCE = 8
/** In milliseconds: after this no further look begins in a turn, so that what was found is told. */
const BEGIN_WITHIN_MS = 20_000

/** Whether a permit moved another amount in the end than was captured. */
function isOther({ moved }: Transfer, { value }: WireInclusion): boolean {
  return value !== undefined && BigInt(value) !== moved
}

/**
 * Follows captured transfers until they are final, a part of them in each turn: those that wait longest come first. Gives
 * records of those that the chain took back for good.
 */
export function watchOf({ chain, lane, books, look }: Parts): (all: readonly Transfer[]) => Promise<readonly Found[]> {
  /** Payment ids; what was looked at longest ago comes first. */
  const queue = new Set<string>()

  function next(all: readonly Transfer[]): readonly Transfer[] {
    const byId = new Map(all.map((transfer) => [transfer.paymentId, transfer]))
    for (const id of queue) if (!byId.has(id)) queue.delete(id)
    for (const id of byId.keys()) queue.add(id)
    return [...queue].slice(0, A_TURN).map((id) => byId.get(id) as Transfer)
  }

  /** Looks at a few, sends again what the chain does not have any more, and tells what will never be there. */
  async function watchFew(transfers: readonly Transfer[], failed: Failed): Promise<readonly Found[]> {
    for (const { paymentId } of transfers) {
      queue.delete(paymentId)
      queue.add(paymentId)
    }
    const [finalized, head] = await Promise.all([chain.block('finalized'), chain.block('one_block')])
    const moved = await chain.usedAt(transfers, head)
    const lost: Transfer[] = []
    const watchOne = async (transfer: Transfer): Promise<readonly Found[]> => {
      const { paymentId, block, validBefore } = transfer
      const isDue = (block ?? 0) <= finalized.number || finalized.timestamp >= validBefore
      const seen = isDue ? await look(transfer, 'finalized') : null
      if (seen?.kind === 'moved' && !isOther(transfer, seen.inclusion)) await books.finalized(paymentId, seen.inclusion)
      else if (seen && (seen.kind === 'moved' || seen.unused)) return [{ paymentId, record: recordOf(transfer, seen) }]
      else if (!moved.has(paymentId) && (await books.isCarried(paymentId))) lost.push(transfer)
      return []
    }
    const found = await Promise.all(transfers.map((transfer) => watchOne(transfer).catch(failed)))
    for (const transfer of lost)
      await lane.send(transfer, (await books.wallet(transfer.walletId))?.relayer as string).catch(failed)
    return found.flat()
  }

  return async (all) => {
    await chain.check()
    const began = performance.now()
    const found: Found[] = []
    const failures: unknown[] = []
    const failed: Failed = (error) => {
      failures.push(error)
      return []
    }
    const transfers = next(all)
    for (let start = 0; start < transfers.length; start += AT_ONCE) {
      if (performance.now() - began > BEGIN_WITHIN_MS) break
      const few = transfers.slice(start, start + AT_ONCE)
      found.push(...(await watchFew(few, failed).catch(failed)))
    }
    // What was found is told first: what failed is looked at again with a later turn.
    if (failures.length > 0 && found.length === 0) throw new AggregateError(failures, 'Not all could be looked at.')
    return found
  }
}
