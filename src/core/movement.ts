import { formatUnits } from './money.ts'
import type { Account, Entry, Wallet } from './types.ts'
import type { WireMovement } from './wire.ts'

/** Money that comes in first repays what a network took beyond the balance (`owed`, as a positive amount). */
export function incoming(
  kind: 'fund' | 'refund',
  amount: bigint,
  owed: bigint,
  wallet: Pick<Wallet, 'decimals'>,
): readonly WireMovement[] {
  const repaid = amount < owed ? amount : owed
  return [
    movement(kind, 'external', 'overdrawn', repaid, wallet),
    movement(kind, 'external', 'available', amount - repaid, wallet),
  ].filter(isSomething)
}

/** Money that left an account by its owner's own hand: from what is available, and beyond that it is owed. */
export function outgoing(amount: bigint, available: bigint, wallet: Pick<Wallet, 'decimals'>): readonly WireMovement[] {
  const free = amount < available ? amount : available
  return [
    movement('forced', 'available', 'external', free, wallet),
    movement('forced', 'overdrawn', 'external', amount - free, wallet),
  ].filter(isSomething)
}

export function isSomething(one: WireMovement): boolean {
  return /[1-9]/.test(one.amount)
}

export function movement(
  kind: Entry['kind'],
  debit: Account,
  credit: Account,
  units: bigint,
  wallet: Pick<Wallet, 'decimals'>,
): WireMovement {
  return { kind, debit, credit, amount: formatUnits(units, wallet.decimals) }
}
