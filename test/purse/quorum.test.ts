import { describe, expect, it } from 'vitest'
import { getRequest } from '../../src/actions/agent/read.ts'
import { approve, deny } from '../../src/actions/owner/approve.ts'
import { setApprovals, type TierInput } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import type { HumanProof, Narrowing } from '../../src/core/approval.ts'
import type { JournalEvent } from '../../src/core/event.ts'
import { collected } from '../support/collected.ts'
import { balances, buy, type Purse } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { ask, codeOf, eventsOf, hostYes, MINUTE, operatorYes, quickPurse, waiting } from './desk.ts'
import { anotherOwner, type Holder, passkeyYes, withPasskey, wrongOnce } from './passkeys.ts'

const TWO: readonly TierInput[] = [
  { up_to: '100.00', assurance: 'host' },
  { up_to: null, assurance: 'host', owners: 2 },
]

async function owners(purse: Purse, policy = TWO) {
  const me = await withPasskey(purse)
  const ada = await anotherOwner(purse)
  await setApprovals(purse.bursar, purse.authority, purse.walletId, policy)
  return { me, ada }
}

async function asked(amount = '150.00', policy = TWO) {
  const purse = await quickPurse()
  const { me, ada } = await owners(purse, policy)
  const { request_id: id } = await ask(purse, { amount })
  const yes = (proof: HumanProof, narrowing: Narrowing = {}) => approve(purse.bursar, id, proof, narrowing)
  const status = async () => (await getRequest(purse.bursar, purse.caller, id)).status
  return { purse, me, ada, id, yes, status }
}

describe('security: an approval by two owners', () => {
  it.each(['the wallet’s owner first', 'the other first'])('takes both: %s', async (order) => {
    const { purse, me, ada, id, yes, status } = await asked()
    const [one, two] = order.startsWith('the wallet') ? [me, ada] : [ada, me]
    expect(await yes(await passkeyYes(purse, one, id))).toMatchObject({ status: 'pending' })
    expect(await status()).toBe('pending')
    const name = one === me ? 'owner' : 'Ada'
    expect((await question(purse.bursar, id)).facts.at(-1)).toEqual([
      'Owners',
      `two have to agree; "${name}" agreed to this`,
    ])
    expect(await purse.bursar.store.read.list('instruments', {})).toEqual([])
    expect(await yes(await passkeyYes(purse, two, id))).toMatchObject({
      status: 'approved',
      instrument: { amount: '150.00' },
    })
    expect(await eventsOf(purse, id)).toEqual(['request.created', 'approval.seconded', 'request.approved'])
    await expectBooksToAgree(purse)
  })

  it('of a payment holds and pays after the second, and not before', async () => {
    const { purse, card } = await waiting()
    const { me, ada } = await owners(purse, [{ up_to: null, assurance: 'passkey', owners: 2 }])
    const before = await balances(purse)
    const { payment_id: id } = await buy(purse, card, '81.00')
    const yes = async (owner: Holder) => approve(purse.bursar, id, await passkeyYes(purse, owner, id), {})
    expect(await yes(ada)).toMatchObject({ status: 'awaiting_approval' })
    expect(await balances(purse)).toEqual(before)
    expect(await yes(me)).toMatchObject({ status: 'captured' })
    await expectBooksToAgree(purse)
  })

  it('is what a payment needs that was asked for while one was enough', async () => {
    const { purse, id, now } = await waiting()
    const { me } = await owners(purse, [{ up_to: null, assurance: 'host' }])
    await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'host', owners: 2 }])
    expect(await codeOf(approve(purse.bursar, id, await passkeyYes(purse, me, id), {}))).toBe('assurance_too_low')
    await deny(purse.bursar, id, { ownerId: me.ownerId, channel: 'test', reason: null })
    expect((await now()).status).toBe('denied')
  })

  it('is of two, not of one twice, by whatever channel', async () => {
    const { purse, me, id, yes, status } = await asked()
    await yes(await hostYes(purse, id))
    for (const again of [await hostYes(purse, id), await operatorYes(purse, id), await passkeyYes(purse, me, id)])
      expect(await codeOf(yes(again))).toBe('approval_invalid')
    expect(await status()).toBe('pending')
  })

  it('at once by one owner with two proofs is one yes', async () => {
    const { purse, me, id, yes, status } = await asked()
    const both = await Promise.all([
      codeOf(yes(await operatorYes(purse, id))),
      codeOf(yes(await passkeyYes(purse, me, id))),
    ])
    expect(both.toSorted()).toEqual(['approval_invalid', 'no error'])
    expect(await status()).toBe('pending')
  })

  it('is of the wallet’s owner and another, not of two others', async () => {
    const { purse, me, ada, id, yes, status } = await asked()
    const bob = await anotherOwner(purse, 'Bob')
    await yes(await passkeyYes(purse, ada, id))
    expect(await codeOf(yes(await passkeyYes(purse, bob, id)))).toBe('approval_invalid')
    expect(await status()).toBe('pending')
    await yes(await passkeyYes(purse, me, id))
    expect(await status()).toBe('approved')
    await expectBooksToAgree(purse)
  })

  it('counts what a host relays as the wallet’s owner’s, and as nobody else’s', async () => {
    const { purse, ada, id, yes, status } = await asked()
    expect(await codeOf(yes({ ...(await hostYes(purse, id)), ownerId: ada.ownerId }))).toBe('approval_invalid')
    await yes(await hostYes(purse, id))
    expect(await codeOf(yes({ ...(await hostYes(purse, id)), ownerId: ada.ownerId }))).toBe('approval_invalid')
    await yes(await passkeyYes(purse, ada, id))
    expect(await status()).toBe('approved')
    await expectBooksToAgree(purse)
  })

  it('is of the same, narrowed alike', async () => {
    const { purse, me, ada, id, yes, status } = await asked()
    await yes(await passkeyYes(purse, me, id, { amount: '120.00' }), { amount: '120.00' })
    for (const narrowing of [{}, { amount: '119.00' }, { amount: '120.00', usage_limit: 1 }])
      expect(await codeOf(yes(await passkeyYes(purse, ada, id, narrowing), narrowing))).toBe('approval_invalid')
    expect(await status()).toBe('pending')
    expect(await yes(await passkeyYes(purse, ada, id, { amount: '120.00' }), { amount: '120.00' })).toMatchObject({
      instrument: { amount: '120.00' },
    })
    await expectBooksToAgree(purse)
  })

  it('is as sure as the policy wants, both times', async () => {
    const { purse, me, ada, id, yes } = await asked('150.00', [{ up_to: null, assurance: 'passkey', owners: 2 }])
    expect(await codeOf(yes(await operatorYes(purse, id)))).toBe('assurance_too_low')
    await yes(await passkeyYes(purse, ada, id))
    expect(await codeOf(yes(await operatorYes(purse, id)))).toBe('assurance_too_low')
    await yes(await passkeyYes(purse, me, id))
  })

  it.each(['the wallet’s owner', 'the other'])('ends with a no by %s, also after a first yes', async (who) => {
    const { purse, me, ada, id, yes, status } = await asked()
    await yes(await passkeyYes(purse, me, id))
    const { ownerId } = who === 'the other' ? ada : me
    await deny(purse.bursar, id, { ownerId, channel: 'console', reason: null })
    expect(await status()).toBe('denied')
    expect(await codeOf(yes(await passkeyYes(purse, ada, id)))).toBe('not_pending')
    await expectBooksToAgree(purse)
  })

  it('is wanted from the amount on that the policy says', async () => {
    const { purse, id, yes, status } = await asked('100.00')
    await yes(await hostYes(purse, id))
    expect(await status()).toBe('approved')
  })

  it('stays wanted where the policy is loosened meanwhile, and is wanted where it was tightened', async () => {
    const { purse, me, ada, id, yes, status } = await asked()
    await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'host' }])
    await yes(await passkeyYes(purse, me, id))
    expect(await status()).toBe('pending')
    const later = await ask(purse, { amount: '160.00' })
    await setApprovals(purse.bursar, purse.authority, purse.walletId, TWO)
    const other = (proof: HumanProof) => approve(purse.bursar, later.request_id, proof, {})
    for (const owner of [me, ada])
      expect(await codeOf(other(await passkeyYes(purse, owner, later.request_id)))).not.toBe('no error')
    await yes(await passkeyYes(purse, ada, id))
    expect(await status()).toBe('approved')
    await expectBooksToAgree(purse)
  })

  it('comes in time, both times', async () => {
    const { purse, me, ada, id, yes } = await asked()
    await yes(await passkeyYes(purse, me, id))
    purse.time.now += 24 * 60 * MINUTE
    expect(await codeOf(yes(await passkeyYes(purse, ada, id)))).toBe('approval_expired')
  })

  it('is no policy of a human that nobody is, nor where there is one owner', async () => {
    const purse = await quickPurse()
    const set = (...approvals: TierInput[]) =>
      codeOf(setApprovals(purse.bursar, purse.authority, purse.walletId, approvals))
    expect(await set({ up_to: null, assurance: 'host', owners: 2 })).toBe('argument_invalid')
    await anotherOwner(purse)
    expect(await set({ up_to: null, assurance: 'host', owners: 2 })).toBe('no error')
    for (const bad of [
      { assurance: 'none', owners: 2 },
      { assurance: 'host', owners: 3 },
      { assurance: 'host', owners: 0 },
    ])
      expect(await set({ up_to: null, ...bad })).toBe('argument_invalid')
  })
})

