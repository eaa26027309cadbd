import { cancel } from '../../actions/agent/cancel.ts'
import {
  getInstrument,
  getWallet,
  listInstruments,
  listRequests,
  listWallets,
  pagePayments,
} from '../../actions/agent/lists.ts'
import { checkBudget, getPayment, getRequest } from '../../actions/agent/read.ts'
import { requestInstrument } from '../../actions/agent/request-instrument.ts'
import type { Listed } from '../../actions/lists.ts'
import { ofKind } from '../shared/ids.ts'
import { ok } from '../shared/route.ts'
import type { AgentHandlers } from './call.ts'
import { mintCredential, revokeCredential } from './credentials.ts'
import { createPayment, fetchPaid } from './payments.ts'

/** What agents may do over REST: the same as with the tools of MCP, and nothing that gives power. */
export const AGENT_HANDLERS: AgentHandlers = {
  listWallets: async ({ bursar, caller, query }) => ok(named('wallets', await listWallets(bursar, caller, query))),
  getWallet: async ({ bursar, caller, params }) => ok(await getWallet(bursar, caller, params.wallet_id)),
  listLimits: async ({ bursar, caller, params }) =>
    ok({ limits: (await getWallet(bursar, caller, params.wallet_id)).limits }),
  getFrozen: async ({ bursar }) => ok({ frozen: (await bursar.store.read.list('instance', {}))[0]?.frozen !== false }),
  listRequests: async ({ bursar, caller, query }) => ok(named('requests', await listRequests(bursar, caller, query))),
  getRequest: async ({ bursar, caller, params }) => ok(await getRequest(bursar, caller, params.request_id)),
  async createRequest({ bursar, caller, body }) {
    const view = await requestInstrument(bursar, caller, body)
    const location = `/requests/${view.request_id}`
    return { status: view.status === 'pending' ? 202 : 201, body: view, location }
  },
  cancelRequest: async ({ bursar, caller, params }) =>
    ok(await cancel(bursar, caller, ofKind('request', params.request_id))),
  listInstruments: async ({ bursar, caller, query }) =>
    ok(named('instruments', await listInstruments(bursar, caller, query))),
  getInstrument: async ({ bursar, caller, params }) => ok(await getInstrument(bursar, caller, params.instrument_id)),
  returnInstrument: async ({ bursar, caller, params }) =>
    ok(await cancel(bursar, caller, ofKind('instrument', params.instrument_id))),
  listPayments: async ({ bursar, caller, query }) => ok(named('payments', await pagePayments(bursar, caller, query))),
  getPayment: async ({ bursar, caller, params }) => ok(await getPayment(bursar, caller, params.payment_id)),
  createPayment,
  fetchWithPayment: fetchPaid,
  cancelPayment: async ({ bursar, caller, params }) =>
    ok(await cancel(bursar, caller, ofKind('payment', params.payment_id))),
  getBudget: async ({ bursar, caller, query }) => ok(await checkBudget(bursar, caller, query.instrument_id)),
  mintCredential,
  revokeCredential,
}

function named<View>(name: string, { items, ...rest }: Listed<View>): object {
  return { [name]: items, ...rest }
}
