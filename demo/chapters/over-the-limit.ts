import type { InstrumentView } from '../../src/actions/wire.ts'
import type { Play } from '../play.ts'
import { cardNow, Left, pay } from '../play.ts'

const TOOLS = { name: 'Northwind Software', merchant_category: '5734' }

/** A payment over the limit that asks. Either answer takes the card's second use; a no is followed by a small payment. */
export async function payOverTheLimit(play: Play, card: InstrumentView): Promise<void> {
  const { stage, agent } = play
  const { instrument_id } = card
  await stage.chapter('Over 100.00 a human is asked, even with an approved card.')
  await stage.act('agent', `pay_with_instrument: 150.00 USD to "${TOOLS.name}"`)
  const { view } = await pay(play, agent, {
    instrument_id,
    amount: '150.00',
    payee: TOOLS,
    purpose: 'A profiler for the team',
  })
  if (view.status === 'captured') {
    play.spent += 15_000
    stage.check('approved by you, then captured: 150.00 USD', view.captured_amount, '150.00')
    return left(play, card, '101.00')
  }
  if (view.status === 'awaiting_approval') throw new Left()
  const got = [view.status, view.refusal?.code, view.captured_amount, view.instrument?.usage_consumed]
  stage.check('denied by you: nothing moved', got, ['denied', 'approval_denied', '0.00', 1], 'approval_denied')
  await stage.act('agent', `pay_with_instrument: 12.00 USD to "${TOOLS.name}" instead`)
  const small = await pay(play, agent, { instrument_id, amount: '12.00', payee: TOOLS, purpose: 'A plugin' })
  play.spent += 1200
  stage.check('captured: 12.00 USD', small.view.status, 'captured')
  return left(play, card, '239.00')
}

async function left({ stage, agent }: Play, { instrument_id }: InstrumentView, amount: string): Promise<void> {
  const { remaining_amount, usage_consumed } = await cardNow(agent, instrument_id)
  stage.check(`${amount} USD and 1 of 3 uses are left`, [remaining_amount, usage_consumed], [amount, 2])
}