describe('security: whoever holds the journals and their key', () => {
  it('cannot make one owner two, nor take the first away', async () => {
    const { purse, me, ada, id, yes } = await asked()
    await yes(await passkeyYes(purse, ada, id))
    await yes(await passkeyYes(purse, me, id))
    const { read } = purse.bursar.store
    const events = (await collected(read.events(purse.walletId))).map(({ body }) => JSON.parse(body!) as JournalEvent)
    const [first, second] = events.filter(
      ({ type }) => type === 'approval.seconded' || type === 'request.approved',
    ) as [JournalEvent, JournalEvent]
    const proofOf = (event: JournalEvent) => (event.details as { proof: object }).proof
    const at = (target: JournalEvent, details: object) => (event: JournalEvent) =>
      event.seq === target.seq && event.journal === target.journal
        ? ({ ...event, details: { ...event.details, ...details } } as JournalEvent)
        : event
    const seconded = (event: JournalEvent): JournalEvent =>
      event.type === 'approval.seconded'
        ? ({ ...event, type: 'approval.asked', details: { approval_id: 'apr_1', channel: 'form' } } as JournalEvent)
        : event
    expect(await wrongOnce(purse, (event) => event)).toEqual([])
    expect(await wrongOnce(purse, at(first, { proof: proofOf(second) }))).not.toEqual([])
    expect(await wrongOnce(purse, at(second, { proof: proofOf(first) }))).toContain('Two owners have to agree.')
    expect(await wrongOnce(purse, at(first, { narrowed: { amount: '1.00' } }))).not.toEqual([])
    expect(await wrongOnce(purse, at(second, { narrowed: { amount: '1.00' } }))).not.toEqual([])
    expect(await wrongOnce(purse, seconded)).not.toEqual([])
  })
})
