import type { HumanProof, Narrowing, Needed } from './approval.ts'
import { isEnough, isWaiting, needed, question, REQUEST_APPROVAL_MS, requestTerms, termsDigest } from './approval.ts'
import { canonical } from './canonical.ts'
import { BursarError } from './errors.ts'
import type { Fact, WireInstrument, WireProof } from './event.ts'
import { formatUnits, parse } from './money.ts'
import type { Snapshot } from './step.ts'
import { constraintsToWire, termsToWire } from './terms.ts'
import { rfc3339 } from './time.ts'
import type { Actor, Approval, Refusal, Request, Wallet } from './types.ts'

/** What the facts about one request have in common. */
export function requestSubject(request: Request) {
  return {
    session_id: request.sessionId,
    ...(request.taskId !== null && { task_id: request.taskId }),
    wallet_id: request.walletId,
    agent_id: request.agentId,
    request_id: request.id,
    currency: request.currency,
  }
}

/**
 * The request, stored with its question to a human before anyone is asked.
 *
 * @param needs what a yes must be
 * @param actors who acts for whom, as the token of the agent says
 */
export function createdFact(
  request: Request,
  wallet: Wallet,
  approvalId: string,
  needs: Needed,
  now: number,
  actors?: readonly string[],
): Fact {
  const digest = termsDigest(requestTerms(request, wallet))
  return {
    type: 'request.created',
    actor: { role: 'agent', id: request.agentId },
    ...requestSubject(request),
    amount: formatUnits(request.amount, wallet.decimals),
    details: {
      terms: termsToWire(request, wallet.decimals),
      purpose_ref: request.purposeRef,
      fingerprint: request.fingerprint,
      ...(actors && { actors }),
      approval: question(approvalId, digest, needs, now + REQUEST_APPROVAL_MS),
    },
  }
}

/** A yes, and the instrument that it makes: as asked or less. @throws `argument_invalid` when it would be more. */
export function approvedFact(
  request: Request,
  wallet: Wallet,
  instrumentId: string,
  narrowing: Narrowing,
  proof: WireProof,
  actor: Actor,
  now: number,
): Extract<Fact, { type: 'request.approved' }> {
  const instrument = narrowed(request, wallet, instrumentId, narrowing, now)
  return {
    type: 'request.approved',
    actor,
    ...requestSubject(request),
    instrument_id: instrumentId,
    amount: instrument.amount,
    details: { proof, instrument, ...(proof.owners === 2 && { narrowed: narrowing }) },
  }
}

/** Whether this allows what was asked, or less. @throws `argument_invalid`, `amount_invalid` */
export function assertNarrows(request: Request, wallet: Wallet, narrowing: Narrowing): void {
  narrowed(request, wallet, '', narrowing, request.createdAt)
}

function narrowed(request: Request, wallet: Wallet, id: string, narrowing: Narrowing, now: number): WireInstrument {
  const asset = { code: wallet.currency, decimals: wallet.decimals }
  const amount = narrowing.amount === undefined ? request.amount : parse(narrowing.amount, asset).units
  const perPayment =
    narrowing.per_payment_max === undefined ? request.perPaymentMax : parse(narrowing.per_payment_max, asset).units
  const uses = narrowing.usage_limit ?? request.usageLimit
  const expiresInMs = narrowing.expires_in_ms ?? request.expiresInMs
  const more =
    amount > request.amount ||
    (request.perPaymentMax !== null && perPayment !== null && perPayment > request.perPaymentMax) ||
    (request.usageLimit !== null && uses !== null && uses > request.usageLimit) ||
    expiresInMs > request.expiresInMs
  if (more) throw new BursarError('argument_invalid', 'An approval may allow less than was asked, never more.')
  if (uses !== null && !(Number.isSafeInteger(uses) && uses > 0))
    throw new BursarError('argument_invalid', 'The number of uses is a whole number from 1.')
  if (!(Number.isSafeInteger(expiresInMs) && expiresInMs > 0))
    throw new BursarError('argument_invalid', 'The time until expiry is a whole number of milliseconds from 1.')
  return {
    instrument_id: id,
    type: request.type,
    amount: formatUnits(amount, wallet.decimals),
    usage_limit: uses,
    per_payment_max: perPayment === null ? null : formatUnits(perPayment, wallet.decimals),
    constraints: constraintsToWire(request.constraints),
    expires_at: rfc3339(now + expiresInMs),
  }
}

