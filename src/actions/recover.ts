import { SYSTEM, subject } from '../core/payment.ts'
import { closedFact } from '../core/request.ts'
import type { InstrumentType } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import { tellRail } from './rail-status.ts'
import { recordSettlement, settle } from './settle.ts'

/** How many unsettled payments are read at a time. */
const AT_ONCE = 200

/**
 * Brings up to date what a crash, a silent rail or the passing of time left behind: settles payments that hold money,
 * reads the rails' books for late captures and refunds, and ends what expired. Safe at any time, from any process.
 */
export async function recover(bursar: Bursar): Promise<void> {
  for (let before: string | undefined, more = true; more; ) {
    const page = { limit: AT_ONCE, ...(before !== undefined && { before }) }
    const unsettled = bursar.store.read.list('payments', { status: ['authorized', 'in_doubt'] }, page)
    for (const { id } of unsettled) await settle(bursar, id)
    before = unsettled.at(-1)?.id
    more = unsettled.length === AT_ONCE
  }
  for (const rail of Object.keys(bursar.rails) as InstrumentType[]) await readBooks(bursar, rail)
  await expire(bursar)
  await tellRails(bursar)
}

/** What changed at the rail since it was last read. The cursor is kept after the news: nothing is skipped by a crash. */
async function readBooks(bursar: Bursar, type: InstrumentType): Promise<void> {
  const rail = bursar.rails[type]
  if (!rail) return
  const known = bursar.store.read.one('rails', { id: type })?.cursor ?? null
  let cursor = known
  for (;;) {
    const page = await rail.changes(cursor)
    cursor = page.cursor
    if (page.records.length === 0) break
    for (const { paymentId, record } of page.records) await recordSettlement(bursar, paymentId, record)
  }
  const read = cursor
  if (read === null || read === known) return
  await bursar.store.update({}, () => ({
    facts: [{ type: 'rail.reconciled', actor: SYSTEM, details: { rail: type, cursor: read } }],
    result: null,
  }))
}

/** Silence means no: requests and payments that nobody answered, and instruments past their time. */
async function expire(bursar: Bursar): Promise<void> {
  const { read } = bursar.store
  const now = bursar.clock.now()
  for (const approval of read.list('approvals', { status: 'waiting' })) {
    if (now < approval.expiresAt) continue
    if (approval.subjectId.startsWith('req_')) await expireRequest(bursar, approval.subjectId)
    else await expirePayment(bursar, approval.subjectId)
    bursar.notify.changed(approval.subjectId, approval.walletId)
  }
  for (const { id, expiresAt } of read.list('instruments', { status: 'active' }))
    if (now >= expiresAt) await expireInstrument(bursar, id)
}

async function expireRequest(bursar: Bursar, requestId: string): Promise<void> {
  await bursar.store.update({ requestId }, ({ request, approval, now }) => {
    if (request?.status !== 'pending' || !approval || now < approval.expiresAt) return { facts: [], result: null }
    return { facts: [closedFact('request.expired', request, approval, SYSTEM)], result: null }
  })
}

async function expirePayment(bursar: Bursar, paymentId: string): Promise<void> {
  await bursar.store.update({ paymentId }, ({ payment, wallet, approval, now }) => {
    const open = payment?.status === 'awaiting_approval' && wallet && approval && now >= approval.expiresAt
    if (!open) return { facts: [], result: null }
    const base = { actor: SYSTEM, ...subject(payment, wallet, payment.instrumentId as string) }
    return { facts: [{ ...base, type: 'payment.expired', details: { approval_id: approval.id } }], result: null }
  })
}

async function expireInstrument(bursar: Bursar, instrumentId: string): Promise<void> {
  await bursar.store.update({ instrumentId }, ({ instrument, wallet, now }) => {
    if (instrument?.status !== 'active' || !wallet || now < instrument.expiresAt) return { facts: [], result: null }
    const base = { wallet_id: wallet.id, agent_id: instrument.agentId, instrument_id: instrument.id }
    return { facts: [{ type: 'instrument.expired', actor: SYSTEM, ...base, details: {} }], result: null }
  })
}

/** Tells the rails what they have not heard, because they or this process were away. */
async function tellRails(bursar: Bursar): Promise<void> {
  const ended = ['limit_reached', 'expired', 'revoked', 'returned'] as const
  const unheard = [
    ...bursar.store.read.list('instruments', { railStatus: 'active', status: ['frozen', ...ended] }),
    ...bursar.store.read.list('instruments', { railStatus: 'frozen', status: ['active', ...ended] }),
  ]
  for (const { id } of unheard) await tellRail(bursar, id)
}
