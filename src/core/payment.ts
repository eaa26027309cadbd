import type { Spending } from './decide.ts'
import type { Fact, WireCounter } from './event.ts'
import { formatUnits } from './money.ts'
import { incoming, isSomething, movement } from './movement.ts'
import { rfc3339 } from './time.ts'
import type { Actor, Instrument, InstrumentType, Payment, Refusal, Wallet } from './types.ts'
import type { WireInclusion, WireUnused } from './wire.ts'

export const SYSTEM: Actor = { role: 'system', id: 'bursar' }

/**
 * How long a rail may take to begin a payment that was authorized; a later beginning must be refused by the rail. On a
 * chain this is how long the authorization is good: what could still be taken is held that much longer.
 */
const SEND_WITHIN_MS = { virtual_card: 10 * 60 * 1000, usdc: 5 * 60 * 1000 } as const

/** Until when a payment that is authorized now must have begun, in milliseconds since the epoch. */
export function sendBefore(type: InstrumentType, now: number): number {
  return now + SEND_WITHIN_MS[type]
}

/** How long the agent of a purchase has, after a human's yes, to come back for what it wants. */
const FETCH_WITHIN_MS = 10 * 60 * 1000

/** As {@link sendBefore}, for a payment that a human has just approved. */
export function approvedUntil({ protocol }: Payment, { type }: Instrument, now: number): number {
  return protocol === 'x402' ? now + FETCH_WITHIN_MS : sendBefore(type, now)
}

/** How long an identical call without an idempotency key is taken for the same purchase. */
export const SAME_PURCHASE_MS = 10 * 60 * 1000

/** Ended without money moving and without a human's no: the same call is decided anew. */
const NOT_REPLAYED: readonly Payment['status'][] = ['refused', 'voided', 'expired', 'canceled']

/** Money moved already; a further capture is one that the network forces. */
const MOVED: readonly Payment['status'][] = ['captured', 'partially_refunded', 'refunded']

/** Whether a repeated call is answered with this earlier payment instead of a new one. */
export function isReplayed(prior: Payment): boolean {
  return !NOT_REPLAYED.includes(prior.status)
}

/** Sent or about to be, and not yet settled: money is held and a rail must be asked. */
export function isUnsettled(payment: Payment): boolean {
  return payment.status === 'authorized' || payment.status === 'in_doubt'
}

/** What the facts about one payment have in common. */
export function subject(
  payment: Pick<Payment, 'id' | 'agentId' | 'sessionId' | 'taskId'>,
  wallet: Wallet,
  instrumentId: string,
) {
  return {
    session_id: payment.sessionId,
    ...(payment.taskId !== null && { task_id: payment.taskId }),
    wallet_id: wallet.id,
    agent_id: payment.agentId,
    instrument_id: instrumentId,
    payment_id: payment.id,
    currency: wallet.currency,
  }
}

/** The hold: the payment may now be sent, once. */
export function authorizedFact(
  payment: Payment,
  { wallet, limits }: Pick<Spending, 'wallet' | 'limits'>,
  validUntil: number,
  actor: Actor,
): Extract<Fact, { type: 'payment.authorized' }> {
  const amount = formatUnits(payment.amount as bigint, wallet.decimals)
  return {
    type: 'payment.authorized',
    actor,
    ...subject(payment, wallet, payment.instrumentId as string),
    amount,
    payee: payment.payee,
    details: {
      valid_until: rfc3339(validUntil),
      ...chargedTo(payment),
      counted: limits.flatMap(({ key }): WireCounter[] =>
        key ? [{ limit_id: key.limitId, scope_value: key.scopeValue, window_key: key.windowKey }] : [],
      ),
      movements: [movement('hold', 'available', 'held', payment.amount as bigint, wallet)],
    },
  }
}

/** What a rail's books add to what is known of a payment. */
export interface Settlement {
  /** Null: the rail never heard of the payment. */
  readonly railRef: string | null
  readonly state: 'open' | 'closed' | 'declined'
  readonly refusal?: Refusal
  /** Totals, in units. */
  readonly captured: bigint
  readonly refunded: bigint
  /** On a chain: where it is to be seen that it moved, or that it never will. */
  readonly inclusion?: WireInclusion
  readonly unused?: WireUnused
}

/** The balances that a settlement moves money between. */
interface Settling {
  readonly payment: Payment
  readonly wallet: Wallet
  readonly instrument: Instrument
  readonly available: bigint
  /** What the wallet owes the network, as a positive amount. */
  readonly owed: bigint
  readonly othersOpen: boolean
}

/**
 * The facts that bring a payment up to what the rail's books say: none when nothing is new, so that settling again is
 * always safe. Totals only grow: a record that says less than is known changes nothing.
 */
export function settlementFacts(settling: Settling, settlement: Settlement): readonly Fact[] {
  const { payment, wallet } = settling
  const facts: Fact[] = []
  const fresh = settlement.captured > payment.captured ? settlement.captured - payment.captured : 0n
  if (isUnsettled(payment) && settlement.state !== 'open' && settlement.captured === 0n && payment.captured === 0n)
    facts.push(voidedFact(payment, wallet, settlement))
  else if (fresh > 0n || (isUnsettled(payment) && settlement.state !== 'open'))
    facts.push(...captureFacts(settling, settlement, fresh))
  const refunded = settlement.refunded - payment.refunded
  // While more may be captured, a refund of what was captured so far waits.
  const ended = !isUnsettled(payment) || settlement.state !== 'open'
  if (refunded > 0n && settlement.captured > 0n && ended) facts.push(refundFact(settling, refunded, settlement))
  return facts
}

