import { isCredentialOver } from '../core/credential.ts'
import { BursarError } from '../core/errors.ts'
import type { Doubt, Settlement } from '../core/payment.ts'
import { inDoubtFact, isUnsettled, SYSTEM, settlementFacts } from '../core/payment.ts'
import { refusal } from '../core/refusal.ts'
import type { Change, Snapshot } from '../core/step.ts'
import type { Instrument, Payment, Refusal, Wallet } from '../core/types.ts'
import type { Bursar, RailRecord, Reader } from '../ports.ts'
import { tellRail } from './rail-status.ts'
import { inTime, railOf } from './rails.ts'
import { isRailName, settlementOf } from './settlement.ts'

/**
 * Sends an authorized payment and writes what the rail's books say of it. Safe to call again at any time, from any
 * process: the rail begins a payment once per payment id, and only what is new is written. Once spending was stopped,
 * nothing is begun any more: the rail's books are read, and what it never heard of is voided when it is too late to begin.
 *
 * @param waitMs how long to wait for a payment that is on its way
 */
export async function settle(bursar: Bursar, paymentId: string, waitMs = SETTLE_WITHIN_MS): Promise<void> {
  const payment = (await bursar.store.read.one('payments', { id: paymentId })) as Payment | null
  if (!payment || !isUnsettled(payment)) return
  const settlement = await asked(bursar, payment, waitMs)
  if (settlement === null) return
  try {
    if (typeof settlement === 'string')
      await bursar.store.update({ paymentId }, (snapshot) => doubt(snapshot, settlement))
    else await writeSettlement(bursar, paymentId, settlement)
  } catch (error) {
    // A store that cannot be written now: the payment is on record and held as it was, and recovery settles it.
    if (!(error instanceof BursarError)) throw error
  }
  bursar.notify.changed(paymentId, payment.walletId)
}

/** How long an agent's call waits for a transfer that is on its way: less than anyone waits for a rail. */
const SETTLE_WITHIN_MS = 8_000

/**
 * What the rail says; a doubt when it does not, whatever the reason: the outcome is unknown, and its words go nowhere. Null:
 * nothing was begun yet, and it is not for this to begin it.
 */
async function asked(bursar: Bursar, payment: Payment, waitMs: number): Promise<Settlement | Doubt | null> {
  try {
    // What a seller brings to the chain is only looked for: it is the seller who was told, by whoever bought.
    if (payment.protocol !== 'x402' && (await mayBegin(bursar.store.read, payment, bursar.clock.now())))
      return settlementOf(await inTime(send(bursar, payment, waitMs)), payment.protocol)
    const record = await inTime(find(bursar, payment))
    if (record !== null) return settlementOf(record, payment.protocol)
  } catch {
    return 'no_answer'
  }
  if (bursar.clock.now() <= payment.validUntil) return payment.protocol === 'x402' ? null : 'no_answer'
  return neverBegun(payment.protocol === 'x402' ? NOT_FETCHED : STOPPED)
}

const STOPPED = refusal('spending_frozen', 'payment.valid_until', 'Spending was stopped before the payment began.')
const NOT_FETCHED = refusal(
  'offer_changed',
  'payment.valid_until',
  'Nobody came back in time for what was to be bought.',
)

function neverBegun(why: Refusal): Settlement {
  return { railRef: null, state: 'closed', captured: 0n, refunded: 0n, refusal: why }
}

/**
 * Ends a payment that was authorized and that nobody has signed or will: what was held for it is free again. Where the store
 * cannot be written now, it stays held, and is carried on with or ended later.
 */
export async function abandon(bursar: Bursar, { id, validUntil }: Payment, why: Refusal): Promise<void> {
  const isSame = ({ payment, transfer }: Snapshot) => !transfer && payment?.validUntil === validUntil
  try {
    await writeSettlement(bursar, id, neverBegun(why), isSame)
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
  }
  bursar.notify.changed(id, null)
}

/**
 * Whether the owner has stopped what a payment depends on, or what it was asked for with has ended. An instrument that is used up
 * or over was not stopped.
 */
export async function isStopped(read: Reader, payment: Payment, now: number): Promise<boolean> {
  const [instance] = await read.list('instance', {})
  const wallet = await read.one('wallets', { id: payment.walletId as string })
  const agent = await read.one('agents', { id: payment.agentId })
  const instrument = await read.one('instruments', { id: payment.instrumentId as string })
  const [own] = payment.credentials
  const credentials = own === undefined ? [] : await read.credentials(own)
  const active = [wallet, agent].every((one) => one?.status === 'active')
  if (instance?.frozen !== false || !active || isCredentialOver({ agent, credentials, now }, payment)) return true
  return ['frozen', 'revoked'].includes(instrument?.status ?? 'revoked')
}

/** Whether a payment that was authorized may still be sent: the owner has stopped none of what it depends on. */
export async function mayBegin(read: Reader, payment: Payment, now: number): Promise<boolean> {
  const instrument = await read.one('instruments', { id: payment.instrumentId as string })
  return instrument?.status === 'active' && !(await isStopped(read, payment, now))
}

