import { describe, expect, it } from 'vitest'
import { getRequest } from '../../src/actions/agent/read.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import type { TierInput } from '../../src/actions/owner/wallets.ts'
import { createWallet, setApprovals } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import { operatorProof } from '../../src/approvals/operator.ts'
import { type HumanProof, type Narrowing, needed, type Statement } from '../../src/core/approval.ts'
import { canonical } from '../../src/core/canonical.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import type { Purse } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { ask, codeOf, eventsOf, hostYes, MINUTE, operatorYes, quickPurse } from './desk.ts'

const POLICY: readonly TierInput[] = [
  { up_to: '50.00', assurance: 'host' },
  { up_to: '200.00', assurance: 'operator' },
  { up_to: null, assurance: 'passkey' },
]

async function asked(amount: string, policy = POLICY) {
  const purse = await quickPurse()
  await setApprovals(purse.bursar, purse.authority, purse.walletId, policy)
  const request = await ask(purse, { amount })
  const { request_id: id } = request
  const yes = (proof: HumanProof, narrowing: Narrowing = {}) => approve(purse.bursar, id, proof, narrowing)
  return { purse, id, yes, request }
}

/** Nothing came of it: the request waits as before, and no event says otherwise. */
async function expectUntouched(purse: Purse, id: string): Promise<void> {
  expect((await getRequest(purse.bursar, purse.caller, id)).status).toBe('pending')
  expect(await eventsOf(purse, id)).toEqual(['request.created'])
  expect(await purse.bursar.store.read.list('instruments', {})).toEqual([])
}

describe('security: the assurance that an amount needs', () => {
  it.each([
    ['50.00', 'host', 'approved'],
    ['50.01', 'host', 'assurance_too_low'],
    ['50.01', 'operator', 'approved'],
    ['200.00', 'operator', 'approved'],
    ['200.01', 'operator', 'assurance_too_low'],
    ['200.01', 'host', 'assurance_too_low'],
    ['0.01', 'operator', 'approved'],
  ])('for %s by %s: %s', async (amount, assurance, outcome) => {
    const { purse, id, yes } = await asked(amount)
    const code = await codeOf(yes(assurance === 'host' ? await hostYes(purse, id) : await operatorYes(purse, id)))
    if (outcome === 'approved') expect((await getRequest(purse.bursar, purse.caller, id)).status).toBe('approved')
    else expect([code, (await getRequest(purse.bursar, purse.caller, id)).status]).toEqual([outcome, 'pending'])
    await expectBooksToAgree(purse)
  })

  it('is of what was asked, not of what a narrowing leaves', async () => {
    const { purse, id, yes } = await asked('50.01')
    expect(await codeOf(yes(await hostYes(purse, id), { amount: '50.00' }))).toBe('assurance_too_low')
    await expectUntouched(purse, id)
  })

  it('is the stronger of what was wanted when it was asked and what is wanted now', async () => {
    const strict = [{ up_to: null, assurance: 'operator' }]
    const loose = [{ up_to: null, assurance: 'host' }]
    for (const [before, after] of [
      [loose, strict],
      [strict, loose],
    ] as const) {
      const { purse, id, yes } = await asked('20.00', before)
      await setApprovals(purse.bursar, purse.authority, purse.walletId, after)
      expect(await codeOf(yes(await hostYes(purse, id)))).toBe('assurance_too_low')
      expect(await codeOf(yes(await operatorYes(purse, id)))).toBe('no error')
    }
  })

  it('is the strongest there is, where no tier covers the amount', () => {
    expect(needed([{ upTo: 10n, assurance: 'none' }], 11n)).toEqual({ assurance: 'passkey', owners: 2 })
    expect(needed([], 1n)).toEqual({ assurance: 'passkey', owners: 2 })
  })

  it('is host for a sandbox and operator for real money, until the owner says otherwise', async () => {
    const purse = await quickPurse()
    expect((await ask(purse)).approval?.needs).toBe('host')
    const input = { name: 'real', currency: 'EUR', mode: 'live' }
    const { approvals } = await createWallet(purse.bursar, purse.authority, input)
    expect(approvals).toEqual([{ up_to: null, assurance: 'operator' }])
  })

  it('is none only where the owner said so, and then the policy answers', async () => {
    const { purse, id, request } = await asked('10.00', [
      { up_to: '10.00', assurance: 'none' },
      { up_to: null, assurance: 'host' },
    ])
    expect(request).toMatchObject({ status: 'approved', instrument: { amount: '10.00' } })
    expect(await eventsOf(purse, id)).toEqual(['request.created', 'request.approved'])
    expect((await ask(purse, { amount: '10.01' })).status).toBe('pending')
    await expectBooksToAgree(purse)
  })

  it.each<[string, readonly TierInput[]]>([
    ['without tiers', []],
    ['that ends at some amount', [{ up_to: '50.00', assurance: 'host' }]],
    ['that falls', [...POLICY.slice(1, 2), ...POLICY.slice(0, 1), ...POLICY.slice(2)]],
    ['that says one amount twice', [...POLICY.slice(0, 1), ...POLICY]],
    ['that goes on after any amount', [{ up_to: null, assurance: 'host' }, ...POLICY]],
    ['of a word that is none', [{ up_to: null, assurance: 'model' }]],
  ])('is no policy %s', async (_, policy) => {
    const purse = await quickPurse()
    const { bursar, authority, walletId } = purse
    expect(await codeOf(setApprovals(bursar, authority, walletId, policy))).toBe('argument_invalid')
    expect((await ask(purse)).approval?.needs).toBe('host')
  })
})

