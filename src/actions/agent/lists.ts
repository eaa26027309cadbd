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
export function listWallets(bursar: Bursar, caller: Caller, page: PageInput): Listed<WalletView> {
  return paged(
    'wallet',
    page,
    ({ limit, ...before }) =>
      bursar.store.read
        .list('wallets', {}, before)
        .filter((wallet) => mayUse(wallet, caller))
        .slice(0, limit),
    (wallet) => agentWalletView(bursar, wallet, caller),
  )
}

/** @throws `not_found`, also for a wallet of another agent */
export function getWallet(bursar: Bursar, caller: Caller, walletId: string): WalletView {
  const wallet = isId('wallet', walletId) ? bursar.store.read.one('wallets', { id: walletId }) : null
  if (!wallet || !mayUse(wallet, caller)) throw new BursarError('not_found', 'There is no such wallet.')
  return agentWalletView(bursar, wallet, caller)
}

function mayUse({ agentId }: Wallet, caller: Caller): boolean {
  return agentId === null || agentId === caller.agentId
}

export function listRequests(bursar: Bursar, caller: Caller, filter: ListFilter & PageInput): Listed<RequestView> {
  return isOthers(filter, caller) ? NOTHING : pageOfRequests(bursar, own(filter, caller), filter)
}

export function listInstruments(
  bursar: Bursar,
  caller: Caller,
  filter: ListFilter & PageInput,
): Listed<InstrumentView> {
  return isOthers(filter, caller) ? NOTHING : pageOfInstruments(bursar, own(filter, caller), filter)
}

/** @throws `not_found`, also for another agent's instrument */
export function getInstrument(bursar: Bursar, caller: Caller, id: string): InstrumentView {
  const instrument = isId('instrument', id) ? bursar.store.read.one('instruments', { id }) : null
  if (instrument?.agentId !== caller.agentId) throw new BursarError('not_found', 'There is no such instrument.')
  return instrumentView(bursar, id)
}

export function pagePayments(
  bursar: Bursar,
  caller: Caller,
  filter: PaymentListFilter & PageInput,
): Listed<PaymentView> {
  return isOthers(filter, caller) ? NOTHING : pageOfPayments(bursar, own(filter, caller), filter)
}

const NOTHING: Listed<never> = { items: [] }

function isOthers({ agent_id }: ListFilter, { agentId }: Caller): boolean {
  return agent_id !== undefined && agent_id !== agentId
}

function own<Filter extends ListFilter>(filter: Filter, { agentId }: Caller): Filter {
  return { ...filter, agent_id: agentId }
}
