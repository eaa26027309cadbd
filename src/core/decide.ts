import type { Code } from './errors.ts'
import type { LimitUse } from './limit.ts'
import { inOrder, isOver, missingWindows } from './limit.ts'
import { formatUnits } from './money.ts'
import { contractOf, networkOf } from './network.ts'
import { fold, payeeKey } from './payee.ts'
import type { Snapshot } from './step.ts'
import type { Agent, Instance, Instrument, Payee, Refusal, Wallet } from './types.ts'

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
  readonly wallet: Wallet
  readonly instrument: Instrument
  readonly available: bigint
}

/** The rule that asks about an address that is easily taken for one that was paid before. */
export const LOOK_ALIKE = 'payee.look_alike'

type Rule = (spending: Spending, attempt: Attempt) => Refusal | null

/**
 * The documented order: the first rule that is broken is the one that is reported, so that the same call always gets
 * the same answer. Who may spend at all, then the instrument, then whom, then how much, then the money, then limits.
 */
const RULES: readonly Rule[] = [
  frozen,
  unguarded,
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

/** A wallet pays on its own chain, and neither itself nor the token's contract, from which nothing comes back. */
function networkAllowed({ instrument, wallet }: Spending, { payee }: Attempt): Refusal | null {
  if (wallet.asset !== null && payee.network !== networkOf(wallet.asset))
    return refusal('network_not_allowed', 'wallet.asset', `The wallet pays on ${networkOf(wallet.asset)}.`)
  return outside(instrument.constraints.networks, payee.network)
    ? refusal('network_not_allowed', 'instrument.constraints.networks', 'The network is not one the instrument allows.')
    : null
}

/** No way of paying that is built yet contacts an origin: an instrument that is held to some pays nobody. */
function originAllowed({ instrument }: Spending): Refusal | null {
  return outside(instrument.constraints.origins, undefined)
    ? refusal('payee_not_allowed', 'instrument.constraints.origins', 'The payee is not one the instrument allows.')
    : null
}

function categoryAllowed({ instrument }: Spending, { payee }: Attempt): Refusal | null {
  return outside(instrument.constraints.merchantCategories, payee.category)
    ? refusal(
        'merchant_category_not_allowed',
        'instrument.constraints.merchant_categories',
        payee.category === undefined
          ? 'The instrument is limited to some merchant categories, and the payee has none. Say payee.merchant_category.'
          : `Merchant category ${payee.category} is not one the instrument allows.`,
      )
    : null
}

function payeeAllowed({ instrument }: Spending, { payee }: Attempt): Refusal | null {
  const allowed = instrument.constraints.payees?.map(fold)
  return outside(allowed, payee.name === undefined ? undefined : fold(payee.name))
    ? refusal('payee_not_allowed', 'instrument.constraints.payees', 'The payee is not one the instrument allows.')
    : null
}

function addressAllowed({ instrument, wallet }: Spending, { payee }: Attempt): Refusal | null {
  const account = payee.address === undefined ? undefined : payeeKey(payee)
  if (account !== undefined && account === wallet.account)
    return refusal('address_not_allowed', 'wallet.account', 'The address is the account of the wallet itself.')
  if (wallet.asset !== null && payee.address === contractOf(wallet.asset))
    return refusal(
      'address_not_allowed',
      'wallet.asset',
      'The address is the contract of the token: what it gets is lost.',
    )
  return outside(instrument.constraints.addresses, account)
    ? refusal(
        'address_not_allowed',
        'instrument.constraints.addresses',
        'The address is not one the instrument allows.',
      )
    : null
}

function countryAllowed({ instrument }: Spending, { payee }: Attempt): Refusal | null {
  return outside(instrument.constraints.countries, payee.country)
    ? refusal(
        'country_not_allowed',
        'instrument.constraints.countries',
        payee.country === undefined
          ? 'The instrument is limited to some countries, and the payee has none. Say payee.country.'
          : `The country ${payee.country} is not one the instrument allows.`,
      )
    : null
}

/** A list restricts, and what is unknown is outside it. */
function outside(allowed: readonly string[] | undefined, value: string | undefined): boolean {
  return allowed !== undefined && (value === undefined || !allowed.includes(value))
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

export function refusal(code: Code, rule: string, message: string): Refusal {
  return { code, rule, message }
}
