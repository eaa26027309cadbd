import { describe, expect, it } from 'vitest'
import { getRequest } from '../../src/actions/agent/read.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { addOwner } from '../../src/actions/owner/owners.ts'
import { revokePasskey } from '../../src/actions/owner/passkeys.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import { operatorProof } from '../../src/approvals/operator.ts'
import type { HumanProof, Narrowing, Statement } from '../../src/core/approval.ts'
import { canonical } from '../../src/core/canonical.ts'
import { Authenticator, FLAGS } from '../support/authenticator.ts'
import type { Purse } from '../support/purse.ts'
import { ON_POSTGRES } from '../support/store.ts'
import { expectBooksToAgree } from './books.ts'
import { ask, codeOf, eventsOf, hostYes, MINUTE, operatorYes, quickPurse, waiting } from './desk.ts'
import { anotherOwner, passkeyYes, withPasskey } from './passkeys.ts'

async function asked(amount = '150.00') {
  const purse = await quickPurse()
  await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'passkey' }])
  const me = await withPasskey(purse)
  const { request_id: id } = await ask(purse, { amount })
  const yes = (proof: HumanProof, narrowing: Narrowing = {}) => approve(purse.bursar, id, proof, narrowing)
  return { purse, me, id, yes }
}

async function expectUntouched(purse: Purse, id: string): Promise<void> {
  expect((await getRequest(purse.bursar, purse.caller, id)).status).toBe('pending')
  expect(await eventsOf(purse, id)).toEqual(['request.created'])
}

const flip = (text: string, at: number) => `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`

