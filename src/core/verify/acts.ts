import type { ActStatement } from '../act.ts'
import type { EventOf, JournalEvent } from '../event.ts'
import type { Rebuilt } from '../tables.ts'
import { millis } from '../time.ts'
import type { Invitation, Passkey } from '../types.ts'
import { actChallenge, isAsserted } from '../webauthn.ts'
import { type Checked, NOTHING, row, wrong } from './answers.ts'

/** How long after it was confirmed a passkey may be added, in milliseconds. */
const ADDED_WITHIN_MS = 10 * 60 * 1000

/** Checks, in the instance's journal, what owners confirmed with passkeys, and what let each passkey in. */
export class Acts {
  private readonly nonces = new Set<string>()
  /** When each owner confirmed that a passkey be added that was not added yet, oldest first: in two browsers there may be two. */
  private readonly adding = new Map<string, readonly number[]>()

  check(event: JournalEvent, before: Rebuilt): Checked {
    if (event.type === 'owner.confirmed') return this.confirmed(event, before)
    if (event.type === 'passkey.added') return this.added(event, before)
    return NOTHING
  }

  private confirmed({ ts, actor, details }: EventOf<'owner.confirmed'>, before: Rebuilt): Checked {
    const { owner_id, act, statement, assertion } = details
    const passkey = row<Passkey>(before, 'passkeys', assertion.passkey_id)
    if (passkey?.ownerId !== owner_id || passkey.revokedAt !== null)
      return wrong('An act was confirmed by a passkey that was not good at the time.')
    if (!isAsserted(assertion, actChallenge(statement), passkey))
      return wrong('An act was not confirmed by the passkey.')
    const said = JSON.parse(statement) as ActStatement
    const right =
      said.v === 1 &&
      said.type === 'bursar.act' &&
      said.act === act &&
      said.owner_id === owner_id &&
      actor.id === owner_id &&
      millis(said.expires_at) > millis(ts)
    if (!right) return wrong('The confirmed statement is about something else.')
    if (this.nonces.has(said.nonce)) return wrong('A confirmation was used twice.')
    this.nonces.add(said.nonce)
    if (act === 'passkey.add') this.adding.set(owner_id, [...(this.adding.get(owner_id) ?? []), millis(ts)])
    return { wrong: null, checkpoint: said.checkpoint === '' ? null : said.checkpoint }
  }

  private added({ ts, details }: EventOf<'passkey.added'>, before: Rebuilt): Checked {
    const { owner_id, code_hash } = details
    const at = millis(ts)
    if (code_hash !== undefined) {
      const invitation = row<Invitation>(before, 'invitations', code_hash)
      const isGood = invitation?.ownerId === owner_id && invitation.usedAt === null && at < invitation.expiresAt
      return isGood ? NOTHING : wrong('A passkey was enrolled by a code that was not good.')
    }
    const [confirmedAt, ...others] = (this.adding.get(owner_id) ?? []).filter((one) => at - one <= ADDED_WITHIN_MS)
    this.adding.set(owner_id, others)
    if (confirmedAt !== undefined) return NOTHING
    return wrong('A passkey was added that no other one let in.')
  }
}
