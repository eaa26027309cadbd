import { type Hex, parseTransaction } from 'viem'
import { addressIn } from '../../core/account.ts'
import { chainIdOf } from '../../core/network.ts'
import type { Broadcast, Transfer } from '../../core/types.ts'
import type { BroadcastOrder, TransferBooks, Vault } from '../../ports/chain.ts'
import type { Clock } from '../../ports.ts'
import type { Chain } from './chain.ts'

const GWEI = 1_000_000_000n
/** A transfer to oneself without data. */
const EMPTY_GAS = 21_000n
/** Not taken after this long, a transaction is offered at a higher price. */
const REPRICE_AFTER_MS = 60_000
/** After this long, a nonce that went to a transaction that is not ours is given up for lost. */
const FOREIGN_AFTER_MS = 600_000

interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** How authorizations get onto one chain. */
export interface Lane {
  /** Sees to it that a signed transfer is on its way, at most once at a time. It may not be: see the books. */
  send(transfer: Transfer, relayer: string): Promise<void>
  /** Sends again what the chain waits for, reprices what it does not take, and counts the fees that were paid. */
  advance(relayer: string): Promise<void>
}

/**
 * A relayer's transactions, in the order of its nonces. Each is stored before it leaves; any process may send any of them
 * again, and they are the same bytes. A nonce whose payment may not go on is used up by a transaction that carries nothing,
 * or all behind it would wait for ever.
 */
export function laneOf(chain: Chain, books: TransferBooks, vault: Vault, clock: Clock): Lane {
  const chainId = chainIdOf(chain.network.id)

  async function store(
    order: Omit<BroadcastOrder, 'maxFee' | 'make'>,
    carries: Transfer | null,
    gas: bigint,
    fees: Fees,
  ): Promise<boolean> {
    const sign = await (await vault.relayer(order.relayer)).carry(carries)
    const stored = await books.broadcast({
      ...order,
      maxFee: (gas * fees.maxFeePerGas + GWEI - 1n) / GWEI,
      make: (nonce) => sign({ chainId, nonce, gas, ...fees }),
    })
    if (!('broadcast' in stored)) return false
    await deliver(stored.broadcast)
    return true
  }

  /** Whatever was stored, by whomever, when it was stored: it may have been stopped since. */
  async function deliver({ paymentId, raw }: Broadcast): Promise<void> {
    if (paymentId === null || (await books.mayLeave(paymentId))) await chain.send(raw)
  }

  async function send(transfer: Transfer, relayer: string): Promise<void> {
    const address = addressIn(relayer)
    const [chainNonce, gas, fees] = await Promise.all([
      chain.count(address),
      chain.gasFor(transfer, address),
      chain.fees(),
    ])
    const sent = await books.broadcasts(transfer.paymentId)
    if (sent.some((row) => row.relayerNonce >= chainNonce)) return resend(relayer, chainNonce, fees)
    // It was taken meanwhile, and what came of it will be seen; only what failed is worth another transaction.
    const costs = await Promise.all(sent.map(({ txHash }) => chain.cost(txHash)))
    if (gas === null || costs.some((cost) => cost?.ok)) return
    await store({ relayer, paymentId: transfer.paymentId, chainNonce, after: sent }, transfer, gas, fees)
  }

  async function resend(relayer: string, count: number, fees: Fees): Promise<void> {
    const rows = newestOf(await books.lane(relayer, count))
    const isGap = rows.length > 0 && rows[0]?.relayerNonce !== count
    // Taken and counted, or under a later nonce than the next: only a count from after they were read says that it is so.
    const isOdd = isGap || rows.some(({ fee }) => fee !== null)
    const chainNonce = isOdd ? await chain.count(addressIn(relayer)) : count
    if (isGap && chainNonce === count) await store({ relayer, paymentId: null, chainNonce }, null, EMPTY_GAS, fees)
    for (const row of rows) if (row.relayerNonce >= chainNonce) await bringOn(row, chainNonce, fees)
  }

  async function bringOn(row: Broadcast, chainNonce: number, fees: Fees): Promise<void> {
    const { relayer, paymentId } = row
    const transfer = paymentId === null ? null : await books.transfer(paymentId)
    const order = { relayer, chainNonce, replaces: row }
    // What became of the transfer is final, so it can but fail: it uses up the nonce as it is, and no new fee is held for it.
    if (row.fee !== null && transfer?.status !== 'open' && !isCheap(row, fees)) await chain.send(row.raw)
    else if (paymentId !== null && !(await books.mayLeave(paymentId)))
      await store({ ...order, paymentId: null }, null, EMPTY_GAS, above(row, fees))
    else {
      const reprice = () => store({ ...order, paymentId }, transfer, gasOf(row), above(row, fees))
      // Where no more may be offered, it goes out again as it was: the chain may have forgotten it.
      if (!isStale(row, fees, clock.now()) || !(await reprice())) await deliver(row)
    }
  }

  return {
    send,
    async advance(relayer) {
      if (!(await books.hasSent(relayer))) return
      const chainNonce = await chain.count(addressIn(relayer))
      // Also where every fee was counted: a reorganization gives nonces back.
      if ((await books.lane(relayer, chainNonce)).length > 0) await resend(relayer, chainNonce, await chain.fees())
      await countFees(relayer, chainNonce, chain, books, clock)
    },
  }
}

