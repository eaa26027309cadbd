import { assetOf } from '../../core/asset.ts'
import { timeZoneOf } from '../../core/calendar.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact, WireTiers } from '../../core/event.ts'
import { defaultRules } from '../../core/limit.ts'
import type { Asset } from '../../core/money.ts'
import { format, formatUnits, parse } from '../../core/money.ts'
import { plain } from '../../core/text.ts'
import type { Assurance, Wallet } from '../../core/types.ts'
import { ALLOWANCES, ASSURANCES } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { walletView } from '../wallet-view.ts'
import type { WalletView } from '../wire.ts'
import type { OwnerAuthority } from './authority.ts'
import { humanActor } from './authority.ts'
import type { ChainInput } from './chain.ts'
import { chainDetails, feeLimit, tokenOf } from './chain.ts'
import { boundsOf } from './tiers.ts'

/** `up_to` is a decimal string; null stands for any amount. In rising order, the last one null. */
export interface TierInput {
  readonly up_to: string | null
  readonly assurance: string
  /** 2: of two different owners, one of them the wallet's own. */
  readonly owners?: number | undefined
}

export interface WalletInput {
  readonly name: string
  readonly currency: string
  readonly mode: string
  readonly agentId?: string | undefined
  readonly timeZone?: string | undefined
  readonly approvals?: readonly TierInput[] | undefined
  /** For a wallet in USDC, whose mode and currency it decides. */
  readonly chain?: ChainInput | undefined
}

const NAME_MAX = 60

/** What a new wallet asks of a human's answer, until the owner says otherwise. */
const DEFAULT_ASSURANCE = { sandbox: 'host', live: 'operator' } as const

/**
 * A new, empty wallet with the default limits.
 *
 * @throws `argument_invalid`, `currency_mismatch`, `already_exists`, `not_found` (the agent)
 */
export async function createWallet(bursar: Bursar, authority: OwnerAuthority, input: WalletInput): Promise<WalletView> {
  const walletId = bursar.ids.make('wallet')
  await assertTwoOwners(bursar, input.approvals ?? [])
  const facts = await walletFacts(bursar, authority, walletId, input)
  if (await bursar.store.read.one('wallets', { name: plain(input.name, NAME_MAX) }))
    throw new BursarError('already_exists', 'There is a wallet of this name.')
  if (input.agentId !== undefined && !(await bursar.store.read.one('agents', { id: input.agentId })))
    throw new BursarError('not_found', 'There is no such agent.')
  await bursar.store.update({}, () => ({ facts, result: null }))
  return walletView(bursar, (await bursar.store.read.one('wallets', { id: walletId })) as Wallet)
}

/** The facts of a wallet's birth: itself, and the limits without which it could not pay. */
export async function walletFacts(
  bursar: Bursar,
  authority: OwnerAuthority,
  walletId: string,
  input: WalletInput,
): Promise<readonly Fact[]> {
  const { chain } = input
  const asset = chain ? tokenOf(chain, input) : assetOf(input.currency)
  const name = plain(input.name, NAME_MAX)
  if (name === '') throw new BursarError('argument_invalid', 'A wallet needs a name.')
  const mode = modeOf(input.mode)
  const base = { actor: humanActor(authority), wallet_id: walletId, currency: asset.code }
  const created: Fact = {
    ...base,
    type: 'wallet.created',
    details: {
      name,
      owner_id: authority.ownerId,
      agent_id: input.agentId ?? null,
      mode,
      currency: asset.code,
      decimals: asset.decimals,
      time_zone: timeZoneOf(input.timeZone ?? 'UTC'),
      approvals: tiersOf(input.approvals ?? [{ up_to: null, assurance: DEFAULT_ASSURANCE[mode] }], asset),
      ...(chain && { chain: chainDetails(chain, asset) }),
    },
  }
  const limits = defaultRules(asset.decimals).map(
    (rule): Fact => ({
      ...base,
      type: 'limit.set',
      details: {
        limit_id: bursar.ids.make('limit'),
        scope: rule.scope,
        scope_value: rule.scopeValue,
        window: rule.window,
        max_amount: rule.maxAmount === null ? null : formatUnits(rule.maxAmount, asset.decimals),
        max_count: rule.maxCount,
        over: rule.over,
        carried: [],
      },
    }),
  )
  const opened: Fact = { type: 'journal.opened', actor: humanActor(authority), details: { journal: walletId } }
  return [opened, created, ...limits, ...(chain ? await feeLimit(bursar, authority, chain) : [])]
}