function voidedFact(payment: Payment, wallet: Wallet, settlement: Settlement): Fact {
  return {
    type: 'payment.voided',
    actor: SYSTEM,
    ...subject(payment, wallet, payment.instrumentId as string),
    amount: formatUnits(payment.held, wallet.decimals),
    payee: payment.payee,
    ...(settlement.refusal && { rule: settlement.refusal.rule }),
    details: {
      ...(settlement.refusal && { refusal: settlement.refusal }),
      rail_ref: settlement.railRef,
      ...(settlement.unused && { unused: settlement.unused }),
      counted: countedOf(payment),
      ...chargedTo(payment),
      movements: [movement('void', 'held', 'available', payment.held, wallet)],
    },
  }
}

/**
 * A capture: from the hold as far as it goes, beyond it from what is available, beyond that into what the wallet owes.
 * The database never refuses what a network has already taken; it is recorded, and the instrument is frozen.
 */
function captureFacts(settling: Settling, settlement: Settlement, captured: bigint): readonly Fact[] {
  const { payment, wallet, instrument } = settling
  const fromHold = captured < payment.held ? captured : payment.held
  const forced = captured - fromHold
  const final = settlement.state !== 'open'
  const released = final ? payment.held - fromHold : 0n
  const fromAvailable = forced < settling.available + released ? forced : settling.available + released
  const movements = [
    movement('capture', 'held', 'external', fromHold, wallet),
    movement('void', 'held', 'available', released, wallet),
    movement('forced', 'available', 'external', fromAvailable, wallet),
    movement('forced', 'overdrawn', 'external', forced - fromAvailable, wallet),
  ].filter(isSomething)
  const fact: Fact = {
    type: 'payment.captured',
    actor: SYSTEM,
    ...subject(payment, wallet, instrument.id),
    amount: formatUnits(captured, wallet.decimals),
    payee: payment.payee,
    details: {
      rail_ref: (settlement.railRef ?? payment.railRef) as string,
      // Money that moves after a void makes it a captured payment at once.
      final: payment.status === 'voided' || (final && !MOVED.includes(payment.status)),
      ...(payment.status === 'refunded' && { unrefunded: true }),
      ...(settlement.inclusion && { inclusion: settlement.inclusion }),
      released: formatUnits(released, wallet.decimals),
      forced: formatUnits(forced, wallet.decimals),
      counted: countedOf(payment),
      ...chargedTo(payment),
      movements,
    },
  }
  return [fact, ...instrumentAfter(settling, { forced, released, final })]
}

/** A network that takes more than was held freezes the instrument; the last use or cent, spent for good, ends it. */
function instrumentAfter(
  { payment, wallet, instrument, othersOpen }: Settling,
  after: { readonly forced: bigint; readonly released: bigint; readonly final: boolean },
): readonly Fact[] {
  const base = { actor: SYSTEM, ...subject(payment, wallet, instrument.id) }
  if (instrument.status !== 'active') return []
  if (after.forced > 0n)
    return [{ ...base, type: 'instrument.frozen', rule: 'over_capture', details: { reason: 'over_capture' } }]
  const spent =
    instrument.remaining + after.released === 0n ||
    (instrument.usageLimit !== null && instrument.usageConsumed >= instrument.usageLimit)
  if (!after.final || !spent || othersOpen) return []
  return [{ ...base, type: 'instrument.limit_reached', details: {} }]
}

/** A refund credits the wallet. It first repays what the wallet owes. It gives back no allowance and no use. */
function refundFact({ payment, wallet, owed }: Settling, amount: bigint, settlement: Settlement): Fact {
  return {
    type: 'payment.refunded',
    actor: SYSTEM,
    ...subject(payment, wallet, payment.instrumentId as string),
    amount: formatUnits(amount, wallet.decimals),
    payee: payment.payee,
    details: {
      full: settlement.refunded >= settlement.captured && settlement.captured >= payment.captured,
      movements: incoming('refund', amount, owed, wallet),
      ...(settlement.unused && { unused: settlement.unused }),
      ...(settlement.inclusion && { inclusion: settlement.inclusion }),
    },
  }
}

export type Doubt = 'no_answer' | 'unconfirmed'

export function inDoubtFact(payment: Payment, wallet: Wallet, reason: Doubt): Fact {
  return {
    type: 'payment.in_doubt',
    actor: SYSTEM,
    ...subject(payment, wallet, payment.instrumentId as string),
    amount: formatUnits(payment.held, wallet.decimals),
    payee: payment.payee,
    details: { reason },
  }
}

/** The credentials whose budgets it takes from. */
function chargedTo({ credentials }: Payment): { readonly charged?: readonly string[] } {
  return credentials.length === 0 ? {} : { charged: credentials }
}

function countedOf(payment: Payment): readonly WireCounter[] {
  return payment.counted.map((key) => ({
    limit_id: key.limitId,
    scope_value: key.scopeValue,
    window_key: key.windowKey,
  }))
}
