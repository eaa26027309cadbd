import { describe, expect, it } from 'vitest'
import { actStatement, recordConfirmed } from '../../src/actions/owner/acts.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { revokePasskey } from '../../src/actions/owner/passkeys.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import type { HumanProof, Narrowing } from '../../src/core/approval.ts'
import type { JournalEvent, WireAssertion } from '../../src/core/event.ts'
import { actChallenge } from '../../src/core/webauthn.ts'
import type { Authenticator } from '../support/authenticator.ts'
import { ask, codeOf, MINUTE, quickPurse } from './desk.ts'
import { anotherOwner, ORIGIN, passkeyYes, withPasskey, wrongOnce } from './passkeys.ts'

async function asked(amount = '150.00') {
  const purse = await quickPurse()
  await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'passkey' }])
  const me = await withPasskey(purse)
  const { request_id: id } = await ask(purse, { amount })
  const yes = (proof: HumanProof, narrowing: Narrowing = {}) => approve(purse.bursar, id, proof, narrowing)
  return { purse, me, id, yes }
}

describe('security: whoever holds the journals and their key', () => {
  const inApproval = (change: (details: { proof: { assertion: WireAssertion; statement: string } }) => object) => {
    return (event: JournalEvent): JournalEvent =>
      event.type === 'request.approved'
        ? ({ ...event, details: { ...event.details, ...change(event.details as never) } } as JournalEvent)
        : event
  }
  const bit = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`

  it('cannot change what a passkey approved, in any part of it', async () => {
    const { purse, me, yes, id } = await asked()
    await yes(await passkeyYes(purse, me, id, { amount: '120.00' }), { amount: '120.00' })
    const other = await anotherOwner(purse)
    const changes: [string, Parameters<typeof inApproval>[0]][] = [
      ...(['authenticator_data', 'client_data_json', 'signature', 'passkey_id'] as const).map(
        (part): [string, Parameters<typeof inApproval>[0]] => [
          part,
          ({ proof }) => ({
            proof: { ...proof, assertion: { ...proof.assertion, [part]: bit(proof.assertion[part]) } },
          }),
        ],
      ),
      ['statement', ({ proof }) => ({ proof: { ...proof, statement: proof.statement.replace('120.00', '149.00') } })],
      ['owner', ({ proof }) => ({ proof: { ...proof, owner_id: other.ownerId } })],
      ['assurance', ({ proof }) => ({ proof: { ...proof, assurance: 'operator' } })],
      ['no assertion', ({ proof: { assertion: _, ...proof } }) => ({ proof })],
      [
        'instrument',
        (details) => ({ instrument: { ...(details as never as { instrument: object }).instrument, amount: '149.00' } }),
      ],
      [
        'uses',
        (details) => ({
          instrument: { ...(details as never as { instrument: object }).instrument, usage_limit: null },
        }),
      ],
    ]
    expect(await wrongOnce(purse, (event) => event)).toEqual([])
    for (const [part, change] of changes)
      expect([part, (await wrongOnce(purse, inApproval(change))).length > 0]).toEqual([part, true])
  })

  it('cannot say that a passkey was there before or after its time', async () => {
    const { purse, me, yes, id } = await asked()
    purse.time.now += MINUTE
    await yes(await passkeyYes(purse, me, id))
    purse.time.now += MINUTE
    await revokePasskey(purse.bursar, purse.authority, me.key.id)
    expect(await wrongOnce(purse, (event) => event)).toEqual([])
    const at = (type: string, ms: number) => (event: JournalEvent) =>
      event.type === type ? { ...event, ts: new Date(purse.time.now + ms).toISOString() } : event
    expect(await wrongOnce(purse, at('passkey.revoked', -90_000))).toContain(
      'The approval is by a passkey that was not good at the time.',
    )
    expect(await wrongOnce(purse, at('passkey.added', 0))).toContain(
      'The approval is by a passkey that was not good at the time.',
    )
  })

  it('cannot enrol a passkey that no code and no other passkey let in', async () => {
    const { purse } = await asked()
    const without = (event: JournalEvent): JournalEvent => {
      if (event.type !== 'passkey.added') return event
      const { code_hash: _, ...details } = event.details
      return { ...event, details }
    }
    expect(await wrongOnce(purse, without)).toContain('A passkey was added that no other one let in.')
    const other = (event: JournalEvent): JournalEvent =>
      event.type === 'passkey.invited' ? { ...event, details: { ...event.details, expires_at: event.ts } } : event
    expect(await wrongOnce(purse, other)).toContain('A passkey was enrolled by a code that was not good.')
  })
})

describe('security: an act that a passkey confirms', () => {
  it('is on record only where this owner’s passkey signed exactly it, a short while ago', async () => {
    const { purse, me } = await asked()
    const other = await anotherOwner(purse)
    const made = await actStatement(purse.bursar, me.ownerId, 'wallet.fund', { amount: '5.00' })
    const by = (key: Authenticator, statement = made) =>
      key.assert({ challenge: actChallenge(statement).toString('base64url'), origin: ORIGIN, rpId: 'localhost' })
    const record = (statement: string, assertion: WireAssertion, ownerId = me.ownerId) =>
      codeOf(recordConfirmed(purse.bursar, ownerId, statement, assertion))
    expect(await record(made.replace('5.00', '9.00'), by(me.key))).toBe('approval_invalid')
    expect(await record(made, by(other.key))).toBe('approval_invalid')
    expect(await record(made, by(other.key), other.ownerId)).toBe('approval_invalid')
    const approval = made.replace('bursar.act', 'bursar.approval')
    expect(await record(approval, by(me.key, approval))).toBe('approval_invalid')
    purse.time.now += 5 * MINUTE
    expect(await record(made, by(me.key))).toBe('approval_expired')
    purse.time.now -= 1
    await revokePasskey(purse.bursar, purse.authority, other.key.id)
    expect(await record(made, by(me.key))).toBe('no error')
    await revokePasskey(purse.bursar, purse.authority, me.key.id)
    expect(await record(made, by(me.key))).toBe('approval_invalid')
  })
})
