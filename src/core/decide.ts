import type { LimitUse } from './limit.ts'
import { inOrder, isOver, missingWindows } from './limit.ts'
import { formatUnits } from './money.ts'
import { payeeKey } from './payee.ts'
import { refusal } from './refusal.ts'
import type { Snapshot } from './step.ts'
import type { Agent, Credential, Instance, Instrument, Payee, Refusal, Wallet } from './types.ts'
import { addressAllowed, categoryAllowed, countryAllowed, networkAllowed, originAllowed, payeeAllowed } from './whom.ts'

/** What is to be paid, in the instrument's currency. */
export interface Attempt {
  readonly amount: bigint
  readonly payee: Payee
  readonly protocol: string
}

export type Verdict =
  | { readonly verdict: 'allow' }
  /** `rule`: a limit's id, or `payee.look_alike`. */
  | { readonly verdict: 'ask'; readonly rule: string }
  | { readonly verdict: 'deny'; readonly refusal: Refusal }

/** A snapshot in which everything that a payment needs was found. */
export interface Spending extends Pick<Snapshot, 'now' | 'limits' | 'lookAlike'> {
  readonly instance: Instance
  readonly agent: Agent
  /** What it came with, and what minted that; empty where it needs none. */
  readonly credentials: readonly Credential[]
  readonly wallet: Wallet
  readonly instrument: Instrument
  readonly available: bigint
}

/** The rule that asks about an address that is easily taken for one that was paid before. */
export const LOOK_ALIKE = 'payee.look_alike'

export type Rule = (spending: Spending, attempt: Attempt) => Refusal | null

/**
 * The documented order: the first rule that is broken is the one that is reported, so that the same call always gets
 * the same answer. Who may spend at all, then the instrument, then whom, then how much, then the money, then limits.
 */
const RULES: readonly Rule[] = [
  frozen,
  unguarded,
  withinCredential,
  instrumentUsable,
  protocolAllowed,
  networkAllowed,
  originAllowed,
  categoryAllowed,
  payeeAllowed,
  addressAllowed,
  countryAllowed,
  usesLeft,
  withinPerPayment,
  withinRemaining,
  withinBudget,
  funded,
  withinLimits,
]

/** Whether this may be paid now. `approved`: a human has said yes, which lifts the limits that ask and no other rule. */
export function decide(spending: Spending, attempt: Attempt, approved: boolean): Verdict {
  for (const rule of RULES) {
    const refusal = rule(spending, attempt)
    if (refusal) return { verdict: 'deny', refusal }
  }
  if (approved) return { verdict: 'allow' }
  const asking = firstOver(spending.limits, attempt.amount, 'ask')
  if (asking) return { verdict: 'ask', rule: asking.limit.id }
  return looksLikeAnother(spending, attempt) ? { verdict: 'ask', rule: LOOK_ALIKE } : { verdict: 'allow' }
}

/** What must hold before a seller is so much as asked for its price: the rules that look at no price and no account. */
const BEFORE_CONTACT: readonly Rule[] = [frozen, withinCredential, instrumentUsable, protocolAllowed, originAllowed]

/** Whether an origin may be contacted to buy something there; null where it may. */
export function contactRefusal(spending: Spending, origin: string, protocol: string): Refusal | null {
  const attempt = { amount: 0n, payee: { origin }, protocol }
  for (const rule of BEFORE_CONTACT) {
    const refusal = rule(spending, attempt)
    if (refusal) return refusal
  }
  return null
}

/** The kill switches, widest first. */
function frozen({ instance, wallet, agent }: Spending): Refusal | null {
  if (instance.frozen) return refusal('spending_frozen', 'instance.frozen', 'All spending is frozen.')
  if (agent.status !== 'active') return refusal('spending_frozen', 'agent.status', 'This agent was revoked.')
  if (wallet.status === 'frozen') return refusal('spending_frozen', 'wallet.status', 'The wallet is frozen.')
  return null
}

/** Fail closed: no limits set means no spending. */
function unguarded({ limits }: Spending): Refusal | null {
  const missing = missingWindows(limits.map((use) => use.limit))
  if (missing.length === 0) return null
  return refusal('limits_missing', 'wallet.limits', `The wallet has no limit that denies per ${missing.join(', ')}.`)
}

