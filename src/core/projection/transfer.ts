import { accountId, shapeOf } from '../account.ts'
import type { EventOf, WireInclusion, WireUnused } from '../event.ts'

import type { Op } from '../tables.ts'
import { millis } from '../time.ts'

export function projectTransfer(
  event: EventOf<'transfer.signed' | 'transfer.broadcast' | 'transfer.fee_paid' | 'transfer.finalized'>,
): readonly Op[] {
  switch (event.type) {
    case 'transfer.signed':
      return [signed(event)]
    case 'transfer.broadcast':
      return broadcast(event)
    case 'transfer.fee_paid':
      return feePaid(event)
    case 'transfer.finalized':
      return finalized(event.payment_id as string, event.details.inclusion)
  }
}

function signed(event: EventOf<'transfer.signed'>): Op {
  const { asset, from, to, value, valid_before, nonce, signature, from_block, facilitator = null } = event.details
  return {
    table: 'transfers',
    insert: {
      paymentId: event.payment_id as string,
      walletId: event.wallet_id as string,
      ...{ asset, from, to, value: BigInt(value), validBefore: valid_before, nonce, signature, fromBlock: from_block },
      ...{ kind: facilitator === null ? 'eip3009' : 'permit2', facilitator },
      ...{ status: 'open', txHash: null, block: null, moved: null, voidProof: null },
      signedAt: millis(event.ts),
    },
  }
}

/** What it may cost counts from when it is stored: a fee is held before it is spent, as money is. */
function broadcast(event: EventOf<'transfer.broadcast'>): readonly Op[] {
  const { relayer, relayer_nonce, tx_hash, raw, max_fee, day } = event.details
  const maxFee = BigInt(max_fee)
  return [
    {
      table: 'broadcasts',
      insert: {
        ...{ txHash: tx_hash, relayer, relayerNonce: relayer_nonce, paymentId: event.payment_id ?? null, raw },
        ...{ maxFee, fee: null, day, createdAt: millis(event.ts) },
      },
    },
    fees(relayer, day, maxFee, 0n),
  ]
}

function feePaid({ details }: EventOf<'transfer.fee_paid'>): readonly Op[] {
  return details.transactions.flatMap(({ tx_hash, day, max_fee, fee }): Op[] => [
    { table: 'broadcasts', key: { txHash: tx_hash }, set: { fee: BigInt(fee) } },
    fees(details.relayer, day, -BigInt(max_fee), BigInt(fee)),
  ])
}

function fees(relayer: string, day: string, held: bigint, spent: bigint): Op {
  const key = { relayer, day }
  return { table: 'fee_days', key, add: { held, spent }, make: { ...key, held: 0n, spent: 0n } }
}

/** A reorganization may have left the money moved by another transaction: the receipt names the one that stays. */
function finalized(paymentId: string, inclusion: WireInclusion): readonly Op[] {
  const receipt: Op = { table: 'payments', key: { id: paymentId }, set: { railRef: inclusion.tx_hash } }
  return [included(paymentId, inclusion, 'final'), receipt]
}

/** Where a transfer is to be seen on its chain. */
export function included(paymentId: string, { tx_hash, block, value }: WireInclusion, status: 'open' | 'final'): Op {
  const moved = value === undefined ? null : BigInt(value)
  return { table: 'transfers', key: { paymentId }, set: { txHash: tx_hash, block, moved, status } }
}

/** The proof that a transfer never moves. */
export function unused(paymentId: string, { timestamp }: WireUnused): Op {
  return { table: 'transfers', key: { paymentId }, set: { status: 'final', voidProof: timestamp } }
}

/** Whoever was paid on a chain is known from then on. */
export function known(event: EventOf<'payment.captured'>): readonly Op[] {
  const { address, network } = event.payee ?? {}
  if (address === undefined || network === undefined) return []
  const account = accountId({ network, address })
  const key = { walletId: event.wallet_id as string, account }
  return [{ table: 'known_payees', key, add: { payments: 1 }, make: { ...key, shape: shapeOf(account), payments: 0 } }]
}

/** How far the books were compared, and what came in. */
export function projectDeposit(
  { wallet_id, seq, amount, details }: EventOf<'wallet.funded'>,
  units: bigint,
): readonly Op[] {
  if (!details.deposit || amount === undefined) return []
  const { tx_hash, ...deposit } = details.deposit
  return [
    { table: 'deposits', insert: { walletId: wallet_id as string, txHash: tx_hash, ...deposit, amount: units, seq } },
  ]
}

export function projectScan({ wallet_id, details }: EventOf<'wallet.reconciled' | 'wallet.scanned'>): readonly Op[] {
  const key = { walletId: wallet_id as string }
  const block = 'scanned' in details ? details.scanned : details.block
  return [{ table: 'scans', key, set: { block }, make: { ...key, block } }]
}

export function projectRelayer({ details }: EventOf<'relayer.limited'>): readonly Op[] {
  const row = { id: details.relayer, dailyMax: BigInt(details.daily_max) }
  return [{ table: 'relayers', key: { id: row.id }, set: { dailyMax: row.dailyMax }, make: row }]
}
