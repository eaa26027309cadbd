import { describe, expect, it } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import type { CredentialInput } from '../../src/actions/credentials.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { addCredential, revokeCredential } from '../../src/actions/owner/credentials.ts'
import { recover } from '../../src/actions/recover.ts'
import type { WireCredential } from '../../src/core/event.ts'
import { sendBefore } from '../../src/core/payment.ts'
import { rfc3339 } from '../../src/core/time.ts'
import { balances, buy, CARD, makeCard, NOON, SHOP } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { codeOf, HOUR, limit, MINUTE, quickPurse, ruleOf } from './desk.ts'
import { keyed, spentBy, sub, using } from './minted.ts'

const at = (name: string) => ({ payee: { ...SHOP, name: `Bursar Test: ${name}` } })
const OVER = ['refused', 'amount_exceeds_remaining', 'credential.max_amount']
const budget = (max_amount: string) => ({ max_amount, currency: 'USD' })

describe('security: what a sub-agent spends', () => {
  it("counts against every credential above it, and against the agent's limits", async () => {
    const { purse, card } = await keyed(budget('100.00'))
    const one = await sub(purse, budget('60.00'))
    const other = await sub(purse, budget('60.00'))
    const below = await sub(one)
    expect((await buy(below, card, '40.00')).status).toBe('captured')
    expect(ruleOf(await buy(one, card, '20.01'))).toEqual(OVER)
    expect((await buy(other, card, '60.00')).status).toBe('captured')
    // Of the hundred above both nothing is left, whatever they were promised.
    for (const who of [below, one, purse]) expect(ruleOf(await buy(who, card, '0.01'))).toEqual(OVER)
    expect(await Promise.all([purse, one, other, below].map(spentBy))).toEqual([10_000n, 4_000n, 6_000n, 4_000n])
    await expectBooksToAgree(purse)
  })

  it('is within the limits of the agent, as if it had spent it itself', async () => {
    const { purse, card } = await keyed()
    await limit(purse, { scope: 'agent', window: 'day', max_amount: '50.00', over: 'deny' })
    const [one, other] = [await sub(purse), await sub(purse)]
    expect((await buy(one, card, '30.00')).status).toBe('captured')
    expect(ruleOf(await buy(other, card, '20.01'))[1]).toBe('limit_exceeded')
    expect(await spentBy(other)).toBe(0n)
    expect((await buy(other, card, '20.00')).status).toBe('captured')
  })

  it('comes back to every budget where nothing moved, and what a capture did not need', async () => {
    const { purse, card } = await keyed(budget('100.00'))
    const task = await sub(purse, budget('90.00'))
    const spent = async () => [await spentBy(purse), await spentBy(task)]
    expect((await buy(task, card, '80.00', at('Decline do_not_honor'))).status).toBe('voided')
    expect(await spent()).toEqual([0n, 0n])
    const { amount } = await buy(task, card, '80.00', at('Partial Capture'))
    expect(amount).toBe('80.00')
    expect(await spent()).toEqual([3_200n, 3_200n])
    await buy(task, card, '20.00', at('Unreachable'))
    expect(await spent()).toEqual([5_200n, 5_200n])
    await expectBooksToAgree(purse)
  })

  it('of a wallet in another currency is nothing', async () => {
    const { purse, card } = await keyed()
    const task = await sub(purse, { max_amount: '9.00', currency: 'EUR' })
    expect(ruleOf(await buy(task, card, '1.00'))).toEqual(['refused', 'currency_mismatch', 'credential.currency'])
  })

  it('is with the instruments that it was given alone', async () => {
    const { purse, card } = await keyed()
    const second = await makeCard(purse, { ...CARD, constraints: {} })
    const task = await sub(purse, { instruments: [second.instrument_id] })
    expect(ruleOf(await buy(task, card, '1.00'))).toEqual(['refused', 'not_found', 'credential.instruments'])
    expect((await buy(await sub(task), second, '1.00')).status).toBe('captured')
    expect(ruleOf(await buy(await sub(task), card, '1.00'))[1]).toBe('not_found')
  })
})

