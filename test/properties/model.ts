import { firstOver } from './model-limits.ts'

/**
 * What bursar should do, said a second time and plainly: maps, and sums over the whole history. Shares no code with src/.
 */

export interface ModelLimit {
  readonly scope: string
  readonly value: string | null
  readonly window: string
  readonly maxAmount: bigint | null
  readonly maxCount: number | null
  readonly over: 'deny' | 'ask'
  /** Payments authorized after this place in history count as they stand; those before, as they stood then. */
  readonly since: number
  readonly carried: ReadonlyMap<ModelPayment, { amount: bigint; count: number }>
  id: string
}

export interface ModelWallet {
  readonly id: string
  readonly currency: string
  readonly decimals: number
  readonly zone: string
  readonly agentId: string | null
  readonly tiers: readonly { readonly upTo: bigint | null; readonly assurance: string }[]
  frozen: boolean
  available: bigint
  held: bigint
  /** What a network took beyond what was there. */
  owed: bigint
  limits: ModelLimit[]
}

export interface ModelTerms {
  readonly amount: bigint
  readonly uses: number | null
  readonly perPayment: bigint | null
  readonly livesMs: number
  readonly categories: readonly string[] | null
  readonly countries: readonly string[] | null
}

export interface ModelQuestion {
  readonly needs: string
  readonly expiresAt: number
  answered: boolean
  /** When a human said no. */
  deniedAt?: number
}

export interface ModelRequest extends ModelTerms {
  readonly id: string
  readonly wallet: ModelWallet
  readonly agentId: string
  readonly question: ModelQuestion
  status: string
}

export interface ModelInstrument extends ModelTerms {
  readonly id: string
  readonly wallet: ModelWallet
  readonly agentId: string
  readonly expiresAt: number
  remaining: bigint
  consumed: number
  status: string
}

export interface ModelPayee {
  readonly name: string
  readonly category?: string
  readonly country?: string
}

export interface ModelPayment {
  readonly id: string
  readonly instrument: ModelInstrument
  readonly agentId: string
  readonly sessionId: string
  readonly amount: bigint
  readonly payee: ModelPayee
  readonly purchase: string
  readonly key: string | null
  readonly createdAt: number
  question: ModelQuestion | null
  status: string
  held: bigint
  captured: bigint
  forced: bigint
  refunded: bigint
  /** What the owner asked the rail to give back, until the rail's books tell of it. */
  refundAsked: bigint | null
  /** Its place in the history of authorizations; null before. */
  place: number | null
  authorizedAt: number
  /** It ended without money moving, though the network may have forced some later. */
  voided: boolean
}

export interface Model {
  frozen: boolean
  authorizations: number
  readonly revokedAgents: Set<string>
  readonly wallets: ModelWallet[]
  readonly requests: ModelRequest[]
  readonly instruments: ModelInstrument[]
  readonly payments: ModelPayment[]
}

/** A refusal as it is compared: the code, and the rule that decided. */
export interface Refused {
  readonly code: string
  readonly rule: string
}

export type Verdict =
  | { readonly is: 'allow' }
  | { readonly is: 'ask'; readonly limit: string }
  | ({ readonly is: 'deny' } & Refused)

export interface ModelAttempt {
  readonly instrument: ModelInstrument
  readonly agentId: string
  readonly sessionId: string
  readonly amount: bigint
  readonly payee: ModelPayee
}

const ENDED_UNPAID = ['refused', 'voided', 'expired', 'canceled']
const UNDECIDED = ['awaiting_approval', 'authorized', 'in_doubt']

/** The earlier payment that a call repeats, if it does: one with its key; else of ten minutes, or still undecided. */
export function repeated(
  model: Model,
  agentId: string,
  purchase: string,
  key: string | null,
  now: number,
): ModelPayment | null {
  const alive = model.payments.filter((p) => p.agentId === agentId && !ENDED_UNPAID.includes(p.status))
  if (key !== null) return alive.findLast((p) => p.key === key) ?? null
  const same = alive.filter((p) => p.purchase === purchase)
  const latest = same.toSorted((a, b) => a.createdAt - b.createdAt)
  return (
    latest.findLast((p) => p.createdAt > now - 600_000) ?? latest.findLast((p) => UNDECIDED.includes(p.status)) ?? null
  )
}

const GUARDS = ['wallet', 'agent', 'session']

/** Every rule in the documented order; the first that is broken decides. */
export function verdictOn(model: Model, attempt: ModelAttempt, now: number, approved: boolean): Verdict {
  const { instrument, amount, payee } = attempt
  const { wallet } = instrument
  const no = (code: string, rule: string): Verdict => ({ is: 'deny', code, rule })
  if (model.frozen) return no('spending_frozen', 'instance.frozen')
  if (model.revokedAgents.has(attempt.agentId)) return no('spending_frozen', 'agent.status')
  if (wallet.frozen) return no('spending_frozen', 'wallet.status')
  const guards = wallet.limits.filter(
    (l) => l.over === 'deny' && l.maxAmount !== null && l.value === null && GUARDS.includes(l.scope),
  )
  if (['payment', 'session', 'day'].some((window) => !guards.some((l) => l.window === window)))
    return no('limits_missing', 'wallet.limits')
  if (instrument.status === 'frozen') return no('instrument_frozen', 'instrument.status')
  if (['revoked', 'returned'].includes(instrument.status)) return no('instrument_revoked', 'instrument.status')
  if (instrument.status === 'expired' || now >= instrument.expiresAt)
    return no('instrument_expired', 'instrument.expires_at')
  if (instrument.categories && !instrument.categories.includes(payee.category ?? ''))
    return no('merchant_category_not_allowed', 'instrument.constraints.merchant_categories')
  if (instrument.countries && !instrument.countries.includes(payee.country ?? ''))
    return no('country_not_allowed', 'instrument.constraints.countries')
  if (instrument.uses !== null && instrument.consumed >= instrument.uses)
    return no('usage_limit_reached', 'instrument.usage_limit')
  if (instrument.perPayment !== null && amount > instrument.perPayment)
    return no('per_payment_max_exceeded', 'instrument.per_payment_max')
  if (amount > instrument.remaining) return no('amount_exceeds_remaining', 'instrument.amount')
  if (amount > wallet.available - wallet.owed) return no('insufficient_funds', 'wallet.available')
  const denying = firstOver(model, attempt, 'deny', now)
  if (denying) return no('limit_exceeded', denying.id)
  const asking = approved ? undefined : firstOver(model, attempt, 'ask', now)
  return asking ? { is: 'ask', limit: asking.id } : { is: 'allow' }
}
