import { setTimeout as sleep } from 'node:timers/promises'
import { refusal } from '../core/decide.ts'
import type { Settlement } from '../core/payment.ts'
import { inDoubtFact, isUnsettled, SYSTEM, settlementFacts } from '../core/payment.ts'
import type { Change, Snapshot } from '../core/step.ts'
import type { Instrument, Payment } from '../core/types.ts'
import type { Bursar, Rail, RailRecord } from '../ports.ts'
import { tellRail } from './rail-status.ts'

/** How long an agent waits for a rail before its payment is in doubt, in milliseconds. It goes on being settled. */
const ANSWER_WITHIN_MS = 10_000

/**
 * Sends an authorized payment and writes what the rail's books say of it. Safe to call again at any time, from any
 * process: the rail begins a payment once per payment id, and only what is new is written.
 */
export async function settle(bursar: Bursar, paymentId: string): Promise<void> {
  const payment = bursar.store.read.one('payments', { id: paymentId }) as Payment | null
  if (!payment || !isUnsettled(payment)) return
  const record = await answerInTime(send(bursar, payment))
  if (record === null) await bursar.store.update({ paymentId }, doubt)
  else await recordSettlement(bursar, paymentId, record)
  bursar.notify.changed(paymentId, payment.walletId)
}

/** Makes the instrument known to its rail, once; a rail that is away is asked again before the first payment. */
export async function provision(bursar: Bursar, instrumentId: string): Promise<Instrument> {
  const instrument = bursar.store.read.one('instruments', { id: instrumentId }) as Instrument
  if (instrument.railRef !== null) return instrument
  const { walletId, type } = instrument
  const wallet = bursar.store.read.one('wallets', { id: walletId })
  const made = await railOf(bursar, instrument).provision({
    instrumentId,
    currency: wallet?.currency as string,
    amount: instrument.amount,
    usageLimit: instrument.usageLimit,
    perPaymentMax: instrument.perPaymentMax,
    constraints: instrument.constraints,
    expiresAt: instrument.expiresAt,
  })
  await bursar.store.update({ instrumentId }, (snapshot) => {
    if (snapshot.instrument?.railRef !== null) return { facts: [], result: null }
    const subject = { wallet_id: walletId, agent_id: instrument.agentId, instrument_id: instrumentId }
    const details = { rail: type, rail_ref: made.railRef, display: made.display }
    return { facts: [{ type: 'instrument.provisioned', actor: SYSTEM, ...subject, details }], result: null }
  })
  return { ...instrument, railRef: made.railRef, display: made.display, railStatus: 'active' }
}

async function send(bursar: Bursar, payment: Payment): Promise<RailRecord> {
  const instrument = await provision(bursar, payment.instrumentId as string)
  const wallet = bursar.store.read.one('wallets', { id: payment.walletId as string })
  return railOf(bursar, instrument).pay({
    paymentId: payment.id,
    instrumentId: instrument.id,
    railRef: instrument.railRef as string,
    amount: payment.amount as bigint,
    currency: wallet?.currency as string,
    payee: payment.payee,
    validUntil: payment.validUntil,
  })
}

function railOf(bursar: Bursar, instrument: Instrument): Rail {
  const rail = bursar.rails[instrument.type]
  if (!rail) throw new RangeError(`There is no rail for ${instrument.type}.`)
  return rail
}

/** Null when the rail does not say in time, or fails: either way the outcome is unknown, and its words go nowhere. */
async function answerInTime(answer: Promise<RailRecord>): Promise<RailRecord | null> {
  const answered = new AbortController()
  const timeout = sleep(ANSWER_WITHIN_MS, null, { signal: answered.signal }).catch(() => null)
  const record = await Promise.race([answer.catch(() => null), timeout])
  answered.abort()
  return record
}

function doubt({ payment, wallet }: Snapshot): Change<null> {
  if (payment?.status !== 'authorized' || !wallet) return { facts: [], result: null }
  return { facts: [inDoubtFact(payment, wallet)], result: null }
}

/** Writes what is new in a rail's record of a payment. */
export async function recordSettlement(bursar: Bursar, paymentId: string, record: RailRecord): Promise<void> {
  const ended = await bursar.store.update({ paymentId }, (snapshot) => {
    const { payment, wallet, instrument, accounts, openPayments } = snapshot
    if (!payment || !wallet || !instrument || !accounts) return { facts: [], result: null }
    const settling = {
      payment,
      wallet,
      instrument,
      openPayments,
      available: accounts.available,
      owed: -accounts.overdrawn,
    }
    const facts = settlementFacts(settling, settlementOf(record))
    return { facts, result: facts.some(({ type }) => type.startsWith('instrument.')) ? instrument.id : null }
  })
  if (ended !== null) await tellRail(bursar, ended)
}

function settlementOf(record: RailRecord): Settlement {
  const { railRef, state, captured, refunded } = record
  if (state !== 'declined') return { railRef, state, captured, refunded }
  const code = /^[a-z_]{1,40}$/.test(record.declineCode ?? '') ? record.declineCode : 'declined'
  const why = refusal('rail_declined', `issuer.${code}`, `The card issuer declined the payment: ${code}.`)
  return { railRef, state, captured, refunded, refusal: why }
}
