import { setTimeout as sleep } from 'node:timers/promises'
import { addressIn } from '../../core/account.ts'
import { isLocal } from '../../core/network.ts'
import { type Authorization, confirmationFor, nonceOf, TRANSFER_GAS, typedDataOf } from '../../core/transfer.ts'
import type { Confirmation, Proof, Transfer, Wallet } from '../../core/types.ts'
import type { TransferBooks, Vault } from '../../ports/chain.ts'
import type { Clock, PaymentTerms, RailRecord } from '../../ports.ts'
import type { Block, Chain, Look } from './chain.ts'
import { type Head, headOf } from './head.ts'
import type { Lane } from './lane.ts'
import { recordOf } from './record.ts'
import { type Found, watchOf } from './watch.ts'

/** One chain, with all that a payment on it takes. */
interface Parts {
  readonly chain: Chain
  readonly lane: Lane
  readonly books: TransferBooks
  readonly vault: Vault
  readonly clock: Clock
}

export interface Site extends Pick<Parts, 'chain' | 'lane'> {
  pay(wallet: Wallet, terms: PaymentTerms): Promise<RailRecord>
  /** As the rail's `authorizations` says. */
  authorize(wallet: Wallet, paymentId: string, proofOf: (transfer: Transfer) => Proof): Promise<void>
  /** What became of a transfer, as far as the wallet's policy looks. */
  look(wallet: Wallet, transfer: Transfer): Promise<Look>
  /** Follows captured transfers until they are final; gives records of those that the chain took back for good. */
  watch(transfers: readonly Transfer[]): Promise<readonly Found[]>
}

/** A reorganization can put a transfer into a block with a lower number than the newest one had when it was signed. */
const REORG_BLOCKS = 128

/** How far the newest block may be after bursar's clock, and an authorization go on after it, when it is signed. */
const AHEAD_SECONDS = 600
const GOOD_FOR_SECONDS = 3_600

const GWEI = 1_000_000_000n

const POLL_MIN_MS = 20
const POLL_MAX_MS = 500
/** How often a transfer that does not arrive is looked after while its caller waits. */
const SEND_EVERY_MS = 2_000

export function siteOf(parts: Parts): Site {
  const { chain, lane, books, clock } = parts
  const head = headOf(chain)
  /** A proof must be late enough by bursar's clock, too: to a node whose clock is ahead, everything is over. */
  async function lookAt(transfer: Transfer, at: Confirmation): Promise<Look> {
    const seen = await chain.look(transfer, at)
    const isOver = clock.now() >= transfer.validBefore * 1000
    return seen.kind === 'moved' || isOver ? seen : { ...seen, unused: null }
  }

  const look = async (wallet: Wallet, transfer: Transfer): Promise<Look> => {
    await chain.check()
    return lookAt(transfer, confirmationFor(wallet.confirmations, transfer.value))
  }

  /** Sends, and looks until the chain stands behind the transfer or the caller's patience ends. */
  async function follow(wallet: Wallet, transfer: Transfer, waitMs: number, isNew: boolean): Promise<RailRecord> {
    const began = performance.now()
    let sendAt = isNew ? began : began - 1
    let record = isNew ? null : recordOf(transfer, await look(wallet, transfer))
    for (let pause = POLL_MIN_MS; ; pause = Math.min(pause * 1.5, POLL_MAX_MS)) {
      if (record && record.state !== 'pending') return record
      if (performance.now() >= sendAt) {
        await lane.send(transfer, wallet.relayer as string)
        sendAt = performance.now() + SEND_EVERY_MS
      }
      const isLast = performance.now() - began + pause > waitMs
      if (record && isLast) return record
      try {
        record = recordOf(transfer, await look(wallet, transfer))
      } catch (error) {
        // Nodes contradict themselves while a block comes in: while there is time, they are asked again.
        if (isLast) throw error
      }
      if (!isLast && (!record || record.state === 'pending')) await sleep(pause)
    }
  }

  return {
    ...{ chain, lane, look },
    watch: watchOf({ chain, lane, books, look: lookAt }),
    async pay(wallet, terms) {
      await chain.check()
      const known = await books.transfer(terms.paymentId)
      if (known) return follow(wallet, known, terms.waitMs, false)
      const signed = await signToCarry(parts, wallet, terms)
      return 'state' in signed ? signed : follow(wallet, signed, terms.waitMs, true)
    },
    async authorize(wallet, paymentId, proofOf) {
      if (await books.transfer(paymentId)) return
      const newest = await head()
      const authorization = await books.authorization(paymentId)
      if (!authorization) throw notNow()
      if (authorization.kind === 'permit2') await chain.checkPermits()
      checkTime(parts, authorization, newest)
      await sign(parts, wallet, { authorization, head: newest, proofOf })
    },
  }
}

