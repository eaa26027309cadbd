import { createPublicKey, verify } from 'node:crypto'
import type { Narrowing, Statement } from '../approval.ts'
import { isEnough, paymentTerms, requestTerms, termsDigest } from '../approval.ts'
import { canonical, fromBase64 } from '../canonical.ts'
import type { EventOf, JournalEvent, WireProof } from '../event.ts'
import { approvedFact } from '../request.ts'
import type { Rebuilt } from '../tables.ts'
import { millis } from '../time.ts'
import type { Approval, Owner, Passkey, Payment, Request, Wallet } from '../types.ts'
import { approvalChallenge, isAsserted } from '../webauthn.ts'

export interface Checked {
  /** What is wrong with the answer; null when nothing is, or the event holds none. */
  readonly wrong: string | null
  /** The checkpoint that the owner signed along with it. */
  readonly checkpoint: string | null
}

export const NOTHING: Checked = { wrong: null, checkpoint: null }
const KEY_BYTES = 32

type Yes = EventOf<'request.approved' | 'payment.authorized' | 'approval.seconded'>

/** An answer with the question that it is about. */
interface Answering {
  readonly event: Yes
  readonly proof: WireProof
  readonly approval: Approval
  readonly wallet: Wallet
  readonly before: Rebuilt
}

/** Checks every human's yes in the journals, in their order. */
export class Answers {
  /** The first of two owners, by question: who, and to what. */
  private readonly firsts = new Map<string, { readonly ownerId: string | undefined; readonly narrowed: string }>()

  /**
   * Checks a human's yes against what the journal says before it: that it is about exactly the stored terms, sure enough for
   * them, in time, of who may give it, and for `operator` signed by the owner's key, for `passkey` by a passkey of the owner's.
   */
  check(event: JournalEvent, before: Rebuilt): Checked {
    if (event.type !== 'request.approved' && event.type !== 'payment.authorized' && event.type !== 'approval.seconded')
      return NOTHING
    const { proof } = event.details
    if (!proof)
      return wasAsked(event, before) ? wrong('A payment that waited for a human went on without one.') : NOTHING
    const approval = row<Approval>(before, 'approvals', proof.approval_id)
    const wallet = row<Wallet>(before, 'wallets', event.wallet_id)
    if (!approval || !wallet) return wrong('The approval answers a question that was never asked.')
    const answering = { event, proof, approval, wallet, before }
    const digest = digestNow(answering)
    if (digest === null || approval.digest !== digest || proof.digest !== digest)
      return wrong('The approval is about other terms than those that are stored.')
    if (!isEnough(proof.assurance, approval.needs)) return wrong('The approval is weaker than the amount needs.')
    if (Date.parse(event.ts) >= approval.expiresAt) return wrong('The approval came after its time.')
    const why = this.isOfWhoMay(answering)
    if (why !== null) return wrong(why)
    return proof.assurance === 'operator' || proof.assurance === 'passkey' ? checkStatement(answering) : NOTHING
  }

  /** Whose yes it may be: of the wallet's owner, or of two owners, one of them the wallet's. */
  private isOfWhoMay({ event, proof, approval, wallet }: Answering): string | null {
    const isFirst = event.type === 'approval.seconded'
    if (proof.assurance === 'none') return approval.owners > 1 || isFirst ? 'Two owners have to agree.' : null
    const isOwn = proof.owner_id === wallet.ownerId
    if (!isOwn && (approval.owners === 1 || !isEnough(proof.assurance, 'operator')))
      return 'The approval is not of the owner of the wallet.'
    const first = this.firsts.get(approval.id)
    const narrowed = canonical(narrowedIn(event))
    if (isFirst) {
      this.firsts.set(approval.id, { ownerId: proof.owner_id, narrowed })
      return first || approval.owners === 1 ? 'A first yes was not asked for.' : null
    }
    if (approval.owners === 1) return null
    if (!first || first.ownerId === proof.owner_id || proof.owners !== 2) return 'Two owners have to agree.'
    if (!isOwn && first.ownerId !== wallet.ownerId) return 'Neither owner is the owner of the wallet.'
    return first.narrowed === narrowed ? null : 'The two owners agreed to different things.'
  }
}

