import { describe, expect, it } from 'vitest'
import type { Rail, RailRecord } from '../../src/ports.ts'
import { CARD, makeCard, makePurse, SHOP } from '../support/purse.ts'
import { CLIENTS, connect } from './support.ts'

describe('what a rail does', () => {
  const rail = (pay: Rail['pay']): Rail => ({
    provision: async () => ({ railRef: 'card_1', display: '•••• 4242' }),
    serves: () => true,
    authorizations: null,
    accounts: null,
    setStatus: async () => undefined,
    find: async () => null,
    pay,
    refund: () => Promise.reject(new Error('not here')),
    changes: async (cursor) => ({ records: [], cursor }),
  })
  const closed = ({ amount }: { amount: bigint }): RailRecord => ({
    railRef: 'aut_1',
    state: 'closed',
    authorized: amount,
    captured: amount,
    refunded: 0n,
  })
  const purchase = (instrument_id: string) => ({ instrument_id, amount: '5.00', payee: SHOP, purpose: 'x' })

  it('when it declines: a refusal that says that no money moved', async () => {
    const declined = {
      railRef: 'aut_1',
      state: 'declined',
      declineCode: 'do_not_honor',
      authorized: 0n,
      captured: 0n,
      refunded: 0n,
    } as const
    const purse = await makePurse({ rail: rail(async () => declined) })
    const card = await makeCard(purse)
    const host = await connect(purse, 'modern')
    const answer = await host.call('pay_with_instrument', purchase(card.instrument_id))
    expect(answer).toMatchObject({
      isError: true,
      structuredContent: { status: 'voided', refusal: { code: 'rail_declined' } },
    })
    await host.close()
  })

  it('security: when it gives no answer: not an error, held, and the agent is told not to pay again', async () => {
    const purse = await makePurse({ rail: rail(() => Promise.reject(new Error('evil text from a rail'))) })
    const card = await makeCard(purse)
    const host = await connect(purse, 'modern')
    const answer = await host.call('pay_with_instrument', purchase(card.instrument_id))
    expect(answer.isError).toBeUndefined()
    expect(answer.structuredContent).toMatchObject({ status: 'in_doubt' })
    expect(answer.content[0]?.text).toContain('The money is held. Do not pay again; poll get_payment.')
    expect(JSON.stringify(answer)).not.toContain('evil')
    await host.close()
  })

  it.each(CLIENTS)(
    'security: when the call is cancelled meanwhile: the payment is finished, not rolled back (%s)',
    async (kind) => {
      const abort = new AbortController()
      const purse = await makePurse({
        rail: rail(async (terms) => {
          abort.abort()
          await new Promise((resolve) => setTimeout(resolve, 50))
          return closed(terms)
        }),
      })
      const card = await makeCard(purse)
      const host = await connect(purse, kind)
      await expect(
        host.call('pay_with_instrument', purchase(card.instrument_id), { signal: abort.signal }),
      ).rejects.toThrow()
      await expect
        .poll(async () => (await purse.bursar.store.read.list('payments', {})).map(({ status }) => status))
        .toEqual(['captured'])
      await host.close()
    },
  )
})

it('a question that nobody answers in time is a no', async () => {
  const purse = await makePurse()
  const host = await connect(purse, 'modern')
  const { structuredContent } = await host.call('request_instrument', CARD)
  purse.time.now += 25 * 60 * 60 * 1000
  const answer = await host.call('get_request', { request_id: structuredContent?.request_id, wait_seconds: 25 })
  expect(answer).toMatchObject({
    isError: true,
    structuredContent: { status: 'expired', refusal: { code: 'approval_expired' } },
  })
  await host.close()
})
