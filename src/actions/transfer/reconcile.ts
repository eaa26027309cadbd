import { setTimeout as sleep } from 'node:timers/promises'
import type { Fact } from '../../core/event.ts'
import { formatUnits } from '../../core/money.ts'
import { SYSTEM } from '../../core/payment.ts'
import type { Deposit, Payment, Transfer, Wallet } from '../../core/types.ts'
import type { AccountStatement, BlockName, Bursar, SeenDeposit } from '../../ports.ts'
import { inTime } from '../rails.ts'
import { accountsOf, credit, nameOf, readUp, STATEMENT_WITHIN_MS } from './deposits.ts'

/** What a wallet's account holds by the chain and by the books, as of one block. Decimal strings. */
export interface Reconciliation {
  readonly block: number
  readonly chain: string
  readonly books: string
  /** Deposits that were credited now. */
  readonly credited: readonly { readonly tx_hash: string; readonly amount: string }[]
  /** Deposits that the chain does not stand behind far enough yet. */
  readonly unconfirmed: string
}

/** One look at the chain, and at the books. In units. */
export interface Look {
  readonly wallet: Wallet
  readonly at: BlockName
  readonly chain: bigint
  /** What the account must hold at that block if the books are right. */
  readonly books: bigint
  /** What the books say came in and has not gone out, by now. */
  readonly external: bigint
  readonly credited: readonly SeenDeposit[]
  readonly unconfirmed: bigint
  readonly since: number
  /** Up to which block nothing can come or go any more that is not known. */
  readonly scanned: number
}

/** A difference must show this often before it is believed: nodes answer one question from here and the next from there. */
const LOOKS = 3
const LOOK_AGAIN_MS = 700
/** After how many blocks it is written down again that all is well. */
const RECORD_EVERY_BLOCKS = 5_000

/**
 * Credits deposits that the chain stands behind, and compares the books with the chain as of one block. A difference
 * freezes the wallet and says why.
 *
 * @param record whether to write down that they agree, even where nothing is new
 * @throws `wrong_state` for money that is not on a chain; whatever the rail throws when it cannot be asked
 */
export async function reconcile(bursar: Bursar, walletId: string, record: boolean): Promise<Reconciliation> {
  const look = await compare(bursar, walletId)
  await conclude(bursar, look, record)
  const amount = (units: bigint): string => formatUnits(units, look.wallet.decimals)
  return {
    block: look.at.number,
    chain: amount(look.chain),
    books: amount(look.books),
    credited: look.credited.map(({ txHash, amount: units }) => ({ tx_hash: txHash, amount: amount(units) })),
    unconfirmed: amount(look.unconfirmed),
  }
}

/** Credits and compares, and concludes nothing. @throws as {@link reconcile} */
export async function compare(bursar: Bursar, walletId: string): Promise<Look> {
  let look = await lookAt(bursar, walletId)
  for (let looks = 1; look.chain !== look.books && looks < LOOKS; looks++) {
    await sleep(LOOK_AGAIN_MS)
    const again = await lookAt(bursar, walletId)
    look = { ...again, credited: [...look.credited, ...again.credited] }
  }
  return look
}

async function lookAt(bursar: Bursar, walletId: string): Promise<Look> {
  const { wallet, accounts } = await accountsOf(bursar, walletId)
  const since = await readUp(bursar, wallet, accounts)
  // The block first, the books after: whatever has moved by that block was stored before it moved.
  const at = await inTime(accounts.head(wallet))
  const ledger = await ledgerOf(bursar, walletId, since)
  // A node that is behind what was seen already says nothing about the books.
  if (at.number < ledger.newest) throw new RangeError('The chain is behind what was seen of it.')
  const statement = await inTime(accounts.statement(wallet, at, since, ledger.open), STATEMENT_WITHIN_MS)
  const { fresh, gone } = sorted(ledger, statement)
  const credited = fresh.filter(({ confirmed }) => confirmed)
  for (const deposit of credited) await credit(bursar, walletId, deposit)
  const waiting = fresh.filter(({ confirmed }) => !confirmed)
  return {
    ...{ wallet, at, credited, since },
    chain: statement.balance,
    books: ledger.external + total(fresh) - total(gone) + notYet(ledger, statement),
    external: ledger.external + total(credited),
    unconfirmed: total(waiting),
    scanned: Math.max(since, statement.settledTo),
  }
}

