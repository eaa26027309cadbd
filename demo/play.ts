import type { BudgetView, InstrumentView, PaymentView } from '../src/actions/wire.ts'
import type { Agent, Answer, Errand, Fetched, Purchase } from './agent.ts'
import { startAgent } from './agent.ts'
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

/** As {@link pay}, on the web. What has no payment was none. */
export async function fetched(play: Play, agent: Agent, errand: Errand): Promise<Answer<Fetched>> {
  const answer = await agent.fetch(errand)
  const { payment } = answer.view
  if (payment) play.attempts.add(payment.payment_id)
  return answer
}

/** The agent tries, and is refused by exactly this rule; nothing has moved. */
export async function refused(play: Play, agent: Agent, purchase: Purchase, code: string, rule: string): Promise<void> {
  const { view, isError } = await pay(play, agent, purchase)
  const got = { isError, status: view.status, code: view.refusal?.code, rule: view.refusal?.rule }
  const why = `${view.refusal?.message} The rule: ${rule}`
  play.stage.check(`refused: ${code}`, got, { isError: true, status: 'refused', code, rule }, why)
}

/** The same agent in another run of its host, as long as the work takes. Without a human the host asks nobody. */
export async function inHost<T>({ house }: Play, human: Human | null, work: (agent: Agent) => Promise<T>): Promise<T> {
  const agent = await startAgent({ BURSAR_HOME: house.home }, human)
  try {
    return await work(agent)
  } finally {
    await agent.close()
  }
}

/** A card as bursar has it now. */
export async function cardNow(agent: Agent, instrumentId: string): Promise<InstrumentView> {
  const { view } = await agent.call<BudgetView>('check_budget', { instrument_id: instrumentId })
  return view.instruments[0] as InstrumentView
}

/** A running bursar settles what is in doubt within half a minute, and a call waits no longer than 25 seconds. */
export async function settled(agent: Agent, paymentId: string): Promise<Answer<PaymentView>> {
  const wait = () => agent.call<PaymentView>('get_payment', { payment_id: paymentId, wait_seconds: 25 })
  const first = await wait()
  return first.view.status === 'in_doubt' ? wait() : first
}

/** Whole cents as a decimal string, by the digits alone. */
export function dollars(cents: number): string {
  return String(cents)
    .padStart(3, '0')
    .replace(/(\d\d)$/, '.$1')
}
