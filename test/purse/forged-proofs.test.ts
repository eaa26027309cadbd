import { describe, expect, it } from 'vitest'
import { getRequest } from '../../src/actions/agent/read.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import type { TierInput } from '../../src/actions/owner/wallets.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { HumanProof, Narrowing } from '../../src/core/approval.ts'
import { CARD, type Purse } from '../support/purse.ts'
import { ask, codeOf, eventsOf, hostYes, quickPurse } from './desk.ts'

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
  return { purse, id, yes }
}

/** Nothing came of it: the request waits as before, and no event says otherwise. */
async function expectUntouched(purse: Purse, id: string): Promise<void> {
  expect((await getRequest(purse.bursar, purse.caller, id)).status).toBe('pending')
  expect(await eventsOf(purse, id)).toEqual(['request.created'])
  expect(await purse.bursar.store.read.list('instruments', {})).toEqual([])
}

describe('security: a proof that nothing made', () => {
  it.each<[string, Partial<HumanProof>]>([
    ['of a passkey', { assurance: 'passkey' }],
    ['of no assurance', { assurance: 'none' }],
    ['of a word', { assurance: 'root' as 'host' }],
    ['of an operator without a signature', { assurance: 'operator' }],
    ['of an operator with an empty signature', { assurance: 'operator', statement: '{}', signature: '' }],
    ['of an operator nobody knows', { assurance: 'operator', ownerId: 'own_none', statement: '{}', signature: 'AA==' }],
    ['of a host for other terms', { assurance: 'host', digest: 'a'.repeat(64) }],
    ['of a host for no terms', { assurance: 'host', digest: '' }],
    ['of a host for somebody else', { assurance: 'host', ownerId: 'own_none' }],
  ])('%s approves nothing', async (_, forged) => {
    const { purse, id, yes } = await asked('50.00')
    expect(await codeOf(yes({ ...(await hostYes(purse, id)), ...forged }))).toBe('approval_invalid')
    await expectUntouched(purse, id)
  })

  it.each(['', 'req_1', 'inst_1', 'constructor'])('about %j approves nothing', async (id) => {
    const purse = await quickPurse()
    await ask(purse, CARD)
    const proof = hostProof(purse.authority.ownerId, 'a'.repeat(64), 'test')
    expect(await codeOf(approve(purse.bursar, id, proof, {}))).toBe('not_found')
  })
})
