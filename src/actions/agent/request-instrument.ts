import { accountId, accountOf } from '../../core/account.ts'
import { needed, requestTerms, termsDigest } from '../../core/approval.ts'
import { askRefusal, requestFingerprint } from '../../core/asking.ts'
import { assetOf, USDC } from '../../core/asset.ts'
import { categoriesOf } from '../../core/category.ts'
import { credentialEnded } from '../../core/credential.ts'
import { parseDuration } from '../../core/duration.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact, WireConstraints } from '../../core/event.ts'
import { parse } from '../../core/money.ts'
import { chainIdOf, networkOf } from '../../core/network.ts'
import { countryOf, originOf } from '../../core/payee.ts'
import { SYSTEM } from '../../core/payment.ts'
import { approvedFact, createdFact } from '../../core/request.ts'
import type { Change, Key, Snapshot } from '../../core/step.ts'
import { constraintsToWire } from '../../core/terms.ts'
import { plain } from '../../core/text.ts'
import type { Constraints, InstrumentType, Request, Terms, Text, Wallet } from '../../core/types.ts'
import type { Bursar, Reader } from '../../ports.ts'
import { lookAlikeOf } from '../look-alike.ts'
import { constraintFacts } from '../question.ts'
import { hasRail } from '../rails.ts'
import { endOverdueAsks } from '../recover.ts'
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
/** What nobody could hold an instrument to: no card network tells addresses, and no chain tells merchants. */
const UNKNOWN_TO = {
  virtual_card: ['origins', 'addresses', 'networks'],
  usdc: ['merchant_categories', 'payees', 'countries'],
} as const satisfies Record<InstrumentType, readonly (keyof WireConstraints)[]>

/**
 * Stores an agent's ask for an instrument, before any human is asked. While the same waits already, that is the answer, and
 * nothing is asked anew.
 *
 * @throws `argument_invalid`, `amount_invalid`, `currency_mismatch`, `spending_frozen`, `too_many_asks`, `asked_before`
 */
export async function requestInstrument(bursar: Bursar, caller: Caller, input: RequestInput): Promise<RequestView> {
  const type = typeOf(bursar, input.type)
  const wallet = await walletFor(bursar, caller, input, type)
  const terms = termsOf(type, wallet, input)
  const purpose = bursar.ids.text(plain(input.purpose, PURPOSE_MAX))
  const requestId = bursar.ids.make('request')
  const approvalId = bursar.ids.make('approval')
  const instrumentId = bursar.ids.make('instrument')
  const { agentId } = caller
  const fingerprint = requestFingerprint({ agentId, walletId: wallet.id, ...terms }, wallet.decimals)
  await endOverdueAsks(bursar)
  const isAlike = await namesLookAlike(bursar.store.read, wallet.id, terms.constraints)
  const key = { ...keyOf(caller), walletId: wallet.id, asking: { agentId, fingerprint } }
  const made = await bursar.store.update(key, (snapshot): Change<Made> => {
    const current = snapshot.wallet as Wallet
    assertOpen(snapshot, caller)
    const request: Request = {
      id: requestId,
      walletId: current.id,
      agentId,
      sessionId: caller.sessionId,
      taskId: input.task_id === undefined ? null : plain(input.task_id, TASK_MAX),
      currency: current.currency,
      ...terms,
      purposeRef: purpose.digest,
      fingerprint,
      status: 'pending',
      refusal: null,
      instrumentId: null,
      createdAt: snapshot.now,
    }
    const policy = needed(current.approvals, request.amount)
    // A policy may take a yes from nobody, but not to an address that is easily taken for another.
    const isTaken = policy.assurance === 'none' && isAlike
    const needs = isTaken ? { ...policy, assurance: 'host' as const } : policy
    const created = createdFact(request, current, approvalId, needs, snapshot.now, caller.actors)
    if (needs.assurance !== 'none') return asked(snapshot, created, purpose)
    const proof = {
      approval_id: approvalId,
      assurance: 'none' as const,
      channel: 'policy',
      digest: termsDigest(requestTerms(request, current)),
    }
    const approved = approvedFact(request, current, instrumentId, {}, proof, SYSTEM, snapshot.now)
    return { facts: [created, approved], texts: [purpose], result: { instrumentId } }
  })
  if ('joined' in made) return requestView(bursar, made.joined)
  // A rail that is away now is asked again before the first payment.
  if (made.instrumentId !== null) await provision(bursar, made.instrumentId).catch(() => null)
  bursar.notify.changed(requestId, wallet.id)
  return requestView(bursar, requestId)
}

/** What came of asking: an earlier request for the same, or this one, with the instrument where nobody has to answer. */
type Made = { readonly joined: string } | { readonly instrumentId: string | null }

