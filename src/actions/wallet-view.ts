import type { LimitUse } from '../core/limit.ts'
import { inOrder } from '../core/limit.ts'
import { formatUnits } from '../core/money.ts'
import type { Wallet } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import type { Caller, LimitView, WalletView } from './wire.ts'

/** A wallet with what is left under each limit: for this caller's agent and session, or for nobody in particular. */
export function walletView(
  bursar: Bursar,
  wallet: Wallet,
  caller: Caller = { agentId: '', sessionId: '' },
): WalletView {
  const { read } = bursar.store
  const accounts = read.one('accounts', { walletId: wallet.id })
  const spender = { walletId: wallet.id, instrumentId: '', payeeKey: '', category: null, protocol: 'card', ...caller }
  return {
    wallet_id: wallet.id,
    name: wallet.name,
    mode: wallet.mode,
    status: wallet.status,
    currency: wallet.currency,
    available_amount: formatUnits(accounts?.available ?? 0n, wallet.decimals),
    held_amount: formatUnits(accounts?.held ?? 0n, wallet.decimals),
    time_zone: wallet.timeZone,
    approvals: wallet.approvals.map(({ upTo, assurance }) => ({
      up_to: upTo === null ? null : formatUnits(upTo, wallet.decimals),
      assurance,
    })),
    limits: inOrder(read.limits(spender, bursar.clock.now())).map((use) => limitView(use, wallet)),
  }
}

export function limitView({ limit, used }: LimitUse, wallet: Wallet): LimitView {
  const amount = (units: bigint | null): string | null => (units === null ? null : formatUnits(units, wallet.decimals))
  const left = limit.maxAmount === null ? null : limit.maxAmount - used.amount
  return {
    limit_id: limit.id,
    scope: limit.scope,
    scope_value: limit.scopeValue,
    window: limit.window,
    over: limit.over,
    max_amount: amount(limit.maxAmount),
    max_count: limit.maxCount,
    remaining_amount: amount(left !== null && left < 0n ? 0n : left),
    remaining_count: limit.maxCount === null ? null : Math.max(0, limit.maxCount - used.count),
  }
}