/** A card's last digits, or the ends of an address. */
const DISPLAY = /^(?:•••• [0-9]{4}|0x[0-9A-Fa-f]{4}…[0-9A-Fa-f]{4})$/

/** Makes an active instrument known to its rail, once; a rail that is away is asked again before the first payment. */
export async function provision(bursar: Bursar, instrumentId: string): Promise<Instrument> {
  const instrument = (await bursar.store.read.one('instruments', { id: instrumentId })) as Instrument
  if (instrument.railRef !== null) return instrument
  if (instrument.status !== 'active') throw new RangeError('Only an active instrument is made known to a rail.')
  const { walletId, type } = instrument
  const wallet = (await bursar.store.read.one('wallets', { id: walletId })) as Wallet
  const made = await inTime(
    railOf(bursar, instrument, wallet).provision({
      instrumentId,
      currency: wallet.currency,
      amount: instrument.amount,
      usageLimit: instrument.usageLimit,
      perPaymentMax: instrument.perPaymentMax,
      constraints: instrument.constraints,
      expiresAt: instrument.expiresAt,
      account: wallet.account,
    }),
  )
  if (!isRailName(made.railRef)) throw new RangeError('The rail gave the instrument no name.')
  const display = DISPLAY.test(made.display) ? made.display : '••••'
  await bursar.store.update({ instrumentId }, (snapshot) => {
    if (snapshot.instrument?.railRef !== null) return { facts: [], result: null }
    const subject = { wallet_id: walletId, agent_id: instrument.agentId, instrument_id: instrumentId }
    const details = { rail: type, rail_ref: made.railRef, display }
    return { facts: [{ type: 'instrument.provisioned', actor: SYSTEM, ...subject, details }], result: null }
  })
  // It may have been frozen or revoked meanwhile, by someone who found no card to close.
  await tellRail(bursar, instrumentId)
  return { ...instrument, railRef: made.railRef, display, railStatus: 'active' }
}

async function send(bursar: Bursar, payment: Payment, waitMs: number): Promise<RailRecord> {
  const instrument = await provision(bursar, payment.instrumentId as string)
  const wallet = (await bursar.store.read.one('wallets', { id: payment.walletId as string })) as Wallet
  return railOf(bursar, instrument, wallet).pay({
    paymentId: payment.id,
    walletId: wallet.id,
    instrumentId: instrument.id,
    railRef: instrument.railRef as string,
    amount: payment.amount as bigint,
    currency: wallet.currency,
    payee: payment.payee,
    validUntil: payment.validUntil,
    waitMs,
  })
}

async function find(bursar: Bursar, payment: Payment): Promise<RailRecord | null> {
  const { read } = bursar.store
  const instrument = (await read.one('instruments', { id: payment.instrumentId as string })) as Instrument
  const wallet = (await read.one('wallets', { id: payment.walletId as string })) as Wallet
  return railOf(bursar, instrument, wallet).find(payment.id)
}

function doubt({ payment, wallet }: Snapshot, reason: Doubt): Change<null> {
  if (payment?.status !== 'authorized' || !wallet) return { facts: [], result: null }
  return { facts: [inDoubtFact(payment, wallet, reason)], result: null }
}

/**
 * Writes what is new in a rail's record of a payment.
 *
 * @returns whether the record was one, and of a payment that is known here
 */
export async function recordSettlement(bursar: Bursar, paymentId: string, record: RailRecord): Promise<boolean> {
  const payment = await bursar.store.read.one('payments', { id: paymentId })
  const settlement = payment && settlementOf(record, payment.protocol)
  if (settlement === 'unconfirmed') return true
  if (settlement === null || settlement === 'no_answer') return false
  await writeSettlement(bursar, paymentId, settlement)
  return true
}

async function writeSettlement(
  bursar: Bursar,
  paymentId: string,
  settlement: Settlement,
  isStill: (snapshot: Snapshot) => boolean = () => true,
): Promise<void> {
  const changed = await bursar.store.update({ paymentId }, (snapshot) => {
    if (!isStill(snapshot)) return { facts: [], result: null }
    const { payment, wallet, instrument, accounts, othersOpen, transfer } = snapshot
    if (!payment || !wallet || !instrument || !accounts) return { facts: [], result: null }
    // Another process signed it meanwhile: what was signed may move until it is proven that it never will.
    if (transfer && settlement.captured === 0n && !settlement.unused) return { facts: [], result: null }
    const available = accounts.available
    const settling = { payment, wallet, instrument, othersOpen, available, owed: -accounts.overdrawn }
    const facts = settlementFacts(settling, settlement)
    return { facts, result: facts.some(({ type }) => type.startsWith('instrument.')) ? instrument.id : null }
  })
  if (changed !== null) await tellRail(bursar, changed)
}
