import type { Narrowing, Statement } from '../core/approval.ts'
import { canonical } from '../core/canonical.ts'
import { BursarError } from '../core/errors.ts'
import { rfc3339 } from '../core/time.ts'
import type { Approval } from '../core/types.ts'
import type { Bursar } from '../ports.ts'

/** How long a signed approval may take to arrive, in milliseconds. */
export const STATEMENT_MS = 5 * 60 * 1000

/**
 * What an owner signs to say yes: canonical JSON of the digest of the terms that were shown, and of what is allowed less.
 *
 * @throws `not_pending` when nothing is asked about the subject
 */
export async function statementOf(
  bursar: Bursar,
  ownerId: string,
  subjectId: string,
  shownDigest: string,
  narrowing: Narrowing,
): Promise<string> {
  const approval = (await bursar.store.read.one('approvals', { subjectId })) as Approval | null
  if (!approval) throw new BursarError('not_pending', 'Nobody has to decide on this.')
  const said: Statement = {
    v: 1,
    type: 'bursar.approval',
    decision: 'approve',
    approval_id: approval.id,
    subject_id: subjectId,
    digest: shownDigest,
    narrowed: narrowing,
    owner_id: ownerId,
    expires_at: rfc3339(bursar.clock.now() + STATEMENT_MS),
    checkpoint: (await bursar.store.read.head(approval.walletId))?.checkpoint ?? '',
  }
  return canonical(said)
}
