import { createPublicKey, verify } from 'node:crypto'
import type { Narrowing, Statement } from '../approval.ts'
import { isEnough, paymentTerms, requestTerms, termsDigest } from '../approval.ts'
import { canonical } from '../canonical.ts'
import type { EventOf, JournalEvent, WireProof } from '../event.ts'
import { approvedFact } from '../request.ts'
import type { Rebuilt } from '../tables.ts'
import { millis } from '../time.ts'
import type { Approval, Owner, Payment, Request, Wallet } from '../types.ts'

interface Checked {
  /** What is wrong with the answer; null when nothing is, or the event holds none. */
  readonly wrong: string | null
  /** The checkpoint that the owner signed along with it. */
  readonly checkpoint: string | null
}

const NOTHING: Checked = { wrong: null, checkpoint: null }

/**
 * Checks a human's yes against what the journal says before it: that it is about exactly the stored terms, sure enough
 * for them, in time, and for `operator` signed by the owner's key.
 */
export function checkAnswer(event: JournalEvent, before: Rebuilt): Checked {
  const yes = event.type === 'request.approved' || event.type === 'payment.authorized'
  if (!yes) return NOTHING
  const { proof } = event.details
  if (!proof) return wasAsked(event, before) ? wrong('A payment that waited for a human went on without one.') : NOTHING
  const approval = row<Approval>(before, 'approvals', proof.approval_id)
  if (!approval) return wrong('The approval answers a question that was never asked.')
  const digest = digestNow(event, before)
  if (digest === null || approval.digest !== digest || proof.digest !== digest)
    return wrong('The approval is about other terms than those that are stored.')
  if (!isEnough(proof.assurance, approval.needs)) return wrong('The approval is weaker than the amount needs.')
  if (Date.parse(event.ts) >= approval.expiresAt) return wrong('The approval came after its time.')
  return proof.assurance === 'operator' ? checkStatement(proof, approval, event, before) : NOTHING
}

function wasAsked(event: JournalEvent, before: Rebuilt): boolean {
  return row<Payment>(before, 'payments', event.payment_id)?.status === 'awaiting_approval'
}

function digestNow(event: JournalEvent, before: Rebuilt): string | null {
  const wallet = row<Wallet>(before, 'wallets', event.wallet_id)
  if (!wallet) return null
  if (event.type === 'request.approved') {
    const request = row<Request>(before, 'requests', event.request_id)
    return request && termsDigest(requestTerms(request, wallet))
  }
  const payment = row<Payment>(before, 'payments', event.payment_id)
  return payment && termsDigest(paymentTerms(payment, wallet))
}

function checkStatement(proof: WireProof, approval: Approval, event: JournalEvent, before: Rebuilt): Checked {
  const owner = row<Owner>(before, 'owners', proof.owner_id)
  if (!owner || proof.statement === undefined || proof.signature === undefined)
    return wrong('The approval lacks its signature.')
  if (!isSigned(proof.statement, proof.signature, owner.publicKey))
    return wrong('The approval is not signed by the owner.')
  const said = JSON.parse(proof.statement) as Statement
  const right =
    said.v === 1 &&
    said.type === 'bursar.approval' &&
    said.decision === 'approve' &&
    said.approval_id === approval.id &&
    said.subject_id === approval.subjectId &&
    said.digest === approval.digest &&
    said.owner_id === owner.id &&
    millis(said.expires_at) > millis(event.ts)
  if (!right) return wrong('The signed statement is about something else.')
  if (event.type === 'request.approved' && !isAsSigned(event, said.narrowed, before))
    return wrong('The instrument is not the one that the owner signed for.')
  return { wrong: null, checkpoint: said.checkpoint === '' ? null : said.checkpoint }
}

/** Whether the instrument is the request, or the less that the owner signed for. */
function isAsSigned(event: EventOf<'request.approved'>, narrowed: Narrowing, before: Rebuilt): boolean {
  const request = row<Request>(before, 'requests', event.request_id)
  const wallet = row<Wallet>(before, 'wallets', event.wallet_id)
  const { statement: _statement, signature: _signature, ...proof } = event.details.proof
  if (!request || !wallet) return false
  const { instrument_id } = event.details.instrument
  const again = approvedFact(request, wallet, instrument_id, narrowed, proof, event.actor, millis(event.ts))
  return canonical(again.details.instrument) === canonical(event.details.instrument)
}

/**
 * Whether the owner's key made this Ed25519 signature over the statement.
 *
 * @param signature base64
 * @param publicKey base64 of 32 raw bytes
 */
export function isSigned(statement: string, signature: string, publicKey: string): boolean {
  const x = Buffer.from(publicKey, 'base64').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, Buffer.from(statement), key, Buffer.from(signature, 'base64'))
}

function row<Row>(rebuilt: Rebuilt, table: string, id: string | undefined): Row | null {
  return id === undefined ? null : ((rebuilt.rows.get(`${table}\n${id}`) as Row | undefined) ?? null)
}

function wrong(why: string): Checked {
  return { wrong: why, checkpoint: null }
}
