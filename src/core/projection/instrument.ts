import type { Narrowing } from '../approval.ts'
import { canonical } from '../canonical.ts'
import type { EventOf, WireApproval, WireProof } from '../event.ts'
import { unitsOf } from '../money.ts'
import type { Op } from '../tables.ts'
import { constraintsFromWire, termsFromWire } from '../terms.ts'
import { millis } from '../time.ts'
import type { Approval, Instrument } from '../types.ts'

export function projectRequest(
  event: EventOf<'request.created' | 'request.approved' | 'request.denied' | 'request.expired' | 'request.canceled'>,
): readonly Op[] {
  const id = event.request_id as string
  switch (event.type) {
    case 'request.created':
      return requested(event, id)
    case 'request.approved':
      return [
        ...answered(event, 'approved'),
        { table: 'requests', key: { id }, set: { status: 'approved', instrumentId: event.instrument_id as string } },
        { table: 'instruments', insert: instrumentRow(event) },
      ]
    case 'request.denied':
      return [
        { table: 'requests', key: { id }, set: { status: 'denied', refusal: event.details.refusal } },
        ...answered(event, 'denied'),
      ]
    case 'request.expired':
    case 'request.canceled': {
      const status = event.type === 'request.expired' ? 'expired' : 'canceled'
      return [{ table: 'requests', key: { id }, set: { status } }, ...closed(event, status)]
    }
  }
}

function requested(event: EventOf<'request.created'>, id: string): readonly Op[] {
  const { terms, purpose_ref, fingerprint, approval } = event.details
  const request: Op = {
    table: 'requests',
    insert: {
      id,
      walletId: event.wallet_id as string,
      agentId: event.agent_id as string,
      sessionId: event.session_id as string,
      taskId: event.task_id ?? null,
      currency: event.currency as string,
      ...termsFromWire(terms),
      purposeRef: purpose_ref,
      fingerprint: fingerprint ?? '',
      status: 'pending',
      refusal: null,
      instrumentId: null,
      createdAt: millis(event.ts),
    },
  }
  return approval ? [request, opened(event, id, approval)] : [request]
}

type Asking = Pick<EventOf<'request.created'>, 'wallet_id' | 'ts'>

/** The row of a question to a human, as it is opened. */
export function opened(event: Asking, subjectId: string, approval: WireApproval): Op {
  return {
    table: 'approvals',
    insert: {
      id: approval.approval_id,
      subjectId,
      walletId: event.wallet_id as string,
      digest: approval.digest,
      needs: approval.needs,
      owners: approval.owners ?? 1,
      status: 'waiting',
      asked: null,
      assurance: null,
      createdAt: millis(event.ts),
      expiresAt: millis(approval.expires_at),
      answeredAt: null,
      reasonRef: null,
    },
  }
}

type Answered =
  | Pick<EventOf<'request.denied'>, 'ts' | 'details'>
  | EventOf<'request.approved' | 'payment.authorized' | 'payment.denied'>

/** A human's answer, where the event carries the proof of one. */
export function answered(event: Answered, status: Approval['status']): readonly Op[] {
  const { proof } = event.details
  if (!proof) return []
  const narrowed = 'narrowed' in event.details ? (event.details.narrowed ?? {}) : {}
  return [
    ...(status === 'approved' && proof.owners === 2 ? [answer(event, proof, narrowed)] : []),
    {
      table: 'approvals',
      key: { id: proof.approval_id },
      set: {
        status,
        assurance: proof.assurance,
        answeredAt: millis(event.ts),
        reasonRef: proof.reason_ref ?? null,
      },
    },
  ]
}

/** The first of two owners said yes: the question stays open. */
export function seconded(event: EventOf<'approval.seconded'>): readonly Op[] {
  return [answer(event, event.details.proof, event.details.narrowed)]
}

function answer({ ts }: { readonly ts: string }, proof: WireProof, narrowed: Narrowing): Op {
  return {
    table: 'answers',
    insert: {
      approvalId: proof.approval_id,
      ownerId: proof.owner_id as string,
      narrowed: canonical(narrowed),
      createdAt: millis(ts),
    },
  }
}

/** A question that ended without an answer. */
export function closed(
  event: { readonly details: { readonly approval_id?: string } },
  status: Approval['status'],
): readonly Op[] {
  const id = event.details.approval_id
  return id === undefined ? [] : [{ table: 'approvals', key: { id }, set: { status } }]
}

function instrumentRow(event: EventOf<'request.approved'>): Instrument {
  const { instrument } = event.details
  const amount = unitsOf(instrument.amount)
  return {
    id: instrument.instrument_id,
    requestId: event.request_id as string,
    walletId: event.wallet_id as string,
    agentId: event.agent_id as string,
    type: instrument.type,
    amount,
    remaining: amount,
    usageLimit: instrument.usage_limit,
    usageConsumed: 0,
    perPaymentMax: instrument.per_payment_max === null ? null : unitsOf(instrument.per_payment_max),
    constraints: constraintsFromWire(instrument.constraints),
    expiresAt: millis(instrument.expires_at),
    status: 'active',
    railRef: null,
    display: null,
    railStatus: null,
    createdAt: millis(event.ts),
  }
}

const STATUS_AFTER = {
  'instrument.frozen': 'frozen',
  'instrument.unfrozen': 'active',
  'instrument.revoked': 'revoked',
  'instrument.returned': 'returned',
  'instrument.expired': 'expired',
  'instrument.limit_reached': 'limit_reached',
} as const

export function projectInstrument(
  event: EventOf<keyof typeof STATUS_AFTER | 'instrument.provisioned' | 'instrument.rail_told'>,
): readonly Op[] {
  const id = event.instrument_id as string
  if (event.type === 'instrument.provisioned') {
    const { rail_ref, display } = event.details
    return [{ table: 'instruments', key: { id }, set: { railRef: rail_ref, display, railStatus: 'active' } }]
  }
  if (event.type === 'instrument.rail_told')
    return [{ table: 'instruments', key: { id }, set: { railStatus: event.details.status } }]
  return [{ table: 'instruments', key: { id }, set: { status: STATUS_AFTER[event.type] } }]
}
