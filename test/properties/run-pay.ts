import assert from 'node:assert/strict'
import { pay } from '../../src/actions/agent/pay.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import type { PaymentView } from '../../src/actions/wire.ts'
import { type Model, type ModelAttempt, type ModelPayment, repeated, type Verdict, verdictOn } from './model.ts'
import { samePayments, unasked } from './model-asking.ts'
import { authorize } from './model-settle.ts'
import type { Op } from './ops.ts'
import { MERCHANTS } from './program.ts'
import { giveBack, merchantActs } from './run-refund.ts'
import { decimal, isEnough, needs, proofOf } from './run-request.ts'
import { hear, outcome, picked, type Run } from './run-shared.ts'

type PayOp = Extract<Op, { op: 'pay' | 'payNonsense' | 'approvePayment' | 'refund' | 'merchant' }>

export async function payStep(run: Run, op: PayOp): Promise<void> {
  switch (op.op) {
    case 'pay':
      return payOnce(run, op)
    case 'payNonsense':
      return payNonsense(run, op)
    case 'approvePayment':
      return approvePayment(run, op)
    case 'refund':
      return giveBack(run, op)
    case 'merchant':
      return merchantActs(run, op)
  }
}

async function payOnce(run: Run, op: PayOp & { op: 'pay' }): Promise<void> {
  const { world, model } = run
  const usable = model.instruments.filter(({ status, expiresAt }) => status === 'active' && world.time.now < expiresAt)
  const instrument = picked(op.pick % 8 === 0 || usable.length === 0 ? model.instruments : usable, op.pick)
  if (!instrument) return
  const callers = world.callers.filter(({ agentId }) => (agentId === instrument.agentId) !== op.stranger)
  const caller = picked(callers, op.who)!
  const amount = decimal(op.units, instrument.wallet)
  const payee = {
    name: op.merchant,
    ...(op.category !== null && { category: op.category }),
    ...(op.country !== null && { country: op.country }),
  }
  const { now } = world.time
  const purchase = JSON.stringify([instrument.id, amount, payee, op.purpose])
  const attempt: ModelAttempt = { instrument, ...caller, amount: op.units, payee }
  const prior = repeatedNow(run, caller.agentId, purchase, op.key)
  const view = await pay(world.bursar, caller, {
    ...{
      instrument_id: instrument.id,
      amount,
      purpose: op.purpose,
      ...(op.key !== null && { idempotency_key: op.key }),
    },
    payee: { name: op.merchant, merchant_category: op.category ?? undefined, country: op.country ?? undefined },
  })
  if (prior) {
    assert.equal(hear(run).length, 0, 'the rail was touched by a call that repeats a payment, or has its key')
    if (prior.purchase !== purchase)
      return assertRefused(view, { is: 'deny', code: 'idempotency_conflict', rule: 'idempotency_key' })
    assert.deepEqual([view.payment_id, view.replayed], [prior.id, true])
    return assert.equal(view.status, prior.status)
  }
  assert.equal(view.replayed, undefined)
  const verdict =
    instrument.agentId === caller.agentId
      ? orUnasked(model, attempt, verdictOn(model, attempt, now, false), now)
      : ({ is: 'deny', code: 'not_found', rule: 'instrument_id' } as const)
  if (verdict.is === 'deny') {
    assert.equal(hear(run).length, 0, 'the rail was touched by a refused payment')
    if (verdict.code === 'instrument_expired' && instrument.status === 'active') instrument.status = 'expired'
    return assertRefused(view, verdict)
  }
  const payment: ModelPayment = {
    ...attempt,
    ...{ id: view.payment_id, purchase, key: op.key, createdAt: now, question: null, status: 'awaiting_approval' },
    ...{
      held: 0n,
      captured: 0n,
      forced: 0n,
      refunded: 0n,
      refundAsked: null,
      place: null,
      authorizedAt: 0,
      voided: false,
    },
  }
  model.payments.push(payment)
  if (verdict.is === 'allow') return settled(run, payment, view)
  assert.equal(hear(run).length, 0, 'the rail was touched by a payment that waits')
  const wanted = needs(instrument.wallet, op.units)
  payment.question = { needs: wanted === 'none' ? 'host' : wanted, expiresAt: now + 15 * 60_000, answered: false }
  assert.deepEqual([view.status, view.approval?.needs], ['awaiting_approval', payment.question.needs])
}

/** What would be asked, and is not. */
function orUnasked(model: Model, attempt: ModelAttempt, verdict: Verdict, now: number): Verdict {
  const { agentId, instrument, payee, amount } = attempt
  if (verdict.is !== 'ask') return verdict
  const why = unasked(model, agentId, samePayments(model, agentId, instrument.wallet, payee, amount), now)
  return why ? { is: 'deny', ...why } : verdict
}

