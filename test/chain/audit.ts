import { isDeepStrictEqual } from 'node:util'
import { type Address, getAddress, type Hex, parseAbi, parseEventLogs } from 'viem'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { nonceOf } from '../../src/core/transfer.ts'
import type { Broadcast, Counter, CounterKey, Instrument, Payment, Transfer } from '../../src/core/types.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import type { Chain } from '../support/chain.ts'
import type { ChainPurse } from '../support/chain-purse.ts'
import { collected } from '../support/collected.ts'

const EVENTS = parseAbi([
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)',
])
const GWEI = 1_000_000_000n

/** What the chain itself shows: that this much went to this payee under this nonce. */
interface Moved {
  readonly nonce: Hex
  readonly to: Address
  readonly value: bigint
}

/**
 * Looks at a purse from outside once all has settled: the chain's own logs, balances and receipts against the books. It
 * takes nobody else to have paid the payees, and the relayer to have been given `coins` once.
 *
 * @returns everything that is wrong, a sentence each; nothing is the right answer
 */
export async function problemsOf(purse: ChainPurse, chain: Chain, coins = 10n ** 18n): Promise<string[]> {
  const { bursar, wallet } = purse
  const { read } = bursar.store
  const payments = ((await read.list('payments', { walletId: wallet.id })) as readonly Payment[]).filter(
    ({ authorizedAt }) => authorizedAt !== null,
  )
  const final = await chain.publicClient.getBlock({ blockTag: 'finalized' })
  return [
    ...(await journalProblems(purse)),
    ...(await collected(signatureProblems(purse))),
    ...moneyProblems(payments, await movedBy(purse, chain)),
    ...(await balanceProblems(purse, chain, payments)),
    ...stateProblems(payments, await read.list('transfers', { walletId: wallet.id }), Number(final.timestamp)),
    ...(await collected(counterProblems(purse, payments))),
    ...(await feeProblems(purse, chain, coins)),
  ]
}

/** What is wrong at any time: with the journals, or with tables that are not as the journals say. */
export async function journalProblems({
  bursar,
  publicKey,
}: Pick<ChainPurse, 'bursar' | 'publicKey'>): Promise<string[]> {
  const { problems } = await verifyStore(bursar, journalNoteKey(publicKey))
  return problems.map(({ journal, seq, why }) => `${journal} ${seq}: ${why}`)
}

/** What is signed for a payment is signed once, whoever tries. */
async function* signatureProblems({ bursar, wallet }: ChainPurse): AsyncIterable<string> {
  const seen = new Set<string>()
  for await (const { type, body } of bursar.store.read.events(wallet.id)) {
    if (type !== 'transfer.signed') continue
    const { payment_id } = JSON.parse(body!) as { payment_id: string }
    if (seen.has(payment_id)) yield `${payment_id} was signed again`
    seen.add(payment_id)
  }
}

/** Every use of an authorization of the wallet, with the money that its transaction moved. */
async function movedBy({ address }: ChainPurse, { publicClient, token }: Chain): Promise<readonly Moved[]> {
  const [, event] = EVENTS
  const args = { authorizer: address as Address }
  const logs = await publicClient.getLogs({ address: token, event, args, fromBlock: 0n, toBlock: 'latest' })
  return Promise.all(
    logs.map(async ({ transactionHash, args: { nonce } }) => {
      const receipt = await publicClient.getTransactionReceipt({ hash: transactionHash })
      const moves = parseEventLogs({ abi: EVENTS, eventName: 'Transfer', logs: receipt.logs })
      const [move] = moves.filter(({ args: { from } }) => from === address)
      return { nonce: nonce as Hex, to: move!.args.to, value: moves.reduce((sum, one) => sum + one.args.value, 0n) }
    }),
  )
}

/** A payment moved exactly if it is captured: once, to its payee, its amount. */
function* moneyProblems(payments: readonly Payment[], moved: readonly Moved[]): Iterable<string> {
  const left = [...moved]
  for (const { id, status, captured, refunded, payee, amount } of payments) {
    const nonce = nonceOf(id)
    const own = left.filter((one) => one.nonce === nonce)
    for (const one of own) left.splice(left.indexOf(one), 1)
    if (own.length !== (captured - refunded > 0n ? 1 : 0)) yield `${id} is ${status} and moved ${own.length} times`
    for (const { to, value } of own) {
      if (to !== getAddress(payee.address as string)) yield `${id} went to ${to}`
      if (value !== captured || value !== amount) yield `${id} of ${amount} moved ${value}; captured is ${captured}`
    }
  }
  for (const { nonce, to, value } of left) yield `${value} went to ${to} under ${nonce}, which is no payment's`
}

async function balanceProblems(purse: ChainPurse, chain: Chain, payments: readonly Payment[]): Promise<string[]> {
  const accounts = (await purse.bursar.store.read.one('accounts', { walletId: purse.wallet.id }))!
  const has = await chain.balance(purse.address as Address)
  const problems: string[] = []
  if (has !== -accounts.external) problems.push(`the account holds ${has}, the books say ${-accounts.external}`)
  if (accounts.held !== 0n || accounts.overdrawn !== 0n || accounts.available !== has)
    problems.push(`held ${accounts.held}, available ${accounts.available}, overdrawn ${accounts.overdrawn} of ${has}`)
  if ((await purse.bursar.store.read.one('wallets', { id: purse.wallet.id }))!.status !== 'active')
    problems.push('the wallet was frozen')
  const due = new Map<string, bigint>()
  for (const { payee, captured, refunded } of payments)
    due.set(payee.address as string, (due.get(payee.address as string) ?? 0n) + captured - refunded)
  for (const [address, units] of due) {
    const got = await chain.balance(address as Address)
    if (got !== units) problems.push(`${address} was paid ${got}; captured for it is ${units}`)
  }
  return problems
}

