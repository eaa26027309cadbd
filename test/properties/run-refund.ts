import assert from 'node:assert/strict'
import { refund } from '../../src/actions/owner/refund.ts'
import { isUnsettled } from './model-settle.ts'
import type { Op } from './ops.ts'
import { decimal } from './run-request.ts'
import { hear, outcome, picked, type Run } from './run-shared.ts'

export async function giveBack(run: Run, op: Extract<Op, { op: 'refund' }>): Promise<void> {
  const { world, model } = run
  const payment = picked(
    model.payments.filter(({ captured }) => captured > 0n),
    op.pick,
  )
  if (!payment) return
  const left = payment.captured - payment.refunded
  const said = op.percent === null ? undefined : (left * op.percent) / 100n
  const open = payment.refundAsked
  const ready = ['captured', 'partially_refunded'].includes(payment.status)
  const amount = said === undefined ? undefined : decimal(said, payment.instrument.wallet)
  const { code } = await outcome(refund(world.bursar, world.authority, payment.id, amount))
  const wrong = refundFault({ said, open, ready, left })
  if (!wrong) payment.refundAsked = open ?? said ?? left
  const news = hear(run)
  if (wrong) return assert.deepEqual([code, news.length], [wrong, 0])
  assert.deepEqual(
    news.map(({ paymentId, by }) => [paymentId, by]),
    [[payment.id, 'refund']],
  )
  const quiet = news[0]!.record === null
  if (world.weather.now === 'lost_request' || world.weather.now === 'lost_reply') assert(quiet)
  assert.equal(code, quiet ? 'rail_unavailable' : null)
}

/** One that was asked for and not confirmed is asked for again as it was, and nothing else is meanwhile. */
function refundFault(asked: {
  said: bigint | undefined
  open: bigint | null
  ready: boolean
  left: bigint
}): string | null {
  const { said, open, ready, left } = asked
  if (open !== null && said === 0n) return 'amount_invalid'
  if (open !== null) return said === undefined || said === open ? null : 'wrong_state'
  if (!ready) return 'wrong_state'
  return said === undefined || (said > 0n && said <= left) ? null : 'amount_invalid'
}

/** Merchants and networks do as they like; bursar reads it from the books later. */
export async function merchantActs({ world, model }: Run, op: Extract<Op, { op: 'merchant' }>): Promise<void> {
  const payment = picked(
    model.payments.filter((p) => p.captured > 0n || isUnsettled(p) || p.voided),
    op.pick,
  )
  if (!payment) return
  const amount = (payment.amount * op.percent) / 100n
  const message = `${op.does} ${world.time.now} ${world.audit.events} ${op.percent}`
  const { network } = world
  const sent = {
    capture: () => network.capture(payment.id, message, amount, false),
    close: () => network.capture(payment.id, message, amount, true),
    reverse: () => network.reverse(payment.id, message, amount),
    refund: () => network.refund(payment.id, message, amount),
    forcePost: () => network.forcePost(payment.id, message, amount),
  }[op.does]
  // The network refuses what the state of the payment does not allow.
  await sent().catch(() => undefined)
}
