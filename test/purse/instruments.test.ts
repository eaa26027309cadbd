import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { getRequest } from '../../src/actions/agent/read.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { revokeAgent } from '../../src/actions/owner/agents.ts'
import { freezeAll, freezeWallet } from '../../src/actions/owner/freeze.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Narrowing } from '../../src/core/approval.ts'
import type { Purse } from '../support/purse.ts'
import {
  approveRequest,
  ask,
  byAnotherAgent,
  codeOf,
  DAY,
  eventsOf,
  HOUR,
  MINUTE,
  no,
  openPurse,
  quickPurse,
  sandboxOf,
} from './desk.ts'

describe('a request', () => {
  it('waits for a human, and then is a card with exactly its terms', async () => {
    const purse = await quickPurse()
    const asked = await ask(purse, { per_payment_max: '120.00', task_id: 'task-7' })
    expect(asked).toMatchObject({ status: 'pending', approval: { needs: 'host', asked: null } })
    expect(asked).not.toHaveProperty('instrument')
    const { instrument } = await approveRequest(purse, asked.request_id)
    expect(instrument).toMatchObject({
      status: 'active',
      amount: '300.00',
      remaining_amount: '300.00',
      usage_limit: 3,
      usage_consumed: 0,
      per_payment_max: '120.00',
      expires_at: '2026-04-09T12:00:00.000Z',
      display: expect.stringMatching(/^•••• \d{4}/) as string,
      constraints: asked.constraints,
    })
    expect(await eventsOf(purse, asked.request_id)).toEqual(['request.created', 'request.approved'])
  })

  it('lives from its approval, not from when it was asked', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse, { expires_in: '12h' })
    purse.time.now += 23 * HOUR
    const { instrument } = await approveRequest(purse, request_id)
    expect(instrument?.expires_at).toBe('2026-03-11T23:00:00.000Z')
  })

  it('denied says so, and stays denied', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse)
    expect(await no(purse, request_id, 'Not this month')).toMatchObject({ status: 'denied' })
    expect((await getRequest(purse.bursar, purse.caller, request_id)).refusal).toMatchInlineSnapshot(`
      {
        "code": "approval_denied",
        "hint": "A human said no. Do not ask again for the same thing.",
        "message": "A human denied this.",
        "rule": "approval",
      }
    `)
    expect(await codeOf(approveRequest(purse, request_id))).toBe('not_pending')
    expect(await codeOf(cancel(purse.bursar, purse.caller, request_id))).toBe('wrong_state')
  })

  it('unanswered for a day means no, from that millisecond on', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse)
    purse.time.now += DAY - 1
    expect((await getRequest(purse.bursar, purse.caller, request_id)).status).toBe('pending')
    purse.time.now += 1
    expect((await getRequest(purse.bursar, purse.caller, request_id)).refusal).toMatchInlineSnapshot(`
      {
        "code": "approval_expired",
        "hint": "Nobody answered in time, which means no. Ask your user before you try again.",
        "message": "Nobody answered in time.",
        "rule": "approval.expires_at",
      }
    `)
    expect(await codeOf(approveRequest(purse, request_id))).toBe('approval_expired')
    await recover(purse.bursar)
    expect((await getRequest(purse.bursar, purse.caller, request_id)).status).toBe('expired')
    expect(await codeOf(approveRequest(purse, request_id))).toBe('not_pending')
  })

  it('can be approved in the last millisecond of that day', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse)
    purse.time.now += DAY - 1
    expect((await approveRequest(purse, request_id)).status).toBe('approved')
  })

  it('taken back by its agent cannot be approved', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse)
    expect(await cancel(purse.bursar, purse.caller, request_id)).toMatchObject({ status: 'canceled', given_back: null })
    expect(await codeOf(approveRequest(purse, request_id))).toBe('not_pending')
    expect(await codeOf(no(purse, request_id))).toBe('not_pending')
  })

  it('security: is nobody else’s business', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse)
    const { caller: other } = await byAnotherAgent(purse)
    await expect(async () => getRequest(purse.bursar, other, request_id)).rejects.toThrow('There is no such request.')
    expect(await codeOf(cancel(purse.bursar, other, request_id))).toBe('not_found')
  })

  it.each<[string, Partial<RequestInput>, string]>([
    ['an amount that is none', { amount: '1e3' }, 'amount_invalid'],
    ['no amount', { amount: '0' }, 'amount_invalid'],
    ['half a cent', { amount: '0.001' }, 'amount_invalid'],
    ['a currency that is none', { currency: 'usd' }, 'currency_mismatch'],
    ['a currency without a wallet', { currency: 'EUR' }, 'currency_mismatch'],
    ['gold', { currency: 'XAU' }, 'currency_mismatch'],
    ['no use', { usage_limit: 0 }, 'argument_invalid'],
    ['half a use', { usage_limit: 1.5 }, 'argument_invalid'],
    ['any number of uses by NaN', { usage_limit: Number.NaN }, 'argument_invalid'],
    ['for ever', { expires_in: '367d' }, 'argument_invalid'],
    ['no time', { expires_in: '0d' }, 'argument_invalid'],
    ['time in words', { expires_in: 'a month' }, 'argument_invalid'],
    ['a rail that is none', { type: '__proto__' }, 'argument_invalid'],
    ['a category that is none', { constraints: { merchant_categories: ['everything'] } }, 'argument_invalid'],
    ['a country that is none', { constraints: { countries: ['XX'] } }, 'argument_invalid'],
    ['a payee of blanks', { constraints: { payees: ['\u200b \u3164'] } }, 'argument_invalid'],
    [
      'a list without end',
      { constraints: { payees: Array.from({ length: 51 }, (_, n) => `p${n}`) } },
      'argument_invalid',
    ],
  ])('for %s is no request', async (_, terms, code) => {
    const purse = await quickPurse()
    expect(await codeOf(ask(purse, terms))).toBe(code)
    expect(await purse.bursar.store.read.list('requests', {})).toEqual([])
  })

  it.each<[string, (purse: Purse) => Promise<unknown>]>([
    ['everything', ({ bursar, authority }) => freezeAll(bursar, authority)],
    ['the wallet', ({ bursar, authority, walletId }) => freezeWallet(bursar, authority, walletId)],
    ['the agent', ({ bursar, authority, caller }) => revokeAgent(bursar, authority, caller.agentId)],
  ])('security: is not taken while %s is stopped', async (_, stop) => {
    const purse = await quickPurse()
    await stop(purse)
    expect(await codeOf(ask(purse))).toBe('spending_frozen')
  })
})

