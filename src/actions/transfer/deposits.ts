import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import { formatUnits } from '../../core/money.ts'
import { incoming } from '../../core/movement.ts'
import { SYSTEM } from '../../core/payment.ts'
import { OPENING_BALANCE } from '../../core/transfer.ts'
import type { Accounts as Balances, Deposit, Scan, Wallet } from '../../core/types.ts'
import type { Accounts, Bursar, SeenDeposit } from '../../ports.ts'
import { inTime, railOf } from '../rails.ts'

/** A piece of a chain that was not looked at for weeks. */
const CATCH_UP_BLOCKS = 10_000
/** How long anyone waits for it, in milliseconds. */
export const STATEMENT_WITHIN_MS = 120_000

/** Nobody in particular. */
export const UNKNOWN = `0x${'0'.repeat(40)}`

/** The account of a wallet at its rail. @throws `not_found`, `wrong_state` */
export async function accountsOf(bursar: Bursar, walletId: string): Promise<{ wallet: Wallet; accounts: Accounts }> {
  const wallet = (await bursar.store.read.one('wallets', { id: walletId })) as Wallet | null
  if (!wallet) throw new BursarError('not_found', 'There is no such wallet.')
  const accounts = wallet.asset === null ? null : railOf(bursar, { type: 'usdc' }, wallet).accounts
  if (!accounts) throw new BursarError('wrong_state', 'The money of this wallet is not on a chain.')
  return { wallet, accounts }
}

/** The same deposit, in whichever block it is. */
export function nameOf({ txHash, position }: Pick<Deposit, 'txHash' | 'position'>): string {
  return `${txHash} ${position}`
}

/**
 * Begins to read a wallet's chain, and reads what became final while nobody looked, piece by piece: each is kept.
 *
 * @returns the block up to which all deposits are known
 */
export async function readUp(bursar: Bursar, wallet: Wallet, accounts: Accounts): Promise<number> {
  let since = await begun(bursar, wallet, accounts)
  for (;;) {
    const piece = await inTime(accounts.settled(wallet, since, CATCH_UP_BLOCKS), STATEMENT_WITHIN_MS)
    if (piece === null) return since
    for (const deposit of piece.deposits) await credit(bursar, wallet.id, deposit)
    await bursar.store.update({ walletId: wallet.id }, () => ({
      facts: [scannedFact(wallet, piece.to)],
      result: null,
    }))
    since = piece.to
  }
}

/**
 * What the account held before it became a wallet's, as far as that is final, is one deposit. It is credited in the very
 * step that says so, once, before any other: what comes later is seen one by one, and nothing is counted in both ways.
 */
async function begun({ store, notify }: Bursar, wallet: Wallet, accounts: Accounts): Promise<number> {
  const scanOf = async () => (await store.read.one('scans', { walletId: wallet.id })) as Scan | null
  const known = await scanOf()
  if (known) return known.block
  const { block, balance } = await inTime(accounts.opening(wallet))
  const opening = { txHash: OPENING_BALANCE, position: 0, from: UNKNOWN, block: block.number, amount: balance }
  const key = { walletId: wallet.id, deposit: { txHash: OPENING_BALANCE, position: 0 } }
  await store.update(key, ({ wallet: current, accounts: balances, scan }) => {
    if (!current || !balances || scan) return { facts: [], result: null }
    const funded = balance > 0n ? [depositFact(current, balances, opening)] : []
    return { facts: [...funded, scannedFact(current, block.number)], result: null }
  })
  notify.changed(wallet.id, wallet.id)
  return ((await scanOf()) as Scan).block
}

/** Credits a deposit, once. */
export async function credit(bursar: Bursar, walletId: string, seen: SeenDeposit): Promise<void> {
  const { txHash, position } = seen
  await bursar.store.update({ walletId, deposit: { txHash, position } }, ({ wallet, accounts, deposit }) => {
    if (!wallet || !accounts || deposit) return { facts: [], result: null }
    return { facts: [depositFact(wallet, accounts, seen)], result: null }
  })
  bursar.notify.changed(walletId, walletId)
}

export function depositFact(
  wallet: Wallet,
  balances: Balances,
  { txHash, position, from, block, amount }: Omit<Deposit, 'walletId' | 'seq'>,
): Extract<Fact, { type: 'wallet.funded' }> {
  return {
    type: 'wallet.funded',
    actor: SYSTEM,
    wallet_id: wallet.id,
    amount: formatUnits(amount, wallet.decimals),
    currency: wallet.currency,
    details: {
      source: 'deposit',
      deposit: { tx_hash: txHash, position, from, block },
      movements: incoming('fund', amount, -balances.overdrawn, wallet),
    },
  }
}

function scannedFact(wallet: Wallet, block: number): Fact {
  return { type: 'wallet.scanned', actor: SYSTEM, wallet_id: wallet.id, details: { block } }
}