/** A payment that waits for a human whose time is over is ended by the call that would repeat it. */
function repeatedNow(
  { world, model }: Run,
  agentId: string,
  purchase: string,
  key: string | null,
): ModelPayment | null {
  const { now } = world.time
  for (;;) {
    const prior = repeated(model, agentId, purchase, key, now)
    if (prior?.status !== 'awaiting_approval' || now < prior.question!.expiresAt) return prior
    prior.status = 'expired'
    prior.question!.answered = true
  }
}

/** An authorized payment is sent once, and stands as the rail said. */
async function settled(run: Run, payment: ModelPayment, view: PaymentView): Promise<void> {
  authorize(run.model, payment, run.world.time.now)
  const { wallet } = payment.instrument
  const fair = run.world.weather.now === 'fair' && wallet.owed === 0n
  const forced = run.world.audit.forcedOn(payment.instrument.id) > 0n
  const news = hear(run)
  if (news.length === 0) await unsent(run, payment)
  else
    assert.deepEqual(
      news.map(({ paymentId, by }) => [paymentId, by]),
      [[payment.id, 'pay']],
    )
  assert.equal(view.status, payment.status)
  // Odd amounts are played out at any merchant; the rest of the ordinary world just works.
  const odd = payment.amount >= 9_311n && payment.amount <= 9_739n
  if (fair && !forced && !odd && MERCHANTS.indexOf(payment.payee.name as never) < 3)
    assert.equal(payment.status, 'captured', 'an ordinary payment')
}

/** The rail could not be told of the instrument: the payment is in doubt and was not sent. */
export async function unsent({ world }: Run, payment: ModelPayment): Promise<void> {
  assert.equal(world.weather.now, 'no_cards')
  assert.equal((await world.bursar.store.read.one('instruments', { id: payment.instrument.id }))!.railRef, null)
  payment.status = 'in_doubt'
}

function assertRefused(view: PaymentView, { code, rule }: Verdict & { is: 'deny' }): void {
  assert.deepEqual([view.status, view.refusal?.code, view.refusal?.rule], ['refused', code, rule])
}

const AMOUNT = /^(0|[1-9][0-9]*)(\.[0-9]+)?$/

async function payNonsense(run: Run, op: PayOp & { op: 'payNonsense' }): Promise<void> {
  const { world, model } = run
  const instrument = op.instrument === null ? model.instruments[0] : undefined
  // Strings of digits may be amounts after all: those are for `pay`.
  if (AMOUNT.test(op.amount) && Number(op.amount) > 0 && Number(op.amount) < 1e13) return
  const caller = world.callers[op.who]!
  const before = world.audit.events
  const payee = { name: 'Acme Software' }
  const view = await pay(world.bursar, caller, {
    instrument_id: instrument?.id ?? op.instrument ?? '',
    amount: op.amount,
    payee,
    purpose: 'nonsense',
  })
  assert.equal(hear(run).length, 0)
  const known = instrument?.agentId === caller.agentId
  assertRefused(
    view,
    known
      ? { is: 'deny', code: 'amount_invalid', rule: 'amount' }
      : { is: 'deny', code: 'not_found', rule: 'instrument_id' },
  )
  assert.deepEqual(await world.audit.problems(), [])
  assert.equal(world.audit.events, before + 2, 'an attempt and its refusal are in the journal')
}

async function approvePayment(run: Run, op: PayOp & { op: 'approvePayment' }): Promise<void> {
  const { world, model } = run
  const payment = picked(
    model.payments.filter(({ question }) => question !== null && (op.late || !question.answered)),
    op.pick,
  )
  if (!payment) return
  const asked = payment.question!
  const { now } = world.time
  const verdict = verdictOn(model, payment, now, true)
  const { value, code } = await outcome(
    approve(world.bursar, payment.id, await proofOf(run, payment.id, op.by, {}), {}),
  )
  if (asked.answered) return assert.equal(code, 'not_pending')
  if (now >= asked.expiresAt) return assert.equal(code, 'approval_expired')
  if (!isEnough(op.by, asked.needs)) return assert.equal(code, 'assurance_too_low')
  assert.equal(code, null)
  asked.answered = true
  const view = value as PaymentView
  if (verdict.is === 'allow') return settled(run, payment, view)
  payment.status = 'denied'
  assert.equal(hear(run).length, 0)
  assert(verdict.is === 'deny')
  assert.deepEqual([view.status, view.refusal?.code, view.refusal?.rule], ['denied', verdict.code, verdict.rule])
}