/** What the token would not let move now is declined while nothing is signed: only then is it certain that it never will. */
async function signToCarry(parts: Parts, wallet: Wallet, terms: PaymentTerms): Promise<Transfer | RailRecord> {
  const { chain, books, clock } = parts
  const { paymentId } = terms
  const authorization = await books.authorization(paymentId)
  if (!authorization) {
    if (clock.now() >= terms.validUntil) return declined(paymentId, 'authorization_expired')
    throw notNow()
  }
  const [obstacle, head] = await Promise.all([obstacleOf(parts, wallet, authorization), chain.block('one_block')])
  checkTime(parts, authorization, head)
  if (obstacle !== null) return declined(paymentId, obstacle)
  return sign(parts, wallet, { authorization, head, proofOf: null })
}

interface ToSign {
  readonly authorization: Authorization
  readonly head: Pick<Block, 'number'>
  readonly proofOf: ((transfer: Transfer) => Proof) | null
}

/** Signs the one authorization of a payment, and stores it before anything leaves. */
async function sign(
  { chain, books, vault, clock }: Parts,
  wallet: Wallet,
  { authorization, head, proofOf }: ToSign,
): Promise<Transfer> {
  const payer = await vault.payer(wallet.account as string)
  const { paymentId } = authorization
  const signature = await payer.sign(typedDataOf(authorization, chain.network.usdc), paymentId)
  const fromBlock = Math.max(0, head.number - REORG_BLOCKS)
  const open = { status: 'open', txHash: null, block: null, moved: null, voidProof: null } as const
  const transfer = { ...authorization, ...open, walletId: wallet.id, signature, fromBlock, signedAt: clock.now() }
  const proof = proofOf?.(transfer) ?? null
  const stored = await books.sign({ authorization, signature, fromBlock, proof })
  if (!stored) throw new RangeError('The payment was stopped before it was signed.')
  return stored
}

function notNow(): RangeError {
  return new RangeError('The payment may not go out now.')
}

/**
 * A node whose newest block is not of now does not know where the transfer will be, and to a clock that is far ahead an
 * authorization is short that is good for days.
 *
 * @throws Error before anything is signed
 */
function checkTime({ chain, clock }: Parts, { validBefore }: Authorization, head: Head): void {
  const isAhead = head.timestamp - clock.now() / 1000 > AHEAD_SECONDS
  const isLong = validBefore - head.timestamp > GOOD_FOR_SECONDS && !isLocal(chain.network)
  if (isAhead || isLong) throw new Error("The newest block is not of the clock's time.")
}

/** Why the transfer could not be made now, where that shows before it is signed. */
async function obstacleOf(
  { chain, books }: Parts,
  wallet: Wallet,
  authorization: Authorization,
): Promise<string | null> {
  const relayer = wallet.relayer as string
  const [wouldMove, fees, coins] = await Promise.all([
    chain.wouldMove(authorization),
    chain.fees(),
    chain.nativeBalance(addressIn(relayer)),
  ])
  const cost = TRANSFER_GAS * fees.maxFeePerGas
  if (!wouldMove) return 'transfer_refused'
  if (coins < cost) return 'relayer_out_of_coins'
  return (await books.feesLeft(relayer)) * GWEI < cost ? 'daily_fees_reached' : null
}

function declined(paymentId: string, declineCode: string): RailRecord {
  return { railRef: nonceOf(paymentId), state: 'declined', declineCode, authorized: 0n, captured: 0n, refunded: 0n }
}
