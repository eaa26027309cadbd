import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import { format, MAX_UNITS, parse } from '../../core/money.ts'
import { incoming } from '../../core/movement.ts'
import type { Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { walletView } from '../wallet-view.ts'
import type { WalletView } from '../wire.ts'
import type { OwnerAuthority } from './authority.ts'
import { humanActor } from './authority.ts'

/** The most that a wallet may hold, in smallest units: its sums stay far inside 63 bits. */
const BALANCE_MAX = 1_000n * MAX_UNITS

/** Puts money into a wallet. @throws `not_found`, `amount_invalid`, `argument_invalid` where money comes in by itself */
export async function fund(
  bursar: Bursar,
  authority: OwnerAuthority,
  walletId: string,
  amount: string,
): Promise<WalletView> {
  await bursar.store.update({ walletId }, ({ wallet, accounts }) => {
    if (!wallet || !accounts) throw new BursarError('not_found', 'There is no such wallet.')
    if (wallet.account !== null)
      throw new BursarError(
        'argument_invalid',
        `Money is not typed in here: send USDC to ${wallet.account}; it will be seen.`,
      )
    const fact = fundedFact(authority, wallet, amount, -accounts.overdrawn)
    if (-accounts.external > BALANCE_MAX) throw new BursarError('amount_invalid', 'The wallet holds as much as it can.')
    return { facts: [fact], result: null }
  })
  bursar.notify.changed(walletId, walletId)
  return walletView(bursar, (await bursar.store.read.one('wallets', { id: walletId })) as Wallet)
}

export function fundedFact(
  authority: OwnerAuthority,
  wallet: Pick<Wallet, 'id' | 'currency' | 'decimals'>,
  amount: string,
  owed: bigint,
): Fact {
  const money = parse(amount, { code: wallet.currency, decimals: wallet.decimals })
  return {
    type: 'wallet.funded',
    actor: humanActor(authority),
    wallet_id: wallet.id,
    amount: format(money),
    currency: wallet.currency,
    details: { source: authority.channel, movements: incoming('fund', money.units, owed, wallet) },
  }
}
