import { describe, expect, it } from 'vitest'
import { balances, buy, makeCard, makePurse } from '../support/purse.ts'

describe('the story', () => {
  it('pays 49.00 of 300.00 and leaves 251.00 and two uses', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    expect(card).toMatchObject({ amount: '300.00', remaining_amount: '300.00', usage_limit: 3, status: 'active' })
    const paid = await buy(purse, card, '49.00')
    expect(paid).toMatchObject({
      status: 'captured',
      amount: '49.00',
      currency: 'USD',
      instrument: { remaining_amount: '251.00', usage_consumed: 1 },
    })
    expect(balances(purse)).toMatchObject({ available: 95_100n, held: 0n, external: -95_100n, overdrawn: 0n })
  })
})
