import { paged } from '../../actions/lists.ts'
import { freezeAll, freezeWallet, unfreezeAll, unfreezeWallet } from '../../actions/owner/freeze.ts'
import { fund } from '../../actions/owner/fund.ts'
import { showWallet } from '../../actions/owner/inspect.ts'
import { removeLimit, setLimit } from '../../actions/owner/limit.ts'
import { spendingOf } from '../../actions/owner/spending.ts'
import { createWallet, setApprovals } from '../../actions/owner/wallets.ts'
import { walletView } from '../../actions/wallet-view.ts'
import type { WalletView } from '../../actions/wire.ts'
import type { Bursar } from '../../ports.ts'
import { ofKind } from '../shared/ids.ts'
import { made, ok } from '../shared/route.ts'
import type { OwnerHandlers } from './call.ts'

const DAYS = 30

export const WALLET_HANDLERS: OwnerHandlers<
  | 'listWallets'
  | 'createWallet'
  | 'getWallet'
  | 'fundWallet'
  | 'freezeWallet'
  | 'unfreezeWallet'
  | 'setApprovals'
  | 'listLimits'
  | 'setLimit'
  | 'removeLimit'
  | 'getSpending'
  | 'getFrozen'
  | 'freezeAll'
  | 'unfreezeAll'
> = {
  async listWallets({ bursar, query }) {
    const read = bursar.store.read
    const { items, ...rest } = await paged(
      'wallet',
      query,
      (page) => read.list('wallets', {}, page),
      async (wallet) => walletView(bursar, wallet),
    )
    return ok({ wallets: items, ...rest })
  },
  async createWallet({ bursar, authority, body: { agent_id, time_zone, ...input } }) {
    const view = await createWallet(bursar, authority, { ...input, agentId: agent_id, timeZone: time_zone })
    return made(view, `/wallets/${view.wallet_id}`)
  },
  getWallet: async ({ bursar, params }) => ok(await walletOf(bursar, params.wallet_id)),
  fundWallet: async ({ bursar, authority, params, body }) =>
    ok(await fund(bursar, authority, walletId(params), body.amount)),
  freezeWallet: async ({ bursar, by, params, body }) =>
    ok(await freezeWallet(bursar, by, walletId(params), body.reason)),
  unfreezeWallet: async ({ bursar, authority, params }) =>
    ok(await unfreezeWallet(bursar, authority, walletId(params))),
  setApprovals: async ({ bursar, authority, params, body }) =>
    ok(await setApprovals(bursar, authority, walletId(params), body.approvals)),
  listLimits: async ({ bursar, params }) => ok({ limits: (await walletOf(bursar, params.wallet_id)).limits }),
  async setLimit({ bursar, authority, params, body: { scope_value, ...input } }) {
    const limit = await setLimit(bursar, authority, walletId(params), { ...input, scopeValue: scope_value })
    return made(limit, `/wallets/${params.wallet_id}/limits`)
  },
  removeLimit: async ({ bursar, authority, params }) =>
    ok(await removeLimit(bursar, authority, ofKind('limit', params.limit_id))),
  getSpending: async ({ bursar, params, query }) => ok(await spendingOf(bursar, walletId(params), query.days ?? DAYS)),
  getFrozen: async ({ bursar }) => ok({ frozen: await isFrozen(bursar) }),
  async freezeAll({ bursar, by, body }) {
    await freezeAll(bursar, by, body.reason)
    return ok({ frozen: await isFrozen(bursar) })
  },
  async unfreezeAll({ bursar, authority }) {
    await unfreezeAll(bursar, authority)
    return ok({ frozen: await isFrozen(bursar) })
  },
}

function walletId({ wallet_id }: { readonly wallet_id: string }): string {
  return ofKind('wallet', wallet_id)
}

/** By id alone: a name is for people. @throws `not_found` */
async function walletOf(bursar: Bursar, id: string): Promise<WalletView> {
  return showWallet(bursar, ofKind('wallet', id))
}

async function isFrozen({ store }: Bursar): Promise<boolean> {
  return (await store.read.list('instance', {}))[0]?.frozen !== false
}