/** Every hold has ended, by money that moved or by the proof that it never will. */
function* stateProblems(
  payments: readonly Payment[],
  transfers: readonly Transfer[],
  finalSecond: number,
): Iterable<string> {
  const ofPayment = new Map(transfers.map((transfer) => [transfer.paymentId, transfer]))
  for (const { id, status, held } of payments) {
    const transfer = ofPayment.get(id)
    if (held !== 0n || !['captured', 'voided', 'refunded'].includes(status))
      yield `${id} is ${status} and holds ${held}`
    if (transfer?.status === 'open') yield `${id}: its transfer is open`
    if (status === 'captured' && !transfer?.txHash) yield `${id} is captured, and no transaction is known`
    if (status !== 'voided' || !transfer) continue
    if (transfer.voidProof === null || transfer.validBefore > finalSecond) yield `${id} was given up without proof`
  }
}

/** Counters and instruments are the sums of the payments that count. */
async function* counterProblems({ bursar, wallet }: ChainPurse, payments: readonly Payment[]): AsyncIterable<string> {
  const { read } = bursar.store
  const counters = new Map<string, { amount: bigint; count: number }>()
  const taken = new Map<string, { amount: bigint; count: number }>()
  const add = (sums: typeof taken, name: string, { held, captured, status }: Payment): void => {
    const { amount, count } = sums.get(name) ?? { amount: 0n, count: 0 }
    sums.set(name, { amount: amount + held + captured, count: count + (status === 'voided' ? 0 : 1) })
  }
  for (const payment of payments) {
    for (const key of payment.counted) add(counters, nameOf(key), payment)
    add(taken, payment.instrumentId as string, payment)
  }
  const none = { amount: 0n, count: 0 }
  for await (const { id, walletId, maxAmount, over } of read.all('limits'))
    for (const counter of walletId === wallet.id ? ((await read.list('counters', { limitId: id })) as Counter[]) : []) {
      const { amount, count } = counter
      const sum = counters.get(nameOf(counter)) ?? none
      if (!isDeepStrictEqual({ amount, count }, sum)) yield `${nameOf(counter)} says ${amount}; it is ${sum.amount}`
      if (over === 'deny' && maxAmount !== null && amount > maxAmount)
        yield `${id} was overrun by ${amount - maxAmount}`
    }
  for (const { id, amount, remaining, usageConsumed } of (await read.list('instruments', {
    walletId: wallet.id,
  })) as readonly Instrument[]) {
    const sum = taken.get(id) ?? none
    if (remaining !== amount - sum.amount) yield `${id} has ${remaining} left; ${sum.amount} of ${amount} was spent`
    if (usageConsumed !== sum.count) yield `${id} has ${usageConsumed} uses of ${sum.count}`
  }
}

/** A nonce is one payment's, all of them are used up, and the books paid what the receipts say. */
async function feeProblems(purse: ChainPurse, chain: Chain, coins: bigint): Promise<string[]> {
  const { read } = purse.bursar.store
  const relayer = purse.wallet.relayer as string
  const rows = (await read.list('broadcasts', { relayer })) as readonly Broadcast[]
  const problems: string[] = []
  const cost = new Map<string, bigint>()
  for (const { txHash, fee } of rows) {
    const wei = await costOf(chain, txHash as Hex)
    cost.set(txHash, wei)
    if (fee !== (wei + GWEI - 1n) / GWEI) problems.push(`${txHash} cost ${wei} wei; the books say ${fee} gwei`)
  }
  const nonces = new Set(rows.map(({ relayerNonce }) => relayerNonce))
  for (const nonce of nonces) {
    const sent = rows.filter(({ relayerNonce }) => relayerNonce === nonce)
    const carried = new Set(sent.flatMap(({ paymentId }) => paymentId ?? []))
    if (carried.size > 1) problems.push(`the nonce ${nonce} was handed to ${[...carried].join(' and ')}`)
    const taken = sent.filter(({ txHash }) => cost.get(txHash) !== 0n).length
    if (taken !== 1) problems.push(`of the nonce ${nonce} the chain took ${taken} transactions`)
  }
  const address = purse.relayerAddress as Address
  for (const blockTag of ['latest', 'pending'] as const) {
    const count = await chain.publicClient.getTransactionCount({ address, blockTag })
    if (count !== nonces.size) problems.push(`${nonces.size} nonces were handed out; ${blockTag} counts ${count}`)
  }
  const days = await read.list('fee_days', { relayer })
  for (const { day, held } of days) if (held !== 0n) problems.push(`${held} gwei of ${day} are still held for fees`)
  const spent = days.reduce((total, day) => total + day.spent, 0n)
  const booked = rows.reduce((total, { fee }) => total + (fee ?? 0n), 0n)
  if (spent !== booked) problems.push(`the days say ${spent} gwei of fees, the transactions ${booked}`)
  const paid = [...cost.values()].reduce((total, wei) => total + wei, 0n)
  const has = await chain.publicClient.getBalance({ address })
  if (has !== coins - paid) problems.push(`the relayer has ${has} wei of ${coins}, after ${paid} of fees`)
  return problems
}

/** In wei; nothing while it is in no block. */
async function costOf(chain: Chain, hash: Hex): Promise<bigint> {
  const receipt = await chain.rpc<{ gasUsed: Hex; effectiveGasPrice: Hex } | null>('eth_getTransactionReceipt', [hash])
  return receipt ? BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice) : 0n
}

function nameOf({ limitId, scopeValue, windowKey }: CounterKey): string {
  return `${limitId} ${scopeValue} ${windowKey}`
}