/** Which assurance an approval needs, by amount. @throws `argument_invalid`, `amount_invalid`, `not_found` */
export async function setApprovals(
  bursar: Bursar,
  authority: OwnerAuthority,
  walletId: string,
  approvals: readonly TierInput[],
): Promise<WalletView> {
  await assertTwoOwners(bursar, approvals)
  await bursar.store.update({ walletId }, ({ wallet }) => {
    if (!wallet) throw new BursarError('not_found', 'There is no such wallet.')
    const tiers = tiersOf(approvals, { code: wallet.currency, decimals: wallet.decimals })
    const base = { actor: humanActor(authority), wallet_id: walletId }
    return { facts: [{ ...base, type: 'wallet.approvals_changed', details: { approvals: tiers } }], result: null }
  })
  return walletView(bursar, (await bursar.store.read.one('wallets', { id: walletId })) as Wallet)
}

/**
 * What purchases on the web may do beyond what they always may: exactly this from now on.
 *
 * @throws `argument_invalid`, `not_found`
 */
export async function setAllowances(
  bursar: Bursar,
  authority: OwnerAuthority,
  walletId: string,
  allowances: readonly string[],
): Promise<WalletView> {
  const allows = ALLOWANCES.filter((one) => allowances.includes(one))
  if (allows.length < new Set(allowances).size)
    throw new BursarError('argument_invalid', `An allowance is one of: ${ALLOWANCES.join(', ')}.`)
  await bursar.store.update({ walletId }, ({ wallet }) => {
    if (!wallet) throw new BursarError('not_found', 'There is no such wallet.')
    if (wallet.asset === null) throw new BursarError('argument_invalid', 'Only a wallet in USDC buys on the web.')
    const base = { actor: humanActor(authority), wallet_id: walletId }
    return { facts: [{ ...base, type: 'wallet.allowances_changed', details: { allows } }], result: null }
  })
  return walletView(bursar, (await bursar.store.read.one('wallets', { id: walletId })) as Wallet)
}

/** Where there is one owner, two can never agree. @throws `argument_invalid` */
async function assertTwoOwners({ store }: Bursar, approvals: readonly TierInput[]): Promise<void> {
  const wantsTwo = approvals.some(({ owners = 1 }) => owners > 1)
  if (wantsTwo && (await store.read.list('owners', {}, { limit: 2 })).length < 2)
    throw new BursarError(
      'argument_invalid',
      'There is one owner, and two would have to agree: `bursar owner add` first.',
    )
}

function tiersOf(input: readonly TierInput[], asset: Asset): WireTiers {
  const tiers = input.map(({ up_to, assurance, owners = 1 }) => {
    if (!ASSURANCES.includes(assurance as Assurance))
      throw new BursarError('argument_invalid', `An assurance is one of: ${ASSURANCES.join(', ')}.`)
    if (owners !== 1 && (owners !== 2 || assurance === 'none'))
      throw new BursarError('argument_invalid', 'An approval is of one owner or of two, and of two by a human.')
    return {
      up_to: up_to === null ? null : format(parse(up_to, asset)),
      assurance: assurance as Assurance,
      ...(owners === 2 && { owners: 2 as const }),
    }
  })
  boundsOf(tiers, asset, 'Approval tiers')
  return tiers
}

function modeOf(mode: string): 'sandbox' | 'live' {
  if (mode !== 'sandbox' && mode !== 'live') throw new BursarError('argument_invalid', 'A wallet is sandbox or live.')
  return mode
}
