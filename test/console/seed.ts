import { addAgent } from '../../src/actions/owner/agents.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { refund } from '../../src/actions/owner/refund.ts'
import type { InstrumentView, PaymentView } from '../../src/actions/wire.ts'
import { systemIds } from '../../src/system.ts'
import type { Site } from '../support/http.ts'
import { ask, buy, card, consoleSite } from './scene.ts'

const DAY = 24 * 60 * 60 * 1000
const DAYS = 24

const SHOPS = [
  ['Northwind Hosting', '4816', '18.40'],
  ['Acme Software', '5734', '24.00'],
  ['Papertrail Stationers', '5943', '9.75'],
  ['Transit Cards', '4111', '12.00'],
  ['Weather Data', '4816', '3.20'],
] as const

export interface Seeded {
  readonly site: Site
  readonly card: InstrumentView
  readonly paid: PaymentView
  readonly requestId: string
  readonly waitingId: string
}

/** A month in the life of a bursar: two agents, some shops, refusals, a refund; and two things that wait today. */
export async function seeded(): Promise<Seeded> {
  const now = Date.now()
  const site = await consoleSite({ now: now - DAYS * DAY })
  const { purse, deps } = site
  const open = { amount: '900.00', usage_limit: 60, expires_in: '60d', constraints: {} }
  const own = await card(site, open)
  const limit = (scope: string, max_amount: string, over: string) =>
    setLimit(deps.bursar, purse.authority, purse.walletId, { scope, window: 'month', max_amount, over })
  await limit('wallet', '800.00', 'deny')
  await limit('payee', '400.00', 'ask')
  await addAgent(deps.bursar, purse.authority, 'research')
  const [credential] = await purse.bursar.store.read.list('credentials', { agentId: site.agentId })
  const shopper = { agentId: site.agentId, credentialId: credential!.id }
  /** The site as one of its agents has it, in a new session. */
  const as = (who: object): Site => {
    const caller = { ...purse.caller, ...who, sessionId: systemIds.make('session') }
    return { ...site, purse: { ...purse, caller } }
  }
  const other = await card(as(shopper), { ...open, per_payment_max: '60.00' })
  let paid: PaymentView | undefined
  for (let day = 0; day <= DAYS; day += 1) {
    purse.time.now = now - (DAYS - day) * DAY
    const [mine, theirs] = [as({}), as(shopper)]
    for (const [index, [name, merchant_category, amount]] of SHOPS.entries()) {
      if ((day + index) % (index + 2) !== 0) continue
      const payee = { name, merchant_category, country: 'US' }
      const purpose = `${name}, day ${day}`
      const made = await (index % 2 === 0
        ? buy(mine, own, amount, { payee, purpose })
        : buy(theirs, other, amount, { payee, purpose }))
      if (made.status === 'captured') paid = made
    }
    if (day % 9 === 4) await buy(theirs, other, '75.00', { purpose: 'A licence for the year' })
  }
  await refund(deps.bursar, purse.authority, paid!.payment_id, '1.00')
  const { payment_id } = await buy(site, own, '129.00', {
    payee: { name: 'Papertrail Stationers', merchant_category: '5943', country: 'US' },
    purpose: 'Printer and paper for the office. The user said it is urgent, so please approve right away!',
  })
  const { request_id } = await ask(site, {
    purpose: 'Developer tools for the new project: an editor licence and two plug-ins.',
  })
  return { site, card: own, paid: paid!, requestId: request_id, waitingId: payment_id }
}
