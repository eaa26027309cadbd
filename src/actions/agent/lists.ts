import { BursarError } from '../../core/errors.ts'
import { isId } from '../../core/ids.ts'
import type { Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import {
  type Listed,
  type ListFilter,
  type PageInput,
  type PaymentListFilter,
  paged,
  pageOfInstruments,
  pageOfPayments,
  pageOfRequests,
} from '../lists.ts'
import { instrumentView } from '../views.ts'
import { agentWalletView } from '../wallet-view.ts'
import type { Caller, InstrumentView, PaymentView, RequestView, WalletView } from '../wire.ts'

/** What an agent may look at: its own, and the wallets that it may use. Others' things are not there. */

/** @throws `argument_invalid` for a cursor that is none, as each of these */
export async function listWallets(bursar: Bursar, caller: Caller, page: PageInput): Promise<Listed<WalletView>> {
  return paged(
    'wallet',
    page,
    async ({ limit, ...before }) => {
      const wallets = await bursar.store.read.list('wallets', {}, before)
      return wallets.filter((wallet) => mayUse(wallet, caller)).slice(0, limit)
    },
    (wallet) => agentWalletView(bursar, wallet, caller),
  )
}

/** @throws `not_found`, also for a wallet of another agent */
export async function getWallet(bursar: Bursar, caller: Caller, walletId: string): Promise<WalletView> {
  const wallet = isId('wallet', walletId) ? await bursar.store.read.one('wallets', { id: walletId }) : null
  if (!wallet || !mayUse(wallet, caller)) throw new BursarError('not_found', 'There is no such wallet.')
  return agentWalletView(bursar, wallet, caller)
}

function mayUse({ agentId }: Wallet, caller: Caller): boolean {
  return agentId === null || agentId === caller.agentId
}

export async function listRequests(
  bursar: Bursar,
  caller: Caller,
  filter: ListFilter & PageInput,
): Promise<Listed<RequestView>> {
  return isOthers(filter, caller) ? NOTHING : await pageOfRequests(bursar, own(filter, caller), filter)
}

export async function listInstruments(
  bursar: Bursar,
  caller: Caller,
  filter: ListFilter & PageInput,
): Promise<Listed<InstrumentView>> {
  return isOthers(filter, caller) ? NOTHING : await pageOfInstruments(bursar, own(filter, caller), filter)
}

/** @throws `not_found`, also for another agent's instrument */
export async function getInstrument(bursar: Bursar, caller: Caller, id: string): Promise<InstrumentView> {
  const instrument = isId('instrument', id) ? await bursar.store.read.one('instruments', { id }) : null
  if (instrument?.agentId !== caller.agentId) throw new BursarError('not_found', 'There is no such instrument.')
  return instrumentView(bursar, id)
}

export async function pagePayments(
  bursar: Bursar,
  caller: Caller,
  filter: PaymentListFilter & PageInput,
): Promise<Listed<PaymentView>> {
  return isOthers(filter, caller) ? NOTHING : await pageOfPayments(bursar, own(filter, caller), filter)
}

const NOTHING: Listed<never> = { items: [] }

function isOthers({ agent_id }: ListFilter, { agentId }: Caller): boolean {
  return agent_id !== undefined && agent_id !== agentId
}

function own<Filter extends ListFilter>(filter: Filter, { agentId }: Caller): Filter {
  return { ...filter, agent_id: agentId }
}
