import type { EventOf } from '../event.ts'
import { unitsOf } from '../money.ts'
import type { Op, StoredPayment } from '../tables.ts'
import { millis } from '../time.ts'
import type { CounterKey } from '../types.ts'
import { charged } from './identity.ts'
import { answered, closed, opened } from './instrument.ts'
import { counted, moved } from './money.ts'
import { wanted } from './purchase.ts'
import { included, known, unused } from './transfer.ts'

type PaymentEvent = EventOf<
  | 'payment.attempted'
  | 'payment.refused'
  | 'payment.awaiting_approval'
  | 'payment.authorized'
  | 'payment.denied'
  | 'payment.expired'
  | 'payment.canceled'
  | 'payment.in_doubt'
  | 'payment.stuck'
  | 'payment.captured'
  | 'payment.voided'
  | 'payment.refund_asked'
  | 'payment.refunded'
>

export function projectPayment(event: PaymentEvent): readonly Op[] {
  const id = event.payment_id as string
  const update = (
    set: Partial<StoredPayment>,
    add: Partial<Record<'held' | 'captured' | 'refunded' | 'forced', bigint>> = {},
  ): Op => ({
    table: 'payments',
    key: { id },
    set: { ...set, updatedAt: millis(event.ts), seq: event.seq },
    add,
  })
  switch (event.type) {
    case 'payment.attempted':
      return [{ table: 'payments', insert: attemptedRow(event, id) }, ...wanted(event)]
    case 'payment.refused':
      return [update({ status: 'refused', refusal: event.details.refusal })]
    case 'payment.awaiting_approval':
      return [
        update({ status: 'awaiting_approval', validUntil: millis(event.details.valid_until) }),
        opened(event, id, event.details.approval),
      ]
    case 'payment.authorized':
      return authorized(event, update)
    case 'payment.denied':
      return [update({ status: 'denied', refusal: event.details.refusal }), ...answered(event, 'denied')]
    case 'payment.expired':
      return [update({ status: 'expired' }), ...closed(event, 'expired')]
    case 'payment.canceled':
      return [update({ status: 'canceled' }), ...closed(event, 'canceled')]
    case 'payment.in_doubt':
      return [update({ status: 'in_doubt' })]
    case 'payment.stuck':
      return [update({})]
    case 'payment.captured':
      return captured(event, update)
    case 'payment.voided':
      return voided(event, update)
    case 'payment.refund_asked':
      return [update({ refundAsked: { id: event.details.refund_id, amount: event.amount as string } })]
    case 'payment.refunded':
      return [
        update(
          { status: event.details.full ? 'refunded' : 'partially_refunded', refundAsked: null },
          { refunded: unitsOf(event.amount as string) },
        ),
        ...moved(event, event.details.movements),
        ...(event.details.unused ? [unused(id, event.details.unused)] : []),
        ...(event.details.inclusion ? [included(id, event.details.inclusion, 'final')] : []),
      ]
  }
}

type Update = (
  set: Partial<StoredPayment>,
  add?: Partial<Record<'held' | 'captured' | 'refunded' | 'forced', bigint>>,
) => Op

function attemptedRow(event: EventOf<'payment.attempted'>, id: string): StoredPayment {
  const { details } = event
  return {
    id,
    walletId: event.wallet_id ?? null,
    instrumentId: event.instrument_id ?? null,
    agentId: event.agent_id as string,
    credentials: details.credentials ?? [],
    sessionId: event.session_id as string,
    taskId: event.task_id ?? null,
    protocol: details.protocol,
    status: 'attempted',
    amount: event.amount === undefined ? null : unitsOf(event.amount),
    held: 0n,
    captured: 0n,
    refunded: 0n,
    forced: 0n,
    payee: event.payee ?? {},
    payeeKey: details.payee_key,
    purposeRef: details.purpose_ref,
    fingerprint: details.fingerprint,
    idempotencyKey: details.idempotency_key,
    refusal: null,
    counted: [],
    validUntil: millis(details.valid_until),
    railRef: null,
    refundAsked: null,
    createdAt: millis(event.ts),
    authorizedAt: null,
    updatedAt: millis(event.ts),
    seq: event.seq,
  }
}

/** The hold: money, one use and allowance of the instrument, and every counter, together. */
function authorized(event: EventOf<'payment.authorized'>, update: Update): readonly Op[] {
  const amount = unitsOf(event.amount as string)
  const { details } = event
  const keys = details.counted.map(
    (key): CounterKey => ({ limitId: key.limit_id, scopeValue: key.scope_value, windowKey: key.window_key }),
  )
  return [
    ...answered(event, 'approved'),
    {
      table: 'instruments',
      key: { id: event.instrument_id as string },
      add: { remaining: -amount, usageConsumed: 1 },
    },
    update(
      { status: 'authorized', counted: keys, validUntil: millis(details.valid_until), authorizedAt: millis(event.ts) },
      { held: amount },
    ),
    ...counted(details.counted, { amount, count: 1, forced: 0n }),
    ...charged(details.charged, amount),
    ...moved(event, details.movements),
  ]
}

/** What moved leaves the hold; what the capture did not need goes back, if nothing more will be captured. */
function captured(event: EventOf<'payment.captured'>, update: Update): readonly Op[] {
  const { details } = event
  const amount = unitsOf(event.amount as string)
  const forced = unitsOf(details.forced)
  const released = unitsOf(details.released)
  const held = amount - forced + released
  const given = { amount: -released, count: 0, forced }
  const status = details.unrefunded ? 'partially_refunded' : 'captured'
  return [
    update(
      { ...((details.final || details.unrefunded) && { status }), railRef: details.rail_ref },
      { held: -held, captured: amount, forced },
    ),
    ...(released > 0n
      ? [{ table: 'instruments' as const, key: { id: event.instrument_id as string }, add: { remaining: released } }]
      : []),
    ...(released > 0n || forced > 0n ? counted(details.counted, given) : []),
    ...(released > 0n ? charged(details.charged, -released) : []),
    ...moved(event, details.movements),
    ...(details.inclusion ? [included(event.payment_id as string, details.inclusion, 'open')] : []),
    ...known(event),
  ]
}

/** Nothing moved: money, use, allowance and counters all go back. */
function voided(event: EventOf<'payment.voided'>, update: Update): readonly Op[] {
  const { details } = event
  const amount = unitsOf(event.amount as string)
  return [
    update({ status: 'voided', refusal: details.refusal ?? null, railRef: details.rail_ref }, { held: -amount }),
    {
      table: 'instruments',
      key: { id: event.instrument_id as string },
      add: { remaining: amount, usageConsumed: -1 },
    },
    ...counted(details.counted, { amount: -amount, count: -1, forced: 0n }),
    ...charged(details.charged, -amount),
    ...moved(event, details.movements),
    ...(details.unused ? [unused(event.payment_id as string, details.unused)] : []),
  ]
}
