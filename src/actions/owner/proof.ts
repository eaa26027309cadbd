import type { HumanProof, Narrowing, Statement } from '../../core/approval.ts'
import { canonical } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import type { Snapshot } from '../../core/step.ts'
import { millis } from '../../core/time.ts'
import type { Owner, Passkey } from '../../core/types.ts'
import { isSigned } from '../../core/verify/answers.ts'
import { approvalChallenge, isAsserted } from '../../core/webauthn.ts'
import type { Bursar } from '../../ports.ts'

/**
 * Checks that a proof is what it says: for `operator`, that the owner's key signed a statement about exactly this
 * subject, these terms and this narrowing, and that it is not too old; for `passkey`, that a passkey of the owner did.
 *
 * @throws `approval_invalid`, `approval_expired`
 */
export async function assertProof(
  bursar: Bursar,
  subjectId: string,
  proof: HumanProof,
  narrowing: Narrowing,
): Promise<void> {
  if (proof.assurance === 'host') return
  if (proof.assurance === 'operator') await assertSigned(bursar, proof)
  else if (proof.assurance === 'passkey') await assertAsserted(bursar, proof)
  else throw invalid('Nothing here can check an approval of this kind.')
  const said = JSON.parse(proof.statement as string) as Statement
  const right =
    said.v === 1 &&
    said.type === 'bursar.approval' &&
    said.decision === 'approve' &&
    said.subject_id === subjectId &&
    said.digest === proof.digest &&
    said.owner_id === proof.ownerId &&
    canonical(said.narrowed) === canonical(narrowing)
  if (!right) throw invalid('The signed statement is about something else.')
  if (!(bursar.clock.now() < millis(said.expires_at)))
    throw new BursarError('approval_expired', 'The signed approval is too old.')
}

/**
 * What is put on record is judged by its own moment, as whoever verifies it later does: what was good when it was looked at may
 * have ended on the way.
 *
 * @throws `approval_invalid`, `approval_expired`
 */
export function assertLive({ passkey, approval, now }: Snapshot, { assurance, ownerId, statement }: HumanProof): void {
  if (statement !== undefined) {
    const said = JSON.parse(statement) as Statement
    if (approval !== null && said.approval_id !== approval.id) throw invalid('The statement answers another question.')
    if (!(now < millis(said.expires_at))) throw new BursarError('approval_expired', 'The signed approval is too old.')
  }
  if (assurance !== 'passkey') return
  if (!passkey || passkey.ownerId !== ownerId || passkey.revokedAt !== null)
    throw invalid("There is no such passkey of the owner's.")
  if (now < passkey.createdAt) throw invalid('The passkey is newer than now: the clock of this machine was set back.')
}

async function assertSigned(bursar: Bursar, { ownerId, statement, signature }: HumanProof): Promise<void> {
  const owner = (await bursar.store.read.one('owners', { id: ownerId })) as Owner | null
  if (!owner || statement === undefined || signature === undefined) throw invalid('The approval is not signed.')
  if (!isSigned(statement, signature, owner.publicKey)) throw invalid("The signature is not the owner's.")
}

async function assertAsserted(bursar: Bursar, { ownerId, statement, assertion }: HumanProof): Promise<void> {
  if (statement === undefined || assertion === undefined) throw invalid('The approval is not signed.')
  const passkey = (await bursar.store.read.one('passkeys', { id: assertion.passkey_id })) as Passkey | null
  if (!passkey || passkey.ownerId !== ownerId || passkey.revokedAt !== null)
    throw invalid("There is no such passkey of the owner's.")
  if (!isAsserted(assertion, approvalChallenge(statement), passkey))
    throw invalid("The signature is not the passkey's.")
}

function invalid(message: string): BursarError {
  return new BursarError('approval_invalid', message)
}
