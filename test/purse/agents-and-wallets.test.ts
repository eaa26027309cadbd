import { describe, expect, it } from 'vitest'
import { checkBudget } from '../../src/actions/agent/read.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent, rotateAgent } from '../../src/actions/owner/agents.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { buy, CARD, makeCard, makePurse } from '../support/purse.ts'
import { credentialOf } from './desk.ts'

describe('security: an agent', () => {
  it('whose key was replaced can neither ask nor pay over a connection that the old one opened', async () => {
    const purse = await makePurse()
    const { bursar, authority } = purse
    const { agent_id: agentId, key } = await addAgent(bursar, authority, 'other')
    const caller = { agentId, sessionId: purse.caller.sessionId, credentialId: await credentialOf(bursar, key) }
    const card = await makeCard({ ...purse, caller })
    expect((await buy({ ...purse, caller }, card, '1.00')).status).toBe('captured')
    await rotateAgent(bursar, authority, agentId)
    const refused = await buy({ ...purse, caller }, card, '1.00')
    expect(refused.refusal).toMatchObject({ code: 'spending_frozen', rule: 'agent.credential' })
    await expect(requestInstrument(bursar, caller, CARD)).rejects.toMatchObject({ code: 'spending_frozen' })
  })

  it('sees no limit that is about another, and not which approvals its owner asks for', async () => {
    const purse = await makePurse()
    const { bursar, authority, walletId } = purse
    const { agent_id } = await addAgent(bursar, authority, 'other')
    const rule = { window: 'day', max_amount: '5.00', over: 'deny' }
    await setLimit(bursar, authority, walletId, { ...rule, scope: 'agent', scopeValue: agent_id })
    await setLimit(bursar, authority, walletId, { ...rule, scope: 'payee', scopeValue: 'Divorce Lawyers' })
    const seen = JSON.stringify(await checkBudget(bursar, purse.caller))
    expect(seen).not.toMatch(/divorce|approvals/i)
    expect(seen).not.toContain(agent_id)
  })

  it('pays nothing out of a wallet of real money with cards that are not real', async () => {
    const purse = await makePurse()
    await createWallet(purse.bursar, purse.authority, { name: 'real', currency: 'EUR', mode: 'live' })
    const asked = requestInstrument(purse.bursar, purse.caller, { ...CARD, currency: 'EUR' })
    await expect(asked).rejects.toMatchObject({ code: 'rail_unavailable' })
  })

  it('cannot ask for more constraints than a human can be shown', async () => {
    const purse = await makePurse()
    const payees = Array.from({ length: 40 }, (_, n) => `${n} ${'Acme Software and Sons '.repeat(4)}`)
    const asked = requestInstrument(purse.bursar, purse.caller, { ...CARD, constraints: { payees } })
    await expect(asked).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('gets the same payment for a purchase that still waits, after ten minutes too', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const first = await buy(purse, card, '150.00', { purpose: 'one' })
    purse.time.now += 11 * 60_000
    const again = await buy(purse, card, '150.00', { purpose: 'one' })
    expect(again).toMatchObject({ payment_id: first.payment_id, status: 'awaiting_approval', replayed: true })
  })
})