/** A credential for a task may name its instruments. Others read as not there. */
function withinCredential({ credentials, instrument, wallet }: Spending): Refusal | null {
  for (const { instruments, currency } of credentials) {
    if (instruments !== null && !instruments.includes(instrument.id))
      return refusal('not_found', 'credential.instruments', 'There is no such instrument.')
    if (currency !== null && currency !== wallet.currency)
      return refusal('currency_mismatch', 'credential.currency', `The credential pays in ${currency}.`)
  }
  return null
}

/** What a credential may spend in all, with what it minted. */
function withinBudget({ credentials, wallet }: Spending, { amount }: Attempt): Refusal | null {
  for (const { maxAmount, spent } of credentials) {
    if (maxAmount !== null && spent + amount > maxAmount)
      return refusal(
        'amount_exceeds_remaining',
        'credential.max_amount',
        `The credential has ${sum(maxAmount - spent, wallet)} left.`,
      )
  }
  return null
}

function instrumentUsable({ instrument, now }: Spending): Refusal | null {
  switch (instrument.status) {
    case 'frozen':
      return refusal('instrument_frozen', 'instrument.status', 'The instrument is frozen.')
    case 'revoked':
    case 'returned':
      return refusal('instrument_revoked', 'instrument.status', `The instrument was ${instrument.status}.`)
    case 'expired':
      return refusal('instrument_expired', 'instrument.expires_at', 'The instrument has expired.')
    case 'active':
    case 'limit_reached':
      return now >= instrument.expiresAt
        ? refusal('instrument_expired', 'instrument.expires_at', 'The instrument has expired.')
        : null
  }
}

/** A card pays as a card; USDC as a transfer or x402 unless the instrument says otherwise. */
function protocolAllowed({ instrument }: Spending, { protocol }: Attempt): Refusal | null {
  const byType = instrument.type === 'virtual_card' ? ['card'] : ['transfer', 'x402']
  const allowed = instrument.constraints.protocols ?? byType
  if (allowed.includes(protocol)) return null
  return refusal(
    'protocol_not_allowed',
    'instrument.constraints.protocols',
    `The instrument pays by ${allowed.join(', ')}.`,
  )
}

function usesLeft({ instrument }: Spending): Refusal | null {
  const { usageLimit, usageConsumed } = instrument
  if (usageLimit === null || usageConsumed < usageLimit) return null
  return refusal('usage_limit_reached', 'instrument.usage_limit', `All ${usageLimit} uses are taken.`)
}

function withinPerPayment({ instrument, wallet }: Spending, { amount }: Attempt): Refusal | null {
  const max = instrument.perPaymentMax
  if (max === null || amount <= max) return null
  return refusal(
    'per_payment_max_exceeded',
    'instrument.per_payment_max',
    `One payment may be at most ${sum(max, wallet)}.`,
  )
}

function withinRemaining({ instrument, wallet }: Spending, { amount }: Attempt): Refusal | null {
  if (amount <= instrument.remaining) return null
  return refusal(
    'amount_exceeds_remaining',
    'instrument.amount',
    `The instrument has ${sum(instrument.remaining, wallet)} left.`,
  )
}

function funded({ available, wallet }: Spending, { amount }: Attempt): Refusal | null {
  if (amount <= available) return null
  const left = available < 0n ? 0n : available
  return refusal('insufficient_funds', 'wallet.available', `The wallet has ${sum(left, wallet)} available.`)
}

function withinLimits({ limits, wallet }: Spending, { amount }: Attempt): Refusal | null {
  const over = firstOver(limits, amount, 'deny')
  if (!over) return null
  const { limit, used } = over
  const left = limit.maxAmount === null ? null : limit.maxAmount - used.amount
  const room =
    left !== null && left < amount
      ? `${sum(left < 0n ? 0n : left, wallet)} of ${sum(limit.maxAmount as bigint, wallet)} is left`
      : `all ${limit.maxCount} payments are made`
  return refusal('limit_exceeded', limit.id, `Limit per ${limit.scope} and ${limit.window}: ${room}.`)
}

/** What a human approved by its whole address is known, whatever it looks like. */
function looksLikeAnother({ lookAlike, instrument }: Spending, { payee }: Attempt): boolean {
  return lookAlike !== null && instrument.constraints.addresses?.includes(payeeKey(payee)) !== true
}

function firstOver(limits: readonly LimitUse[], amount: bigint, over: 'deny' | 'ask'): LimitUse | undefined {
  return inOrder(limits).find((use) => use.limit.over === over && isOver(use, amount))
}

function sum(units: bigint, wallet: Wallet): string {
  return `${formatUnits(units, wallet.decimals)} ${wallet.currency}`
}
