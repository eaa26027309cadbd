import type { Fact } from '../../core/event.ts'
import { formatUnits } from '../../core/money.ts'
import { isUnsettled, SYSTEM, subject } from '../../core/payment.ts'
import type { Change, Lane, Snapshot } from '../../core/step.ts'
import { utcDay } from '../../core/time.ts'
import { authorizationOf } from '../../core/transfer.ts'
import type { Broadcast, Payment, Transfer, Wallet } from '../../core/types.ts'
import type { WireInclusion } from '../../core/wire.ts'
import type { BroadcastOrder, Signed, Stored, TransferBooks } from '../../ports/chain.ts'
import type { Clock, Store } from '../../ports.ts'
import { mayBegin } from '../settle.ts'

/** What the rail `usdc` stores before it leaves, as steps of the store: every signature and transaction is an event. */
export function transferBooks(store: Store, clock: Clock): TransferBooks {
  const { read } = store
  const paymentOf = async (id: string) => (await read.one('payments', { id })) as Payment | null
  const inTime = ({ validUntil }: Payment): boolean => clock.now() < validUntil
  const begins = async (payment: Payment): Promise<boolean> =>
    isUnsettled(payment) && (await mayBegin(read, payment, clock.now()))
  return {
    wallet: (id) => read.one('wallets', { id }),
    async authorization(paymentId) {
      const payment = await paymentOf(paymentId)
      if (!payment || !inTime(payment) || !(await begins(payment))) return null
      const wallet = (await read.one('wallets', { id: payment.walletId as string })) as Wallet
      return authorizationOf(payment, wallet, await read.one('purchases', { paymentId }))
    },
    transfer: (paymentId) => read.one('transfers', { paymentId }),
    broadcasts: async (paymentId) => inOrder(await read.list('broadcasts', { paymentId })),
    async feesLeft(id) {
      const dailyMax = (await read.one('relayers', { id }))?.dailyMax ?? 0n
      const today = await read.one('fee_days', { relayer: id, day: utcDay(clock.now()) })
      return dailyMax - (today?.held ?? 0n) - (today?.spent ?? 0n)
    },
    relayers: async () => (await read.list('relayers', {})).map(({ id }) => id),
    open: () => read.list('transfers', { status: 'open' }),
    lane: async (relayer, fromNonce) =>
      inOrder(await read.list('broadcasts', { relayer, relayerNonce: noncesFrom(fromNonce) })),
    hasSent: async (relayer) => (await read.one('broadcasts', { relayer })) !== null,
    unpaid: async (relayer) => inOrder(await read.list('broadcasts', { relayer, fee: null })),
    async mayLeave(paymentId) {
      const payment = await paymentOf(paymentId)
      if (!payment || !isCarried(payment) || !inTime(payment)) return false
      return payment.captured > 0n || (await begins(payment))
    },
    isCarried: async (paymentId) => isCarried(await paymentOf(paymentId)),
    sign: (signature) =>
      store.update({ paymentId: signature.authorization.paymentId }, (snapshot) => signed(snapshot, signature)),
    broadcast: (order) =>
      store.update(
        {
          relayer: order.relayer,
          ...(order.paymentId !== null && { paymentId: order.paymentId }),
          relayerNonce: order.replaces?.relayerNonce ?? order.chainNonce,
        },
        (snapshot) => broadcast(snapshot, order),
      ),
    feePaid: (relayer, relayerNonce, txHash, fee) => feePaid(store, { relayer, relayerNonce, txHash, fee }),
    async finalized(paymentId, inclusion) {
      await store.update({ paymentId }, (snapshot) => finalized(snapshot, paymentId, inclusion))
    },
  }
}

/** How far a relayer's transactions are looked after at a time. */
const LANE_AT_ONCE = 64

function noncesFrom(first: number): readonly number[] {
  return Array.from({ length: LANE_AT_ONCE }, (_, i) => first + i)
}

/**
 * By nonce, and under one nonce by what was offered, which a replacement always raises: a clock may step back. What carries
 * nothing comes last: it takes the place of what does, at a fraction of the gas.
 */
function inOrder(rows: readonly Broadcast[]): readonly Broadcast[] {
  const isEmpty = ({ paymentId }: Broadcast): number => (paymentId === null ? 1 : 0)
  const byOffer = (a: Broadcast, b: Broadcast) => isEmpty(a) - isEmpty(b) || Number(a.maxFee - b.maxFee)
  return rows.toSorted((a, b) => a.relayerNonce - b.relayerNonce || byOffer(a, b) || a.createdAt - b.createdAt)
}

/** Whether the payment may go out, as of this step. */
function isFree(snapshot: Snapshot): snapshot is Snapshot & { payment: Payment; wallet: Wallet } {
  const { payment, wallet, instrument, agent, instance, now } = snapshot
  if (!payment || !wallet || !isUnsettled(payment) || now >= payment.validUntil) return false
  return !instance.frozen && [wallet, instrument, agent].every((one) => one?.status === 'active')
}

/** A seller brings what it was paid with; every other transfer is brought by a relayer. */
function isCarried(payment: Payment | null): boolean {
  return payment?.protocol === 'transfer'
}

