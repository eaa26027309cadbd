import type { Model, ModelAttempt, ModelLimit, ModelPayment, ModelWallet } from './model.ts'

const SCOPES = ['wallet', 'agent', 'instrument', 'session', 'payee', 'category', 'protocol']
const WINDOWS = ['payment', 'session', 'hour', 'day', 'week', 'month', 'total']

/** The first limit, by scope, window and age, that this attempt would go over. */
export function firstOver(
  model: Model,
  attempt: ModelAttempt,
  over: 'deny' | 'ask',
  now: number,
): ModelLimit | undefined {
  const rank = (l: ModelLimit) => SCOPES.indexOf(l.scope) * WINDOWS.length + WINDOWS.indexOf(l.window)
  const applying = attempt.instrument.wallet.limits.filter(
    (l) => l.over === over && (l.value === null || l.value === scopeOf(l.scope, attempt)),
  )
  // `limits` is kept in the order in which they were set, and sorting is stable.
  return applying
    .toSorted((a, b) => rank(a) - rank(b))
    .find((l) => {
      const used = l.window === 'payment' ? { amount: 0n, count: 0 } : usedOf(model, l, attempt, now)
      const tooMuch = l.maxAmount !== null && used.amount + attempt.amount > l.maxAmount
      return tooMuch || (l.maxCount !== null && used.count >= l.maxCount)
    })
}

/** What a limit has let through in its window, summed over all of history. */
function usedOf(
  model: Model,
  limit: ModelLimit,
  attempt: ModelAttempt,
  now: number,
): { amount: bigint; count: number } {
  let amount = 0n
  let count = 0
  for (const payment of model.payments) {
    if (payment.place === null || payment.instrument.wallet !== attempt.instrument.wallet) continue
    if (scopeOf(limit.scope, payment) !== scopeOf(limit.scope, attempt)) continue
    if (!sameWindow(limit.window, payment, attempt, now)) continue
    const earlier = payment.place < limit.since
    amount += earlier ? (limit.carried.get(payment)?.amount ?? 0n) : payment.held + payment.captured
    count += earlier ? (limit.carried.get(payment)?.count ?? 0) : Number(!payment.voided)
  }
  return { amount, count }
}

/** What counts already when a limit is set: each payment as it stands now. */
export function carriedOver(model: Model, wallet: ModelWallet, window: string, now: number): ModelLimit['carried'] {
  const inWindow = (p: ModelPayment) =>
    p.place !== null && p.instrument.wallet === wallet && p.status !== 'voided' && sameWindow(window, p, { ...p }, now)
  return new Map(model.payments.filter(inWindow).map((p) => [p, { amount: p.held + p.captured, count: 1 }]))
}

function scopeOf(scope: string, { instrument, agentId, sessionId, payee }: Omit<ModelAttempt, 'amount'>): string {
  const values: Record<string, string> = {
    ...{ wallet: instrument.wallet.id, agent: agentId, instrument: instrument.id, session: sessionId },
    ...{ payee: `name:${payee.name.toLowerCase()}`, category: payee.category ?? 'none', protocol: 'card' },
  }
  return values[scope]!
}

function sameWindow(window: string, then: ModelPayment, attempt: { sessionId: string }, now: number): boolean {
  if (window === 'session') return then.sessionId === attempt.sessionId
  if (window === 'total') return true
  const { zone } = then.instrument.wallet
  return windowName(window, then.authorizedAt, zone) === windowName(window, now, zone)
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** The calendar by way of Intl, and of nothing that bursar uses. */
function windowName(window: string, at: number, timeZone: string): string {
  if (!formats.has(timeZone))
    formats.set(
      timeZone,
      new Intl.DateTimeFormat('en-CA', {
        ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
        ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
      }),
    )
  const part = Object.fromEntries(
    formats
      .get(timeZone)!
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  ) as Record<string, number>
  const day = Date.UTC(part.year!, part.month! - 1, part.day!)
  if (window === 'hour') return `${at - (part.minute! * 60 + part.second!) * 1000 - (at % 1000)}`
  if (window === 'day') return `${day}`
  if (window === 'month') return `${part.year}-${part.month}`
  return `${day - ((new Date(day).getUTCDay() + 6) % 7) * 86_400_000}`
}
