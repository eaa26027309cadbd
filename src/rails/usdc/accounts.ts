import { addressIn } from '../../core/account.ts'
import { confirmationFor } from '../../core/transfer.ts'
import type { Confirmation, Deposit, Transfer, Wallet } from '../../core/types.ts'
import type { Accounts, BlockName } from '../../ports.ts'
import type { Chain } from './chain.ts'

/** The accounts of wallets, as their chains know them. */
export function accountsOf(chainOf: (wallet: Wallet) => Chain): Accounts {
  return {
    async head(wallet) {
      const chain = chainOf(wallet)
      await chain.check()
      return chain.block('one_block')
    },
    async opening(wallet) {
      const chain = chainOf(wallet)
      await chain.check()
      const block = await chain.block('finalized')
      return { block, balance: await chain.balance(addressIn(wallet.account as string), block) }
    },
    async settled(wallet, since, span) {
      const chain = chainOf(wallet)
      const to = since + span
      if ((await chain.block('finalized')).number < to) return null
      const incoming = await chain.deposits(addressIn(wallet.account as string), since, await chain.blockAt(to))
      return { to, deposits: incoming.map((deposit) => ({ ...deposit, confirmed: true })) }
    },
    async statement(wallet, at, since, transfers) {
      const chain = chainOf(wallet)
      const address = addressIn(wallet.account as string)
      // The chain goes on while it is asked: what is final by now may be after the block that this is about.
      const newest = await chain.block('finalized')
      const finalized = newest.number > at.number ? at : newest
      const [incoming, moved, balance] = await Promise.all([
        chain.deposits(address, since, at),
        movedAt(chain, transfers, at),
        chain.balance(address, at),
      ])
      const stands = await standing(chain, wallet, incoming, at, finalized.number)
      const deposits = incoming.map((deposit) => ({ ...deposit, confirmed: stands(deposit) }))
      return { balance, moved, deposits, settledTo: finalized.number }
    },
  }
}

/**
 * What is captured in the books was seen to move; of the others, an authorization may have been canceled. How much of a permit
 * has moved, the chain alone knows.
 */
async function movedAt(
  chain: Chain,
  transfers: readonly Transfer[],
  at: BlockName,
): Promise<ReadonlyMap<string, bigint>> {
  const used = await chain.usedAt(transfers, at)
  const taken = transfers.filter(({ paymentId }) => used.has(paymentId))
  const permits = taken.filter(({ kind }) => kind === 'permit2')
  const authorizations = taken.filter(({ kind }) => kind === 'eip3009')
  const unseen = authorizations.filter(({ txHash }) => txHash === null)
  const canceled = unseen.length === 0 ? new Set<string>() : await chain.canceledAt(unseen, at)
  const whole = authorizations.filter(({ paymentId }) => !canceled.has(paymentId))
  const settled = permits.length === 0 ? [] : await chain.settledAt(permits, at)
  return new Map([...whole.map(({ paymentId, value }) => [paymentId, value] as const), ...settled])
}

/** Whether the chain stands behind a deposit as far as the wallet's policy asks for its amount. */
async function standing(
  chain: Chain,
  wallet: Wallet,
  deposits: readonly Omit<Deposit, 'walletId' | 'seq'>[],
  at: BlockName,
  finalized: number,
): Promise<(deposit: Pick<Deposit, 'amount' | 'block'>) => boolean> {
  const asked = ({ amount }: Pick<Deposit, 'amount'>): Confirmation => confirmationFor(wallet.confirmations, amount)
  const safe = deposits.some((deposit) => asked(deposit) === 'safe') ? (await chain.block('safe')).number : finalized
  const upTo: Readonly<Record<Confirmation, number>> = { one_block: at.number, safe, finalized }
  return (deposit) => deposit.block <= upTo[asked(deposit)]
}