function signed(snapshot: Snapshot, { authorization, signature, fromBlock, proof }: Signed): Change<Transfer | null> {
  if (snapshot.transfer) return { facts: [], result: snapshot.transfer }
  if (!isFree(snapshot)) return { facts: [], result: null }
  const { payment, wallet, now } = snapshot
  const { asset, from, to, value, validBefore, nonce, facilitator } = authorization
  const about = { actor: SYSTEM, ...subject(payment, wallet, payment.instrumentId as string) }
  const fact: Fact = {
    type: 'transfer.signed',
    ...about,
    amount: formatUnits(value, wallet.decimals),
    payee: payment.payee,
    details: {
      ...{ asset, from, to, value: value.toString(), valid_after: '0', valid_before: validBefore, nonce, signature },
      from_block: fromBlock,
      ...(facilitator !== null && { facilitator }),
    },
  }
  const open = { status: 'open', txHash: null, block: null, moved: null, voidProof: null } as const
  const result = { ...authorization, ...open, walletId: wallet.id, signature, fromBlock, signedAt: now }
  const prepared: readonly Fact[] = proof ? [{ type: 'purchase.prepared', ...about, details: { ...proof } }] : []
  return { facts: [fact, ...prepared], result }
}

/** How many transactions one payment may take, repriced and refused ones included. */
const BROADCASTS_MAX = 8
/** No relayer gets this far between two looks: a node that says so is wrong, and what went out under such a count would wait for ever. */
const LEAP_MAX = 1000

/** What another process has stored meanwhile in place of what is ordered; or what is to be replaced. */
function alreadyThere(lane: Lane, broadcasts: readonly Broadcast[], order: BroadcastOrder): Broadcast | undefined {
  if (order.replaces || order.paymentId === null) return inOrder(lane.atNonce).at(-1)
  const known = new Set(order.after?.map(({ txHash }) => txHash))
  return inOrder(broadcasts.filter(({ txHash }) => !known.has(txHash))).at(-1)
}

function broadcast(snapshot: Snapshot, order: BroadcastOrder): Change<Stored> {
  const { lane, broadcasts, now, payment, wallet } = snapshot
  if (!lane) return { facts: [], result: { kind: 'over_fees' } }
  if (lane.nextNonce > 0 && order.chainNonce >= lane.nextNonce + LEAP_MAX)
    return { facts: [], result: { kind: 'stopped' } }
  // What was captured and is not on the chain any more goes out again, whatever was stopped since.
  if (payment && !isCarried(payment)) return { facts: [], result: { kind: 'stopped' } }
  const isGone = payment !== null && payment.captured > 0n && now < payment.validUntil
  if (order.paymentId !== null && !isGone && !isFree(snapshot)) return { facts: [], result: { kind: 'stopped' } }
  const { replaces } = order
  const waiting = alreadyThere(lane, broadcasts, order)
  if (waiting && waiting.txHash !== replaces?.txHash)
    return { facts: [], result: { kind: 'waiting', broadcast: waiting } }
  // The chain took it meanwhile. Where that was known before, the chain has taken it back.
  if (waiting && waiting.fee !== null && replaces?.fee === null) return { facts: [], result: { kind: 'stopped' } }
  if (broadcasts.length >= BROADCASTS_MAX) return { facts: [], result: { kind: 'stopped' } }
  if (lane.feesToday + order.maxFee > lane.relayer.dailyMax) return { facts: [], result: { kind: 'over_fees' } }
  const relayerNonce = replaces?.relayerNonce ?? lane.freeNonce
  const { txHash, raw } = order.make(relayerNonce)
  const { relayer, paymentId, maxFee } = order
  const about = payment && wallet && order.paymentId !== null
  const fact: Fact = {
    type: 'transfer.broadcast',
    actor: SYSTEM,
    ...(about && subject(payment, wallet, payment.instrumentId as string)),
    details: {
      ...{ relayer, relayer_nonce: relayerNonce, tx_hash: txHash, raw, max_fee: maxFee.toString(), day: lane.today },
    },
  }
  const row = { txHash, relayer, relayerNonce, paymentId, raw, maxFee, fee: null, day: lane.today, createdAt: now }
  return { facts: [fact], result: { kind: 'stored', broadcast: row } }
}

interface Paid {
  readonly relayer: string
  readonly relayerNonce: number
  readonly txHash: string | null
  readonly fee: bigint
}

/** One nonce, one fee: what was held for the other transactions with this nonce is free again. */
async function feePaid(store: Store, { relayer, relayerNonce, txHash, fee }: Paid): Promise<void> {
  const sent = await store.read.list('broadcasts', { relayer, relayerNonce })
  const paymentId = sent.find((row) => row.paymentId !== null)?.paymentId
  const key = { relayer, relayerNonce, ...(typeof paymentId === 'string' && { paymentId }) }
  await store.update(key, ({ payment, wallet, lane }) => {
    const transactions = (lane?.atNonce ?? [])
      .filter((row) => row.fee === null)
      .map((row) => ({
        tx_hash: row.txHash,
        day: row.day,
        max_fee: row.maxFee.toString(),
        fee: (row.txHash === txHash ? fee : 0n).toString(),
      }))
    if (transactions.length === 0) return { facts: [], result: null }
    const about = payment && wallet && subject(payment, wallet, payment.instrumentId as string)
    const details = { relayer, relayer_nonce: relayerNonce, transactions }
    return { facts: [{ type: 'transfer.fee_paid', actor: SYSTEM, ...about, details }], result: null }
  })
}

function finalized({ payment, wallet, transfer }: Snapshot, paymentId: string, inclusion: WireInclusion): Change<null> {
  if (!payment || !wallet || transfer?.status !== 'open' || payment.captured === 0n) return { facts: [], result: null }
  const about = subject({ ...payment, id: paymentId }, wallet, payment.instrumentId as string)
  return { facts: [{ type: 'transfer.finalized', actor: SYSTEM, ...about, details: { inclusion } }], result: null }
}
