import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { createWallet, setApprovals } from '../../src/actions/owner/wallets.ts'
import { buy } from '../support/purse.ts'
import { asking, tooMany, waits } from './asking.ts'
import { expectBooksToAgree } from './books.ts'
import {
  approveRequest,
  ask,
  byAnotherAgent,
  codeOf,
  DAY,
  eventsOf,
  inSession,
  MINUTE,
  no,
  quickPurse,
  ruleOf,
} from './desk.ts'

const AMOUNTS = ['10.00', '20.00', '30.00', '40.00']

describe('security: humans are asked three things of an agent at a time', () => {
  it('and the fourth is not asked, whatever it is, until one of them is decided', async () => {
    const { purse, card } = await asking()
    const [first] = [await ask(purse, { amount: '10.00' }), await ask(purse, { amount: '20.00' })]
    const paying = await buy(purse, card, '60.00')
    expect(ruleOf(paying)).toEqual(waits)
    expect(await codeOf(ask(purse, { amount: '30.00' }))).toBe('too_many_asks')
    expect(ruleOf(await buy(purse, card, '70.00'))).toEqual(tooMany)
    expect((await buy(purse, card, '40.00')).status).toBe('captured')
    await approveRequest(purse, first!.request_id)
    expect(ruleOf(await buy(purse, card, '70.00'))).toEqual(waits)
    expect(await codeOf(ask(purse, { amount: '30.00' }))).toBe('too_many_asks')
    await no(purse, paying.payment_id)
    expect((await ask(purse, { amount: '30.00' })).status).toBe('pending')
    await expectBooksToAgree(purse)
  })

  it('asked all at once, in other words, tasks, keys, sessions and after a restart', async () => {
    const { purse, card } = await asking()
    const asks = Array.from({ length: 12 }, (_, i) => {
      const words = { purpose: `Words ${i}`, task_id: `task ${i}`, idempotency_key: `key-${i}` }
      return buy(inSession(purse, `ses_${i}`), card, '60.00', words)
    })
    const views = await Promise.all(asks)
    expect(views.filter(({ status }) => status === 'awaiting_approval')).toHaveLength(3)
    expect(views.filter(({ refusal }) => refusal?.code === 'too_many_asks')).toHaveLength(9)
    expect((await eventsOf(purse)).filter((type) => type === 'payment.refused')).toHaveLength(9)
    const store = await purse.again()
    const again = { ...purse, bursar: { ...purse.bursar, store } }
    expect(await codeOf(ask(again))).toBe('too_many_asks')
    expect(ruleOf(await buy(again, card, '61.00'))).toEqual(tooMany)
    await store.close()
  })

  it('of each agent by itself', async () => {
    const purse = await quickPurse()
    for (const amount of AMOUNTS.slice(0, 3)) await ask(purse, { amount })
    const other = await byAnotherAgent(purse)
    expect((await ask(other, { amount: '10.00' })).status).toBe('pending')
    expect(await codeOf(ask(purse, { amount: '40.00' }))).toBe('too_many_asks')
  })

  it('and what was taken back, or nobody answered in time, waits no more', async () => {
    const { purse, card } = await asking()
    const first = await ask(purse, { amount: '10.00' })
    for (const amount of ['60.00', '70.00']) await buy(purse, card, amount)
    await cancel(purse.bursar, purse.caller, first.request_id)
    expect((await ask(purse, { amount: '20.00' })).status).toBe('pending')
    expect(await codeOf(ask(purse, { amount: '30.00' }))).toBe('too_many_asks')
    purse.time.now += 15 * MINUTE
    expect((await ask(purse, { amount: '30.00' })).status).toBe('pending')
    expect((await eventsOf(purse)).filter((type) => type === 'payment.expired')).toHaveLength(2)
  })

  it('while what the policy grants to nobody’s yes is no ask', async () => {
    const purse = await quickPurse()
    for (const amount of ['110.00', '120.00', '130.00']) await ask(purse, { amount })
    await setApprovals(purse.bursar, purse.authority, purse.walletId, [
      { up_to: '100.00', assurance: 'none' },
      { up_to: null, assurance: 'host' },
    ])
    expect((await ask(purse, { amount: '10.00' })).status).toBe('approved')
    expect((await ask(purse, { amount: '10.00' })).status).toBe('approved')
    expect(await codeOf(ask(purse, { amount: '140.00' }))).toBe('too_many_asks')
  })
})

describe('security: the same ask', () => {
  const TERMS: Partial<RequestInput> = {
    constraints: {
      merchant_categories: ['software', '5732'],
      payees: ['Acme Software', 'Other'],
      countries: ['us', 'CA'],
    },
  }
  const SAID_OTHERWISE: Partial<RequestInput> = {
    constraints: {
      merchant_categories: ['5732', 'software'],
      payees: ['OTHER', 'acme  software'],
      countries: ['CA', 'US'],
    },
    ...{ purpose: 'Please!', task_id: 'another', amount: '300', expires_in: '720h' },
  }

  it('is joined while it waits: the earlier request is the answer, and nothing is written', async () => {
    const purse = await quickPurse()
    const first = await ask(purse, TERMS)
    const before = await eventsOf(purse)
    const second = await ask(inSession(purse, 'ses_other'), SAID_OTHERWISE)
    expect(second).toEqual(first)
    expect(await eventsOf(purse)).toEqual(before)
    await approveRequest(purse, first.request_id)
    const third = await ask(purse, TERMS)
    expect(third.request_id).not.toBe(first.request_id)
  })

  it.each<[string, Partial<RequestInput>]>([
    ['amount', { amount: '300.01' }],
    ['number of uses', { usage_limit: 4 }],
    ['sum per payment', { per_payment_max: '299.00' }],
    ['life', { expires_in: '29d' }],
    ['constraint', { constraints: { merchant_categories: ['5732'] } }],
    ['freedom from constraints', { constraints: {} }],
  ])('with another %s is another', async (_what, other) => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse)
    expect((await ask(purse, other)).request_id).not.toBe(request_id)
  })

  it('of another agent, or from another wallet, is another', async () => {
    const purse = await quickPurse()
    const first = await ask(purse)
    const other = await byAnotherAgent(purse)
    const second = await ask(other)
    expect(second.request_id).not.toBe(first.request_id)
    const { agentId } = other.caller
    await createWallet(purse.bursar, purse.authority, { name: 'own', currency: 'USD', mode: 'sandbox', agentId })
    expect((await ask(other)).request_id).not.toBe(second.request_id)
  })

  it('asked by many at once is one', async () => {
    const purse = await quickPurse()
    const views = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(purse, { purpose: `Words ${i}` })))
    expect(new Set(views.map(({ request_id }) => request_id)).size).toBe(1)
    expect((await eventsOf(purse)).filter((type) => type === 'request.created')).toHaveLength(1)
  })

  it('that nobody answered in time is asked anew', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse)
    purse.time.now += DAY
    const again = await ask(purse)
    expect([again.status, again.request_id === request_id]).toEqual(['pending', false])
    expect((await purse.bursar.store.read.one('requests', { id: request_id }))?.status).toBe('expired')
  })
})
