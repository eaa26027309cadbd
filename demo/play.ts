import type { BudgetView, InstrumentView, PaymentView } from '../src/actions/wire.ts'
import type { Agent, Answer, Purchase } from './agent.ts'
import type { House } from './house.ts'
import type { Human } from './human.ts'
import type { Stage } from './stage.ts'

/** What the chapters share. */
export interface Play {
  readonly stage: Stage
  readonly house: House
  /** The agent, in a host that can ask its human. */
  readonly agent: Agent
  /** Who that host asks. */
  readonly human: Human
  /** Every attempt to pay so far, refused ones too. */
  readonly attempts: Set<string>
  /** What has really left the wallet, in cents. */
  spent: number
}

/** The human left a question without an answer. It stays open, and the story stops there. */
export class Left extends Error {
  override readonly name = 'Left'
}

export const SHOP = { name: 'Bursar Test: Software Shop', merchant_category: '5734' }

/** Pays, and keeps count of the attempt. */
export async function pay(play: Play, agent: Agent, purchase: Purchase): Promise<Answer<PaymentView>> {
  const answer = await agent.pay(purchase)
  play.attempts.add(answer.view.payment_id)
  return answer
}

/** The agent tries, and is refused by exactly this rule; nothing has moved. */
export async function refused(play: Play, agent: Agent, purchase: Purchase, code: string, rule: string): Promise<void> {
  const { view, isError } = await pay(play, agent, purchase)
  const got = { isError, status: view.status, code: view.refusal?.code, rule: view.refusal?.rule }
  const why = `${view.refusal?.message} The rule: ${rule}`
  play.stage.check(`refused: ${code}`, got, { isError: true, status: 'refused', code, rule }, why)
}

/** A card as bursar has it now. */
export async function cardNow(agent: Agent, instrumentId: string): Promise<InstrumentView> {
  const { view } = await agent.call<BudgetView>('check_budget', { instrument_id: instrumentId })
  return view.instruments[0] as InstrumentView
}

/** Whole cents as a decimal string, by the digits alone. */
export function dollars(cents: number): string {
  return String(cents)
    .padStart(3, '0')
    .replace(/(\d\d)$/, '.$1')
}
