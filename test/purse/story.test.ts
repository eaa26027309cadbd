import { describe, expect, it } from 'vitest'
import { approve } from '../../src/actions/owner/approve.ts'
import { question } from '../../src/actions/question.ts'
import { hostProof } from '../../src/approvals/host.ts'
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
    expect(await balances(purse)).toMatchObject({ available: 95_100n, held: 0n, external: -95_100n, overdrawn: 0n })
  })

  it('waits for a human above the ask limit, and pays once the human has said yes', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const waiting = await buy(purse, card, '120.00')
    expect(waiting).toMatchObject({ status: 'awaiting_approval', approval: { needs: 'host' } })
    expect(await balances(purse)).toMatchObject({ held: 0n })
    const { digest } = await question(purse.bursar, waiting.payment_id)
    const paid = await approve(purse.bursar, waiting.payment_id, hostProof(purse.authority.ownerId, digest, 'test'), {})
    expect(paid).toMatchObject({ status: 'captured', instrument: { remaining_amount: '180.00' } })
  })
})
