import type { LimitUse, Spender } from '../core/limit.ts'
import { inOrder, valuesOf } from '../core/limit.ts'
import { formatUnits } from '../core/money.ts'
import { GWEI } from '../core/network.ts'
import { utcDay } from '../core/time.ts'
import type { Relayer, Wallet } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import type { Caller, LimitView, RelayerView, WalletView } from './wire.ts'

/** For nobody in particular. */
const NOBODY = { agentId: '', sessionId: '' }

/** A wallet as an agent may see it, with what is left for it under the limits that look at it. */
export async function agentWalletView(bursar: Bursar, wallet: Wallet, caller: Caller): Promise<WalletView> {
  const spender = spenderOf(wallet, caller)
  return viewOf(
    bursar,
    wallet,
    (await usesOf(bursar, spender)).filter((use) => valuesOf(use.limit, spender).length > 0),
  )
}

/** A wallet as its owner sees it: every limit, and which approvals it asks for. */
export async function walletView(bursar: Bursar, wallet: Wallet): Promise<WalletView> {
  const amount = (units: bigint | null): string | null => (units === null ? null : formatUnits(units, wallet.decimals))
  const approvals = wallet.approvals.map(({ upTo, ...wanted }) => ({ up_to: amount(upTo), ...wanted }))
  const relayer = wallet.relayer === null ? null : await bursar.store.read.one('relayers', { id: wallet.relayer })
  return {
    ...(await viewOf(bursar, wallet, await usesOf(bursar, spenderOf(wallet, NOBODY)))),
    ...(relayer && { relayer: await relayerView(bursar, relayer) }),
    ...(relayer && { allows: wallet.allows }),
    ...(relayer && { confirmations: wallet.confirmations.map(({ upTo, at }) => ({ up_to: amount(upTo), at })) }),
    approvals,
  }
}

export async function relayerView(bursar: Bursar, { id, dailyMax }: Relayer): Promise<RelayerView> {
  const today = await bursar.store.read.one('fee_days', { relayer: id, day: utcDay(bursar.clock.now()) })
  const coins = (gwei: bigint): string => formatUnits(gwei, GWEI.decimals)
  return {
    relayer: id,
    daily_max: coins(dailyMax),
    spent_today: coins(today?.spent ?? 0n),
    held_today: coins(today?.held ?? 0n),
  }
}

function spenderOf({ id }: Wallet, { agentId, sessionId }: Pick<Caller, 'agentId' | 'sessionId'>): Spender {
  const nothing = { instrumentId: '', payeeKey: '', origin: null, category: null, protocol: 'card' }
  return { walletId: id, agentId, sessionId, ...nothing }
}

async function usesOf(bursar: Bursar, spender: Spender): Promise<readonly LimitUse[]> {
  return inOrder(await bursar.store.read.limits(spender, bursar.clock.now()))
}

async function viewOf(bursar: Bursar, wallet: Wallet, uses: readonly LimitUse[]): Promise<WalletView> {
  const accounts = await bursar.store.read.one('accounts', { walletId: wallet.id })
  return {
    wallet_id: wallet.id,
    name: wallet.name,
    mode: wallet.mode,
    status: wallet.status,
    currency: wallet.currency,
    available_amount: formatUnits(accounts?.available ?? 0n, wallet.decimals),
    held_amount: formatUnits(accounts?.held ?? 0n, wallet.decimals),
    time_zone: wallet.timeZone,
    ...(wallet.asset !== null && { asset: wallet.asset }),
    ...(wallet.account !== null && { account: wallet.account }),
    limits: uses.map((use) => limitView(use, wallet)),
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
