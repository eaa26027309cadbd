import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { checkBudget } from '../../src/actions/agent/read.ts'
import { freezeInstrument, revokeInstrument, unfreezeInstrument } from '../../src/actions/owner/freeze.ts'
import { instrumentView } from '../../src/actions/views.ts'
import { buy, CARD, makeCard } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { byAnotherAgent, codeOf, openPurse } from './desk.ts'

describe('an instrument that is given back or taken away', () => {
  it('returned by its agent says what was given back, and is closed at the issuer', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse)
    await buy(purse, card, '49.00')
    expect(await cancel(purse.bursar, purse.caller, card.instrument_id)).toMatchInlineSnapshot(
      {
        id: expect.any(String) as string,
      },
      `
      {
        "given_back": {
          "amount": "251.00",
          "currency": "USD",
          "uses": 2,
        },
        "id": Any<String>,
        "status": "returned",
      }
    `,
    )
    expect((await buy(purse, card, '1.00')).refusal).toMatchInlineSnapshot(`
      {
        "code": "instrument_revoked",
        "hint": "This instrument is gone for good. If it is still needed, ask with request_instrument.",
        "message": "The instrument was returned.",
        "rule": "instrument.status",
      }
    `)
    expect(await codeOf(cancel(purse.bursar, purse.caller, card.instrument_id))).toBe('wrong_state')
    expect((await checkBudget(purse.bursar, purse.caller)).instruments).toEqual([])
    await expectBooksToAgree(purse)
  })

  it('frozen pays nothing, and unfrozen pays again', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse)
    await freezeInstrument(purse.bursar, purse.authority, card.instrument_id)
    expect((await buy(purse, card, '1.00')).refusal).toMatchInlineSnapshot(`
      {
        "code": "instrument_frozen",
        "hint": "The owner froze this instrument. Stop, and tell your user.",
        "message": "The instrument is frozen.",
        "rule": "instrument.status",
      }
    `)
    await unfreezeInstrument(purse.bursar, purse.authority, card.instrument_id)
    expect((await buy(purse, card, '1.00')).status).toBe('captured')
  })

  it('revoked pays nothing, for good', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse)
    await revokeInstrument(purse.bursar, purse.authority, card.instrument_id)
    expect((await buy(purse, card, '1.00')).refusal).toMatchInlineSnapshot(`
      {
        "code": "instrument_revoked",
        "hint": "This instrument is gone for good. If it is still needed, ask with request_instrument.",
        "message": "The instrument was revoked.",
        "rule": "instrument.status",
      }
    `)
    const { bursar, authority } = purse
    expect(await codeOf(unfreezeInstrument(bursar, authority, card.instrument_id))).toBe('wrong_state')
    expect(await codeOf(freezeInstrument(bursar, authority, card.instrument_id))).toBe('wrong_state')
    expect((await instrumentView(bursar, card.instrument_id)).status).toBe('revoked')
  })

  it('security: of another agent is not there', async () => {
    const purse = await openPurse()
    const other = await byAnotherAgent(purse)
    const card = await makeCard(other, CARD)
    const stolen = await buy(purse, card, '1.00')
    expect(stolen.refusal).toMatchInlineSnapshot(`
      {
        "code": "not_found",
        "hint": "Call check_budget or list_payments and use an id that they return.",
        "message": "There is no such instrument.",
        "rule": "instrument_id",
      }
    `)
    expect(stolen).toMatchObject({ amount: null, currency: null })
    expect(stolen).not.toHaveProperty('instrument')
    expect(await codeOf(cancel(purse.bursar, purse.caller, card.instrument_id))).toBe('not_found')
    await expect(async () => checkBudget(purse.bursar, purse.caller, card.instrument_id)).rejects.toThrow(
      'There is no such instrument.',
    )
  })
})