describe('security: an approval by the owner’s key', () => {
  it('makes the card, and the journal proves who approved what', async () => {
    const { purse, id, yes } = await asked('150.00')
    const narrowing = { amount: '120.00', usage_limit: 1 }
    await yes(await operatorYes(purse, id, narrowing), narrowing)
    expect((await getRequest(purse.bursar, purse.caller, id)).instrument).toMatchObject({
      amount: '120.00',
      usage_limit: 1,
    })
    await expectBooksToAgree(purse)
  })

  it.each<[string, (said: Statement) => object]>([
    ['another subject', () => ({ subject_id: 'req_other' })],
    ['another digest', ({ digest }) => ({ digest: digest.replace(/.$/, (last) => (last === '0' ? '1' : '0')) })],
    ['another narrowing', () => ({ narrowed: { amount: '1.00' } })],
    ['another owner', () => ({ owner_id: 'own_other' })],
    ['another kind of statement', () => ({ type: 'bursar.refund' })],
    ['another version', () => ({ v: 2 })],
    ['the other decision', () => ({ decision: 'deny' })],
  ])('of %s, truly signed, approves nothing here', async (_, change) => {
    const { purse, id, yes } = await asked('150.00')
    const proof = await operatorYes(purse, id)
    const said = JSON.parse(proof.statement as string) as Statement
    const statement = canonical({ ...said, ...change(said) })
    const signature = Buffer.from(purse.authority.sign(Buffer.from(statement))).toString('base64')
    expect(await codeOf(yes({ ...proof, statement, signature }))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('changed in any one digit is none', async () => {
    const { purse, id, yes } = await asked('150.00')
    const proof = await operatorYes(purse, id)
    const { statement = '', signature = '', digest } = proof
    const flip = (text: string, at: number) =>
      `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`
    const digits = [...statement.matchAll(/\d/g)].map(({ index }) => flip(statement, index))
    for (const changed of digits) expect(await codeOf(yes({ ...proof, statement: changed }))).toBe('approval_invalid')
    const other = Buffer.from(signature, 'base64')
    other[5] = (other[5] as number) ^ 1
    expect(await codeOf(yes({ ...proof, signature: other.toString('base64') }))).toBe('approval_invalid')
    expect(await codeOf(yes({ ...proof, digest: flip(digest, 7) }))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('is of exactly the narrowing that is asked for', async () => {
    const { purse, id, yes } = await asked('150.00')
    const proof = await operatorYes(purse, id, { amount: '10.00' })
    for (const narrowing of [{}, { amount: '10.01' }, { amount: '10.00', usage_limit: 3 }, { amount: '10' }])
      expect(await codeOf(yes(proof, narrowing))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('of what is not stored, or was shown otherwise, is none', async () => {
    const { purse, id, yes } = await asked('150.00')
    const bigger = await ask(purse, { amount: '199.00' })
    const { digest } = await question(purse.bursar, bigger.request_id)
    expect(await codeOf(yes(await operatorProof(purse.bursar, purse.authority, id, digest, {})))).toBe(
      'approval_invalid',
    )
    await expectUntouched(purse, id)
  })

  it('is good for five minutes', async () => {
    const { purse, id, yes } = await asked('150.00')
    const proof = await operatorYes(purse, id)
    purse.time.now += 5 * MINUTE
    expect(await codeOf(yes(proof))).toBe('approval_expired')
    await expectUntouched(purse, id)
    purse.time.now -= 1
    expect(await codeOf(yes(proof))).toBe('no error')
  })

  it('without an end is none', async () => {
    const { purse, id, yes } = await asked('150.00')
    const proof = await operatorYes(purse, id)
    const said = { ...(JSON.parse(proof.statement as string) as Statement), expires_at: 'never' }
    const statement = canonical(said)
    const signature = Buffer.from(purse.authority.sign(Buffer.from(statement))).toString('base64')
    expect(await codeOf(yes({ ...proof, statement, signature }))).toBe('approval_expired')
    await expectUntouched(purse, id)
  })

  it('that says it is of a passkey is none', async () => {
    const { purse, id, yes } = await asked('200.01')
    expect(await codeOf(yes({ ...(await operatorYes(purse, id)), assurance: 'passkey' }))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('is used once', async () => {
    const { purse, id, yes } = await asked('150.00')
    const proof = await operatorYes(purse, id)
    const both = await Promise.all([codeOf(yes(proof)), codeOf(yes(proof))])
    expect(both.toSorted()).toEqual(['no error', 'not_pending'])
    expect(await codeOf(yes(proof))).toBe('not_pending')
    expect(await purse.bursar.store.read.list('instruments', {})).toHaveLength(1)
  })
})

describe('security: an approval by another key', () => {
  it('that says it is the owner’s is none', async () => {
    const { purse, id, yes } = await asked('150.00')
    const thief = { ownerId: purse.authority.ownerId, sign: signerOf(makeKeyPair()) }
    const { digest } = await question(purse.bursar, id)
    expect(await codeOf(yes(await operatorProof(purse.bursar, thief, id, digest, {})))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it('of somebody who owns another wallet is none', async () => {
    const { purse, id, yes } = await asked('150.00')
    const pair = makeKeyPair()
    const details = { owner_id: 'own_other', name: 'other', public_key: pair.publicKey }
    const actor = { role: 'system', id: 'test' } as const
    await purse.bursar.store.update({}, () => ({ facts: [{ type: 'owner.created', actor, details }], result: null }))
    const other = { ownerId: 'own_other', sign: signerOf(pair) }
    const { digest } = await question(purse.bursar, id)
    expect(await codeOf(yes(await operatorProof(purse.bursar, other, id, digest, {})))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })
})