describe('an approval for less', () => {
  const asked = { amount: '300.00', usage_limit: 3, per_payment_max: '100.00', expires_in: '30d' }
  it.each<[string, Narrowing, object]>([
    ['money', { amount: '299.99' }, { amount: '299.99', remaining_amount: '299.99' }],
    ['uses', { usage_limit: 1 }, { usage_limit: 1 }],
    ['at a time', { per_payment_max: '99.99' }, { per_payment_max: '99.99' }],
    ['time', { expires_in_ms: 1 }, { expires_at: '2026-03-10T12:00:00.001Z' }],
    ['of nothing, as it was asked', { amount: '300.00', usage_limit: 3, per_payment_max: '100.00' }, asked2()],
  ])('makes a card with less %s', async (_, narrowing, made) => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse, asked)
    expect((await approveRequest(purse, request_id, narrowing)).instrument).toMatchObject(made)
  })

  it('can limit what was asked without limit', async () => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse, { usage_limit: undefined })
    const narrowing = { usage_limit: 2, per_payment_max: '10.00' }
    expect((await approveRequest(purse, request_id, narrowing)).instrument).toMatchObject(narrowing)
  })

  it.each<[string, Narrowing, string]>([
    ['money', { amount: '300.01' }, 'argument_invalid'],
    ['uses', { usage_limit: 4 }, 'argument_invalid'],
    ['at a time', { per_payment_max: '100.01' }, 'argument_invalid'],
    ['time', { expires_in_ms: 30 * DAY + 1 }, 'argument_invalid'],
    ['by no money', { amount: '0' }, 'amount_invalid'],
    ['by a sign', { amount: '-1' }, 'amount_invalid'],
    ['by no use', { usage_limit: 0 }, 'argument_invalid'],
    ['by NaN uses', { usage_limit: Number.NaN }, 'argument_invalid'],
    ['by NaN time', { expires_in_ms: Number.NaN }, 'argument_invalid'],
    ['by infinite time', { expires_in_ms: Number.POSITIVE_INFINITY }, 'argument_invalid'],
    ['by time that is over', { expires_in_ms: -1 }, 'argument_invalid'],
  ])('security: never makes one with more: %s', async (_, narrowing, code) => {
    const purse = await quickPurse()
    const { request_id } = await ask(purse, asked)
    expect(await codeOf(approveRequest(purse, request_id, narrowing))).toBe(code)
    expect(await purse.bursar.store.read.list('instruments', {})).toEqual([])
    expect((await getRequest(purse.bursar, purse.caller, request_id)).status).toBe('pending')
  })

  it('is held by the issuer too', async () => {
    const purse = await openPurse()
    const { request_id } = await ask(purse, asked)
    const { instrument } = await approveRequest(purse, request_id, { amount: '50.00' })
    const { network, issuer } = await sandboxOf(purse)
    const { railRef } = (await purse.bursar.store.read.one('instruments', { id: instrument!.instrument_id }))!
    const request = { paymentId: 'pay_x', instrumentId: instrument!.instrument_id, cardId: railRef!, currency: 'USD' }
    const payee = { name: 'Acme', category: '5734', country: 'US' }
    await network.authorize({ ...request, amount: 50_01n, payee, validUntil: purse.time.now + MINUTE })
    expect(await issuer.retrieveAuthorization('pay_x')).toMatchObject({ declineCode: 'spending_controls' })
  })

  function asked2() {
    return { amount: '300.00', usage_limit: 3, per_payment_max: '100.00', expires_at: '2026-04-09T12:00:00.000Z' }
  }
})
