import { accountId, accountOf } from '../../core/account.ts'
import { categoriesOf } from '../../core/category.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import { limitUse } from '../../core/limit.ts'
import { formatUnits, parseAny } from '../../core/money.ts'
import { originOf, payeeKey } from '../../core/payee.ts'
import type { Change, Snapshot, Usage } from '../../core/step.ts'
import type { Limit, Scope, Wallet, Window } from '../../core/types.ts'
import { SCOPES, WINDOWS } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { limitView } from '../wallet-view.ts'
import type { LimitView } from '../wire.ts'
import type { OwnerAuthority } from './authority.ts'
import { humanActor } from './authority.ts'

export interface LimitInput {
  readonly scope: string
  /** One agent id, payee name, category, … only; without it each counts by itself. */
  readonly scopeValue?: string | undefined
  readonly window: string
  readonly max_amount?: string | undefined
  readonly max_count?: number | undefined
  readonly over: string
}

/**
 * Sets a limit, in place of the one with the same scope, value, window and way. What the current window has let through
 * already counts against it.
 *
 * @throws `argument_invalid`, `amount_invalid`, `not_found`
 */
export async function setLimit(
  bursar: Bursar,
  authority: OwnerAuthority,
  walletId: string,
  input: LimitInput,
): Promise<LimitView> {
  const limitId = bursar.ids.make('limit')
  const rule = ruleOf(input)
  const limit = await bursar.store.update({ walletId, usage: rule }, (snapshot) =>
    set(snapshot, authority, limitId, rule, input),
  )
  const wallet = (await bursar.store.read.one('wallets', { id: walletId })) as Wallet
  return limitView(limitUse(limit, null, undefined), wallet)
}

/** The limit that {@link setLimit} would put one in place of. @throws `argument_invalid` */
export async function limitInPlace({ store }: Bursar, walletId: string, input: LimitInput): Promise<Limit | null> {
  const rule = ruleOf(input)
  const limits = await store.read.list('limits', { walletId, removedAt: null })
  return limits.find((limit) => isSame(limit, rule)) ?? null
}

/** @throws `not_found`, `wrong_state` */
export async function removeLimit(bursar: Bursar, authority: OwnerAuthority, limitId: string): Promise<LimitView> {
  const gone = await bursar.store.update({ limitId }, ({ limit, wallet }) => {
    if (!limit || !wallet) throw new BursarError('not_found', 'There is no such limit.')
    if (limit.removedAt !== null) throw new BursarError('wrong_state', 'The limit was removed already.')
    return { facts: [removedFact(authority, limit)], result: { limit, wallet } }
  })
  return limitView(limitUse(gone.limit, null, undefined), gone.wallet)
}

function set(
  { wallet, limits, usage, now }: Snapshot,
  authority: OwnerAuthority,
  limitId: string,
  rule: Rule,
  input: LimitInput,
): Change<Limit> {
  if (!wallet) throw new BursarError('not_found', 'There is no such wallet.')
  const asset = { code: wallet.currency, decimals: wallet.decimals }
  const max = input.max_amount === undefined ? null : parseAny(input.max_amount, asset)
  const same = limits.map((use) => use.limit).filter((other) => isSame(other, rule))
  const limit: Limit = {
    id: limitId,
    walletId: wallet.id,
    ...rule,
    // What is not said stays as it was: a new count lifts no amount.
    maxAmount: max?.units ?? same[0]?.maxAmount ?? null,
    maxCount: input.max_count ?? same[0]?.maxCount ?? null,
    createdAt: now,
    removedAt: null,
  }
  const fact: Fact = {
    type: 'limit.set',
    actor: humanActor(authority),
    wallet_id: wallet.id,
    currency: wallet.currency,
    details: {
      limit_id: limitId,
      scope: rule.scope,
      scope_value: rule.scopeValue,
      window: rule.window,
      max_amount: limit.maxAmount === null ? null : formatUnits(limit.maxAmount, wallet.decimals),
      max_count: limit.maxCount,
      over: rule.over,
      carried: usage
        .filter(({ key }) => rule.scopeValue === null || key.scopeValue === rule.scopeValue)
        .map((used) => carried(limitId, used, wallet)),
    },
  }
  return { facts: [...same.map((old) => removedFact(authority, old)), fact], result: limit }
}

/** What was spent before the limit was there counts, and is kept apart: the database only refuses what comes on top. */
function carried(limitId: string, { key, amount, forced, count }: Usage, wallet: Wallet) {
  return {
    limit_id: limitId,
    scope_value: key.scopeValue,
    window_key: key.windowKey,
    amount: formatUnits(0n, wallet.decimals),
    count,
    forced: formatUnits(amount + forced, wallet.decimals),
  }
}

function removedFact(authority: OwnerAuthority, limit: Limit): Fact {
  return {
    type: 'limit.removed',
    actor: humanActor(authority),
    wallet_id: limit.walletId,
    details: { limit_id: limit.id },
  }
}

type Rule = Pick<Limit, 'scope' | 'scopeValue' | 'window' | 'over'>

function isSame(limit: Limit, rule: Rule): boolean {
  const { scope, scopeValue, window, over } = limit
  return scope === rule.scope && scopeValue === rule.scopeValue && window === rule.window && over === rule.over
}

function ruleOf(input: LimitInput): Rule {
  const { scope, window, over } = input
  if (!SCOPES.includes(scope as Scope)) throw wrong(`scope is one of: ${SCOPES.join(', ')}.`)
  if (!WINDOWS.includes(window as Window)) throw wrong(`window is one of: ${WINDOWS.join(', ')}.`)
  if (over !== 'deny' && over !== 'ask') throw wrong('over is deny or ask.')
  if (input.max_amount === undefined && input.max_count === undefined)
    throw wrong('A limit needs max_amount, max_count, or both.')
  const { max_count } = input
  if (max_count !== undefined && !(Number.isSafeInteger(max_count) && max_count >= 0))
    throw wrong('max_count is a whole number from 0.')
  return {
    scope: scope as Scope,
    scopeValue: scopeValueOf(scope as Scope, input.scopeValue),
    window: window as Window,
    over,
  }
}

/** The value as payments carry it: payees folded, categories by code. */
function scopeValueOf(scope: Scope, value: string | undefined): string | null {
  if (value === undefined) return null
  if (scope === 'payee') return payeeValueOf(value)
  if (scope === 'category') return oneCategory(value)
  return value
}

/** An account, a web origin, or a name. */
function payeeValueOf(value: string): string {
  if (isAccount(value)) return accountId(accountOf(value, ''))
  return /^https?:/i.test(value) ? originOf(value) : payeeKey({ name: value })
}

/** CAIP-10, as payments on a chain carry it. A bare address is refused: taken for a name, it would limit nobody. */
function isAccount(value: string): boolean {
  if (/^0x[0-9a-f]{40}$/i.test(value)) throw wrong(`Name the account with its network, such as eip155:8453:${value}.`)
  return /^eip155:/i.test(value)
}

/** A limit looks at one category: a name that stands for several would leave the others free. */
function oneCategory(value: string): string {
  const codes = categoriesOf(value)
  if (codes.length > 1) throw wrong(`This name stands for ${codes.join(', ')}: set a limit for each.`)
  return codes[0] as string
}

function wrong(message: string): BursarError {
  return new BursarError('argument_invalid', message)
}