async function countFees(
  relayer: string,
  chainNonce: number,
  chain: Chain,
  books: TransferBooks,
  clock: Clock,
): Promise<void> {
  const taken = (await books.unpaid(relayer)).filter(({ relayerNonce }) => relayerNonce < chainNonce)
  for (const nonce of new Set(taken.map(({ relayerNonce }) => relayerNonce))) {
    const rows = taken.filter(({ relayerNonce }) => relayerNonce === nonce)
    const costs = await Promise.all(rows.map(async (row) => ({ row, cost: await chain.cost(row.txHash) })))
    const paid = costs.find(({ cost }) => cost !== null)
    const fee = ((paid?.cost?.fee ?? 0n) + GWEI - 1n) / GWEI
    const foreign = rows.every(({ createdAt }) => clock.now() - createdAt > FOREIGN_AFTER_MS)
    if (paid || foreign) await books.feePaid(relayer, nonce, paid?.row.txHash ?? null, fee)
  }
}

/** Of the transactions under one nonce the last one, in the order of the nonces. */
function newestOf(rows: readonly Broadcast[]): readonly Broadcast[] {
  return [...new Map(rows.map((row) => [row.relayerNonce, row])).values()]
}

function feesOf({ raw }: Broadcast): Fees {
  const { maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = parseTransaction(raw as Hex)
  return { maxFeePerGas, maxPriorityFeePerGas }
}

function gasOf({ raw }: Broadcast): bigint {
  return parseTransaction(raw as Hex).gas ?? 0n
}

/** Whether the chain will not take it at the price that it was signed for. */
function isCheap(row: Broadcast, now: Fees): boolean {
  const baseFee = (now.maxFeePerGas - now.maxPriorityFeePerGas) / 2n
  return feesOf(row).maxFeePerGas < baseFee + now.maxPriorityFeePerGas
}

/** Whether it is time to offer more. */
function isStale(row: Broadcast, now: Fees, at: number): boolean {
  const age = at - row.createdAt
  return age > REPRICE_AFTER_MS && (isCheap(row, now) || age > 3 * REPRICE_AFTER_MS)
}

/** A price at which nodes take one transaction in place of another: an eighth more than it (they ask for a tenth), and not below today's. */
function above(row: Broadcast, now: Fees): Fees {
  const before = feesOf(row)
  const more = (was: bigint, is: bigint): bigint => {
    const bumped = was + was / 8n + 1n
    return bumped > is ? bumped : is
  }
  return {
    maxFeePerGas: more(before.maxFeePerGas, now.maxFeePerGas),
    maxPriorityFeePerGas: more(before.maxPriorityFeePerGas, now.maxPriorityFeePerGas),
  }
}