interface Ledger {
  /** What came in and has not gone out. */
  readonly external: bigint
  /** The newest block in which anything was seen. */
  readonly newest: number
  /** Deposits that were credited, of blocks that are read again. */
  readonly known: readonly Deposit[]
  /** Transfers of which the books may say another thing than the chain did at the block. */
  readonly open: readonly Transfer[]
  /** What the books say was moved by each, by payment id. */
  readonly moved: ReadonlyMap<string, bigint>
}

/** The books, read at one moment. */
async function ledgerOf({ store }: Bursar, walletId: string, since: number): Promise<Ledger> {
  return store.read.together(async (read) => {
    const open = (await read.list('transfers', { walletId, status: 'open' })) as readonly Transfer[]
    const moved = await Promise.all(
      open.map(async ({ paymentId }) => {
        const { captured, refunded } = (await read.one('payments', { id: paymentId })) as Payment
        return [paymentId, captured - refunded] as const
      }),
    )
    return {
      external: -((await read.one('accounts', { walletId }))?.external ?? 0n),
      newest: await read.newestBlock(walletId),
      known: await read.depositsAfter(walletId, since),
      open,
      moved: new Map(moved),
    }
  })
}

/**
 * What came in and is not credited, and what was credited and is not there any more. The second may come back until it is
 * final that it did not: a reorganization alone is no difference.
 */
function sorted({ known }: Ledger, { deposits, settledTo }: AccountStatement) {
  const credited = new Set(known.map(nameOf))
  const seen = new Set(deposits.map(nameOf))
  return {
    fresh: deposits.filter((deposit) => !credited.has(nameOf(deposit))),
    gone: known.filter((deposit) => !seen.has(nameOf(deposit)) && deposit.block > settledTo),
  }
}

/** What the books have moved and the chain had not at the block, less what the chain had and the books have not. */
function notYet({ open, moved }: Ledger, statement: AccountStatement): bigint {
  return open.reduce((sum, { paymentId }) => {
    return sum + (moved.get(paymentId) ?? 0n) - (statement.moved.get(paymentId) ?? 0n)
  }, 0n)
}

function total(deposits: readonly Pick<Deposit, 'amount'>[]): bigint {
  return deposits.reduce((sum, { amount }) => sum + amount, 0n)
}

/** Writes down that the books were compared, where that is news; freezes the wallet where they differ. */
async function conclude(bursar: Bursar, look: Look, record: boolean): Promise<void> {
  const { wallet, at, chain, books, scanned, since, credited } = look
  const differ = chain !== books
  if (!differ && !record && credited.length === 0 && scanned - since < RECORD_EVERY_BLOCKS) return
  const amount = (units: bigint): string => formatUnits(units, wallet.decimals)
  const about = { actor: SYSTEM, wallet_id: wallet.id, currency: wallet.currency }
  const compared = { block: at.number, block_hash: at.hash, chain: amount(chain), books: amount(books) }
  // Where they differ, what is already known may be what is wrong: it is read again.
  const details = { ...compared, scanned: differ ? since : scanned }
  const reconciled: Fact = { ...about, type: 'wallet.reconciled', details }
  const reason = `The account holds ${amount(chain)} at block ${at.number}; the books say ${amount(books)}.`
  const frozen: Fact = { ...about, type: 'wallet.frozen', rule: 'wallet.reconciled', details: { reason } }
  await bursar.store.update({ walletId: wallet.id }, ({ wallet: current }) => {
    if (!differ) return { facts: [reconciled], result: null }
    return { facts: current?.status === 'frozen' ? [] : [reconciled, frozen], result: null }
  })
  bursar.notify.changed(wallet.id, wallet.id)
}