/** @throws `too_many_asks`, `asked_before` */
function asked({ asking, now }: Snapshot, created: Fact, purpose: Text): Change<Made> {
  if (asking.same !== null) return { facts: [], result: { joined: asking.same } }
  const why = askRefusal(asking, now)
  if (why) throw new BursarError(why.code, why.message)
  return { facts: [created], texts: [purpose], result: { instrumentId: null } }
}

async function namesLookAlike(read: Reader, walletId: string, constraints: Constraints): Promise<boolean> {
  for (const account of constraints.addresses ?? [])
    if ((await lookAlikeOf(read, walletId, account)) !== null) return true
  return false
}

function keyOf({ agentId, credentialId }: Caller): Key {
  return { agentId, ...(credentialId !== null && { credentialId }) }
}

function assertOpen(snapshot: Snapshot, caller: Caller): void {
  const { instance, agent, wallet } = snapshot
  if (instance.frozen) throw new BursarError('spending_frozen', 'All spending is frozen.')
  if (agent?.status !== 'active') throw new BursarError('spending_frozen', 'This agent was revoked.')
  const ended = credentialEnded(snapshot, caller.credentialId, 'bursar:request')
  if (ended) throw new BursarError(ended.code, ended.message)
  if (wallet?.status !== 'active') throw new BursarError('spending_frozen', 'The wallet is frozen.')
}

/** The wallet of this currency that the agent may use: one bound to it before one for all, then the oldest. */
async function walletFor(bursar: Bursar, caller: Caller, input: RequestInput, type: InstrumentType): Promise<Wallet> {
  const code = type === 'usdc' ? usdc(input.currency) : assetOf(input.currency).code
  const usable = (await bursar.store.read.list('wallets', { currency: code }))
    .filter((wallet) => wallet.agentId === null || wallet.agentId === caller.agentId)
    .filter(({ asset }) => asset === null || isOn(networkOf(asset), input.constraints))
    .toSorted((a, b) => Number(b.agentId !== null) - Number(a.agentId !== null) || (a.id < b.id ? -1 : 1))
  if (usable.length === 0) throw new BursarError('currency_mismatch', `There is no wallet in ${code} for this agent.`)
  const payable = usable.find((wallet) => hasRail(bursar, type, wallet))
  if (!payable) throw new BursarError('rail_unavailable', `No rail for this wallet's money in ${code} is set up here.`)
  return payable
}

function usdc(currency: string): string {
  if (currency === USDC) return USDC
  throw new BursarError('currency_mismatch', 'An instrument of the type usdc is in the currency USDC.')
}

/** Whether a wallet on this network can be held to the networks that are asked for. */
function isOn(network: string, { networks, addresses }: WireInputConstraints = {}): boolean {
  const accounts = (addresses ?? []).filter((address) => address.includes(':'))
  if (accounts.length > 0 && !accounts.some((account) => account.startsWith(`${network}:`))) return false
  return networks === undefined || networks.length === 0 || networks.includes(network)
}

function termsOf(type: InstrumentType, wallet: Wallet, input: RequestInput): Terms {
  const asset = { code: wallet.currency, decimals: wallet.decimals }
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
    constraints: constraintsOf(type, wallet, input.constraints ?? {}),
  }
}

function typeOf(bursar: Bursar, type: string): InstrumentType {
  if (Object.hasOwn(bursar.rails, type)) return type as InstrumentType
  const known = Object.keys(bursar.rails).join(', ')
  throw new BursarError('argument_invalid', `type is one of: ${known}.`)
}

function constraintsOf(type: InstrumentType, wallet: Wallet, input: WireInputConstraints): Constraints {
  const unknown = UNKNOWN_TO[type].filter((name) => (input[name]?.length ?? 0) > 0)
  if (unknown.length > 0)
    throw new BursarError(
      'argument_invalid',
      type === 'usdc'
        ? `USDC cannot be held to ${unknown.join(', ')}: no chain tells them. Name addresses.`
        : `A card cannot be held to ${unknown.join(', ')}: no card network tells them.`,
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
    origins: list(input.origins, (value) => [originOf(value)]),
    addresses: list(input.addresses, (value) => [accountId(accountOf(value, networkOf(wallet.asset as string)))]),
    networks: list(input.networks, (value) => {
      chainIdOf(value)
      return [value]
    }),
    protocols: list(input.protocols, text),
    countries: list(input.countries, (value) => [countryOf(value)]),
  }
  const constraints = Object.fromEntries(
    Object.entries(found).filter(([, values]) => values !== undefined),
  ) as Constraints
  // A human approves what can be shown: all of it, never the beginning of it.
  if (constraintFacts(type, constraintsToWire(constraints)).some(([, value]) => value.length > FACT_MAX))
    throw new BursarError('argument_invalid', 'The constraints list more than a human can be shown. List fewer values.')
  return constraints
}
