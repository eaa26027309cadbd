import type { HumanProof, Narrowing } from '../core/approval.ts'
import type { Bursar } from '../ports.ts'
import { statementOf } from './statement.ts'

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
export async function operatorProof(
  bursar: Bursar,
  key: OpenedKey,
  subjectId: string,
  shownDigest: string,
  narrowing: Narrowing,
): Promise<HumanProof> {
  const statement = await statementOf(bursar, key.ownerId, subjectId, shownDigest, narrowing)
  const signature = Buffer.from(key.sign(Buffer.from(statement))).toString('base64')
  return { assurance: 'operator', channel: 'cli', ownerId: key.ownerId, digest: shownDigest, statement, signature }
}
