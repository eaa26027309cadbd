import { needed, PAYMENT_APPROVAL_MS, paymentTerms, question, termsDigest } from './approval.ts'
import { askRefusal } from './asking.ts'
import { credentialEnded } from './credential.ts'
import type { Spending } from './decide.ts'
import { decide } from './decide.ts'
import { BursarError } from './errors.ts'
import type { Fact } from './event.ts'
import { formatUnits, parse } from './money.ts'
import { payeeKey } from './payee.ts'
import { authorizedFact, isReplayed, sendBefore, subject } from './payment.ts'
import { refusal } from './refusal.ts'
import type { Change, Snapshot } from './step.ts'
import { rfc3339 } from './time.ts'
import type { Actor, InstrumentType, Payee, Payment, Refusal, Wallet } from './types.ts'

/** An agent's wish to pay, as clean as it can be before anything is read. Ids and digests were made by the caller. */
export interface Wish {
  readonly paymentId: string
  readonly approvalId: string
  readonly agentId: string
  readonly sessionId: string
  readonly taskId: string | null
  /** What was asked for, as text to quote where it names nothing. */
  readonly instrumentId: string
  readonly amount: string
  readonly payee: Payee
  readonly protocol: string
  readonly purposeRef: string
  readonly fingerprint: string
  readonly idempotencyKey: string | null
  /** What the agent came with; null: it needs no credential. */
  readonly credentialId: string | null
  /** Who acts for whom, as its token says. */
  readonly actors?: readonly string[]
  /** What was already found wrong with the arguments. */
  readonly fault: Refusal | null
  readonly purchase?: Wanted
}

/** What a payment by x402 is to buy. */
export interface Wanted {
  /** Digest of its method and URL in `texts`. */
  readonly resourceRef: string
  /** EIP-55, where the price is a maximum: who alone may settle it. */
  readonly facilitator: string | null
  /** How long what is signed for it is good. */
  readonly goodForMs: number
}

export type Attempted =
  | { readonly kind: 'replayed'; readonly paymentId: string }
  /** The same purchase waits for a human whose time is over: it is to be ended before another can begin. */
  | { readonly kind: 'lapsed'; readonly paymentId: string }
  | { readonly kind: 'refused' | 'asking' | 'authorized'; readonly paymentId: string }

/**
 * One attempt to pay, whole: the same purchase again, refused, waiting for a human, or authorized and held. Whatever it
 * is, it is stated as facts.
 */
export function attempt(snapshot: Snapshot, wish: Wish): Change<Attempted> {
  const { prior } = snapshot
  if (prior && isReplayed(prior)) {
    if (prior.status === 'awaiting_approval' && snapshot.now >= prior.validUntil)
      return { facts: [], result: { kind: 'lapsed', paymentId: prior.id } }
    if (prior.fingerprint === wish.fingerprint) return { facts: [], result: { kind: 'replayed', paymentId: prior.id } }
    return refused(
      snapshot,
      wish,
      refusal('idempotency_conflict', 'idempotency_key', 'This idempotency_key was used for another purchase.'),
    )
  }
  const spending = spendingOf(snapshot, wish.purchase ? { ...wish, fault: null } : wish)
  if ('code' in spending) return refused(snapshot, wish, spending)
  const units = unitsOrRefusal(wish, spending.wallet)
  // A seller's price is on record also where it is not so much as decided on.
  if (typeof units !== 'bigint') return refused(snapshot, wish, wish.fault ?? units)
  const payment = paymentOf(wish, units, spending)
  if (wish.fault) return refused(snapshot, wish, wish.fault, payment)
  const verdict = decide(spending, { amount: units, payee: wish.payee, protocol: wish.protocol }, false)
  const attempted = attemptedFact(snapshot, wish, payment)
  const actor: Actor = { role: 'agent', id: wish.agentId }
  switch (verdict.verdict) {
    case 'deny':
      return refused(snapshot, wish, verdict.refusal, payment)
    case 'ask': {
      const unasked = askRefusal(snapshot.asking, snapshot.now)
      if (unasked) return refused(snapshot, wish, unasked, payment)
      return {
        facts: [attempted, askingFact(payment, spending, wish.approvalId, verdict.rule)],
        result: result('asking', wish),
      }
    }
    case 'allow':
      return {
        facts: [attempted, authorizedFact(payment, spending, payment.validUntil, actor)],
        result: result('authorized', wish),
      }
  }
}

/** Everything that deciding needs, or why there is nothing to decide on. Another agent's instrument reads as not there. */
export function spendingOf(
  snapshot: Snapshot,
  wish: Pick<Wish, 'agentId' | 'credentialId' | 'fault'>,
): Spending | Refusal {
  const { now, limits, instance, agent, credentials, wallet, instrument, accounts, lookAlike } = snapshot
  if (!agent || !wallet || !instrument || !accounts || instrument.agentId !== wish.agentId)
    return refusal('not_found', 'instrument_id', 'There is no such instrument.')
  const ended = credentialEnded(snapshot, wish.credentialId, 'bursar:pay')
  if (ended) return ended
  if (wish.fault) return wish.fault
  // What the wallet owes the network is not there to be spent, though the hold of something else gave it back.
  const available = accounts.available + accounts.overdrawn
  return { now, limits, instance, agent, credentials, wallet, instrument, available, lookAlike }
}

