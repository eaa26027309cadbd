import { getPayment } from '../../src/actions/agent/read.ts'
import { recover } from '../../src/actions/recover.ts'
import { instrumentView } from '../../src/actions/views.ts'
import { buy, makeCard } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { OPEN_CARD, quickPurse, widen } from './desk.ts'

/** A purse of 1,000.00 and a card for all of it, and a payment of 100.00 to one of the sandbox's merchants. */
export async function paidAt(name: string, amount = '100.00') {
  const purse = await quickPurse()
  await widen(purse)
  const card = await makeCard(purse, { ...OPEN_CARD, amount: '1000.00', usage_limit: 5 })
  const merchant = (other: string) => ({ payee: { name: `Bursar Test: ${other}` } })
  const first = await buy(purse, card, amount, merchant(name))
  const { payment_id: id } = first
  return {
    ...{ purse, card, first, id },
    now: () => getPayment(purse.bursar, purse.caller, id),
    view: () => instrumentView(purse.bursar, card.instrument_id),
    pay: (what: string, at?: string) => buy(purse, card, what, at ? merchant(at) : {}),
    async later(ms: number) {
      purse.time.now += ms
      await recover(purse.bursar)
      await expectBooksToAgree(purse)
    },
  }
}

export const whole = { available: 90_000n, held: 0n, external: -90_000n, overdrawn: 0n }
export const untouched = { available: 100_000n, held: 0n, external: -100_000n, overdrawn: 0n }
