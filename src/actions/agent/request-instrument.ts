import { needed, requestTerms, termsDigest } from '../../core/approval.ts'
import { assetOf } from '../../core/asset.ts'
import { categoriesOf } from '../../core/category.ts'
import { parseDuration } from '../../core/duration.ts'
import { BursarError } from '../../core/errors.ts'
import type { WireConstraints } from '../../core/event.ts'
import { parse } from '../../core/money.ts'
import { countryOf } from '../../core/payee.ts'
import { SYSTEM } from '../../core/payment.ts'
import { approvedFact, createdFact } from '../../core/request.ts'
import type { Snapshot } from '../../core/step.ts'
import { constraintsToWire } from '../../core/terms.ts'
import { plain } from '../../core/text.ts'
import type { Constraints, InstrumentType, Request, Terms, Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { constraintFacts } from '../question.ts'
import { hasRail } from '../rails.ts'
import { provision } from '../settle.ts'
import { requestView } from '../views.ts'
import type { Caller, RequestView } from '../wire.ts'

export interface RequestInput {
  readonly type: string
  readonly amount: string
  readonly currency: string
  readonly usage_limit?: number | undefined
  readonly per_payment_max?: string | undefined
  readonly expires_in: string
  readonly purpose: string
  readonly constraints?: WireInputConstraints | undefined
  readonly task_id?: string | undefined
}
export type WireInputConstraints = { readonly [C in keyof WireConstraints]?: readonly string[] | undefined }

const PURPOSE_MAX = 500
const TASK_MAX = 100
const LIST_MAX = 50
const FACT_MAX = 1_500
const NOT_OF_CARDS = ['origins', 'addresses', 'networks'] as const

/**
 * Stores an agent's ask for an instrument, before any human is asked.
 *
 * @throws `argument_invalid`, `amount_invalid`, `currency_mismatch`, `spending_frozen`
 */
export async function requestInstrument(bursar: Bursar, caller: Caller, input: RequestInput): Promise<RequestView> {
  const terms = termsOf(bursar, input)
  const wallet = walletFor(bursar, caller, input.currency, terms.type)
  const purpose = bursar.ids.text(plain(input.purpose, PURPOSE_MAX))
  const requestId = bursar.ids.make('request')
  const approvalId = bursar.ids.make('approval')
  const instrumentId = bursar.ids.make('instrument')
  const made = await bursar.store.update({ agentId: caller.agentId, walletId: wallet.id }, (snapshot) => {
    const current = snapshot.wallet as Wallet
    assertOpen(snapshot, caller)
    const request: Request = {
      id: requestId,
      walletId: current.id,
      agentId: caller.agentId,
      sessionId: caller.sessionId,
      taskId: input.task_id === undefined ? null : plain(input.task_id, TASK_MAX),
      currency: current.currency,
      ...terms,
      purposeRef: purpose.digest,
      status: 'pending',
      refusal: null,
      instrumentId: null,
      createdAt: snapshot.now,
    }
    const created = createdFact(request, current, approvalId, snapshot.now)
    if (needed(current.approvals, request.amount) !== 'none')
      return { facts: [created], texts: [purpose], result: null }
    const proof = {
      approval_id: approvalId,
      assurance: 'none' as const,
      channel: 'policy',
      digest: termsDigest(requestTerms(request, current)),
    }
    const approved = approvedFact(request, current, instrumentId, {}, proof, SYSTEM, snapshot.now)
    return { facts: [created, approved], texts: [purpose], result: instrumentId }
  })
  // A rail that is away now is asked again before the first payment.
  if (made !== null) await provision(bursar, made).catch(() => null)
  bursar.notify.changed(requestId, wallet.id)
  return requestView(bursar, requestId)
}

function assertOpen({ instance, agent, wallet }: Snapshot, caller: Caller): void {
  if (instance.frozen) throw new BursarError('spending_frozen', 'All spending is frozen.')
  if (agent?.status !== 'active') throw new BursarError('spending_frozen', 'This agent was revoked.')
  if (caller.keyHash !== undefined && agent.keyHash !== caller.keyHash)
    throw new BursarError('spending_frozen', "The agent's key was replaced.")
  if (wallet?.status !== 'active') throw new BursarError('spending_frozen', 'The wallet is frozen.')
}

/** The wallet of this currency that the agent may use: one bound to it before one for all, then the oldest. */
function walletFor(bursar: Bursar, caller: Caller, currency: string, type: InstrumentType): Wallet {
  const { code } = assetOf(currency)
  const usable = bursar.store.read
    .list('wallets', { currency: code })
    .filter((wallet) => wallet.agentId === null || wallet.agentId === caller.agentId)
    .toSorted((a, b) => Number(b.agentId !== null) - Number(a.agentId !== null) || (a.id < b.id ? -1 : 1))
  if (usable.length === 0) throw new BursarError('currency_mismatch', `There is no wallet in ${code} for this agent.`)
  const payable = usable.find((wallet) => hasRail(bursar, type, wallet))
  if (!payable) throw new BursarError('rail_unavailable', `No rail for real money in ${code} is set up here.`)
  return payable
}

function termsOf(bursar: Bursar, input: RequestInput): Terms {
  const type = typeOf(bursar, input.type)
  const asset = assetOf(input.currency)
  const amount = parse(input.amount, asset).units
  const perPaymentMax = input.per_payment_max === undefined ? null : parse(input.per_payment_max, asset).units
  const usageLimit = input.usage_limit ?? null
  if (usageLimit !== null && !(Number.isSafeInteger(usageLimit) && usageLimit > 0 && usageLimit <= 1_000_000))
    throw new BursarError('argument_invalid', 'usage_limit is a whole number from 1 to 1000000.')
  return {
    type,
    amount,
    usageLimit,
    perPaymentMax: perPaymentMax !== null && perPaymentMax > amount ? amount : perPaymentMax,
    expiresInMs: parseDuration(input.expires_in),
    constraints: constraintsOf(type, input.constraints ?? {}),
  }
}

function typeOf(bursar: Bursar, type: string): InstrumentType {
  if (Object.hasOwn(bursar.rails, type)) return type as InstrumentType
  const known = Object.keys(bursar.rails).join(', ')
  throw new BursarError('argument_invalid', `type is one of: ${known}.`)
}

function constraintsOf(type: InstrumentType, input: WireInputConstraints): Constraints {
  const unknown = NOT_OF_CARDS.filter((name) => (input[name]?.length ?? 0) > 0)
  if (type === 'virtual_card' && unknown.length > 0)
    throw new BursarError(
      'argument_invalid',
      `A card cannot be held to ${unknown.join(', ')}: no card network tells them.`,
    )
  const list = (values: readonly string[] | undefined, one: (value: string) => readonly string[]) => {
    // Models write [] where they mean no restriction; the human is shown which it is.
    if (values === undefined || values.length === 0) return undefined
    if (values.length > LIST_MAX)
      throw new BursarError('argument_invalid', `A constraint lists at most ${LIST_MAX} values.`)
    return [...new Set(values.flatMap(one))]
  }
  const text = (value: string): readonly string[] => {
    const clean = plain(value, TASK_MAX)
    if (clean === '') throw new BursarError('argument_invalid', 'A constraint has an empty value.')
    return [clean]
  }
  const found = {
    merchantCategories: list(input.merchant_categories, categoriesOf),
    payees: list(input.payees, text),
    origins: list(input.origins, text),
    addresses: list(input.addresses, text),
    networks: list(input.networks, text),
    protocols: list(input.protocols, text),
    countries: list(input.countries, (value) => [countryOf(value)]),
  }
  const constraints = Object.fromEntries(
    Object.entries(found).filter(([, values]) => values !== undefined),
  ) as Constraints
  // A human approves what can be shown: all of it, never the beginning of it.
  if (constraintFacts(constraintsToWire(constraints)).some(([, value]) => value.length > FACT_MAX))
    throw new BursarError('argument_invalid', 'The constraints list more than a human can be shown. List fewer values.')
  return constraints
}
