import { randomBytes } from 'node:crypto'
import type { Act, ActStatement } from '../../core/act.ts'
import { canonical } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import { INSTANCE_JOURNAL, type WireAssertion } from '../../core/event.ts'
import type { Snapshot } from '../../core/step.ts'
import { millis, rfc3339 } from '../../core/time.ts'
import { actChallenge, isAsserted } from '../../core/webauthn.ts'
import type { Bursar } from '../../ports.ts'

/** How long a confirmation may take to arrive, in milliseconds. */
const STATEMENT_MS = 5 * 60 * 1000
const NONCE_BYTES = 16

/** What an owner's passkey signs to confirm one act: canonical JSON. */
export async function actStatement(
  { store, clock }: Bursar,
  ownerId: string,
  act: Act,
  args: unknown,
): Promise<string> {
  const said: ActStatement = {
    v: 1,
    type: 'bursar.act',
    act,
    args,
    owner_id: ownerId,
    nonce: randomBytes(NONCE_BYTES).toString('hex'),
    expires_at: rfc3339(clock.now() + STATEMENT_MS),
    checkpoint: (await store.read.head(INSTANCE_JOURNAL))?.checkpoint ?? '',
  }
  return canonical(said)
}

/**
 * Puts on record that an owner confirmed an act, before it is done. The statement is one that this program made; whoever keeps it
 * sees to it that it is used once.
 *
 * @throws `approval_invalid`, `approval_expired`
 */
export async function recordConfirmed(
  bursar: Bursar,
  ownerId: string,
  statement: string,
  assertion: WireAssertion,
): Promise<ActStatement> {
  const said = JSON.parse(statement) as ActStatement
  await bursar.store.update({ passkeyId: assertion.passkey_id }, (snapshot) => {
    assertConfirmed(snapshot, ownerId, statement, said, assertion)
    const details = { owner_id: ownerId, act: said.act, statement, assertion }
    return { facts: [{ type: 'owner.confirmed', actor: { role: 'human', id: ownerId }, details }], result: null }
  })
  return said
}

function assertConfirmed(
  { passkey, now }: Snapshot,
  ownerId: string,
  statement: string,
  said: ActStatement,
  assertion: WireAssertion,
): void {
  if (!passkey || passkey.ownerId !== ownerId || passkey.revokedAt !== null)
    throw new BursarError('approval_invalid', "There is no such passkey of the owner's.")
  if (
    said.type !== 'bursar.act' ||
    said.owner_id !== ownerId ||
    !isAsserted(assertion, actChallenge(statement), passkey)
  )
    throw new BursarError('approval_invalid', 'The passkey did not confirm this.')
  if (!(now < millis(said.expires_at))) throw new BursarError('approval_expired', 'The confirmation is too old.')
}
