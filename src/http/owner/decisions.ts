import { pageOfInstruments, pageOfPayments, pageOfRequests } from '../../actions/lists.ts'
import { approve, deny } from '../../actions/owner/approve.ts'
import type { OwnerAuthority } from '../../actions/owner/authority.ts'
import { freezeInstrument, revokeInstrument, unfreezeInstrument } from '../../actions/owner/freeze.ts'
import { showInstrument, showPayment } from '../../actions/owner/inspect.ts'
import { provePayment } from '../../actions/owner/journal.ts'
import { refund } from '../../actions/owner/refund.ts'
import { question } from '../../actions/question.ts'
import { requestView } from '../../actions/views.ts'
import type { PaymentView, RequestView } from '../../actions/wire.ts'
import { operatorProof } from '../../approvals/operator.ts'
import type { Narrowing } from '../../core/approval.ts'
import { parseDuration } from '../../core/duration.ts'
import type { Bursar } from '../../ports.ts'
import { ofKind } from '../shared/ids.ts'
import { ok } from '../shared/route.ts'
import type { OwnerHandlers } from './call.ts'

export const DECISION_HANDLERS: OwnerHandlers<
  | 'listRequests'
  | 'getRequest'
  | 'approveRequest'
  | 'denyRequest'
  | 'listInstruments'
  | 'getInstrument'
  | 'freezeInstrument'
  | 'unfreezeInstrument'
  | 'revokeInstrument'
  | 'listPayments'
  | 'getPayment'
  | 'approvePayment'
  | 'denyPayment'
  | 'refundPayment'
  | 'getPaymentProof'
> = {
  async listRequests({ bursar, query }) {
    const { items, ...rest } = await pageOfRequests(bursar, query, query)
    return ok({ requests: items, ...rest })
  },
  getRequest: async ({ bursar, params }) => ok(await requestView(bursar, ofKind('request', params.request_id))),
  approveRequest: async ({ bursar, authority, params, body }) =>
    ok(await approved(bursar, authority, ofKind('request', params.request_id), narrowingOf(body.narrowing))),
  denyRequest: async ({ bursar, by, params, body }) =>
    ok(await deny(bursar, ofKind('request', params.request_id), { ...by, reason: body.reason ?? null })),
  async listInstruments({ bursar, query }) {
    const { items, ...rest } = await pageOfInstruments(bursar, query, query)
    return ok({ instruments: items, ...rest })
  },
  getInstrument: async ({ bursar, params }) =>
    ok(await showInstrument(bursar, ofKind('instrument', params.instrument_id))),
  freezeInstrument: async ({ bursar, by, params }) =>
    ok(await freezeInstrument(bursar, by, ofKind('instrument', params.instrument_id))),
  unfreezeInstrument: async ({ bursar, authority, params }) =>
    ok(await unfreezeInstrument(bursar, authority, ofKind('instrument', params.instrument_id))),
  revokeInstrument: async ({ bursar, by, params }) =>
    ok(await revokeInstrument(bursar, by, ofKind('instrument', params.instrument_id))),
  async listPayments({ bursar, query }) {
    const { items, ...rest } = await pageOfPayments(bursar, query, query)
    return ok({ payments: items, ...rest })
  },
  getPayment: async ({ bursar, params }) => ok(await showPayment(bursar, ofKind('payment', params.payment_id))),
  approvePayment: async ({ bursar, authority, params }) =>
    ok(await approved(bursar, authority, ofKind('payment', params.payment_id), {})),
  denyPayment: async ({ bursar, by, params, body }) =>
    ok(await deny(bursar, ofKind('payment', params.payment_id), { ...by, reason: body.reason ?? null })),
  refundPayment: async ({ bursar, authority, params, body }) =>
    ok(await refund(bursar, authority, ofKind('payment', params.payment_id), body.amount)),
  getPaymentProof: async ({ bursar, noteKey, params }) =>
    ok(await provePayment(bursar, noteKey, ofKind('payment', params.payment_id))),
}

/** A yes to the terms that are stored, which never change, signed with the owner's key. */
async function approved(
  bursar: Bursar,
  authority: OwnerAuthority,
  subjectId: string,
  narrowing: Narrowing,
): Promise<RequestView | PaymentView> {
  const { digest } = await question(bursar, subjectId)
  const proof = await operatorProof(bursar, authority, subjectId, digest, narrowing)
  return approve(bursar, subjectId, { ...proof, channel: authority.channel }, narrowing)
}

interface Less {
  readonly amount?: string | undefined
  readonly usage_limit?: number | undefined
  readonly per_payment_max?: string | undefined
  readonly expires_in?: string | undefined
}

function narrowingOf({ amount, usage_limit, per_payment_max, expires_in }: Less = {}): Narrowing {
  return {
    ...(amount !== undefined && { amount }),
    ...(usage_limit !== undefined && { usage_limit }),
    ...(per_payment_max !== undefined && { per_payment_max }),
    ...(expires_in !== undefined && { expires_in_ms: parseDuration(expires_in) }),
  }
}
