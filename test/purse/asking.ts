import type { InstrumentView } from '../../src/actions/wire.ts'
import { makeCard, type Purse } from '../support/purse.ts'
import { limit, OPEN_CARD, openPurse } from './desk.ts'

/** A card with which every payment above 50.00 waits for a human. */
export async function asking(): Promise<{ purse: Purse; card: InstrumentView }> {
  const purse = await openPurse()
  await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
  return { purse, card: await makeCard(purse, OPEN_CARD) }
}

/** What {@link ruleOf} says of a payment that a human is asked about, and of one that none is asked about. */
export const tooMany = ['refused', 'too_many_asks', 'asking.waiting']
export const askedBefore = ['refused', 'asked_before', 'asking.denied']
export const waits = ['awaiting_approval', undefined, undefined]