function wasAsked(event: JournalEvent, before: Rebuilt): boolean {
  return row<Payment>(before, 'payments', event.payment_id)?.status === 'awaiting_approval'
}

function digestNow({ approval, wallet, before }: Answering): string | null {
  const request = row<Request>(before, 'requests', approval.subjectId)
  if (request) return termsDigest(requestTerms(request, wallet))
  const payment = row<Payment>(before, 'payments', approval.subjectId)
  return payment && termsDigest(paymentTerms(payment, wallet))
}

/** What was allowed less, as the event says it. */
function narrowedIn({ details }: Yes): Narrowing {
  return 'narrowed' in details ? (details.narrowed ?? {}) : {}
}

function checkStatement({ event, proof, approval, before }: Answering): Checked {
  const why = whyUnsigned(proof, millis(event.ts), before)
  if (why !== null) return wrong(why)
  const said = JSON.parse(proof.statement as string) as Statement
  const right =
    said.v === 1 &&
    said.type === 'bursar.approval' &&
    said.decision === 'approve' &&
    said.approval_id === approval.id &&
    said.subject_id === approval.subjectId &&
    said.subject_id === (event.request_id ?? event.payment_id) &&
    said.digest === approval.digest &&
    said.owner_id === proof.owner_id &&
    millis(said.expires_at) > millis(event.ts)
  if (!right) return wrong('The signed statement is about something else.')
  const isSame =
    event.type === 'request.approved'
      ? isAsSigned(event, said.narrowed, before)
      : canonical(said.narrowed) === canonical(narrowedIn(event))
  if (!isSame) return wrong('What was allowed is not what the owner signed for.')
  return { wrong: null, checkpoint: said.checkpoint === '' ? null : said.checkpoint }
}

/** Why this is not what the owner's key, or a passkey of the owner's, signed; null where it is. */
function whyUnsigned({ assurance, owner_id, statement, signature, assertion }: WireProof, at: number, before: Rebuilt) {
  const owner = row<Owner>(before, 'owners', owner_id)
  if (!owner || statement === undefined) return 'The approval lacks its signature.'
  if (assurance === 'operator') {
    if (signature === undefined) return 'The approval lacks its signature.'
    return isSigned(statement, signature, owner.publicKey) ? null : 'The approval is not signed by the owner.'
  }
  const passkey = row<Passkey>(before, 'passkeys', assertion?.passkey_id)
  if (!assertion || passkey?.ownerId !== owner.id) return 'The approval lacks its passkey.'
  // The instance's journal, which says when it came and went, was read whole before.
  if (at < passkey.createdAt || (passkey.revokedAt !== null && at > passkey.revokedAt))
    return 'The approval is by a passkey that was not good at the time.'
  return isAsserted(assertion, approvalChallenge(statement), passkey) ? null : 'The approval is not by the passkey.'
}

/** Whether the instrument is the request, or the less that the owner signed for. */
function isAsSigned(event: EventOf<'request.approved'>, narrowed: Narrowing, before: Rebuilt): boolean {
  const request = row<Request>(before, 'requests', event.request_id)
  const wallet = row<Wallet>(before, 'wallets', event.wallet_id)
  const { statement: _statement, signature: _signature, assertion: _assertion, ...proof } = event.details.proof
  if (!request || !wallet) return false
  const { instrument_id } = event.details.instrument
  const again = approvedFact(request, wallet, instrument_id, narrowed, proof, event.actor, millis(event.ts))
  return canonical(again.details.instrument) === canonical(event.details.instrument)
}

/**
 * Whether the owner's key made this Ed25519 signature over the statement. An owner who has passkeys only has no key.
 *
 * @param signature base64
 * @param publicKey base64 of 32 raw bytes
 */
export function isSigned(statement: string, signature: string, publicKey: string): boolean {
  const x = fromBase64(publicKey)
  if (x?.length !== KEY_BYTES) return false
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return verify(null, Buffer.from(statement), key, Buffer.from(signature, 'base64'))
}

export function row<Row>(rebuilt: Rebuilt, table: string, id: string | undefined): Row | null {
  return id === undefined ? null : ((rebuilt.rows.get(`${table}\n${id}`) as Row | undefined) ?? null)
}

export function wrong(why: string): Checked {
  return { wrong: why, checkpoint: null }
}
