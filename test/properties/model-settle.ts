import type { Model, ModelInstrument, ModelPayment, ModelWallet } from './model.ts'

/** A rail's record of a payment, as bursar heard it. */
export interface ModelRecord {
  readonly state: 'open' | 'closed' | 'declined'
  readonly captured: bigint
  readonly refunded: bigint
}

export const isUnsettled = (payment: ModelPayment): boolean => ['authorized', 'in_doubt'].includes(payment.status)

/** The hold. */
export function authorize(model: Model, payment: ModelPayment, now: number): void {
  const { instrument, amount } = payment
  payment.status = 'authorized'
  payment.place = model.authorizations
  payment.authorizedAt = now
  payment.held = amount
  model.authorizations += 1
  instrument.remaining -= amount
  instrument.consumed += 1
  instrument.wallet.available -= amount
  instrument.wallet.held += amount
}

/** What becomes of a payment of which the rail said this; null: it said nothing. */
export function settle(model: Model, payment: ModelPayment, record: ModelRecord | null): void {
  if (record === null) {
    if (payment.status === 'authorized') payment.status = 'in_doubt'
    return
  }
  const over = record.state !== 'open'
  if (isUnsettled(payment) && over && record.captured === 0n && payment.captured === 0n) giveBack(payment)
  else if (record.captured > payment.captured || (isUnsettled(payment) && over)) capture(model, payment, record)
  if (isUnsettled(payment)) return
  const refunded = record.refunded - payment.refunded
  if (refunded > 0n) {
    credit(payment.instrument.wallet, refunded)
    payment.refunded = record.refunded
    payment.refundAsked = null
  }
  if (payment.captured > 0n && payment.refunded > 0n)
    payment.status = payment.refunded < payment.captured ? 'partially_refunded' : 'refunded'
}

function giveBack(payment: ModelPayment): void {
  const { instrument, held } = payment
  payment.status = 'voided'
  payment.voided = true
  payment.held = 0n
  release(instrument, held)
  instrument.consumed -= 1
}

function capture(model: Model, payment: ModelPayment, { captured, state }: ModelRecord): void {
  const { instrument } = payment
  const { wallet } = instrument
  const taken = captured - payment.captured
  const fromHold = less(taken, payment.held)
  payment.held -= fromHold
  wallet.held -= fromHold
  payment.captured = captured
  if (state !== 'open') {
    release(instrument, payment.held)
    payment.held = 0n
    if (isUnsettled(payment) || payment.status === 'voided') payment.status = 'captured'
  }
  const forced = taken - fromHold
  payment.forced += forced
  const there = less(forced, wallet.available)
  wallet.available -= there
  wallet.owed += forced - there
  if (instrument.status !== 'active') return
  if (forced > 0n) instrument.status = 'frozen'
  else if (
    state !== 'open' &&
    isSpent(instrument) &&
    !model.payments.some((p) => p.instrument === instrument && isUnsettled(p))
  )
    instrument.status = 'limit_reached'
}

function isSpent({ remaining, uses, consumed }: ModelInstrument): boolean {
  return remaining === 0n || (uses !== null && consumed >= uses)
}

function release(instrument: ModelInstrument, amount: bigint): void {
  instrument.remaining += amount
  instrument.wallet.held -= amount
  instrument.wallet.available += amount
}

/** Money that comes in repays first what the wallet owes. */
export function credit(wallet: ModelWallet, amount: bigint): void {
  const repaid = less(amount, wallet.owed)
  wallet.owed -= repaid
  wallet.available += amount - repaid
}

function less(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
