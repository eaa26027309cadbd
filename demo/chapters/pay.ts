import type { InstrumentView } from '../../src/actions/wire.ts'
import type { Play } from '../play.ts'
import { cardNow, pay, refused, SHOP } from '../play.ts'

/** One payment, and two that the card does not allow. */
export async function payAndBeRefused(play: Play, card: InstrumentView): Promise<void> {
  const { stage, agent } = play
  const { instrument_id } = card
  await stage.chapter('The agent pays.')
  await stage.act('agent', `pay_with_instrument: 49.00 USD to "${SHOP.name}"`)
  const { view } = await pay(play, agent, {
    instrument_id,
    amount: '49.00',
    payee: SHOP,
    purpose: 'One editor license',
  })
  play.spent += 4900
  stage.check('captured: 49.00 USD', [view.status, view.captured_amount], ['captured', '49.00'])
  const { remaining_amount, usage_consumed } = await cardNow(agent, instrument_id)
  stage.check('251.00 USD and 2 of 3 uses are left', [remaining_amount, usage_consumed], ['251.00', 1])

  await stage.chapter('The card has terms. The agent cannot leave them.')
  const casino = { name: 'Bursar Test: Casino', merchant_category: '7995' }
  await stage.act('agent', `pay_with_instrument: 20.00 USD to "${casino.name}"`)
  const bet = { instrument_id, amount: '20.00', payee: casino, purpose: 'Research' }
  const categories = 'instrument.constraints.merchant_categories'
  await refused(play, agent, bet, 'merchant_category_not_allowed', categories)
  await stage.act('agent', `pay_with_instrument: 251.01 USD to "${SHOP.name}"`)
  const server = { instrument_id, amount: '251.01', payee: SHOP, purpose: 'A build server' }
  await refused(play, agent, server, 'amount_exceeds_remaining', 'instrument.amount')
  const after = await cardNow(agent, instrument_id)
  stage.check('a refusal costs nothing', [after.remaining_amount, after.usage_consumed], ['251.00', 1])
}
