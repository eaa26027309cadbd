import { setTimeout as sleep } from 'node:timers/promises'
import type { InstrumentView } from '../../src/actions/wire.ts'
import type { Play } from '../play.ts'
import { refused, SHOP } from '../play.ts'
import { findAgain } from './lost-reply.ts'

/** The card of one minute: what became of its payment, and what happens once the minute is over. */
export async function expire(play: Play, card: InstrumentView): Promise<void> {
  const { stage, agent } = play
  await stage.chapter('The short-lived card runs out.')
  await findAgain(play, card)
  await waitFor(play, Date.parse(card.expires_at))
  await stage.act('agent', `pay_with_instrument: 5.00 USD to "${SHOP.name}", with 30.00 left on the card`)
  const late = { instrument_id: card.instrument_id, amount: '5.00', payee: SHOP, purpose: 'Too late' }
  await refused(play, agent, late, 'instrument_expired', 'instrument.expires_at')
}

/** Real time: a card of one minute is waited for. Most of it has passed in the chapters before. */
async function waitFor({ stage }: Play, moment: number): Promise<void> {
  const seconds = () => Math.ceil((moment - Date.now()) / 1000)
  if (seconds() <= 0) return
  const text = () => `The card expires in ${seconds()} s of real time.`
  if (!stage.live) stage.note(text())
  while (Date.now() < moment) {
    stage.passing(text())
    await sleep(Math.min(1000, Math.max(1, moment - Date.now())))
  }
  stage.passing('')
}
