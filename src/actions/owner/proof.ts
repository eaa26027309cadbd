import type { HumanProof, Narrowing, Statement } from '../../core/approval.ts'
import { canonical } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import { millis } from '../../core/time.ts'
import type { Owner } from '../../core/types.ts'
import { isSigned } from '../../core/verify/answers.ts'
import type { Bursar } from '../../ports.ts'

/**
 * Checks that a proof is what it says: for `operator`, that the owner's key signed a statement about exactly this
 * subject, these terms and this narrowing, and that it is not too old.
 *
 * @throws `approval_invalid`, `approval_expired`
 */
export function assertProof(bursar: Bursar, subjectId: string, proof: HumanProof, narrowing: Narrowing): void {
  if (proof.assurance === 'host') return
  if (proof.assurance !== 'operator') throw invalid('Nothing here can check an approval of this kind.')
  const owner = bursar.store.read.one('owners', { id: proof.ownerId }) as Owner | null
  const { statement, signature } = proof
  if (!owner || statement === undefined || signature === undefined) throw invalid('The approval is not signed.')
  if (!isSigned(statement, signature, owner.publicKey)) throw invalid("The signature is not the owner's.")
  const said = JSON.parse(statement) as Statement
  const right =
    said.v === 1 &&
    said.type === 'bursar.approval' &&
    said.decision === 'approve' &&
    said.subject_id === subjectId &&
    said.digest === proof.digest &&
    said.owner_id === owner.id &&
    canonical(said.narrowed) === canonical(narrowing)
  if (!right) throw invalid('The signed statement is about something else.')
  if (!(bursar.clock.now() < millis(said.expires_at)))
    throw new BursarError('approval_expired', 'The signed approval is too old.')
}

function invalid(message: string): BursarError {
  return new BursarError('approval_invalid', message)
}
