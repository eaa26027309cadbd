import { USDC } from '../../core/asset.ts'
import { BursarError } from '../../core/errors.ts'
import type { EventOf, Fact, WireConfirmations } from '../../core/event.ts'
import type { Asset } from '../../core/money.ts'
import { formatUnits, parseAny } from '../../core/money.ts'
import { outgoing } from '../../core/movement.ts'
import type { Network } from '../../core/network.ts'
import { assetId, GWEI } from '../../core/network.ts'
import type { Confirmation, Relayer, Wallet } from '../../core/types.ts'
import { CONFIRMATIONS } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { depositFact, UNKNOWN } from '../transfer/deposits.ts'
import { compare } from '../transfer/reconcile.ts'
import { relayerView, walletView } from '../wallet-view.ts'
import type { RelayerView, WalletView } from '../wire.ts'
import type { OwnerAuthority } from './authority.ts'
import { humanActor } from './authority.ts'
import { boundsOf } from './tiers.ts'

/** The account of a wallet on a chain: its key is in the vault already. */
export interface ChainInput {
  readonly network: Network
  /** CAIP-10, both on the network. The relayer may be the account itself. */
  readonly account: string
  readonly relayer: string
  /** Without it {@link DEFAULT_CONFIRMATIONS}. */
  readonly confirmations?: readonly ConfirmationInput[] | undefined
}

/** `up_to` is a decimal string; null stands for any amount. In rising order, the last one null. */
export interface ConfirmationInput {
  readonly up_to: string | null
  readonly at: string
}

/** Small amounts count at once, as shops take small coins; what hurts waits until no reorganization can take it back. */
export const DEFAULT_CONFIRMATIONS: readonly ConfirmationInput[] = [
  { up_to: '100', at: 'one_block' },
  { up_to: '1000', at: 'safe' },
  { up_to: null, at: 'finalized' },
]

/** What a wallet on a chain is counted in. @throws `argument_invalid` for real money on a test network, or the other way round */
export function tokenOf({ network }: ChainInput, { currency, mode }: { currency: string; mode: string }): Asset {
  if (currency !== USDC) throw new BursarError('currency_mismatch', 'A wallet on a network is in the currency USDC.')
  if (network.testnet !== (mode === 'sandbox'))
    throw new BursarError(
      'argument_invalid',
      network.testnet
        ? `${network.name} is a test network: a wallet there is sandbox.`
        : `${network.name} is for real money: a wallet there is live.`,
    )
  return { code: USDC, decimals: network.usdc.decimals }
}

export function chainDetails(
  { network, account, relayer, confirmations = DEFAULT_CONFIRMATIONS }: ChainInput,
  asset: Asset,
): NonNullable<EventOf<'wallet.created'>['details']['chain']> {
  return { asset: assetId(network.id, network.usdc), account, relayer, confirmations: tiersOf(confirmations, asset) }
}

/** A relayer that is new gets the limit of its network: nothing is sent by one that has none. */
export async function feeLimit(
  bursar: Bursar,
  authority: OwnerAuthority,
  { network, relayer }: ChainInput,
): Promise<readonly Fact[]> {
  if (await bursar.store.read.one('relayers', { id: relayer })) return []
  return [limitedFact(authority, relayer, network.dailyFees)]
}

/** When transfers and deposits of a wallet count, by amount. @throws `not_found`, `argument_invalid`, `amount_invalid` */
export async function setConfirmations(
  bursar: Bursar,
  authority: OwnerAuthority,
  walletId: string,
  confirmations: readonly ConfirmationInput[],
): Promise<WalletView> {
  await bursar.store.update({ walletId }, ({ wallet }) => {
    if (!wallet) throw new BursarError('not_found', 'There is no such wallet.')
    if (wallet.asset === null) throw notOnChain()
    const tiers = tiersOf(confirmations, { code: wallet.currency, decimals: wallet.decimals })
    const base = { actor: humanActor(authority), wallet_id: walletId }
    return {
      facts: [{ ...base, type: 'wallet.confirmations_changed', details: { confirmations: tiers } }],
      result: null,
    }
  })
  return walletView(bursar, (await bursar.store.read.one('wallets', { id: walletId })) as Wallet)
}

/**
 * The most that a relayer may spend on fees in a day (UTC), in whole coins of its network.
 *
 * @throws `not_found`, `amount_invalid`
 */
export async function limitRelayer(
  bursar: Bursar,
  authority: OwnerAuthority,
  relayer: string,
  dailyMax: string,
): Promise<RelayerView> {
  const { units } = parseAny(dailyMax, GWEI)
  await bursar.store.update({ relayer }, ({ lane }) => {
    if (!lane) throw new BursarError('not_found', 'There is no such relayer.')
    return { facts: [limitedFact(authority, relayer, units)], result: null }
  })
  return relayerView(bursar, (await bursar.store.read.one('relayers', { id: relayer })) as Relayer)
}

/**
 * The owner says that a difference is right: what is missing from the account was taken out by hand, or what is more came in
 * unseen. The books follow the chain.
 *
 * @throws `not_found`; `wrong_state` where there is no difference, or money moved while it was looked for
 */
export async function acceptDifference(
  bursar: Bursar,
  authority: OwnerAuthority,
  walletId: string,
): Promise<WalletView> {
  const { at, chain, books, external } = await compare(bursar, walletId)
  if (chain === books) throw new BursarError('wrong_state', 'The books say what the chain says.')
  const deposit = { txHash: at.hash, position: 0, from: UNKNOWN, block: at.number }
  await bursar.store.update({ walletId, deposit }, ({ wallet, accounts }) => {
    if (!wallet || !accounts) throw new BursarError('not_found', 'There is no such wallet.')
    if (-accounts.external !== external)
      throw new BursarError('wrong_state', 'Money moved while the account was looked at. Try again.')
    const actor = humanActor(authority)
    if (chain > books) {
      const fact = depositFact(wallet, accounts, { ...deposit, amount: chain - books })
      return { facts: [{ ...fact, actor, details: { ...fact.details, source: authority.channel } }], result: null }
    }
    const fact: Fact = {
      type: 'wallet.withdrawn',
      actor,
      wallet_id: walletId,
      amount: formatUnits(books - chain, wallet.decimals),
      currency: wallet.currency,
      details: { movements: outgoing(books - chain, accounts.available, wallet) },
    }
    return { facts: [fact], result: null }
  })
  return walletView(bursar, (await bursar.store.read.one('wallets', { id: walletId })) as Wallet)
}

function limitedFact(authority: OwnerAuthority, relayer: string, dailyMax: bigint): Fact {
  const details = { relayer, daily_max: dailyMax.toString() }
  return { type: 'relayer.limited', actor: humanActor(authority), details }
}

function tiersOf(input: readonly ConfirmationInput[], asset: Asset): WireConfirmations {
  const bounds = boundsOf(input, asset, 'Confirmations')
  return input.map(({ at }, i) => {
    if (!CONFIRMATIONS.includes(at as Confirmation))
      throw new BursarError('argument_invalid', `A confirmation is one of: ${CONFIRMATIONS.join(', ')}.`)
    const bound = bounds[i] ?? null
    return { up_to: bound === null ? null : formatUnits(bound, asset.decimals), at: at as Confirmation }
  })
}

function notOnChain(): BursarError {
  return new BursarError('wrong_state', 'The money of this wallet is not on a chain.')
}
