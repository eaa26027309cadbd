import type { HumanProof, Narrowing } from '../../core/approval.ts'
import { paymentTerms, requestTerms, termsDigest } from '../../core/approval.ts'
import { spendingOf } from '../../core/attempt.ts'
import { decide } from '../../core/decide.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import { kindOf } from '../../core/ids.ts'
import { approvedUntil, authorizedFact, SYSTEM, subject } from '../../core/payment.ts'
import { refusal } from '../../core/refusal.ts'
import { answerable, approvedFact, deniedFact, requestSubject, secondedFact, wireProof } from '../../core/request.ts'
import type { Change, Snapshot } from '../../core/step.ts'
import { plain } from '../../core/text.ts'
import type { Actor, Payment, Refusal } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { provision, settle } from '../settle.ts'
import { paymentView, requestView } from '../views.ts'
import type { PaymentView, RequestView } from '../wire.ts'
import { assertLive, assertProof } from './proof.ts'

const REASON_MAX = 300

/**
 * A human's yes to a request or a waiting payment. It is bound to the terms that are stored now, and it lifts no limit
 * that denies: those are decided again, at this moment. Settles what it authorizes. Where two owners have to agree, the first
 * yes is on record and the question stays open.
 *
 * @throws `not_found`, `not_pending`, `approval_expired`, `approval_invalid`, `assurance_too_low`, `argument_invalid`
 */
export async function approve(
  bursar: Bursar,
  subjectId: string,
  proof: HumanProof,
  narrowing: Narrowing,
): Promise<RequestView | PaymentView> {
  await assertProof(bursar, subjectId, proof, narrowing)
  if (kindOf(subjectId) === 'payment') return approvePayment(bursar, subjectId, proof, narrowing)
  const instrumentId = bursar.ids.make('instrument')
  const made = await bursar.store.update({ requestId: subjectId, ...passkeyIn(proof) }, (snapshot) => {
    const { request, wallet } = snapshot
    if (!request || !wallet) throw notFound()
    assertLive(snapshot, proof)
    const digest = termsDigest(requestTerms(request, wallet))
    const { approval, isFirst } = answerable(snapshot, digest, request.amount, proof, narrowing)
    const known = wireProof(approval, proof)
    const actor = human(proof.ownerId)
    const fact = approvedFact(request, wallet, instrumentId, narrowing, known, actor, snapshot.now)
    if (isFirst) return { facts: [secondedFact(requestSubject(request), known, narrowing, actor)], result: false }
    return { facts: [fact], result: true }
  })
  // A rail that is away now is asked again before the first payment.
  if (made) await provision(bursar, instrumentId).catch(() => null)
  const view = await requestView(bursar, subjectId)
  bursar.notify.changed(subjectId, view.wallet_id)
  return view
}

async function approvePayment(
  bursar: Bursar,
  paymentId: string,
  proof: HumanProof,
  narrowing: Narrowing,
): Promise<PaymentView> {
  if (Object.keys(narrowing).length > 0)
    throw new BursarError(
      'argument_invalid',
      'A payment is approved as it is or denied; only a request can be narrowed.',
    )
  const key = { paymentId, ...passkeyIn(proof) }
  const authorized = await bursar.store.update(key, (snapshot) => authorize(snapshot, proof))
  if (authorized) await settle(bursar, paymentId)
  const view = await paymentView(bursar, paymentId)
  bursar.notify.changed(paymentId, null)
  return view
}

/** An approved payment is decided again and counts against the windows of now, not of when it was asked. */
function authorize(snapshot: Snapshot, proof: HumanProof): Change<boolean> {
  const { payment, wallet } = snapshot
  if (!payment || !wallet) throw notFound()
  assertLive(snapshot, proof)
  const digest = termsDigest(paymentTerms(payment, wallet))
  const { approval, isFirst } = answerable(snapshot, digest, payment.amount as bigint, proof, {})
  const known = wireProof(approval, proof)
  const actor = human(proof.ownerId)
  if (isFirst) {
    const about = subject(payment, wallet, payment.instrumentId as string)
    return { facts: [secondedFact(about, known, {}, actor)], result: false }
  }
  const spending = spendingOf(snapshot, {
    agentId: payment.agentId,
    credentialId: payment.credentials[0] ?? null,
    fault: null,
  })
  const why = 'code' in spending ? spending : refusalNow(spending, payment)
  if ('code' in spending || why)
    return { facts: [paymentDenied(payment, snapshot, why as Refusal, known, SYSTEM)], result: false }
  const validUntil = approvedUntil(payment, spending.instrument, snapshot.now)
  const fact = authorizedFact(payment, spending, validUntil, actor)
  return { facts: [{ ...fact, details: { ...fact.details, proof: known } }], result: true }
}

/** The passkey is read again in the step: it may have been revoked meanwhile. */
function passkeyIn({ assertion }: HumanProof): { readonly passkeyId?: string } {
  return assertion === undefined ? {} : { passkeyId: assertion.passkey_id }
}

function refusalNow(spending: Parameters<typeof decide>[0], payment: Payment): Refusal | null {
  const { payee, protocol } = payment
  const verdict = decide(spending, { amount: payment.amount as bigint, payee, protocol }, true)
  return verdict.verdict === 'deny' ? verdict.refusal : null
}

export interface Denial {
  readonly ownerId: string
  readonly channel: string
  readonly reason: string | null
}

/**
 * A human's no: the safe direction, accepted from any channel without proof.
 *
 * @throws `not_found`, `not_pending`
 */
export async function deny(bursar: Bursar, subjectId: string, by: Denial): Promise<RequestView | PaymentView> {
  const reason = by.reason === null ? null : bursar.ids.text(plain(by.reason, REASON_MAX))
  const payment = kindOf(subjectId) === 'payment'
  const key = payment ? { paymentId: subjectId } : { requestId: subjectId }
  await bursar.store.update(key, (snapshot) => ({
    facts: [denial(snapshot, by, reason?.digest)],
    texts: reason ? [reason] : [],
    result: null,
  }))
  const view = payment ? await paymentView(bursar, subjectId) : await requestView(bursar, subjectId)
  bursar.notify.changed(subjectId, null)
  return view
}

function denial(snapshot: Snapshot, by: Denial, reasonRef: string | undefined): Fact {
  const { request, payment, approval } = snapshot
  if (!request && !payment) throw notFound()
  if (approval?.status !== 'waiting') throw new BursarError('not_pending', 'This was decided already.')
  const known = {
    approval_id: approval.id,
    assurance: 'host' as const,
    channel: by.channel,
    digest: approval.digest,
    owner_id: by.ownerId,
    ...(reasonRef !== undefined && { reason_ref: reasonRef }),
  }
  const why = refusal('approval_denied', 'approval', 'A human denied this.')
  if (request) return deniedFact(request, why, known, human(by.ownerId))
  return paymentDenied(payment as Payment, snapshot, why, known, human(by.ownerId))
}

function paymentDenied(
  payment: Payment,
  { wallet }: Snapshot,
  why: Refusal,
  proof: ReturnType<typeof wireProof>,
  actor: Actor,
): Fact {
  if (!wallet) throw notFound()
  return {
    type: 'payment.denied',
    actor,
    ...subject(payment, wallet, payment.instrumentId as string),
    payee: payment.payee,
    rule: why.rule,
    details: { proof, refusal: why },
  }
}

function human(ownerId: string): Actor {
  return { role: 'human', id: ownerId }
}

function notFound(): BursarError {
  return new BursarError('not_found', 'There is no such request or waiting payment.')
}
