import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { mintCredential, revokeMinted } from '../../src/actions/agent/credentials.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent, revokeAgent, rotateAgent } from '../../src/actions/owner/agents.ts'
import { addCredential, listCredentials, revokeCredential } from '../../src/actions/owner/credentials.ts'
import { transferBooks } from '../../src/actions/transfer/books.ts'
import { seedChain } from '../store/seed-chain.ts'
import { buy, CARD, makeCard } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { approvePayment, ask, codeOf, eventsOf, limit, MINUTE, ruleOf } from './desk.ts'
import { keyed, sub, using } from './minted.ts'

const ENDED = ['refused', 'spending_frozen', 'agent.credential']

describe('security: revoking', () => {
  it('an agent takes back all that it asks for, and ends what it minted', async () => {
    const { purse, card, agentId } = await keyed()
    await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
    const task = await sub(purse)
    const { payment_id } = await buy(task, card, '80.00')
    const { request_id } = await ask(purse)
    const told: string[] = []
    const bursar = { ...purse.bursar, notify: { changed: (id: string) => void told.push(id) } }
    await revokeAgent(bursar, purse.authority, agentId)
    await revokeAgent(bursar, purse.authority, agentId)
    const { read } = bursar.store
    expect(await read.one('payments', { id: payment_id })).toMatchObject({ status: 'canceled' })
    expect(await read.one('requests', { id: request_id })).toMatchObject({ status: 'canceled' })
    expect(await read.list('approvals', { status: 'waiting' })).toEqual([])
    expect((await eventsOf(purse, payment_id)).filter((type) => type === 'payment.canceled')).toHaveLength(1)
    expect(told).toEqual(expect.arrayContaining([agentId, payment_id, request_id]))
    expect((await listCredentials(bursar, agentId)).map(({ status }) => status)).toEqual(['revoked', 'revoked'])
    for (const one of [purse, task]) expect(ruleOf(await buy(one, card, '1.00'))[1]).toBe('spending_frozen')
    expect(await codeOf(mintCredential(bursar, purse.caller, {}))).toBe('spending_frozen')
    expect(await codeOf(addCredential(bursar, purse.authority, agentId, {}))).toBe('wrong_state')
    expect(await codeOf(rotateAgent(bursar, purse.authority, agentId))).toBe('wrong_state')
    await expectBooksToAgree(purse)
  })

  it('a credential takes back the payments that wait with it or below it, and no others', async () => {
    const { purse, card } = await keyed()
    await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
    const [one, other] = [await sub(purse), await sub(purse)]
    const below = await sub(one)
    const waiting = [await buy(below, card, '80.00'), await buy(other, card, '81.00'), await buy(purse, card, '82.00')]
    await revokeCredential(purse.bursar, purse.authority, one.caller.credentialId as string)
    const status = async ({ payment_id: id }: { payment_id: string }) =>
      (await purse.bursar.store.read.one('payments', { id }))?.status
    expect(await Promise.all(waiting.map(status))).toEqual(['canceled', 'awaiting_approval', 'awaiting_approval'])
    expect(ruleOf(await buy(below, card, '1.00'))).toEqual(ENDED)
    expect((await buy(other, card, '1.00')).status).toBe('captured')
  })

  it('an approval of a payment whose credential has ended meanwhile is none', async () => {
    const { purse, card } = await keyed()
    await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
    const task = await sub(purse, { expires_in: '5m' })
    const { payment_id } = await buy(task, card, '80.00')
    purse.time.now += 5 * MINUTE
    expect(ruleOf(await approvePayment(purse, payment_id))).toEqual(['denied', 'spending_frozen', 'agent.credential'])
  })

  it('an agent ends what it minted, and nothing else', async () => {
    const { purse, card, credentialId } = await keyed()
    const [one, other] = [await sub(purse), await sub(purse)]
    const below = await sub(one)
    const ends = (by: typeof purse, what: typeof purse) =>
      codeOf(revokeMinted(purse.bursar, by.caller, what.caller.credentialId as string))
    const stranger = await addAgent(purse.bursar, purse.authority, 'stranger')
    const strange = {
      ...purse,
      caller: { ...purse.caller, agentId: stranger.agent_id, credentialId: stranger.credential_id },
    }
    for (const [by, what] of [
      [one, other],
      [one, purse],
      [one, one],
      [below, one],
      [strange, one],
      [using(purse, 'crd_none'), one],
    ] as const)
      expect(await ends(by, what)).toBe('not_found')
    expect(await ends(purse, below)).toBe('no error')
    expect(ruleOf(await buy(below, card, '1.00'))).toEqual(ENDED)
    expect(await ends(purse, one)).toBe('no error')
    const list = await listCredentials(purse.bursar, purse.caller.agentId)
    expect(list.filter(({ status }) => status === 'active').map((view) => view.credential_id)).toEqual([
      other.caller.credentialId,
      credentialId,
    ])
  })

  it('nothing is signed nor sent any more for what was authorized on a chain', async () => {
    const { purse } = await keyed()
    const { bursar, authority } = purse
    const { ids } = await seedChain(await sub(purse))
    const books = transferBooks(bursar.store, bursar.clock)
    const { unsigned, signed } = ids as { unsigned: string; signed: string }
    expect([(await books.authorization(unsigned))?.paymentId, await books.mayLeave(signed)]).toEqual([unsigned, true])
    await revokeCredential(bursar, authority, purse.caller.credentialId as string)
    expect([await books.authorization(unsigned), await books.mayLeave(signed)]).toEqual([null, false])
    expect(await bursar.store.read.one('payments', { id: signed })).toMatchObject({
      status: 'in_doubt',
      held: 20_000_000n,
    })
  })

  it('a sub-agent that is held to some instruments returns no other', async () => {
    const { purse, card } = await keyed()
    const second = await makeCard(purse, CARD)
    const task = await sub(purse, { instruments: [second.instrument_id] })
    expect(await codeOf(cancel(purse.bursar, task.caller, card.instrument_id))).toBe('not_found')
    expect(await cancel(purse.bursar, task.caller, second.instrument_id)).toMatchObject({ status: 'returned' })
  })

  it('the newest key of an agent leaves it one that needs a key', async () => {
    const { purse, card, credentialId } = await keyed()
    await revokeCredential(purse.bursar, purse.authority, credentialId)
    const none = { ...purse, caller: { ...purse.caller, credentialId: null } }
    expect(ruleOf(await buy(none, card, '1.00'))).toEqual(ENDED)
    expect(await codeOf(requestInstrument(purse.bursar, none.caller, CARD))).toBe('spending_frozen')
  })
})
