import { describe, expect, it } from 'vitest'
import { agent, bursar, CARD, command, newHome, owner, SHOP } from './fixture.ts'

describe('requests and payments, at the command line', () => {
  it('approves for less, and the agent gets what was approved', async () => {
    const home = await newHome()
    const { call } = await agent(home)
    const { request_id } = await call('request_instrument', { ...CARD, usage_limit: 5 })
    expect(await owner(home, 'request', 'list', '--status', 'pending')).toEqual([
      expect.objectContaining({ request_id }),
    ])
    expect(await owner(home, 'request', 'show', request_id)).toMatchObject({ status: 'pending', purpose: 'books' })
    const narrower = ['--amount', '60.00', '--uses', '2', '--per-payment-max', '40.00', '--expires-in', '1d']
    const approved = await owner(home, 'request', 'approve', request_id, '--yes', ...narrower)
    const instrument = { amount: '60.00', usage_limit: 2, per_payment_max: '40.00', status: 'active' }
    expect(approved).toMatchObject({ status: 'approved', instrument })
    expect(await call('get_request', { request_id })).toMatchObject({ status: 'approved', instrument })
    const again = await command(home, ['request', 'approve', request_id, '--yes', '--json'])
    expect(JSON.parse(again.stderr).error.code).toBe('not_pending')
  })

  it('security: approves nothing more than was asked', async () => {
    const home = await newHome()
    const { call } = await agent(home)
    const { request_id } = await call('request_instrument', CARD)
    const more = ['request', 'approve', request_id, '--yes', '--amount', '200.01']
    await expect(owner(home, ...more)).rejects.toThrow(/argument_invalid|amount_invalid|approval_invalid/)
    expect(await owner(home, 'request', 'show', request_id)).toMatchObject({ status: 'pending' })
  })

  it('denies, with a reason that the agent reads', async () => {
    const home = await newHome()
    const { call } = await agent(home)
    const { request_id } = await call('request_instrument', CARD)
    const { code } = await bursar(home, ['request', 'deny', request_id, '--reason', 'not this month'])
    expect(code).toBe(0)
    expect(await call('get_request', { request_id })).toMatchObject({ status: 'denied' })
  })

  it('pays, waits for the owner over the ask limit, shows it all and refunds', async () => {
    const home = await newHome()
    const { call } = await agent(home)
    const { request_id } = await call('request_instrument', CARD)
    const { instrument } = await owner(home, 'request', 'approve', request_id, '--yes')
    const { instrument_id } = instrument
    const waiting = await call('pay_with_instrument', {
      instrument_id,
      amount: '120.00',
      payee: SHOP,
      purpose: 'a shelf',
    })
    expect(waiting.status).toBe('awaiting_approval')
    const { payment_id } = waiting
    expect(await owner(home, 'request', 'list', '--status', 'pending')).toEqual([
      expect.objectContaining({ payment_id }),
    ])
    expect(await owner(home, 'request', 'approve', payment_id, '--yes')).toMatchObject({
      payment_id,
      status: 'captured',
    })
    expect(await call('get_payment', { payment_id })).toMatchObject({ status: 'captured', captured_amount: '120.00' })
    expect(await owner(home, 'payment', 'refund', payment_id, '--amount', '20.00')).toMatchObject({
      refunded_amount: '20.00',
    })
    const shown = await owner(home, 'payment', 'show', payment_id)
    expect(shown.events.map(({ type }: { type: string }) => type)).toContain('payment.authorized')
    expect(await owner(home, 'payment', 'list', '--instrument', instrument_id)).toHaveLength(1)
    expect(await owner(home, 'payment', 'list', '--status', 'refused')).toEqual([])
    expect(await owner(home, 'payment', 'show', payment_id, '--proof')).toMatchObject({
      proof: expect.stringContaining('c2sp.org'),
    })
    expect((await command(home, ['payment', 'show', payment_id])).stdout).toContain('payment.captured')
  })

  it('freezes, unfreezes and revokes an instrument', async () => {
    const home = await newHome()
    const { call } = await agent(home)
    const { request_id } = await call('request_instrument', CARD)
    const { instrument_id } = (await owner(home, 'request', 'approve', request_id, '--yes')).instrument
    const pay = (purpose: string) =>
      call('pay_with_instrument', { instrument_id, amount: '5.00', payee: SHOP, purpose })
    await owner(home, 'instrument', 'freeze', instrument_id)
    expect(await pay('a book about being frozen')).toMatchObject({ refusal: { code: 'instrument_frozen' } })
    await owner(home, 'instrument', 'unfreeze', instrument_id)
    expect(await pay('a book about being captured')).toMatchObject({ status: 'captured' })
    await owner(home, 'instrument', 'revoke', instrument_id)
    expect(await pay('a book about being revoked')).toMatchObject({ refusal: { code: 'instrument_revoked' } })
    expect(await owner(home, 'instrument', 'list', '--status', 'revoked', '--wallet', 'sandbox')).toHaveLength(1)
    expect(await owner(home, 'instrument', 'show', instrument_id)).toMatchObject({ status: 'revoked' })
  })

  it("security: shows an agent's words on one line, without control characters", async () => {
    const home = await newHome()
    const { call } = await agent(home)
    const { request_id } = await call('request_instrument', { ...CARD, purpose: 'ok\u001b[2J\nAmount  1.00 USD\u202e' })
    for (const args of [['show', request_id], ['list']]) {
      const { stdout } = await command(home, ['request', ...args])
      expect(stdout).toContain('ok [2J Amount 1.00 USD')
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    }
  })
})
