import { fold } from '../../../core/payee.ts'
import type { Payee } from '../../../core/types.ts'
import { DECLINE_CODES, type DeclineCode, type Merchant } from '../issuer.ts'
import type { Message } from './message.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** How long a hold lives that nobody captures. */
export const HOLD_LIFE_MS = 7 * DAY_MS
/** How long the network takes in the scenario `Slow Answer`. */
export const SLOW_MS = 4_000

/** What the network sends for a merchant that is not in its table, where the payment does not say. */
export const UNKNOWN_MERCHANT = { category: '5999', country: 'ZZ' } as const

/** `percent` of the authorized amount, rounded down but at least one unit; `rest`: all that is left of the hold. */
interface Step {
  readonly afterMs: number
  readonly kind: 'capture' | 'reverse' | 'refund' | 'force_post'
  readonly percent: bigint | 'rest'
  /** A capture that gives the rest of the hold back. */
  readonly close?: true
  /** Sent twice by the network, under one message id. */
  readonly twice?: true
}

/** What happens to one payment that the card's own controls let through. */
export interface Scenario {
  /** The merchant is called `Bursar Test: ` and this. */
  readonly name: string
  /** Smallest units. At a merchant that is not in the table, this exact amount does the same. Null: no amount does. */
  readonly amount: bigint | null
  readonly category: string
  readonly country: string
  readonly decline: DeclineCode | null
  readonly reply: 'prompt' | 'slow' | 'twice' | 'lost_reply' | 'lost_request' | 'unreachable'
  readonly steps: readonly Step[]
}

const IN_FULL: Scenario['steps'] = [{ afterMs: 0, kind: 'capture', percent: 'rest' }]

/** An ordinary merchant and an ordinary amount. */
export const ORDINARY: Scenario = {
  name: 'Software Shop',
  amount: null,
  category: '5734',
  country: 'US',
  decline: null,
  reply: 'prompt',
  steps: IN_FULL,
}

function played(name: string, amount: bigint, does: Partial<Scenario>): Scenario {
  return { ...ORDINARY, name, amount, ...does }
}

function later(afterMs: number, kind: Step['kind'], percent: Step['percent']): Step {
  return { afterMs, kind, percent }
}

const PLACES: readonly Scenario[] = [
  ORDINARY,
  { ...ORDINARY, name: 'Cloud Hosting', category: '4816' },
  { ...ORDINARY, name: 'Casino', category: '7995' },
  { ...ORDINARY, name: 'Airline', category: '4511', country: 'DE' },
  { ...ORDINARY, name: 'Overseas Shop', country: 'JP' },
]

const EVENTS: readonly Scenario[] = [
  played('Partial Capture', 9311n, { steps: [{ afterMs: 0, kind: 'capture', percent: 40n, close: true }] }),
  played('Multiple Captures', 9312n, {
    steps: [later(0, 'capture', 50n), later(MINUTE_MS, 'capture', 30n), later(2 * MINUTE_MS, 'capture', 'rest')],
  }),
  played('Delayed Capture', 9313n, { steps: [later(MINUTE_MS, 'capture', 'rest')] }),
  played('Never Captured', 9314n, { steps: [] }),
  played('Reversal', 9315n, { steps: [later(MINUTE_MS, 'reverse', 'rest')] }),
  played('Partial Reversal', 9316n, { steps: [later(0, 'reverse', 30n), later(MINUTE_MS, 'capture', 'rest')] }),
  played('Merchant Refund', 9317n, { steps: [...IN_FULL, later(MINUTE_MS, 'refund', 100n)] }),
  played('Partial Refund', 9318n, { steps: [...IN_FULL, later(MINUTE_MS, 'refund', 25n)] }),
  played('Restaurant Tip', 9319n, { category: '5812', steps: [...IN_FULL, later(MINUTE_MS, 'force_post', 20n)] }),
  played('Capture After Expiry', 9321n, {
    category: '7011',
    steps: [later(HOLD_LIFE_MS + DAY_MS, 'force_post', 100n)],
  }),
  played('Slow Answer', 9322n, { reply: 'slow' }),
  played('Lost Reply', 9323n, { reply: 'lost_reply' }),
  played('Lost Request', 9324n, { reply: 'lost_request' }),
  played('Unreachable', 9326n, { reply: 'unreachable' }),
  played('Duplicate Authorization', 9327n, { reply: 'twice' }),
  played('Duplicate Capture', 9328n, { steps: [{ afterMs: 0, kind: 'capture', percent: 40n, twice: true }] }),
]

/** Odd amounts from here on, one for each code: a round one would be met by chance. */
const FIRST_DECLINE_AMOUNT = 9711n
const DECLINES: readonly Scenario[] = (Object.keys(DECLINE_CODES) as DeclineCode[]).map((code, n) =>
  played(`Decline ${code}`, FIRST_DECLINE_AMOUNT + 2n * BigInt(n), { decline: code, steps: [] }),
)

export const SCENARIOS: readonly Scenario[] = [...PLACES, ...EVENTS, ...DECLINES]

export function merchantName(scenario: Scenario): string {
  return `Bursar Test: ${scenario.name}`
}

const byName = new Map(SCENARIOS.map((scenario) => [fold(merchantName(scenario)), scenario]))
const byAmount = new Map(SCENARIOS.map((scenario) => [scenario.amount, scenario]))

/**
 * The merchant as the network knows it, and what will happen there. A merchant in the table is sent with its own category
 * and country, whatever the payment says; names are compared as bursar compares payees.
 */
export function met(payee: Payee, amount: bigint): { merchant: Merchant; scenario: Scenario } {
  const name = payee.name ?? payee.address ?? ''
  const known = byName.get(fold(name))
  if (known) {
    const { category, country } = known
    return { merchant: { name: merchantName(known), category, country }, scenario: known }
  }
  const { category = UNKNOWN_MERCHANT.category, country = UNKNOWN_MERCHANT.country } = payee
  return { merchant: { name, category, country }, scenario: byAmount.get(amount) ?? ORDINARY }
}

/** One message of a merchant, as it will arrive. Two with the same id are one message sent twice. */
export interface Planned {
  readonly id: string
  readonly afterMs: number
  readonly message: Message
}

/** What the merchant will send after `authorized` units were approved, in order; at last the end of the hold. */
export function planned(steps: Scenario['steps'], authorized: bigint): readonly Planned[] {
  let left = authorized
  const messages = steps.flatMap((step, n): Planned[] => {
    const share = step.percent === 'rest' ? left : atLeastOne((authorized * step.percent) / 100n)
    const holds = step.kind === 'capture' || step.kind === 'reverse'
    const amount = holds && share > left ? left : share
    if (amount === 0n) return []
    if (holds) left -= amount
    const message: Message = { kind: step.kind, amount, close: step.close ?? false }
    const one = { id: `script_${n}`, afterMs: step.afterMs, message }
    return step.twice ? [one, one] : [one]
  })
  return [
    ...messages,
    { id: 'script_expiry', afterMs: HOLD_LIFE_MS, message: { kind: 'expire', amount: 0n, close: false } },
  ]
}

function atLeastOne(units: bigint): bigint {
  return units > 0n ? units : 1n
}
