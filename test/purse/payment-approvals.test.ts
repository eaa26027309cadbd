import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { getPayment } from '../../src/actions/agent/read.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { recover } from '../../src/actions/recover.ts'
import { instrumentView } from '../../src/actions/views.ts'
import { balances, buy } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { approvePayment, codeOf, eventsOf, hostYes, MINUTE, no, operatorYes, waiting } from './desk.ts'

describe('a payment that waits for a human', () => {
  it('holds nothing, counts nowhere and is not sent, and says who must decide', async () => {
    const { purse, card, payment } = await waiting()
    expect(await balances(purse)).toMatchObject({ held: 0n })
    expect(await instrumentView(purse.bursar, card.instrument_id)).toMatchObject({
      remaining_amount: '9000.00',
      usage_consumed: 0,
    })
    expect(payment.approval).toMatchObject({
      needs: 'host',
      asked: null,
      expires_at: '2026-03-10T12:15:00.000Z',
      command: `bursar request approve ${payment.payment_id}`,
    })
    expect(payment).not.toHaveProperty('receipt')
    await expectBooksToAgree(purse)
  })

  it('is captured once approved', async () => {
    const { purse, id, yes } = await waiting()
    expect(await yes()).toMatchObject({ status: 'captured', captured_amount: '80.00' })
    expect(await eventsOf(purse, id)).toEqual([
      'payment.attempted',
      'payment.awaiting_approval',
      'payment.authorized',
      'payment.captured',
    ])
    await expectBooksToAgree(purse)
  })

  it('is approved by the owner’s key as well', async () => {
    const { purse, id, now } = await waiting()
    await approve(purse.bursar, id, await operatorYes(purse, id), {})
    expect((await now()).status).toBe('captured')
    await expectBooksToAgree(purse)
  })

  it('denied tells the agent to stop, and the same call does not ask again', async () => {
    const { purse, id, call } = await waiting()
    expect((await no(purse, id, 'Too dear')) as object).toMatchObject({ status: 'denied' })
    const again = await call()
    expect(again).toMatchObject({ payment_id: id, status: 'denied', replayed: true })
    expect(again.refusal).toMatchInlineSnapshot(`
      {
        "code": "approval_denied",
        "hint": "A human said no. Do not ask again for the same thing.",
        "message": "A human denied this.",
        "rule": "approval",
      }
    `)
    expect(await codeOf(approvePayment(purse, id))).toBe('not_pending')
  })

  it('is what the identical call finds: nobody is asked twice', async () => {
    const { purse, id, call } = await waiting()
    const again = await call()
    expect(again).toMatchObject({ payment_id: id, status: 'awaiting_approval', replayed: true })
    expect(await purse.bursar.store.read.list('approvals', { status: 'waiting' })).toHaveLength(1)
    expect(await eventsOf(purse, 'payment.attempted')).toHaveLength(1)
  })

  it('security: expires after a quarter of an hour, on the millisecond', async () => {
    const { purse, id, now, yes } = await waiting()
    purse.time.now += 15 * MINUTE
    expect((await now()).refusal).toMatchInlineSnapshot(`
      {
        "code": "approval_expired",
        "hint": "Nobody answered in time, which means no. Ask your user before you try again.",
        "message": "Nobody answered in time.",
        "rule": "approval.expires_at",
      }
    `)
    expect(await codeOf(yes())).toBe('approval_expired')
    await recover(purse.bursar)
    expect((await purse.bursar.store.read.one('payments', { id }))?.status).toBe('expired')
    expect(await codeOf(yes())).toBe('not_pending')
    await expectBooksToAgree(purse)
  })

  it('can be approved until then', async () => {
    const { purse, yes } = await waiting()
    purse.time.now += 15 * MINUTE - 1
    await recover(purse.bursar)
    expect((await yes()).status).toBe('captured')
  })

  it('security: taken back by its agent cannot be approved', async () => {
    const { purse, id, yes } = await waiting()
    expect(await cancel(purse.bursar, purse.caller, id)).toMatchObject({ status: 'canceled' })
    expect(await codeOf(yes())).toBe('not_pending')
    expect(await codeOf(no(purse, id))).toBe('not_pending')
    expect(await codeOf(cancel(purse.bursar, purse.caller, id))).toBe('wrong_state')
  })

  it('security: is paid once, however often and at once it is approved', async () => {
    const { purse, id, now } = await waiting()
    const many = await Promise.all(Array.from({ length: 8 }, () => codeOf(approvePayment(purse, id))))
    expect(many.toSorted()).toEqual(['no error', ...Array.from({ length: 7 }, () => 'not_pending')])
    expect(await now()).toMatchObject({ status: 'captured', captured_amount: '80.00' })
    await expectBooksToAgree(purse)
  })

  it('security: approved, denied and taken back at once, becomes one of them', async () => {
    const { purse, id, now } = await waiting()
    const all = [approvePayment(purse, id), no(purse, id), cancel(purse.bursar, purse.caller, id)]
    const codes = await Promise.all(all.map(codeOf))
    expect(codes.filter((code) => code === 'no error')).toHaveLength(1)
    expect(['captured', 'denied', 'canceled']).toContain((await now()).status)
    await expectBooksToAgree(purse)
  })

  it('is approved as it is, never narrowed', async () => {
    const { purse, id, now } = await waiting()
    expect(await codeOf(approve(purse.bursar, id, await hostYes(purse, id), { amount: '10.00' }))).toBe(
      'argument_invalid',
    )
    expect((await now()).status).toBe('awaiting_approval')
  })

  it('security: needs the assurance that the policy wants for its amount, and a human in any case', async () => {
    const { purse, card } = await waiting()
    const { bursar, authority, walletId } = purse
    const policy = [
      { up_to: '70.00', assurance: 'none' },
      { up_to: null, assurance: 'operator' },
    ]
    await setApprovals(bursar, authority, walletId, policy)
    const small = await buy(purse, card, '70.00')
    expect([small.status, small.approval?.needs]).toEqual(['awaiting_approval', 'host'])
    const big = await buy(purse, card, '70.01')
    expect(big.approval?.needs).toBe('operator')
    expect(await codeOf(approvePayment(purse, big.payment_id))).toBe('assurance_too_low')
    await approve(bursar, big.payment_id, await operatorYes(purse, big.payment_id), {})
    expect((await getPayment(bursar, purse.caller, big.payment_id)).status).toBe('captured')
  })

  it('security: is not approved by a yes to another one like it', async () => {
    const { purse, card, id, now } = await waiting()
    const other = await buy(purse, card, '80.00', { purpose: 'Another licence' })
    expect(await codeOf(approve(purse.bursar, id, await hostYes(purse, other.payment_id), {}))).toBe('approval_invalid')
    expect((await now()).status).toBe('awaiting_approval')
  })
})