describe('security: an agent mints', () => {
  it('with what is left out as it is in its own, for an hour', async () => {
    const { purse, credentialId } = await keyed({ ...budget('5.00'), scopes: ['bursar:read', 'bursar:pay'] })
    const made = await mintCredential(purse.bursar, purse.caller, { label: 'a\u202Etask\n' })
    expect(made).toMatchObject({
      ...{ parent_id: credentialId, label: 'a task', scopes: ['bursar:read', 'bursar:pay'], max_amount: '5.00' },
      ...{ currency: 'USD', expires_at: rfc3339(NOON + HOUR), status: 'active', key: expect.stringMatching(/^bak_/) },
    })
    const short = await mintCredential(purse.bursar, purse.caller, { expires_in: '10m' })
    const below = await mintCredential(purse.bursar, using(purse, short.credential_id).caller, {})
    expect(below.expires_at).toBe(rfc3339(NOON + 10 * MINUTE))
  })

  it.each<[string, string, CredentialInput]>([
    ['more scopes', 'scope_missing', { scopes: ['bursar:read', 'bursar:request'] }],
    ['a scope that there is not', 'argument_invalid', { scopes: ['bursar:approve'] }],
    ['no scope', 'argument_invalid', { scopes: [] }],
    ['more to spend', 'forbidden', budget('5.01')],
    ['something else to spend', 'currency_mismatch', { max_amount: '1.00', currency: 'EUR' }],
    ['nothing to spend', 'amount_invalid', budget('0')],
    ['an amount of nothing', 'argument_invalid', { max_amount: '1.00' }],
    ['a longer life', 'argument_invalid', { expires_in: '61m' }],
    ["another agent's instrument", 'not_found', { instruments: ['theirs'] }],
    ['an instrument that it does not have itself', 'not_found', { instruments: ['mine'] }],
  ])('nothing with %s', async (_, code, input) => {
    const open = await keyed()
    const local = (await open.purse.bursar.store.read.one('agents', { name: 'default' }))!
    const other = await makeCard({
      ...open.purse,
      caller: { ...open.purse.caller, agentId: local.id, credentialId: null },
    })
    const own = await makeCard(open.purse, CARD)
    const ids: Record<string, string> = { theirs: other.instrument_id, mine: own.instrument_id }
    const narrow = await sub(open.purse, {
      ...{ scopes: ['bursar:read', 'bursar:pay'], instruments: [open.card.instrument_id], expires_in: '1h' },
      ...budget('5.00'),
    })
    const instruments = input.instruments?.map((name) => ids[name] as string)
    expect(await codeOf(sub(narrow, { ...input, ...(instruments && { instruments }) }))).toBe(code)
    // Nor with its own, which is held to none; nor is it given that by its owner.
    const { bursar, authority } = open.purse
    const theirs = { instruments: [other.instrument_id] }
    expect(await codeOf(sub(open.purse, theirs))).toBe('not_found')
    expect(await codeOf(addCredential(bursar, authority, open.agentId, theirs))).toBe('not_found')
  })

  it('nothing four deep, nothing with the hundred and first, and nothing without a credential', async () => {
    const { purse } = await keyed()
    const three = await sub(await sub(await sub(purse)))
    expect(await codeOf(sub(three))).toBe('forbidden')
    const short = await Promise.all(Array.from({ length: 99 }, () => sub(purse, { expires_in: '5m' })))
    expect(await codeOf(sub(purse))).toBe('forbidden')
    await revokeCredential(purse.bursar, purse.authority, short[0]!.caller.credentialId as string)
    expect(await codeOf(sub(purse, { expires_in: '5m' }))).toBe('no error')
    expect(await codeOf(sub(purse))).toBe('forbidden')
    purse.time.now += 5 * MINUTE
    expect(await codeOf(sub(purse))).toBe('no error')
    expect(await codeOf(sub(await quickPurse()))).toBe('forbidden')
  })

  it('no more than the access token allows that it came with', async () => {
    const { purse, card } = await keyed()
    const narrowed = { scopes: ['bursar:read', 'bursar:pay'] as const, until: NOON + 15 * MINUTE }
    const token = { ...purse, caller: { ...purse.caller, narrowed } }
    const made = await mintCredential(purse.bursar, token.caller, {})
    expect(made).toMatchObject({ scopes: narrowed.scopes, expires_at: rfc3339(narrowed.until) })
    expect(await codeOf(sub(token, { scopes: ['bursar:request'] }))).toBe('scope_missing')
    expect(await codeOf(sub(token, { expires_in: '16m' }))).toBe('argument_invalid')
    expect((await buy(using(purse, made.credential_id), card, '1.00')).status).toBe('captured')
    const none = { ...purse, caller: { ...purse.caller, narrowed: { scopes: [], until: null } } }
    expect(await codeOf(sub(none))).toBe('forbidden')
  })

  it('nothing wider by a mistake of ours either: the database refuses it', async () => {
    const narrow = { ...budget('5.00'), scopes: ['bursar:pay'], expires_in: '1h' }
    const { purse, card, agentId, credentialId } = await keyed(narrow)
    const other = await addAgent(purse.bursar, purse.authority, 'other')
    const fine: WireCredential = {
      ...{ credential_id: 'crd_1', parent_id: credentialId, key_hash: 'a'.repeat(64), token: null },
      ...{ scopes: ['bursar:pay'], instruments: null, max_amount: '5.00', currency: 'USD', label: null },
      expires_at: rfc3339(NOON + HOUR),
    }
    const write = (change: Partial<WireCredential>, agent_id = agentId) =>
      purse.bursar.store.update({}, () => {
        const actor = { role: 'agent' as const, id: agent_id }
        const details = { credential: { ...fine, ...change } }
        return { facts: [{ type: 'credential.added', actor, agent_id, details }], result: null }
      })
    for (const change of [
      { scopes: ['bursar:pay', 'bursar:read'] },
      { max_amount: '5.01' },
      { max_amount: null, currency: null },
      { expires_at: rfc3339(NOON + HOUR + 1) },
      { expires_at: null },
    ] as const)
      await expect(write(change)).rejects.toThrow(/never wider|CHECK/)
    await expect(write({}, other.agent_id)).rejects.toThrow('never wider')
    await write({})
    expect((await buy(using(purse, 'crd_1'), card, '1.00')).status).toBe('captured')
  })
})