function unitsOrRefusal(wish: Wish, wallet: Wallet): bigint | Refusal {
  try {
    return parse(wish.amount, { code: wallet.currency, decimals: wallet.decimals }).units
  } catch (error) {
    if (error instanceof BursarError) return refusal(error.code, 'amount', error.message)
    throw error
  }
}

function result(kind: 'refused' | 'asking' | 'authorized', wish: Wish): Attempted {
  return { kind, paymentId: wish.paymentId }
}

function refused(snapshot: Snapshot, wish: Wish, why: Refusal, payment: Payment | null = null): Change<Attempted> {
  const attempted = attemptedFact(snapshot, wish, payment)
  const { type: _type, details: _details, actor: _actor, ...subjects } = attempted
  const fact: Fact = {
    ...subjects,
    type: 'payment.refused',
    actor: { role: 'system', id: 'bursar' },
    rule: why.rule,
    details: { refusal: why },
  }
  return { facts: [attempted, fact, ...lapsed(snapshot, wish, why)], result: result('refused', wish) }
}

/** An instrument whose expiry is noticed by a payment is marked as expired along with it. */
function lapsed({ instrument, wallet }: Snapshot, wish: Wish, why: Refusal): readonly Fact[] {
  if (why.code !== 'instrument_expired' || instrument?.status !== 'active' || !wallet) return []
  const {
    task_id: _task,
    payment_id: _payment,
    ...base
  } = subject({ ...wish, id: wish.paymentId }, wallet, instrument.id)
  return [{ ...base, type: 'instrument.expired', actor: { role: 'system', id: 'bursar' }, details: {} }]
}

function attemptedFact(
  snapshot: Snapshot,
  wish: Wish,
  payment: Payment | null,
): Extract<Fact, { type: 'payment.attempted' }> {
  const mine = snapshot.instrument?.agentId === wish.agentId && snapshot.wallet ? snapshot.wallet : null
  const type = snapshot.instrument?.type ?? 'virtual_card'
  return {
    type: 'payment.attempted',
    actor: { role: 'agent', id: wish.agentId },
    session_id: wish.sessionId,
    ...(wish.taskId !== null && { task_id: wish.taskId }),
    ...(mine &&
      snapshot.instrument && { wallet_id: mine.id, instrument_id: snapshot.instrument.id, currency: mine.currency }),
    agent_id: wish.agentId,
    payment_id: wish.paymentId,
    ...(mine && payment && { amount: formatUnits(payment.amount as bigint, mine.decimals) }),
    payee: wish.payee,
    details: {
      protocol: wish.protocol,
      payee_key: payeeKey(wish.payee),
      purpose_ref: wish.purposeRef,
      fingerprint: wish.fingerprint,
      idempotency_key: wish.idempotencyKey,
      valid_until: rfc3339(validUntil(wish, type, snapshot.now)),
      ...(snapshot.credentials.length > 0 && { credentials: snapshot.credentials.map(({ id }) => id) }),
      ...(wish.actors && { actors: wish.actors }),
      ...(wish.purchase && { resource_ref: wish.purchase.resourceRef }),
      ...(wish.purchase && wish.purchase.facilitator !== null && { facilitator: wish.purchase.facilitator }),
      ...(!payment && { asked: { ...(!mine && { instrument_id: wish.instrumentId }), amount: wish.amount } }),
    },
  }
}

function validUntil({ purchase }: Wish, type: InstrumentType, now: number): number {
  return purchase ? now + purchase.goodForMs : sendBefore(type, now)
}

function askingFact(payment: Payment, { wallet, now }: Spending, approvalId: string, rule: string): Fact {
  const digest = termsDigest(paymentTerms(payment, wallet))
  const expiresAt = now + PAYMENT_APPROVAL_MS
  const needs = needed(wallet.approvals, payment.amount as bigint)
  return {
    type: 'payment.awaiting_approval',
    actor: { role: 'system', id: 'bursar' },
    ...subject(payment, wallet, payment.instrumentId as string),
    amount: formatUnits(payment.amount as bigint, wallet.decimals),
    payee: payment.payee,
    rule,
    details: {
      // An ask limit wants a human, even where the policy would take an answer from nobody.
      approval: question(
        approvalId,
        digest,
        needs.assurance === 'none' ? { ...needs, assurance: 'host' } : needs,
        expiresAt,
      ),
      valid_until: rfc3339(expiresAt),
    },
  }
}

function paymentOf(wish: Wish, amount: bigint, { now, wallet, instrument, credentials }: Spending): Payment {
  return {
    id: wish.paymentId,
    walletId: wallet.id,
    instrumentId: wish.instrumentId,
    agentId: wish.agentId,
    credentials: credentials.map(({ id }) => id),
    sessionId: wish.sessionId,
    taskId: wish.taskId,
    protocol: wish.protocol,
    status: 'refused',
    amount,
    held: 0n,
    captured: 0n,
    refunded: 0n,
    forced: 0n,
    payee: wish.payee,
    payeeKey: payeeKey(wish.payee),
    purposeRef: wish.purposeRef,
    fingerprint: wish.fingerprint,
    idempotencyKey: wish.idempotencyKey,
    refusal: null,
    counted: [],
    validUntil: validUntil(wish, instrument.type, now),
    railRef: null,
    refundAsked: null,
    createdAt: now,
    authorizedAt: null,
    updatedAt: now,
    seq: 0,
  }
}
