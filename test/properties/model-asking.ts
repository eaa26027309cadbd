import type { Model, ModelPayee, ModelQuestion, ModelRequest, ModelTerms, ModelWallet, Refused } from './model.ts'

/** How much humans are asked, said a second time: three questions of an agent at a time, and a no stands for a while. */

const HOUR_MS = 3_600_000

/** A question whose time is over is answered with no, before another is put. */
export function endOverdue(model: Model, now: number): void {
  for (const subject of [...model.requests, ...model.payments]) {
    const { question } = subject
    if (!question || question.answered || now < question.expiresAt) continue
    question.answered = true
    subject.status = 'expired'
  }
}

/** What two requests for the same have in common. */
export function sameTerms(agentId: string, wallet: ModelWallet, terms: ModelTerms): string {
  const { amount, uses, perPayment, livesMs, categories, countries } = terms
  const lists = [categories, countries].map((list) => (list && list.length > 0 ? [...new Set(list)].sort() : null))
  return JSON.stringify([agentId, wallet.id, `${amount}`, uses, `${perPayment}`, livesMs, ...lists])
}

/** Requests for the same, oldest first. */
export function sameRequests({ requests }: Model, same: string): readonly ModelRequest[] {
  return requests.filter((asked) => sameTerms(asked.agentId, asked.wallet, asked) === same)
}

/** The denied questions about paying this merchant this much out of this wallet. */
export function samePayments(model: Model, agentId: string, wallet: ModelWallet, { name }: ModelPayee, amount: bigint) {
  const folded = (text: string) => text.toLowerCase().replace(/\s+/g, ' ').trim()
  return model.payments.filter(
    (paid) =>
      paid.agentId === agentId &&
      paid.instrument.wallet === wallet &&
      folded(paid.payee.name) === folded(name) &&
      paid.amount === amount,
  )
}

/** Why nobody is asked now; null: somebody is. */
export function unasked(
  model: Model,
  agentId: string,
  same: readonly { readonly question: ModelQuestion | null }[],
  now: number,
): Refused | null {
  const denied = same.flatMap(({ question }) => question?.deniedAt ?? []).filter((at) => at > now - 24 * HOUR_MS)
  const hours = 2 ** Math.min(denied.length - 1, 5)
  if (denied.length > 0 && now < Math.max(...denied) + hours * HOUR_MS)
    return { code: 'asked_before', rule: 'asking.denied' }
  const waiting =
    model.requests.filter((asked) => asked.agentId === agentId && asked.status === 'pending').length +
    model.payments.filter((paid) => paid.agentId === agentId && paid.status === 'awaiting_approval').length
  if (waiting >= 3) return { code: 'too_many_asks', rule: 'asking.waiting' }
  const lately = ({ question }: { question: ModelQuestion | null }, open: number) =>
    question !== null && question.expiresAt - open > now - HOUR_MS
  const takenBack =
    model.requests.filter((one) => one.agentId === agentId && one.status === 'canceled' && lately(one, 24 * HOUR_MS))
      .length +
    model.payments.filter((one) => one.agentId === agentId && one.status === 'canceled' && lately(one, HOUR_MS / 4))
      .length
  return takenBack >= 10 ? { code: 'too_many_asks', rule: 'asking.taken_back' } : null
}