describe('security: once what it was minted with is over', () => {
  it('a sub-agent pays nothing, and what is on its way to a rail goes no further', async () => {
    const { purse, card, credentialId } = await keyed(budget('100.00'))
    const task = await sub(purse)
    const { payment_id: id, status } = await buy(task, card, '80.00', at('Lost Request'))
    expect(status).toBe('in_doubt')
    await revokeCredential(purse.bursar, purse.authority, credentialId)
    expect(ruleOf(await buy(task, card, '1.00'))).toEqual(['refused', 'spending_frozen', 'agent.credential'])
    await recover(purse.bursar)
    const { read } = purse.bursar.store
    expect(await read.one('payments', { id })).toMatchObject({ status: 'in_doubt', held: 8_000n })
    purse.time.now = sendBefore('virtual_card', purse.time.now) + 1
    await recover(purse.bursar)
    expect(await read.one('payments', { id })).toMatchObject({ status: 'voided', refusal: { code: 'spending_frozen' } })
    expect([await spentBy(purse), await spentBy(task), (await balances(purse)).held]).toEqual([0n, 0n, 0n])
  })

  it('a payment that was authorized while it was good, and never reached its rail, does not begin', async () => {
    const { purse, card, credentialId } = await keyed()
    const rail = purse.bursar.rails.virtual_card!
    const begun: string[] = []
    let away = true
    const pay: typeof rail.pay = async (terms) => {
      if (away) throw new Error('away')
      begun.push(terms.paymentId)
      return rail.pay(terms)
    }
    const bursar = { ...purse.bursar, rails: { virtual_card: { ...rail, pay } } }
    const [one, other] = [await sub(purse), await sub(purse)]
    const stopped = await buy({ ...one, bursar }, card, '1.00')
    const goesOn = await buy({ ...other, bursar }, card, '2.00')
    expect([stopped.status, goesOn.status]).toEqual(['in_doubt', 'in_doubt'])
    await revokeCredential(bursar, purse.authority, one.caller.credentialId as string)
    away = false
    await recover(bursar)
    expect(begun).toEqual([goesOn.payment_id])
    await revokeCredential(bursar, purse.authority, credentialId)
    await recover(bursar)
    expect(begun).toEqual([goesOn.payment_id])
  })
})
