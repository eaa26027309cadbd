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
  listWallets: ({ bursar, caller, query }) => ok(named('wallets', listWallets(bursar, caller, query))),
  getWallet: ({ bursar, caller, params }) => ok(getWallet(bursar, caller, params.wallet_id)),
  listLimits: ({ bursar, caller, params }) => ok({ limits: getWallet(bursar, caller, params.wallet_id).limits }),
  getFrozen: ({ bursar }) => ok({ frozen: bursar.store.read.list('instance', {})[0]?.frozen !== false }),
  listRequests: ({ bursar, caller, query }) => ok(named('requests', listRequests(bursar, caller, query))),
  getRequest: ({ bursar, caller, params }) => ok(getRequest(bursar, caller, params.request_id)),
  async createRequest({ bursar, caller, body }) {
    const view = await requestInstrument(bursar, caller, body)
    const location = `/requests/${view.request_id}`
    return { status: view.status === 'pending' ? 202 : 201, body: view, location }
  },
  cancelRequest: async ({ bursar, caller, params }) =>
    ok(await cancel(bursar, caller, ofKind('request', params.request_id))),
  listInstruments: ({ bursar, caller, query }) => ok(named('instruments', listInstruments(bursar, caller, query))),
  getInstrument: ({ bursar, caller, params }) => ok(getInstrument(bursar, caller, params.instrument_id)),
  returnInstrument: async ({ bursar, caller, params }) =>
    ok(await cancel(bursar, caller, ofKind('instrument', params.instrument_id))),
  listPayments: ({ bursar, caller, query }) => ok(named('payments', pagePayments(bursar, caller, query))),
  getPayment: ({ bursar, caller, params }) => ok(getPayment(bursar, caller, params.payment_id)),
  createPayment,
  fetchWithPayment: fetchPaid,
  cancelPayment: async ({ bursar, caller, params }) =>
    ok(await cancel(bursar, caller, ofKind('payment', params.payment_id))),
  getBudget: ({ bursar, caller, query }) => ok(checkBudget(bursar, caller, query.instrument_id)),
  mintCredential,
  revokeCredential,
}

function named<View>(name: string, { items, ...rest }: Listed<View>): object {
  return { [name]: items, ...rest }
}
