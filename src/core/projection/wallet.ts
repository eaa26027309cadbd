import type { EventOf, WireConfirmations } from '../event.ts'
import { unitsOf } from '../money.ts'
import type { Op } from '../tables.ts'
import { millis } from '../time.ts'
import type { ApprovalTier, ConfirmationTier, Scope, Window } from '../types.ts'
import { counted, moved } from './money.ts'
import { projectDeposit, projectScan } from './transfer.ts'

export function projectWallet(
  event: EventOf<
    | 'wallet.created'
    | 'wallet.allowances_changed'
    | 'wallet.approvals_changed'
    | 'wallet.confirmations_changed'
    | 'wallet.funded'
    | 'wallet.withdrawn'
    | 'wallet.reconciled'
    | 'wallet.scanned'
    | 'wallet.frozen'
    | 'wallet.unfrozen'
  >,
): readonly Op[] {
  const id = event.wallet_id as string
  switch (event.type) {
    case 'wallet.created':
      return created(event, id)
    case 'wallet.allowances_changed':
      return [{ table: 'wallets', key: { id }, set: { allows: event.details.allows } }]
    case 'wallet.approvals_changed':
      return [{ table: 'wallets', key: { id }, set: { approvals: tiers(event.details.approvals) } }]
    case 'wallet.confirmations_changed':
      return [{ table: 'wallets', key: { id }, set: { confirmations: confirmations(event.details.confirmations) } }]
    case 'wallet.funded':
      return [...projectDeposit(event, unitsOf(event.amount as string)), ...moved(event, event.details.movements)]
    case 'wallet.withdrawn':
      return moved(event, event.details.movements)
    case 'wallet.reconciled':
    case 'wallet.scanned':
      return projectScan(event)
    case 'wallet.frozen':
      return [{ table: 'wallets', key: { id }, set: { status: 'frozen' } }]
    case 'wallet.unfrozen':
      return [{ table: 'wallets', key: { id }, set: { status: 'active' } }]
  }
}

function created(event: EventOf<'wallet.created'>, id: string): readonly Op[] {
  const { name, owner_id, agent_id, mode, currency, decimals, time_zone, approvals, chain } = event.details
  return [
    {
      table: 'wallets',
      insert: {
        id,
        name,
        ownerId: owner_id,
        agentId: agent_id,
        mode,
        currency,
        decimals,
        timeZone: time_zone,
        status: 'active',
        approvals: tiers(approvals),
        asset: chain?.asset ?? null,
        account: chain?.account ?? null,
        relayer: chain?.relayer ?? null,
        confirmations: confirmations(chain?.confirmations ?? []),
        allows: [],
        createdAt: millis(event.ts),
      },
    },
    { table: 'accounts', insert: { walletId: id, available: 0n, held: 0n, external: 0n, overdrawn: 0n } },
  ]
}

function tiers(wire: EventOf<'wallet.created'>['details']['approvals']): readonly ApprovalTier[] {
  return wire.map(({ up_to, assurance, owners }) => ({
    upTo: up_to === null ? null : unitsOf(up_to),
    assurance,
    ...(owners !== undefined && { owners }),
  }))
}

function confirmations(wire: WireConfirmations): readonly ConfirmationTier[] {
  return wire.map(({ up_to, at }) => ({ upTo: up_to === null ? null : unitsOf(up_to), at }))
}

export function projectLimit(event: EventOf<'limit.set' | 'limit.removed'>): readonly Op[] {
  if (event.type === 'limit.removed')
    return [{ table: 'limits', key: { id: event.details.limit_id }, set: { removedAt: millis(event.ts) } }]
  const { limit_id, scope, scope_value, window, max_amount, max_count, over, carried } = event.details
  const limit: Op = {
    table: 'limits',
    insert: {
      id: limit_id,
      walletId: event.wallet_id as string,
      scope: scope as Scope,
      scopeValue: scope_value,
      window: window as Window,
      maxAmount: max_amount === null ? null : unitsOf(max_amount),
      maxCount: max_count,
      over,
      createdAt: millis(event.ts),
      removedAt: null,
    },
  }
  const counters = carried.flatMap(({ amount, count, forced, ...key }) =>
    counted([key], { amount: unitsOf(amount), count, forced: unitsOf(forced) }),
  )
  return [limit, ...counters]
}