export function deniedFact(request: Request, refusal: Refusal, proof: WireProof, actor: Actor): Fact {
  return {
    type: 'request.denied',
    actor,
    ...requestSubject(request),
    rule: refusal.rule,
    details: { proof, refusal },
  }
}

/** The end of a request that nobody decided. */
export function closedFact(
  type: 'request.expired' | 'request.canceled',
  request: Request,
  approval: Approval | null,
  actor: Actor,
): Fact {
  return {
    type,
    actor,
    ...requestSubject(request),
    details: approval ? { approval_id: approval.id } : {},
  }
}

/**
 * The question that a human's yes is about, checked: still open, shown with exactly these terms, and answered by whom and as
 * surely as the amount needs.
 *
 * @param digest of the terms as they are stored now
 * @param amount of the request or payment, in units
 * @returns `isFirst`: another owner has to say the same before anything comes of it
 * @throws `not_pending`, `approval_expired`, `approval_invalid`, `assurance_too_low`
 */
export function answerable(
  snapshot: Snapshot,
  digest: string,
  amount: bigint,
  proof: HumanProof,
  narrowing: Narrowing,
): { readonly approval: Approval; readonly isFirst: boolean } {
  const { approval, now, wallet } = snapshot
  if (approval === null || approval.status !== 'waiting')
    throw new BursarError('not_pending', 'This was decided already.')
  if (!isWaiting(approval, now)) throw new BursarError('approval_expired', 'The time to decide is over.')
  if (approval.digest !== digest || proof.digest !== digest)
    throw new BursarError('approval_invalid', 'The answer is not about the terms that are stored.')
  if (!wallet) throw new BursarError('not_found', 'There is no such wallet.')
  // A policy that was tightened since the question was opened holds for it too.
  const policy = needed(wallet.approvals, amount)
  const wanted = [approval.needs, policy.assurance].find((one) => !isEnough(proof.assurance, one))
  if (wanted !== undefined)
    throw new BursarError('assurance_too_low', `This needs the assurance ${wanted}; the answer has ${proof.assurance}.`)
  if (policy.owners > approval.owners)
    throw new BursarError(
      'assurance_too_low',
      'The wallet wants two owners for this now. Deny it and have it asked anew.',
    )
  return { approval, isFirst: isFirstOfTwo(snapshot, approval, wallet, proof, narrowing) }
}

/**
 * Whether this is one yes of two, and the other is still to come. One of the two owners is the wallet's own.
 *
 * @throws `approval_invalid` for a yes that is not this owner's to give, or no longer
 */
function isFirstOfTwo(
  { answers }: Snapshot,
  approval: Approval,
  wallet: Wallet,
  { ownerId, assurance }: HumanProof,
  narrowing: Narrowing,
): boolean {
  const isOwn = ownerId === wallet.ownerId
  // What a host relays is nobody's but the wallet's owner's, and so counts as one at most.
  if (!isOwn && (approval.owners === 1 || !isEnough(assurance, 'operator')))
    throw new BursarError('approval_invalid', 'The answer is not from the owner of the wallet.')
  if (approval.owners === 1) return false
  const [first] = answers
  if (!first) return true
  if (first.ownerId === ownerId)
    throw new BursarError('approval_invalid', 'This owner has said yes already; another one has to.')
  if (!isOwn && first.ownerId !== wallet.ownerId)
    throw new BursarError('approval_invalid', 'One of the two is the owner of the wallet, who has not answered yet.')
  if (first.narrowed !== canonical(narrowing))
    throw new BursarError('approval_invalid', 'The other owner said yes to something else.')
  return false
}

/** The first yes of two, on record; the question stays open. */
export function secondedFact(
  about: { readonly wallet_id: string; readonly request_id?: string; readonly payment_id?: string },
  proof: WireProof,
  narrowed: Narrowing,
  actor: Actor,
): Fact {
  return { type: 'approval.seconded', actor, ...about, details: { proof, narrowed } }
}

/** A human's answer as the journal keeps it. */
export function wireProof(approval: Approval, proof: HumanProof): WireProof {
  return {
    approval_id: approval.id,
    assurance: proof.assurance,
    channel: proof.channel,
    digest: proof.digest,
    owner_id: proof.ownerId,
    ...(proof.statement !== undefined && { statement: proof.statement }),
    ...(proof.signature !== undefined && { signature: proof.signature }),
    ...(proof.assertion !== undefined && { assertion: proof.assertion }),
    ...(approval.owners === 2 && { owners: 2 as const }),
  }
}