describe('security: an approval by a passkey', () => {
  it('is enough for the strongest policy, where no other is', async () => {
    const { purse, me, id, yes } = await asked()
    expect(await codeOf(yes(await hostYes(purse, id)))).toBe('assurance_too_low')
    expect(await codeOf(yes(await operatorYes(purse, id)))).toBe('assurance_too_low')
    await yes(await passkeyYes(purse, me, id))
    expect(await getRequest(purse.bursar, purse.caller, id)).toMatchObject({
      status: 'approved',
      instrument: { amount: '150.00' },
    })
    await expectBooksToAgree(purse)
  })

  it('by a key of Ed25519 is as good', async () => {
    const purse = await quickPurse()
    const me = await withPasskey(purse, undefined, new Authenticator(-8))
    const { request_id: id } = await ask(purse)
    await approve(purse.bursar, id, await passkeyYes(purse, me, id), {})
    await expectBooksToAgree(purse)
  })

  it('makes exactly what was narrowed and signed', async () => {
    const { purse, me, id, yes } = await asked()
    const narrowing = { amount: '120.00', usage_limit: 1 }
    const proof = await passkeyYes(purse, me, id, narrowing)
    for (const other of [{}, { amount: '120.01', usage_limit: 1 }, { amount: '120' }])
      expect(await codeOf(yes(proof, other))).toBe('approval_invalid')
    await expectUntouched(purse, id)
    await yes(proof, narrowing)
    expect((await getRequest(purse.bursar, purse.caller, id)).instrument).toMatchObject(narrowing)
    await expectBooksToAgree(purse)
  })

  it('of a payment settles it', async () => {
    const { purse, id } = await waiting()
    const me = await withPasskey(purse)
    expect(await approve(purse.bursar, id, await passkeyYes(purse, me, id), {})).toMatchObject({ status: 'captured' })
    await expectBooksToAgree(purse)
  })

  it('with any one digit of its statement changed is none', async () => {
    const { purse, me, id, yes } = await asked()
    const proof = await passkeyYes(purse, me, id)
    const { statement = '' } = proof
    for (const { index } of statement.matchAll(/\d/g))
      expect(await codeOf(yes({ ...proof, statement: flip(statement, index) }))).toBe('approval_invalid')
    expect(await codeOf(yes({ ...proof, digest: flip(proof.digest, 3) }))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it.each<[string, (said: Statement) => object]>([
    ['another subject', () => ({ subject_id: 'req_other' })],
    ['another digest', ({ digest }) => ({ digest: flip(digest, 5) })],
    ['another narrowing', () => ({ narrowed: { amount: '1.00' } })],
    ['another owner', () => ({ owner_id: 'own_other' })],
    ['another kind of statement', () => ({ type: 'bursar.act' })],
    ['another version', () => ({ v: 2 })],
    ['the other decision', () => ({ decision: 'deny' })],
  ])('of %s, truly signed, approves nothing here', async (_, change) => {
    const { purse, me, id, yes } = await asked()
    const statement = (made: string) => {
      const said = JSON.parse(made) as Statement
      return canonical({ ...said, ...change(said) })
    }
    expect(await codeOf(yes(await passkeyYes(purse, me, id, {}, { statement })))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it.each<[string, object]>([
    ['whose user was not verified', { flags: FLAGS.there }],
    ['of another page', { origin: 'http://localhost.evil.test:8787' }],
    ['of another relying party', { rpId: 'evil.test' }],
    ['in a frame', { client: { crossOrigin: true } }],
    ['of a challenge that is not its statement’s', { challenge: Buffer.alloc(32).toString('base64url') }],
  ])('%s is none', async (_, other) => {
    const { purse, me, id, yes } = await asked()
    expect(await codeOf(yes(await passkeyYes(purse, me, id, {}, other)))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('for another subject is none, though its terms are the same', async () => {
    const { purse, me, id, yes } = await asked()
    const other = await ask(purse, { amount: '150.01' })
    expect(await codeOf(yes(await passkeyYes(purse, me, other.request_id)))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('by the passkey of somebody else is none, whoever they say they are', async () => {
    const { purse, me, id, yes } = await asked()
    const other = await anotherOwner(purse)
    expect(await codeOf(yes(await passkeyYes(purse, other, id)))).toBe('approval_invalid')
    expect(await codeOf(yes({ ...(await passkeyYes(purse, other, id)), ownerId: me.ownerId }))).toBe('approval_invalid')
    const stranger = { ownerId: me.ownerId, key: new Authenticator() }
    expect(await codeOf(yes(await passkeyYes(purse, stranger, id)))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('by a passkey that was revoked is none, also where it was signed before', async () => {
    const { purse, me, id, yes } = await asked()
    const proof = await passkeyYes(purse, me, id)
    // On a file the yes is in line right behind; on a server it may come first, which is a yes before the revocation.
    const revoked = revokePasskey(purse.bursar, purse.authority, me.key.id)
    if (ON_POSTGRES) await revoked
    const both = await Promise.all([revoked, codeOf(yes(proof))])
    expect(both[1]).toBe('approval_invalid')
    expect(await codeOf(yes(proof))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('is good for five minutes, and once', async () => {
    const { purse, me, id, yes } = await asked()
    const proof = await passkeyYes(purse, me, id)
    purse.time.now += 5 * MINUTE
    expect(await codeOf(yes(proof))).toBe('approval_expired')
    purse.time.now -= 1
    expect((await Promise.all([codeOf(yes(proof)), codeOf(yes(proof))])).toSorted()).toEqual([
      'no error',
      'not_pending',
    ])
  })

  it('without its parts is none', async () => {
    const { purse, me, id, yes } = await asked()
    const { assertion: _a, ...unsigned } = await passkeyYes(purse, me, id)
    const { statement: _s, ...silent } = await passkeyYes(purse, me, id)
    for (const proof of [unsigned, silent]) expect(await codeOf(yes(proof))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('cannot be by the key of an owner who has passkeys only', async () => {
    const { purse, id, yes } = await asked()
    const { owner_id } = await addOwner(purse.bursar, purse.authority, 'Ada')
    const { digest } = await question(purse.bursar, id)
    const forged = await operatorProof(
      purse.bursar,
      { ownerId: owner_id, sign: () => Buffer.alloc(64) },
      id,
      digest,
      {},
    )
    expect(await codeOf(yes(forged))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })
})
