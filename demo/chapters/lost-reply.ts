import type { InstrumentView, PaymentList } from '../../src/actions/wire.ts'
import type { Play } from '../play.ts'
import { cardNow, pay, settled } from '../play.ts'
import { askForCard } from './ask.ts'

const LOST = { name: 'Bursar Test: Lost Reply', merchant_category: '5734' }

/** A payment whose answer is lost, on a card that lives for one minute; both go on in later chapters. */
export async function loseReply(play: Play): Promise<InstrumentView | null> {
  const { stage, agent } = play
  await stage.chapter('A reply is lost. Nothing is paid twice.')
  const card = await askForCard(play, {
    amount: '50.00',
    usage_limit: 2,
    expires_in: '1m',
    purpose: 'A short-lived card for one download',
  })
  if (card === null) return null
  const { instrument_id } = card
  const download = { instrument_id, amount: '20.00', payee: LOST, purpose: 'One download' }
  await stage.act(
    'agent',
    `pay_with_instrument: 20.00 USD to "${LOST.name}", where the sandbox pays and loses the answer`,
  )
  const first = await pay(play, agent, download)
  stage.check('in_doubt: bursar does not guess; the money stays held', first.view.status, 'in_doubt')
  await stage.act('agent', 'pay_with_instrument: the same call again')
  const second = await pay(play, agent, download)
  const got = { id: second.view.payment_id, replayed: second.view.replayed }
  stage.check(
    'the same payment, not a second one',
    got,
    { id: first.view.payment_id, replayed: true },
    first.view.payment_id,
  )
  stage.note(
    'Bursar asks the card network again by itself; how it ended comes in the chapter in which this card runs out.',
  )
  return card
}

/** How the payment in doubt ended: once, whatever was retried. */
export async function findAgain(play: Play, { instrument_id }: InstrumentView): Promise<void> {
  const { stage, agent } = play
  const { view } = await agent.call<PaymentList>('list_payments', { instrument_id })
  await stage.act('agent', 'get_payment: the one in doubt')
  const { status, captured_amount } = (await settled(agent, view.payments.at(-1)?.payment_id as string)).view
  play.spent += 2000
  stage.check(
    'captured, once: bursar asked the network again, and 20.00 USD had gone out',
    [status, captured_amount, view.payments.length],
    ['captured', '20.00', 1],
  )
  const { remaining_amount, usage_consumed } = await cardNow(agent, instrument_id)
  stage.check('its card has 30.00 USD and 1 of 2 uses left', [remaining_amount, usage_consumed], ['30.00', 1])
}
