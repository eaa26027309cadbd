import type { HumanProof, Narrowing, Statement } from '../core/approval.ts'
import { canonical } from '../core/canonical.ts'
import { BursarError } from '../core/errors.ts'
import { rfc3339 } from '../core/time.ts'
import type { Approval } from '../core/types.ts'
import type { Bursar } from '../ports.ts'

/** How long a signed approval may take to arrive, in milliseconds. */
const STATEMENT_MS = 5 * 60 * 1000

/** The owner's key, opened with the passphrase. */
export interface OpenedKey {
  readonly ownerId: string
  sign(bytes: Uint8Array): Uint8Array
}

/**
 * A yes as sure as the owner's passphrase: the owner's key signs the digest of the terms that the human was shown, and
 * anyone can check that later from the journal.
 *
 * @throws `not_pending` when nothing is asked about the subject
 */
export function operatorProof(
  bursar: Bursar,
  key: OpenedKey,
  subjectId: string,
  shownDigest: string,
  narrowing: Narrowing,
): HumanProof {
  const approval = bursar.store.read.one('approvals', { subjectId }) as Approval | null
  if (!approval) throw new BursarError('not_pending', 'Nobody has to decide on this.')
  const said: Statement = {
    v: 1,
    type: 'bursar.approval',
    decision: 'approve',
    approval_id: approval.id,
    subject_id: subjectId,
    digest: shownDigest,
    narrowed: narrowing,
    owner_id: key.ownerId,
    expires_at: rfc3339(bursar.clock.now() + STATEMENT_MS),
    checkpoint: bursar.store.read.head(approval.walletId)?.checkpoint ?? '',
  }
  const statement = canonical(said)
  const signature = Buffer.from(key.sign(Buffer.from(statement))).toString('base64')
  return { assurance: 'operator', channel: 'cli', ownerId: key.ownerId, digest: shownDigest, statement, signature }
}
