import type { BudgetView, InstrumentView } from '../../src/actions/wire.ts'
import type { Play } from '../play.ts'
import { cardNow, Left } from '../play.ts'

/** Terms of a card, as an agent asks for it. */
interface Terms {
  readonly amount: string
  readonly usage_limit: number
  readonly expires_in: string
  readonly purpose: string
}

/** The agent asks for a card and the human decides. Null where the human says no. */
export async function askForCard(play: Play, terms: Terms): Promise<InstrumentView | null> {
  const { stage, agent } = play
  const { amount, usage_limit, expires_in } = terms
  await stage.act(
    'agent',
    `request_instrument: a virtual card, ${amount} USD, ${usage_limit} uses, software only, for ${expires_in}`,
  )
  const { view } = await agent.request({
    type: 'virtual_card',
    currency: 'USD',
    constraints: { merchant_categories: ['software'] },
    ...terms,
  })
  if (view.status === 'pending') throw new Left()
  if (view.instrument === undefined) {
    stage.check('denied by you: the agent has no card', view.status, 'denied', view.refusal?.code)
    return null
  }
  const { status, remaining_amount, usage_consumed } = view.instrument
  stage.check(
    `approved by you: ${view.instrument.display} with ${amount} USD and ${usage_limit} uses`,
    { request: view.status, status, remaining_amount, usage_consumed, limit: view.instrument.usage_limit },
    { request: 'approved', status: 'active', remaining_amount: amount, usage_consumed: 0, limit: usage_limit },
    `until ${view.instrument.expires_at}`,
  )
  return view.instrument
}

export async function ask(play: Play): Promise<InstrumentView | null> {
  await play.stage.chapter('The agent asks for a card. You decide.')
  await play.stage.act('agent', 'check_budget')
  const { view } = await play.agent.call<BudgetView>('check_budget', {})
  const [wallet] = view.wallets
  play.stage.check(
    'a sandbox wallet with 1000.00 USD, and nothing to pay with',
    [wallet?.mode, wallet?.available_amount, wallet?.currency, view.instruments],
    ['sandbox', '1000.00', 'USD', []],
    `${wallet?.limits.length} limits`,
  )
  const card = await askForCard(play, {
    amount: '300.00',
    usage_limit: 3,
    expires_in: '30d',
    purpose: 'Developer tools for the release on Friday',
  })
  if (card === null) return null
  const { constraints } = await cardNow(play.agent, card.instrument_id)
  const codes = constraints.merchant_categories ?? []
  play.stage.check(
    `"software" is kept as merchant category codes: ${codes.join(', ')}`,
    codes.includes('5734') && !codes.includes('7995'),
    true,
  )
  return card
}
