import type { Hex } from 'viem'
import { expect } from 'vitest'
import type { Payment } from '../../src/core/types.ts'
import type { Chain } from '../support/chain.ts'
import type { ChainPurse } from '../support/chain-purse.ts'

const GWEI = 1_000_000_000n

/** In gwei, rounded up; 0 for a transaction that is in no block. */
export async function feeOf(chain: Chain, txHash: string): Promise<bigint> {
  const receipt = await chain.rpc<{ gasUsed: Hex; effectiveGasPrice: Hex } | null>('eth_getTransactionReceipt', [
    txHash,
  ])
  if (!receipt) return 0n
  return (BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice) + GWEI - 1n) / GWEI
}

/** What instruments have left is what their payments did not take. */
export async function expectAllowances({ bursar }: ChainPurse): Promise<void> {
  const payments = (await bursar.store.read.list('payments', {})) as readonly Payment[]
  const taken = payments.filter(({ held, captured }) => held + captured > 0n)
  // What was taken over a hold is of no instrument's.
  const sum = (rows: readonly Payment[]) =>
    rows.reduce((units, { held, captured, forced }) => units + held + captured - forced, 0n)
  for (const { id, amount, remaining, usageConsumed } of await bursar.store.read.list('instruments', {})) {
    const mine = taken.filter(({ instrumentId }) => instrumentId === id)
    expect([amount - remaining, usageConsumed]).toEqual([sum(mine), mine.length])
  }
}
